//! Tests of the hand-off: which links there are, what stands in them, what the terminal gets, what is copied.

use std::sync::Arc;

use super::*;
use crate::model::handoff::HandOff;
use crate::model::text::Text;

/// The shop with links to Grafana and to logs, and hostile words in what a backend told.
fn world() -> World {
    let mut world = fixture::world();
    let mut catalog = (*world.catalog).clone();
    let link = |name: &str, url: &str| HandOff { name: fixture::name(name), url: url.to_owned() };
    catalog.handoffs = vec![
        link("grafana", "https://grafana.shop.example/d/1?var-service=$service&var-version=$version&from=$from&to=$to"),
        link("logs", "https://logs.shop.example/q?q=$query&at=$from_iso"),
    ];
    for backend in catalog.backends.values_mut().filter(|backend| backend.name.as_str() == "prom") {
        backend.address = "http://127.0.0.1:9090".to_owned();
    }
    world.catalog = Arc::new(catalog);
    let mut view = (**world.target(&fixture::checkout()).unwrap()).clone();
    for signal in view.signals.iter_mut().map(Arc::make_mut).filter(|signal| signal.name.as_str() == "errors") {
        signal.queries = vec![Text::clean("bad{service=\"a b\",x=~\"5..|&c=d#\"}"), Text::clean("total{service=\"checkout\"}[120s]")];
    }
    if let Some(seen) = &mut view.versions[1] {
        seen.version = Text::clean("2.5.0&to=0 \u{1b}]8;;x");
    }
    world.targets.insert_mut(view.target.clone(), Arc::new(view));
    world
}

fn desk(size: (u16, u16)) -> Desk {
    super::at(world(), Theme::standard(), size)
}

fn copied(desk: &Desk) -> Vec<&str> {
    desk.acts.iter().filter_map(|act| if let Act::Copy(text) = act { Some(text.as_str()) } else { None }).collect()
}

#[test]
fn the_range_that_is_looked_at_is_the_range_of_the_link() {
    let mut desk = desk((120, 40));
    desk.press("<ret> + L").sees("links of checkout@prod, errors, 13:53:50 to 14:03:50");
    desk.press("<ret>").sees("the address at grafana is on the clipboard");
    let (from, to) = ("1795182830000", "1795183430000");
    let url = copied(&desk)[0].to_owned();
    let times = |text: &str| text.parse::<i64>().unwrap();
    assert_eq!(times(to) - times(from), 600_000);
    assert!(url.starts_with("https://grafana.shop.example/d/1?var-service=checkout&var-version=2.5.0%26to%3D0%20"), "{url}");
    let at = |name: &str| times(url.split(&format!("&{name}=")).nth(1).unwrap().split('&').next().unwrap());
    assert_eq!(at("to") - at("from"), 600_000);
    assert_eq!(at("to"), fixture::now().wall.timestamp_millis() + 28_000);
}

#[test]
fn what_a_backend_told_changes_no_part_of_an_address() {
    let mut desk = desk((120, 40));
    desk.press("L down <ret> down <ret>");
    let urls = copied(&desk);
    assert_eq!(urls.len(), 2);
    assert!(
        urls[0].starts_with("https://logs.shop.example/q?q=bad%7Bservice%3D%22a%20b%22%2Cx%3D~%225..%7C%26c%3Dd%23%22%7D&at=2026-"),
        "{}",
        urls[0]
    );
    assert!(urls[1].starts_with("http://127.0.0.1:9090/graph?g0.expr=bad%7B"), "{}", urls[1]);
    assert!(urls[1].contains("&g0.range_input=3600s&g0.end_input=2026-11-20%2014%3A03%3A22&g1.expr=rate%28total%7B"), "{}", urls[1]);
    assert!(urls.iter().all(|url| url.bytes().all(|byte| byte.is_ascii_graphic())));
}

#[test]
fn a_link_lies_in_the_escape_stream_between_its_marks_and_its_address_on_the_glass() {
    let mut desk = desk((80, 24));
    let bytes = desk.blind("L").look();
    let text = String::from_utf8(bytes).unwrap();
    let opened: Vec<&str> = text.split("\x1b]8;id=").skip(1).map(|rest| rest.split("\x1b\\").next().unwrap()).collect();
    assert!(opened.iter().any(|link| link.split_once(';').unwrap().1.starts_with("https://grafana.shop.example/d/1?")), "{opened:?}");
    assert!(opened.iter().all(|link| link.bytes().all(|byte| byte.is_ascii_graphic())), "{opened:?}");
    assert_eq!(text.matches("\x1b]8;;\x1b\\").count(), opened.len(), "each link is ended");
    assert!(text.rfind("\x1b]8;;\x1b\\") > text.rfind("\x1b]8;id="), "no link is open after a frame");
    // The address that a click opens stands there in full, whatever the width.
    let glass: String = desk.text().lines().map(str::trim).collect();
    assert!(glass.contains(opened[0].split_once(';').unwrap().1), "{glass}");
}

#[test]
fn a_row_that_leads_nowhere_any_more_is_written_again() {
    let mut desk = desk((80, 24));
    desk.press("L");
    let text = String::from_utf8(desk.blind("<esc>").look()).unwrap();
    assert!(!text.contains("\x1b]8;id="), "{text:?}");
    let mut fresh = super::at(world(), Theme::standard(), (80, 24));
    fresh.press("L");
    // Nothing moved: nothing travels.
    assert!(fresh.look().is_empty());
}

#[test]
fn what_a_link_lacks_is_said_and_nothing_is_copied() {
    let mut desk = desk((80, 24));
    let mut view = (**desk.world.target(&fixture::checkout()).unwrap()).clone();
    view.signals.iter_mut().map(Arc::make_mut).for_each(|signal| signal.queries.clear());
    desk.world.targets.insert_mut(view.target.clone(), Arc::new(view));
    desk.press("L").sees("$query is not known here");
    desk.press("down <ret>").sees("no link to logs: $query is not known here");
    assert!(copied(&desk).is_empty());
    let mut none = super::at(fixture::world(), Theme::standard(), (80, 24));
    let mut catalog = (*none.world.catalog).clone();
    catalog.backends.clear();
    none.world.catalog = Arc::new(catalog);
    none.press("L").sees("no link leads from here");
}

#[test]
fn links_are_listed_as_they_were() {
    for size in [(80, 24), (120, 40)] {
        let mut desk = desk(size);
        desk.press("L");
        insta::assert_snapshot!(format!("links-{}x{}", size.0, size.1), desk.text());
    }
}
