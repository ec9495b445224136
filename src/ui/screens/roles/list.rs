//! Who has a role for a while and until when, and what the one at the keys may take.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::control::roles::Offer;
use crate::model::operator::Actor;
use crate::model::self_service::{GrantState, SelfGrant};
use crate::policy::allowance;
use crate::policy::grant::holders;
use crate::ui::row::Row;
use crate::ui::scene::Scene;
use crate::ui::screens::plan::page::Page;
use crate::ui::theme::{Mark, Role};

use super::Item;

/// Who has which role where, until when.
pub fn line(scene: &Scene<'_>, grant: &SelfGrant) -> (Role, String) {
    let SelfGrant { person, role, place, .. } = grant;
    let until = format!("until {} ({})", scene.zone.minute(&grant.until, &scene.now.wall), scene.left(&grant.until));
    if grant.state(&scene.now.wall) == GrantState::Asked {
        let given = grant.agreed.len();
        let asks = if super::may(scene, grant, true) { ": agree? " } else { ": " };
        return (Role::Waits, format!("{person} asks to be {role} of {place} {until}{asks}agreed {given} of {}", grant.needs));
    }
    (Role::Plain, format!("{person} is {role} of {place} {until}"))
}

/// What else is to be known of it.
fn more(scene: &Scene<'_>, grant: &SelfGrant) -> String {
    let agreed: Vec<&str> = grant.agreed.iter().map(|one| one.person.as_str()).collect();
    let agreed = match (agreed.is_empty(), grant.needs) {
        (true, 0) => "nobody else agreed".to_owned(),
        (true, _) => format!("could agree: {}", holders(&scene.world.catalog.people, &grant.role, &grant.place)),
        (false, _) => format!("agreed by {}", agreed.join(", ")),
    };
    format!("\"{}\"; {agreed}; taken {} ago, grant {}", grant.reason, scene.ago(&grant.at), grant.short())
}

fn offered(offer: &Offer) -> [String; 2] {
    let (at_most, left) = (allowance::span(offer.at_most), allowance::span(offer.left));
    let whole = if offer.place.service.is_none() { ", every service" } else { "" };
    let for_now = match (offer.left.is_zero(), offer.left < offer.at_most) {
        (true, _) => format!("not now: {at_most} are over; anew after a pause of {}", allowance::span(offer.pause)),
        (false, true) => format!("for {left} more, of {at_most} without a pause"),
        (false, false) => format!("for {at_most} at most"),
    };
    let counts = if offer.approvals == 0 {
        "counts at once".to_owned()
    } else {
        format!("counts once {} of these agree: {}", offer.approvals, offer.holders)
    };
    [format!("{} of {}{whole}", offer.role, offer.place), format!("{for_now}; {counts}")]
}

/// Why nothing is offered.
fn nothing(scene: &Scene<'_>) -> String {
    match &scene.world.actor {
        Actor::Unverified(_) => "no person is configured, so everybody has every role".to_owned(),
        Actor::Stranger(user) => format!("os:{user} is no configured person; `gonogo whoami` says why"),
        rule @ Actor::Rule { .. } => format!("{rule} takes no roles"),
        Actor::Person(name) => {
            format!("nothing is offered to {name} beyond what {name} has: `self_service` of an [[environment]] offers roles")
        }
    }
}

/// Draws the list, the marked one in full.
pub(super) fn draw(scene: &Scene<'_>, items: &[Item], (mark, told): (usize, Option<&str>), buffer: &mut Buffer, area: Rect) {
    let mut page = Page { scene, width: usize::from(area.width), rows: Vec::new() };
    let mark = mark.min(items.len().saturating_sub(1));
    let grants = items.iter().filter(|item| matches!(item, Item::Grant(_))).count();
    page.rows.push(Row::rule(scene.theme, &format!("taken for a while {grants}")));
    if grants == 0 {
        page.text(3, Role::Quiet, "nobody has a role that was taken for a while");
    }
    let mut marked = 0..0;
    for (place, item) in items.iter().enumerate() {
        if place == grants {
            page.rows.push(Row::rule(scene.theme, &format!("{} may take", scene.world.actor)));
        }
        let from = page.rows.len();
        let cursor = if place == mark { Mark::Cursor } else { Mark::None };
        match item {
            Item::Grant(grant) => {
                let (role, text) = line(scene, grant);
                page.mark(cursor, role, &text);
                page.text(5, Role::Quiet, &more(scene, grant));
            }
            Item::Offer(offer) => {
                let [head, rest] = offered(offer);
                page.mark(cursor, Role::Strong, &head);
                page.text(5, Role::Plain, &rest);
            }
        }
        if place == mark {
            marked = from..page.rows.len();
        }
    }
    if items.len() == grants {
        page.rows.push(Row::rule(scene.theme, &format!("{} may take", scene.world.actor)));
        page.text(3, Role::Quiet, &nothing(scene));
    }
    page.rows.push(Row::new());
    page.text(3, Role::Quiet, "a role that was taken ends by itself; taking, agreeing and taking back are in the ledger");
    let told_rows = usize::from(told.is_some());
    let height = usize::from(area.height).saturating_sub(told_rows);
    let first = marked.end.saturating_sub(height).min(marked.start);
    for (y, row) in (0..u16::try_from(height).unwrap_or(0)).zip(page.rows.iter().skip(first)) {
        row.draw(buffer, area, y, scene.theme);
    }
    if let Some(told) = told {
        Row::of(Role::Watched, format!(" {told}")).draw(buffer, area, area.height.saturating_sub(1), scene.theme);
    }
}
