//! Tickets: the number that a change has elsewhere is part of what is approved, and is shown with the deed.

use super::place::Pair;
use super::shape;

#[test]
fn a_ticket_is_part_of_the_order_and_goes_with_the_deed() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    let plan = place.json(0, &["plan", "shift", "checkout@prod", "5", "--ticket", "CHG0030001"]);
    shape::plan(&plan);
    assert_eq!(plan["order"]["ticket"], "CHG0030001");
    let id = plan["plan"].as_str().unwrap().to_owned();

    // A stored plan of another ticket is another plan; without one named, the plan's own holds.
    place.run(&["shift", "checkout@prod", "5", "--ticket", "CHG0030002", "--if-plan", &id]).exits(2);
    let deed = place.json(0, &["shift", "checkout@prod", "5", "--if-plan", &id]);
    assert_eq!(deed["ticket"], "CHG0030001", "{deed}");
    let entries = place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().clone();
    let intent = entries.iter().find(|entry| entry["kind"] == "intent").unwrap()["n"].to_string();
    assert_eq!(place.json(0, &["ledger", "show", &intent])["body"]["ticket"], "CHG0030001");

    let said = place.run(&["plan", "hold", "checkout@prod", "--ticket", "JIRA-12"]).exits(0);
    assert!(said.out.contains("\n  ticket JIRA-12\n"), "{said:?}");
    // Without a ticket everything reads as before there were any.
    let bare = place.json(0, &["hold", "checkout@prod"]);
    shape::deed(&bare);
    for wrong in ["", "=1+1", "two words", "x\ny", "CHG\u{1b}[31m", &"9".repeat(65)] {
        let said = place.run(&["hold", "checkout@prod", "--ticket", wrong]).exits(2);
        assert!(said.err.contains("no ticket") && !said.err.contains('\u{1b}'), "{said:?}");
    }
}
