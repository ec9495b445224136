//! The advisory board's pack and the calendar from the command line.

use serde_json::Value;

use super::keys::{people, run};
use super::place::{Pair, Place, Room};
use crate::servers::agent::Agent;

const HOSTILE: &str = "<script>alert(1)</script> | `all` green at 20";

#[test]
fn the_pack_of_a_period_is_written_as_markdown_html_and_json() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let (ana, cy) = (Agent::start(), Agent::start());
    let people = people(&ana.add("ana", &["-t", "ed25519"]), &cy.add("cy", &["-t", "ed25519"]));
    let place = Place::bare();
    let environment = "hold_time = \"1s\"\nprotection = { approvals = 1 }".to_owned();
    let more = "[[window]]\nname = \"always\"\nfrom = \"00:00\"\nto = \"24:00\"\n".to_owned();
    place.configure(&Room { environment, people, more, ..pair.room(&pool) }.text());
    run(&place, &ana.socket(), &["shift", "checkout@prod", "20", "--yes", "--reason", HOSTILE]).exits(4);
    let calendar = &run(&place, &ana.socket(), &["show", "changes", "--json"]).exits(0).json()["calendar"];
    let prod = calendar["environments"].as_array().unwrap().iter().find(|one| one["name"] == "prod").unwrap();
    assert_eq!((&prod["always_open"], &prod["windows"][0]["name"]), (&Value::Bool(false), &"always".into()), "{calendar}");

    let out = |name: &str| place.path(name).display().to_string();
    let ways: [&[&str]; 2] = [&["--format", "html", "--out", &out("pack.html")], &["--out", &out("pack.md")]];
    for way in ways {
        run(&place, &ana.socket(), &[&["changes", "pack"], way].concat()).exits(0);
    }
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (html, markdown) = (read("pack.html"), read("pack.md"));
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n") && !html.contains("<script"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)") && html.contains("never proven"), "{html}");
    assert!(markdown.starts_with("# Changes of ") && !markdown.contains("<script"), "{markdown}");
    let object = run(&place, &ana.socket(), &["changes", "pack", "--json"]).exits(0).json();
    let change = &object["changes"][0];
    assert_eq!((&change["requester"], &change["way_back"]["proven"]), (&"ana".into(), &Value::Null), "{object}");
    assert_eq!(change["risk"]["parts"].as_array().map(Vec::len), Some(7), "{object}");
    for key in ["changes", "carried_out", "freezes", "not_believed", "reviews", "overdue_reviews"] {
        assert!(object[key].is_array(), "{key}: {object}");
    }
    let period = ["--from", "2026-11-20T00:00:00Z", "--to", "2026-11-20T00:00:00Z"];
    let refused = run(&place, &ana.socket(), &[&["changes", "pack"], &period[..]].concat()).exits(2);
    assert!(refused.err.contains("ends before it begins"), "{refused:?}");
}
