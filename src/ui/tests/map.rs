//! Tests of the map: what it lets its reader decide, what is declared against what is seen, its keys, and many services.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::control::world::DiscoveryView;
use crate::model::catalog::{Catalog, Service};
use crate::model::error::{PortError, PortErrorKind};
use crate::model::link::{Discovery, Flow, Link, LinkAsk, LinkReading, LinkSeen, Telemetry};
use crate::model::reading::Fact;
use crate::model::text::Text;

/// A discovery of production that was read so many seconds ago.
fn mesh(world: &mut World, seconds: u64, links: &[(&str, &str, LinkSeen)]) {
    let discovery = Discovery {
        name: fixture::name("mesh"),
        backend: fixture::name("prom"),
        environment: fixture::name("prod"),
        ask: LinkAsk {
            kind: Telemetry::Otel,
            user: "client".to_owned(),
            used: "server".to_owned(),
            matching: BTreeMap::new(),
            window_s: 600,
        },
        names: BTreeMap::new(),
        every: Duration::from_secs(15),
        stale_after: Duration::from_mins(1),
    };
    let now = fixture::now();
    let seen = Moment {
        wall: now.wall - chrono::TimeDelta::seconds(i64::try_from(seconds).unwrap()),
        boot: crate::model::time::Boot(now.boot.0 - seconds * 1000),
    };
    let value = Some(Arc::new(LinkReading { flows: BTreeMap::new(), sent: Text::empty(), backend_clock: None }));
    let view = DiscoveryView {
        discovery: Arc::new(discovery.clone()),
        fact: Fact { value, seen: Some(seen), tried: Some(seen), trouble: None, failures: 0, seq: 1 },
        links: Arc::new(
            links.iter().map(|(user, used, seen)| (Link { user: fixture::name(user), used: fixture::name(used) }, seen.clone())).collect(),
        ),
        strangers: Arc::default(),
    };
    Arc::make_mut(&mut world.catalog).discoveries.push(discovery.clone());
    Arc::make_mut(&mut world.discoveries).insert(discovery.name, Arc::new(view));
}

fn seen(rate: f64, failed: f64) -> LinkSeen {
    LinkSeen { since: None, flow: Flow::new(rate, failed), gone: None }
}

/// The shop of production: search uses checkout, which uses the ledger and, as is declared and never seen, mail; that it uses search is
/// seen and nowhere declared, and that search used mail is over.
pub(super) fn shop(seconds: u64) -> World {
    let mut world = fixture::world();
    let catalog: &mut Catalog = Arc::make_mut(&mut world.catalog);
    let mut needs = |user: &str, used: &[&str]| {
        catalog.services.get_mut(&fixture::name(user)).unwrap().depends_on = used.iter().map(|used| fixture::name(used)).collect();
    };
    needs("search", &["checkout"]);
    needs("checkout", &["ledger", "mail"]);
    let gone = LinkSeen { since: None, flow: None, gone: Some(fixture::now().wall - chrono::TimeDelta::minutes(20)) };
    let fresh = LinkSeen { since: Some(fixture::now().wall - chrono::TimeDelta::minutes(5)), ..seen(3.0, 0.0) };
    mesh(
        &mut world,
        seconds,
        &[
            ("search", "checkout", seen(41.0, 0.9)),
            ("checkout", "ledger", seen(12.0, 0.0)),
            ("ledger", "mail", fresh),
            ("search", "mail", gone),
        ],
    );
    world
}

#[test]
fn the_map_as_it_looks() {
    for (name, world) in [("fresh", shop(5)), ("stale", shop(90))] {
        for size in [(80, 24), (120, 40), (200, 60)] {
            let text = render::text(&world, &fixture::now(), Screen::Map, Some(&fixture::checkout()), size, &Theme::ascii());
            let styles = render::styles(&world, &fixture::now(), Screen::Map, Some(&fixture::checkout()), size, &Theme::standard());
            assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(size.0)));
            insta::assert_snapshot!(format!("map-{name}-{}x{}", size.0, size.1), format!("{text}{styles}"));
        }
    }
}

#[test]
fn what_is_declared_stands_against_what_is_seen() {
    let text = render::text(&shop(5), &fixture::now(), Screen::Map, Some(&fixture::checkout()), (120, 40), &Theme::ascii());
    let table = || text.lines().skip_while(|line| !line.contains("from > to"));
    let row = |name: &str| table().find(|line| line.get(5..).is_some_and(|rest| rest.starts_with(name))).unwrap().to_owned();
    // Providers first: mail, ledger, checkout, search.
    assert!(row("ledger").ends_with("+#.."), "seen and not declared:\n{text}");
    assert!(row("checkout").ends_with("-b#."), "mail is declared and not seen:\n{text}");
    assert!(row("search").ends_with(":.c#"), "mail is not used any more:\n{text}");
    assert!(text.contains("uses a mail: declared, never seen"), "{text}");
}

#[test]
fn a_stale_discovery_has_no_colour_and_removes_no_link() {
    let world = shop(90);
    let text = render::text(&world, &fixture::now(), Screen::Map, Some(&fixture::checkout()), (120, 40), &Theme::ascii());
    let row = text.lines().find(|line| line.contains("search")).unwrap();
    assert!(row.ends_with(":.~#"), "{text}");
    assert!(text.contains("mesh ~ 1m30 STALE"), "{text}");
    let fresh = render::text(&shop(5), &fixture::now(), Screen::Map, Some(&fixture::checkout()), (120, 40), &Theme::ascii());
    let used = |text: &str| text.lines().find(|line| line.contains("used by")).unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(used(&text), used(&fresh), "who uses it does not change by not looking");
}

#[test]
fn a_lost_discovery_keeps_what_it_said_and_says_that_it_is_lost() {
    let mut world = shop(90);
    let view = Arc::make_mut(&mut world.discoveries).values_mut().next().unwrap();
    Arc::make_mut(view).fact.trouble =
        Some(PortError::new(PortErrorKind::Unreachable, &fixture::name("mesh"), "read who uses whom", "connection refused"));
    let text = render::text(&world, &fixture::now(), Screen::Map, Some(&fixture::checkout()), (120, 40), &Theme::ascii());
    assert!(text.contains("mesh ~ 1m30 UNREACHABLE"), "{text}");
}

#[test]
fn flows_say_by_whom_and_over_how_long_they_are_counted_and_no_figure_loses_its_unit() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        for fail in [0.0, 0.9] {
            let mut world = shop(5);
            let view = Arc::make_mut(Arc::make_mut(&mut world.discoveries).values_mut().next().unwrap());
            let link = Link { user: fixture::name("search"), used: fixture::name("checkout") };
            Arc::make_mut(&mut view.links).insert(link, seen(41.0, fail));
            let mut desk = at(world, Theme::ascii(), size);
            desk.press("4").sees("by mesh in 10m");
            desk.sees("41 req/s");
            desk.sees(if fail > 0.0 { "2.2 % fail" } else { "0.0 % fail" });
            desk.press("g").sees("requests by mesh in 10m");
        }
    }
}

#[test]
fn the_map_has_its_keys() {
    let mut desk = at(shop(5), Theme::ascii(), (120, 40));
    desk.press("4");
    desk.sees("go or no go: as it stands NO GO");
    desk.press("g");
    desk.sees("1 direct user");
    desk.sees("declared, never seen");
    desk.press("<esc>");
    desk.sees("row uses column");
    desk.press("k");
    assert_eq!(desk.session.target(), Some("ledger@prod".parse().unwrap()), "the row above");
    desk.press("<ret>");
    assert_eq!(desk.session.screen(), Screen::Rollout);
    desk.press("<esc>");
    assert_eq!(desk.session.screen(), Screen::Map);
    desk.press("/ s e a r c h <ret>");
    assert_eq!(desk.session.target(), Some("search@prod".parse().unwrap()));
    desk.sees("found by `search`");
    desk.press("<esc>");
    assert_eq!(desk.session.screen(), Screen::Map, "the first Esc only shows all again");
    desk.press("<esc>");
    assert_eq!(desk.session.screen(), Screen::Board);
}

/// So many services more, of ten teams, each of which uses the one before.
pub(super) fn estate(many: usize) -> World {
    let mut world = shop(5);
    let catalog = Arc::make_mut(&mut world.catalog);
    let like = catalog.services[&fixture::name("ledger")].clone();
    for n in 0..many {
        let name = format!("service-{n:03}");
        let depends_on = if n == 0 { Vec::new() } else { vec![fixture::name(&format!("service-{:03}", n - 1))] };
        let service = Service { name: fixture::name(&name), team: Some(format!("team-{}", n % 10)), depends_on, ..like.clone() };
        catalog.services.insert(service.name.clone(), service);
    }
    let catalog = world.catalog.clone();
    for target in catalog.targets() {
        if world.target(&target).is_none() {
            world.targets.insert_mut(target.clone(), Arc::new(crate::control::world::TargetView::new(target)));
        }
    }
    world
}

#[test]
fn beyond_a_letter_each_it_is_by_team_and_a_team_opens() {
    let mut desk = at(estate(300), Theme::ascii(), (120, 40));
    desk.press("4");
    desk.sees("payments");
    desk.sees("team-9");
    desk.press("j <ret>");
    let team = desk.text();
    assert!(team.contains("service-000") && !team.contains("service-001 "), "only the services of team-0:\n{team}");
    desk.press("G");
    desk.press("<esc>");
    desk.sees("team-9");
    let found = {
        desk.press("/ s e r v i c e - 1 7 3 <ret>");
        desk.text()
    };
    assert!(found.contains("service-173") && !found.contains("service-172 "), "{found}");
}
