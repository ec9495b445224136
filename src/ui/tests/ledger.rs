//! Tests of the ledger screen: what it says, how the mark moves, what verifying shows.

use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::PlanId;
use crate::model::text::Text;
use crate::ports::ledger::{EntryRow, Verification};

fn entry(n: u64, kind: EntryKind, verb: &str, words: &str) -> EntryRow {
    let at = fixture::at("13:59:00") + TimeDelta::seconds(i64::try_from(n).unwrap());
    let of_deed = !matches!(kind, EntryKind::Signers | EntryKind::Policy);
    let passed = |least: EntryKind| (kind == least || kind == EntryKind::Held).then_some(at);
    EntryRow {
        n,
        at,
        kind,
        signer: "ana".to_owned(),
        deed: of_deed.then_some(PlanId([0x7c; 32])),
        verb: of_deed.then(|| verb.to_owned()),
        target: of_deed.then(|| "checkout@prod".to_owned()),
        requester: of_deed.then(|| "ana".to_owned()),
        verdict: [(EntryKind::Intent, "permit"), (EntryKind::Denied, "deny")]
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, word)| (*word).to_owned()),
        facts: Facts {
            intended: of_deed.then_some(at),
            sent: passed(EntryKind::Sending),
            accepted: passed(EntryKind::Accepted),
            effective: passed(EntryKind::Effective),
            held: passed(EntryKind::Held),
        },
        words: Text::clean(words),
    }
}

fn entries(count: u64) -> Vec<EntryRow> {
    (0..count)
        .map(|n| match n % 7 {
            0 => entry(n, EntryKind::Signers, "", "2 keys of ana"),
            1 => entry(n, EntryKind::Intent, "shift", "to 0 %: errors after 20 %"),
            2 => entry(n, EntryKind::Sending, "shift", "step 1"),
            3 => entry(n, EntryKind::Accepted, "shift", "be_checkout: v1 to 100, then v2 to 0"),
            4 => entry(n, EntryKind::Effective, "shift", "measured 0 of 214 requests"),
            5 => entry(n, EntryKind::Held, "shift", ""),
            _ => entry(n, EntryKind::Denied, "rollback", "ana is no release captain in prod"),
        })
        .collect()
}

pub(super) fn world(count: u64) -> World {
    let mut world = fixture::world();
    world.ledger.entries = Arc::new(entries(count));
    world.ledger.size = count;
    world
}

fn desk(count: u64, size: (u16, u16)) -> Desk {
    let mut desk = at(world(count), Theme::ascii(), size);
    desk.press("0");
    desk
}

fn marked(desk: &Desk) -> String {
    desk.text().lines().find(|line| line.starts_with('*')).unwrap_or_default().to_owned()
}

#[test]
fn the_mark_begins_at_the_newest_and_stays_there() {
    let mut desk = desk(12, (120, 40));
    assert!(marked(&desk).contains("11 13:59:11"), "{}", desk.text());
    desk.world = world(13);
    assert!(marked(&desk).contains("12 13:59:12"), "{}", desk.text());
}

#[test]
fn a_list_in_hand_stands_still_and_says_how_many_are_newer() {
    let mut desk = desk(12, (80, 24));
    desk.press("j j");
    let before = marked(&desk);
    assert!(before.contains(" 9 13:59:09"), "{before}");
    let row = |desk: &Desk| desk.text().lines().position(|line| line.starts_with('*'));
    let place = row(&desk);
    desk.world = world(15);
    assert_eq!((marked(&desk), row(&desk)), (before, place));
    desk.sees("3 newer, u to update");
    desk.press("u");
    assert!(marked(&desk).contains("14 13:59:14"), "{}", desk.text());
}

#[test]
fn a_mark_on_an_entry_that_is_kept_no_more_goes_to_the_oldest() {
    let mut desk = desk(12, (80, 24));
    desk.press("G");
    Arc::make_mut(&mut desk.world.ledger.entries).drain(..5);
    assert!(marked(&desk).contains(" 5 13:59:05"), "{}", desk.text());
}

#[test]
fn the_entry_opens_with_its_facts_and_closes() {
    let mut desk = desk(12, (80, 24));
    desk.press("<ret>").sees("facts as of this entry");
    desk.sees("EFFECTIVE  2026-11-20 13:59:11Z");
    desk.sees("HELD       not yet");
    desk.sees("measured 0 of 214 requests");
    desk.press("<esc>").sees("12 entries");
    desk.press("<esc>").sees("needs you");
}

#[test]
fn v_verifies_and_the_verdict_is_shown_with_each_entry() {
    let mut desk = desk(12, (80, 24));
    desk.sees("not verified in this room yet; v verifies");
    desk.press("v").sees("verifying every entry");
    assert_eq!(desk.acts.iter().filter(|act| **act == Act::VerifyLedger).count(), 1);
    desk.now = desk.now.plus(Duration::from_secs(61));
    desk.sees("no verdict");
    desk.world.ledger.unverified = Some((desk.now.wall, Text::clean("failed to read the record: the disk does not answer")));
    desk.sees("not verified 0s ago: failed to read the record: the disk does not answer");
    desk.world.ledger.unverified = None;
    let found = Verification { intact: true, entries: 11, first_bad: None, reason: None };
    desk.world.ledger.verified = Some((desk.now.wall, found.clone()));
    desk.sees("+ intact: 11 entries verified 0s ago, 1 written since; v verifies again");
    assert!(marked(&desk).starts_with("*~ 11"), "{}", desk.text());
    desk.press("j");
    assert!(marked(&desk).starts_with("*+ 10"), "{}", desk.text());
    let bad =
        Verification { intact: false, first_bad: Some(4), reason: Some(Text::clean("the signature of entry 4 does not hold")), ..found };
    desk.world.ledger.verified = Some((desk.now.wall, bad));
    desk.sees("! NOT INTACT from entry 4 on: the signature of entry 4 does not hold");
    assert!(marked(&desk).starts_with("*x 10"), "{}", desk.text());
    desk.press("G k k k <ret>").sees("verified: signature, chain and time hold");
}

#[test]
fn every_kind_of_nothing_says_what_to_do() {
    let says = |change: &dyn Fn(&mut World), words: &str| {
        let mut desk = desk(0, (80, 24));
        change(&mut desk.world);
        desk.sees(words);
    };
    says(&|world| world.ledger.read = false, "loading");
    says(&|_| {}, "nothing there: no deed was ever ordered in this store");
    says(&|world| world.ledger.trouble = Some(Text::clean("disk full")), "unreachable: the store cannot be opened");
    says(&|world| world.ledger.trouble = Some(Text::clean("Permission denied")), "forbidden: this user may not open the store");
    let bare = |world: &mut World| {
        let mut catalog = (*world.catalog).clone();
        catalog.services.clear();
        world.catalog = Arc::new(catalog);
    };
    says(&bare, "nothing configured");
}

#[test]
fn trouble_with_the_record_stands_over_what_was_read_before() {
    let mut desk = desk(12, (80, 24));
    desk.world.ledger.trouble = Some(Text::clean("disk full"));
    desk.sees("nothing can be written: disk full");
    assert!(marked(&desk).contains("11 13:59:11"));
}

#[test]
fn the_ledger_as_it_looks() {
    let mut world = world(60);
    world.ledger.verified = Some((fixture::at("14:01:00"), Verification { intact: true, entries: 58, first_bad: None, reason: None }));
    for size in [(80, 24), (120, 40), (200, 60)] {
        for theme in [Theme::standard(), Theme::monochrome(), Theme::ascii()] {
            let text = render::text(&world, &fixture::now(), Screen::Ledger, Some(&fixture::checkout()), size, &theme);
            let styles = render::styles(&world, &fixture::now(), Screen::Ledger, Some(&fixture::checkout()), size, &theme);
            insta::assert_snapshot!(format!("entries-{}x{}-{}", size.0, size.1, theme.name), format!("{text}{styles}"));
        }
    }
    let mut desk = at(world, Theme::ascii(), (80, 24));
    desk.press("0 j <ret>");
    insta::assert_snapshot!("entry-80x24", desk.text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn the_facts_of_every_entry_are_on_its_row(width in 80_u16..=200, height in 24_u16..=60, moves in proptest::collection::vec(0..5_usize, 0..10), words in ".{0,40}") {
        let mut desk = desk(40, (width, height));
        for entry in Arc::make_mut(&mut desk.world.ledger.entries) {
            entry.words = Text::clean(&words);
        }
        for n in moves {
            desk.press(["j", "<pagedown>", "G", "k", "<pageup>"][n]);
        }
        let text = desk.text();
        prop_assert!(text.lines().all(|line| crate::ui::row::cells(line) <= usize::from(width)));
        prop_assert_eq!(text.lines().filter(|line| line.starts_with('*')).count(), 1, "{}", text);
        for line in text.lines().filter(|line| line.contains("shift") && line.contains("checkout@prod") && line.contains(" 13:59:")) {
            let facts = line.split(' ').next_back().unwrap();
            prop_assert!(facts.len() == 5 && facts.starts_with('I'), "{}", line);
        }
    }
}
