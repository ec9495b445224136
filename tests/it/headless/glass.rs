//! Break glass from the command line: past approvals and checks, on record twice, and reviewed by another person.

use serde_json::Value;

use super::keys::{people, run};
use super::place::{Pair, Place, Room, texts};
use super::shape;
use crate::servers::agent::Agent;

const WHY: &str = "checkout sells nothing since 14:02";

/// Ana and Cy behind one account, told apart by their agents' keys.
struct Two {
    pair: std::sync::Arc<Pair>,
    pool: String,
    place: Place,
    ana: Agent,
    cy: Agent,
}

impl Two {
    fn with(environment: &str) -> Self {
        let (pair, pool) = (Pair::shared(), Pair::pool());
        let (ana, cy) = (Agent::start(), Agent::start());
        let people = people(&ana.add("ana", &["-t", "ed25519"]), &cy.add("cy", &["-t", "ed25519"]));
        let place = Place::bare();
        let more = format!("[ledger]\nbreak_glass = \"{}\"", place.path("second").display());
        let environment = format!("hold_time = \"1s\"\n{environment}");
        place.configure(&Room { environment, people, more, ..pair.room(&pool) }.text());
        Self { pair, pool, place, ana, cy }
    }

    #[track_caller]
    fn ana(&self, code: i32, args: &[&str]) -> Value {
        run(&self.place, &self.ana.socket(), &[args, &["--json"]].concat()).exits(code).json()
    }

    #[track_caller]
    fn cy(&self, code: i32, args: &[&str]) -> super::place::Said {
        run(&self.place, &self.cy.socket(), args).exits(code)
    }
}

#[test]
fn a_deed_past_approvals_is_recorded_twice_announced_and_reviewed_by_another_person() {
    let two = Two::with("protection = { approvals = 1, typed_confirmation = true }");
    two.ana(4, &["shift", "checkout@prod", "20", "--yes"]);
    let plan = ["break-glass", "shift", "checkout@prod", "20", "--reason", WHY];
    let short = run(&two.place, &two.ana.socket(), &["break-glass", "shift", "checkout@prod", "20", "--reason", "now"]).exits(2);
    assert!(short.err.contains("10 characters"), "{short:?}");
    run(&two.place, &two.ana.socket(), &[&plan[..], &["--for", "5h"]].concat()).exits(2);
    run(&two.place, &two.ana.socket(), &["break-glass", "hold", "checkout@prod", "--reason", WHY]).exits(3);
    let dry = run(&two.place, &two.ana.socket(), &[&plan[..], &["--dry-run"]].concat()).exits(0);
    assert!(dry.out.contains("waived: approvals: ") && dry.out.contains("a review will be owed"), "{dry:?}");
    assert_eq!(two.pair.weight(&two.pool), 0);

    let said = run(&two.place, &two.ana.socket(), &[&plan[..], &["--yes", "--for", "20m", "--json"]].concat()).exits(0);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["requester"]), (&"effective".into(), &"ana".into()));
    assert!(said.err.contains("waived: approvals: ") && said.err.contains("a review is owed by"), "{said:?}");
    assert_eq!(two.pair.weight(&two.pool), 20);
    let kinds = two.place.kinds();
    let at = kinds.iter().position(|kind| kind == "break-glass").unwrap();
    assert_eq!(kinds.get(at..at + 3).unwrap(), ["break-glass", "intent", "sending"], "{kinds:?}");
    let second = std::fs::read_to_string(two.place.path("second")).unwrap();
    let line: Value = serde_json::from_str(second.lines().next().unwrap()).unwrap();
    // The entry about the rules stands before it and is none of these kinds.
    assert_eq!((&line["kind"], &line["n"], second.lines().count()), (&"break-glass".into(), &(at + 1).into(), 1));

    // Announced.
    let id = deed["plan"].as_str().unwrap();
    let status = two.place.json(0, &["status"]);
    shape::status(&status);
    let owed = status["waiting"].as_array().unwrap().iter().find(|row| row["kind"] == "review").unwrap();
    assert_eq!((&owed["id"], &owed["target"], &owed["requester"]), (&id.into(), &"checkout@prod".into(), &"ana".into()));
    let list = two.place.json(0, &["break-glass", "list"]);
    shape::keys(&list, "schema open owed use");
    assert_eq!((texts(&list["open"], "plan"), texts(&list["owed"], "plan")), (vec![id.to_owned()], vec![id.to_owned()]));
    assert_eq!((&list["use"][0]["team"], &list["use"][0]["times"]), (&"payments".into(), &1.into()));
    let screen = two.place.run(&["render", "board", "--size", "120x40"]).exits(0);
    assert!(screen.out.contains("BREAK GLASS by ana: shift checkout@prod until "), "{}", screen.out);

    // Reviewed: not by the one who did it, not without words, once.
    let words = ["review", &id[..8], "--reason", "it was right, the router was restored"];
    let own = run(&two.place, &two.ana.socket(), &words).exits(3);
    assert!(own.err.contains("cannot also review"), "{own:?}");
    run(&two.place, &two.cy.socket(), &["review", &id[..8], "--reason", "ok"]).exits(2);
    let review: Value = two.cy(0, &[&words[..], &["--json"]].concat()).json();
    assert_eq!((&review["reviewer"], &review["overdue"]), (&"cy".into(), &false.into()));
    two.cy(5, &words);
    assert_eq!(two.place.json(0, &["break-glass", "list"])["owed"], serde_json::json!([]));
    let kinds = two.place.kinds();
    assert_eq!(kinds.get(kinds.len() - 2..).unwrap(), ["denied", "break-glass"], "{kinds:?}");
    two.place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn from_tier_t1_on_it_bears_the_persons_own_signature() {
    let two = Two::with("assurance = \"T1\"\nprotection = { approvals = 1 }");
    two.ana(0, &["break-glass", "shift", "checkout@prod", "20", "--reason", WHY]);
    let entries = two.place.json(0, &["ledger", "list"]);
    let signed: Vec<_> = texts(&entries["entries"], "kind").into_iter().zip(texts(&entries["entries"], "signer")).collect();
    for kind in ["break-glass", "intent"] {
        assert_eq!(signed.iter().filter(|(of, signer)| of == kind && signer == "ana").count(), 1, "{signed:?}");
    }
    two.place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn a_required_check_is_waived_and_a_hold_of_another_is_not() {
    let two = Two::with("check = { pipeline = \"require\" }");
    assert_eq!(two.ana(3, &["shift", "checkout@prod", "20"])["reasons"][0]["rule"], "check-pipeline");
    two.cy(0, &["hold", "checkout@prod"]);
    let glass = ["break-glass", "shift", "checkout@prod", "20", "--reason", WHY];
    let denied = two.ana(3, &glass);
    assert_eq!(texts(&denied["reasons"], "rule"), ["hold"]);
    assert!(denied["reasons"][0]["fix"].as_str().unwrap().contains("break glass waives no hold"), "{denied}");
    assert_eq!(two.pair.weight(&two.pool), 0);
    two.ana(3, &[&glass[..], &["--read-only"]].concat());
    two.cy(0, &["resume", "checkout@prod"]);
    two.ana(0, &glass);
    assert_eq!(two.pair.weight(&two.pool), 20);
    assert!(!two.place.kinds().contains(&"approval".to_owned()));
    two.place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn when_the_store_cannot_be_written_it_goes_on_in_the_second_place_and_is_taken_over_once() {
    let two = Two::with("protection = { approvals = 1 }");
    // A file where the store's directory should be binds root too.
    let blocked = two.place.write("data/gonogo", "no directory");
    let glass = ["break-glass", "shift", "checkout@prod", "20", "--reason", WHY];
    assert_eq!(two.ana(9, &["abort", "checkout@prod"])["reasons"][0]["rule"], "record");
    let said = run(&two.place, &two.ana.socket(), &[&glass[..], &["--json"]].concat()).exits(0);
    let deed = said.json();
    shape::deed(&deed);
    assert_eq!((&deed["state"], two.pair.weight(&two.pool)), (&"effective".into(), 20));
    assert!(said.err.contains("in the second place alone, and without a lease"), "{said:?}");
    let second = std::fs::read_to_string(two.place.path("second")).unwrap();
    let lines: Vec<Value> = second.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["break-glass", "intent", "sending", "accepted", "effective"], "{second}");
    assert_eq!((&lines[0]["body"]["reason"], &lines[0]["body"]["waived"][0]["rule"]), (&WHY.into(), &"approvals".into()));
    // The store is there again: its lines are taken over, once, and the review is owed.
    std::fs::remove_file(blocked).unwrap();
    for _ in 0..2 {
        two.place.run(&["status", "--settle", "0s"]).exits(0);
    }
    let entries = two.place.json(0, &["ledger", "list"]);
    assert_eq!(texts(&entries["entries"], "kind"), ["signers", "imported", "imported", "imported", "imported", "imported"], "{entries}");
    assert!(entries["entries"].as_array().unwrap().iter().skip(1).all(|entry| entry["deed"] == deed["deed"]));
    two.place.run(&["ledger", "verify"]).exits(0);
    let id = deed["plan"].as_str().unwrap();
    two.cy(0, &["review", &id[..8], "--reason", "seen, the disk was full"]);
    // Without a second place it is refused, and the words say what would change that.
    let bare = two.pair.room(&Pair::pool()).place();
    bare.write("data/gonogo", "no directory");
    let refused = bare.json(9, &glass);
    assert!(refused["reasons"][0]["fix"].as_str().unwrap().contains("[ledger] break_glass"), "{refused}");
}

#[test]
fn an_overdue_review_stops_the_next_change_and_never_the_way_back() {
    let two = Two::with("protection = { break_glass = { review_within = \"1m\" } }");
    let id = two.ana(0, &["break-glass", "shift", "checkout@prod", "20", "--reason", WHY])["plan"].as_str().unwrap().to_owned();
    two.ana(0, &["shift", "checkout@prod", "50"]);
    // Long after it was due, by the clock of the verdict: nobody waits for it here.
    let later = "2199-01-01T00:00:00Z";
    let asked = |args: &[&str], code| two.place.json(code, &[&["explain"], args, &["--as", "cy", "--at", later]].concat());
    let told = asked(&["shift", "checkout@prod", "60"], 3);
    assert_eq!(told["reasons"][0]["rule"], "review-overdue", "{told}");
    assert!(told["reasons"][0]["fix"].as_str().unwrap().contains(&format!("gonogo review {}", &id[..8])), "{told}");
    asked(&["abort", "checkout@prod"], 0);
    asked(&["shift", "checkout@prod", "0"], 0);
    two.cy(0, &["review", &id[..8], "--reason", "seen, it was needed"]);
    asked(&["shift", "checkout@prod", "60"], 0);
}

#[test]
fn from_tier_t1_on_a_review_bears_the_reviewers_own_signature_or_is_refused_and_recorded() {
    let (pair, pool) = (Pair::shared(), Pair::pool());
    let (anas, cys) = (Agent::start(), Agent::start());
    let (ana, cy) = (anas.add("ana", &["-t", "ed25519"]), cys.add("cy", &["-t", "ed25519"]));
    // Cy is known by his account too, so that he is somebody without his key.
    let user = super::place::os_user();
    let people =
        format!("[[person]]\nname = \"ana\"\nkeys = [\"{ana}\"]\n[[person]]\nname = \"cy\"\nos_user = \"{user}\"\nkeys = [\"{cy}\"]\n");
    let environment = "hold_time = \"1s\"\nassurance = \"T1\"\nprotection = { approvals = 1 }".to_owned();
    let place = Room { environment, people, ..pair.room(&pool) }.place();
    let glass = ["break-glass", "shift", "checkout@prod", "20", "--reason", WHY, "--json"];
    let id = run(&place, &anas.socket(), &glass).exits(0).json()["plan"].as_str().unwrap()[..12].to_owned();
    let review = ["review", &id, "--reason", "it was right, the router was restored"];
    let none = anas.folder().join("none.sock");
    let refused = run(&place, &none, &review).exits(3);
    assert!(refused.err.contains("asks for a signature by cy's own key"), "{refused:?}");
    assert_eq!(place.json(0, &["break-glass", "list"])["owed"].as_array().unwrap().len(), 1, "still owed");
    assert_eq!(place.newest().as_deref(), Some("denied"));
    run(&place, &cys.socket(), &review).exits(0);
    let list = place.json(0, &["ledger", "list"]);
    let last = list["entries"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["signer"]), (&"break-glass".into(), &"cy".into()), "{last}");
    place.run(&["ledger", "verify"]).exits(0);
}
