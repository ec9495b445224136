//! Approvals in the room: three persons behind one account, each with an agent and a terminal of their own.

use std::path::Path;

use serde_json::Value;

use super::place::{Pair, Place, Room, os_user};
use super::shape;
use crate::pty::{SOON, Term};
use crate::servers::agent::Agent;

fn person(name: &str, key: &str, roles: &str) -> String {
    format!("[[person]]\nname = \"{name}\"\nos_user = \"{}\"\nkeys = [\"{key} {name}@laptop\"]\nroles = [{roles}]\n", os_user())
}

/// A room in which the agent at `socket` says who it is, with every source read.
fn room(place: &Place, socket: &Path) -> Term {
    let term = Term::start_in(place.home(), &[], (120, 40), &[("SSH_AUTH_SOCK", socket.to_str().unwrap())]);
    term.sees("checkout", SOON);
    term.until("for every source to be read", SOON, |screen| !screen.contains("loading"));
    term
}

fn listed(place: &Place, socket: &Path) -> Value {
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["show", "changes", "--json"]);
    Place::started(command.env("SSH_AUTH_SOCK", socket)).end().exits(0).json()
}

/// The kinds of all entries but the lists of people.
fn said(place: &Place) -> Vec<String> {
    place.kinds().into_iter().filter(|kind| kind != "signers").collect()
}

#[test]
fn one_asks_another_agrees_by_key_and_only_the_first_carries_it_out() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, bos, cys) = (Agent::start(), Agent::start(), Agent::start());
    let add = |agent: &Agent, name| agent.add(name, &["-t", "ed25519"]);
    let captain = "{ role = \"captain\" }";
    let people = [person("ana", &add(&anas, "ana"), captain), person("bo", &add(&bos, "bo"), ""), person("cy", &add(&cys, "cy"), captain)];
    let protection = "protection = { approvals = 1, approver_roles = [\"captain\"], typed_confirmation = true }";
    let environment = format!("hold_time = \"1s\"\neffective_within = \"20s\"\n{protection}");
    let place = Room { people: people.concat(), environment, ..pair.room(&pool) }.place();

    let ana = room(&place, &anas.socket());
    ana.press("6").sees("nothing there: no plan waits", SOON).press("<esc>");
    ana.press("s 2 0 <ret>").sees("ASK another person", SOON).press("<ret>").types("checkout@prod").press("<ret>");
    ana.sees("WAITS for another person", SOON).press("<esc>").press("6").sees("waits for cy", SOON);

    let told = listed(&place, &cys.socket());
    shape::keys(&told, "schema simulated at screen reader queue calendar ended trains said backends");
    let one = &told["queue"][0];
    shape::keys(
        one,
        "plan verb target percent requester reason since expires ticket change_type because needs given approvals authors could part state scheduled conflicts verdict reasons \
         evidence checks now after undo",
    );
    assert_eq!((&one["requester"], &one["percent"], &one["verdict"]), (&"ana".into(), &20.into(), &"second-person".into()), "{one}");
    assert_eq!((&one["needs"], &one["given"], &one["could"][0]["person"]), (&1.into(), &0.into(), &"cy".into()), "{one}");

    // Those who may not are told why at once, and their attempts are recorded.
    ana.press("a").sees("ana asked for it and cannot also approve it", SOON).press("<ret>").sees("that is recorded", SOON).press("<esc>");
    ana.sees("plans that wait 1", SOON);
    let bo = room(&place, &bos.socket());
    bo.press("6").sees("cy could agree", SOON);
    for (key, why) in [("a", "bo may not approve it"), ("x", "bo may not reject it"), ("w", "bo neither asked for plan")] {
        bo.press(key).sees(why, SOON).press("<ret>").sees("that is recorded", SOON).press("<esc>").sees("plans that wait 1", SOON);
    }
    bo.press("e").sees("was made by ana, who alone may carry it out", SOON).press("q");
    assert_eq!(bo.exit_code(SOON), 0);
    ana.press("e").sees("copy commands", SOON).press("<ret>").sees("it waits already, nothing was sent", SOON).press("<esc>");
    assert_eq!(pair.weight(&pool), 0);

    let cy = room(&place, &cys.socket());
    cy.sees("agree? agreed 0 of 1", SOON).press("a").sees("APPROVE plan", SOON).types("ok").press("<ret>").types("checkout@prod");
    cy.press("<ret>").sees("approval by cy", SOON).sees("agreed 1 of 1; ana may execute it", SOON).press("<esc>");
    cy.press("6").sees("you agreed; ana may execute it", SOON).press("e").sees("who alone may carry it out", SOON).press("q");
    assert_eq!(cy.exit_code(SOON), 0);
    assert_eq!(pair.weight(&pool), 0);

    // The room that asked carries the same plan out, which waited in it.
    ana.sees("may go: execute", SOON).press("e").sees("RUN shift checkout@prod", SOON).press("<ret>").types("checkout@prod");
    ana.press("<ret>").sees("EFFECTIVE", SOON);
    assert_ne!(pair.weight(&pool), 0);
    ana.press("<esc>").sees("nothing there: no plan waits", SOON).press("q");
    assert_eq!(ana.exit_code(SOON), 0);
    let kinds = said(&place);
    assert_eq!(kinds.get(..6).unwrap_or_default(), ["denied", "denied", "denied", "denied", "approval", "intent"], "{kinds:?}");
}

#[test]
fn a_rejected_plan_and_a_withdrawn_one_leave_the_queue_and_move_nothing() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, cys) = (Agent::start(), Agent::start());
    let captain = |name, agent: &Agent| person(name, &agent.add(name, &["-t", "ed25519"]), "{ role = \"captain\" }");
    let people = format!("{}{}", captain("ana", &anas), captain("cy", &cys));
    let environment = "hold_time = \"1s\"\nprotection = { approvals = 1 }".to_owned();
    let place = Room { environment, people, ..pair.room(&pool) }.place();
    let ana = room(&place, &anas.socket());
    ana.press("s 2 0 <ret>").sees("ASK another person", SOON).press("<ret>").sees("WAITS for another person", SOON).press("<esc>");
    let cy = room(&place, &cys.socket());
    cy.press("6").sees("agree? agreed 0 of 1", SOON).press("x").sees("REJECT plan", SOON).press("<ret>").sees("say why", SOON);
    cy.types("not before the sale ends").press("<ret>").sees("the plan has ended; nothing was done", SOON).press("<esc>");
    cy.sees("plans that wait 0", SOON).sees("reject by cy: not before the sale ends", SOON);
    ana.press("6").sees("plans that wait 0", SOON).press("s 2 0 <ret>").sees("ASK another person", SOON);
    ana.press("<ret>").sees("WAITS for another person", SOON).press("<esc>").sees("waits for cy", SOON);
    ana.press("w").sees("WITHDRAW plan", SOON).press("<ret>").sees("the plan has ended; nothing was done", SOON);
    assert_eq!(said(&place), ["rejection", "withdrawal"]);
    assert_eq!(pair.weight(&pool), 0);
    for room in [ana, cy] {
        room.press("<c-c>");
        assert_eq!(room.exit_code(SOON), 0);
    }
}
