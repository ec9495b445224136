//! Runs that wait at a gate, answered for from the command line: a GitHub with a memory, the built binary, our gate first.

use serde_json::Value;

use super::keys::run;
use super::place::{Place, os_user, texts};
use super::shape;
use crate::servers::agent::Agent;
use crate::servers::github::{GATE, Lab, REVISION, STAGING, TOKEN, WORKFLOW, Wrong};
use crate::servers::support::wait_for;

const LONG: std::time::Duration = std::time::Duration::from_secs(30);

/// Ana runs the tests; Cy and Bo are others. Their accounts at GitHub are `NAME-gh`, and Ana's bot is `ana-bot`.
fn people() -> String {
    let roles = "roles = [{ role = \"captain\", environments = [\"prod\"] }]";
    let one = |name: &str, user: &str, more: &str| {
        format!("[[person]]\nname = \"{name}\"\nos_user = \"{user}\"\nlogins = {{ github = \"{name}-gh\" }}\n{more}{roles}\n")
    };
    format!("{}{}{}", one("ana", os_user(), "bots = [\"ana-bot\"]\n"), one("cy", "nobody-else", ""), one("bo", "nobody-at-all", ""))
}

/// A service whose workflow waits at GitHub's environment `production`, which is its `prod`.
fn config(lab: &Lab, people: &str, prod: &str, more: &str) -> String {
    let (url, workflow) = (lab.url(), WORKFLOW.rsplit('/').next().unwrap());
    format!(
        "{people}\n[[backend]]\nname = \"github\"\nkind = \"github\"\nurl = \"{url}\"\ntoken = {{ command = [\"/bin/echo\", \"{TOKEN}\"] }}\n\
         every = \"200ms\"\nstale_after = \"20s\"\nlookup_within = \"2s\"\n\
         [[environment]]\nname = \"staging\"\norder = 1\neffective_within = \"10s\"\n\
         [[environment]]\nname = \"prod\"\norder = 2\neffective_within = \"10s\"\n{prod}\n\
         [[service]]\nname = \"shop\"\nrepository = {{ backend = \"github\", name = \"acme/shop\" }}\n\
         pipeline = {{ backend = \"github\", workflow = \"{workflow}\", properties = {{ gonogo_key = \"$key\" }} }}\n\
         [service.deploy.staging]\nstrategy = \"canary\"\n\
         [service.deploy.prod]\nstrategy = \"canary\"\ngithub_environment = \"Production\"\n{more}\n"
    )
}

fn place(lab: &Lab) -> Place {
    Place::with(&config(lab, &people(), "", ""))
}

fn named(run: u64) -> String {
    format!("github/{run}")
}

/// The lines by which gates were answered.
fn answers(lab: &Lab) -> usize {
    lab.writes().iter().filter(|line| line.ends_with("/pending_deployments")).count()
}

fn rules(deed: &Value) -> Vec<String> {
    texts(&deed["reasons"], "rule")
}

/// Refused with this rule: exit, record, and nothing was sent.
#[track_caller]
fn refused(lab: &Lab, place: &Place, run: u64, code: i32, rule: &str) -> Value {
    let before = answers(lab);
    let deed = place.json(code, &["approve", "shop@prod", "--run", &named(run)]);
    shape::deed(&deed);
    assert_eq!((&deed["state"], rules(&deed).first().map(String::as_str)), (&"denied".into(), Some(rule)), "{deed}");
    assert_eq!((place.newest().as_deref(), answers(lab)), (Some("denied"), before));
    deed
}

#[test]
fn approve_opens_the_gate_in_a_persons_name_and_the_ledger_has_it() {
    let lab = Lab::start(false);
    let run = lab.waiting("cy-gh", &[GATE]);
    let place = place(&lab);
    let status = place.json(0, &["status"]);
    shape::status(&status);
    assert_eq!(status["services"][0]["environments"][1]["state"], "waiting", "{status}");
    let waits = &status["waiting"][0];
    assert_eq!((&waits["kind"], &waits["id"], &waits["target"]), (&"gate".into(), &named(run).into(), &"shop@prod".into()));
    shape::time(&waits["since"]);
    let told = place.json(0, &["explain", "approve", "shop@prod", "--run", &named(run)]);
    assert_eq!(told["verdict"], "permit", "{told}");
    let plan = place.json(0, &["plan", "approve", "shop@prod", "--run", &named(run)]);
    shape::plan(&plan);
    let order = &plan["order"];
    assert_eq!((&order["verb"], &order["targets"][0]["attempt"]), (&"approve".into(), &1.into()));
    let effect = &order["effects"][0];
    assert_eq!((&effect["effect"], &effect["opens"], &effect["revision"]), (&"answer".into(), &true.into(), &REVISION.into()));
    assert_eq!(effect["gates"], serde_json::json!([{"id": GATE, "name": "production"}]));
    assert!(texts(&plan["evidence"], "text").iter().any(|text| text.contains("takes an answer of cy-gh")), "{plan}");
    let dry = place.json(0, &["approve", "shop@prod", "--run", &named(run), "--dry-run"]);
    assert_eq!((dry["verdict"].as_str(), answers(&lab)), (Some("permit"), 0));
    let deed = place.json(0, &["approve", "shop@prod", "--run", &named(run), "--reason", "the canary was good"]);
    shape::deed(&deed);
    assert_eq!((&deed["state"], &deed["verb"], &deed["requester"]), (&"effective".into(), &"approve".into(), &"ana".into()));
    assert_eq!(answers(&lab), 1);
    let given = lab.answered(run);
    let plan = deed["plan"].as_str().unwrap();
    assert_eq!((&given[0]["state"], given.len()), (&"approved".into(), 1));
    assert_eq!(given[0]["comment"], format!("gonogo {plan}-0: ana, plan {}", &plan[..8]));
    assert_eq!(place.kinds(), ["signers", "intent", "sending", "accepted", "effective"]);
    let entries = place.json(0, &["ledger", "list"]);
    assert_eq!((&entries["entries"][2]["verb"], &entries["entries"][2]["target"]), (&"approve".into(), &"shop@prod".into()));
    assert_eq!(place.json(0, &["status"])["waiting"], serde_json::json!([]));
    place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn reject_closes_it_alone_under_freeze_and_hold_and_of_ones_own_run() {
    let lab = Lab::start(false);
    let run = lab.waiting("ana-gh", &[GATE]);
    let frozen = "[[freeze]]\nname = \"now\"\nreason = \"nobody is here\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2099-01-01T00:00Z\"\n";
    let prod = "protection = { approvals = 1, typed_confirmation = true }";
    let place = Place::with(&config(&lab, &people(), prod, frozen));
    place.run(&["hold", "shop@prod"]).exits(0);
    let deed = place.json(0, &["reject", "shop@prod", "--run", &named(run), "--reason", "not today"]);
    assert_eq!((&deed["state"], &deed["verb"]), (&"effective".into(), &"reject".into()));
    assert_eq!((&lab.answered(run)[0]["state"], answers(&lab)), (&"rejected".into(), 1));
    let shown = place.json(0, &["show", "pipeline", "shop@prod"]);
    assert_eq!(shown["builders"][0]["runs"][0]["state"], "failed", "{shown}");
}

#[test]
fn without_a_run_the_only_one_that_waits_is_meant() {
    let lab = Lab::start(false);
    let place = place(&lab);
    let said = place.run(&["approve", "shop@prod"]).exits(10);
    assert!(said.err.contains("no plan waits on shop@prod, and no run of it at a gate"), "{said:?}");
    place.run(&["reject", "shop@prod", "--run", "github/7"]).exits(2);
    place.run(&["approve", "shop@prod", "--run", "seven"]).exits(2);
    place.run(&["approve", "shop@prod", "--run", "github/7", "--plan", "0123456789"]).exits(2);
    let (first, second) = (lab.waiting("cy-gh", &[GATE]), lab.waiting("bo-gh", &[GATE]));
    for args in [&["approve", "shop@prod"][..], &["plan", "approve", "shop@prod"], &["explain", "reject", "shop@prod"]] {
        let said = place.run(args).exits(10);
        assert!(said.err.contains(&format!("{}  waits at production, asked for by cy-gh", named(first))), "{said:?}");
        assert!(said.err.contains(&named(second)), "{said:?}");
    }
    place.run(&["reject", "shop@prod", "--run", &named(first)]).exits(0);
    assert_eq!(place.json(0, &["approve", "shop@prod"])["state"], "effective");
    assert_eq!((lab.answered(first)[0]["state"].as_str(), lab.answered(second)[0]["state"].as_str()), (Some("rejected"), Some("approved")));
}

/// Self-approval: whoever asked for the run, by whichever account, and whoever asked for this attempt of it.
#[test]
fn whoever_asked_for_a_run_may_not_open_its_gate() {
    let lab = Lab::start(false);
    let place = place(&lab);
    for own in ["ana-gh", "ANA-GH", "ana-bot[bot]"] {
        let deed = refused(&lab, &place, lab.waiting(own, &[GATE]), 3, "own-run");
        assert!(deed["reasons"][0]["text"].as_str().unwrap().contains(own), "{deed}");
    }
    let again = lab.waiting("cy-gh", &[GATE]);
    lab.asked_again(again, "ana-gh");
    refused(&lab, &place, again, 3, "own-run");
    let told = place.json(3, &["explain", "approve", "shop@prod", "--run", &named(again)]);
    assert_eq!(rules(&told), ["own-run"]);
    // An account that is nobody's may be anybody's, and so may one that is not told.
    refused(&lab, &place, lab.waiting("ana-second", &[GATE]), 3, "unknown-account");
    refused(&lab, &place, lab.waiting("", &[GATE]), 3, "unknown-account");
    // In an emergency one person may have to do both: past the rule, on record, with a review owed.
    let broken = ["break-glass", "approve", "shop@prod", "--run", &named(again), "--reason", "nothing is sold any more"];
    let deed = place.json(0, &broken);
    assert_eq!(deed["state"], "effective", "{deed}");
    assert!(place.kinds().contains(&"break-glass".to_owned()));
    let owed = place.json(0, &["break-glass", "list"]);
    assert_eq!(texts(&owed["owed"][0]["waived"], "rule"), ["own-run"], "{owed}");
}

#[test]
fn an_account_that_is_no_reviewer_there_answers_nothing() {
    let lab = Lab::start(false);
    lab.state().may_not_answer = true;
    let run = lab.waiting("cy-gh", &[GATE]);
    let place = place(&lab);
    let deed = refused(&lab, &place, run, 3, "not-a-reviewer");
    assert!(deed["reasons"][0]["text"].as_str().unwrap().contains("it takes one from cy-gh"), "{deed}");
}

#[test]
fn a_target_answers_at_its_own_gates_alone() {
    let lab = Lab::start(false);
    let run = lab.waiting("cy-gh", &[GATE]);
    let place = place(&lab);
    let deed = place.json(3, &["approve", "shop@staging", "--run", &named(run)]);
    assert_eq!(rules(&deed), ["other-gate"], "{deed}");
    assert!(deed["reasons"][0]["fix"].as_str().unwrap().contains("shop@prod"), "{deed}");
    place.run(&["reject", "shop@prod", "--run", &named(run)]).exits(0);
    // Of two gates each target opens its own.
    let run = lab.waiting("cy-gh", &[GATE, STAGING]);
    let plan = place.json(0, &["plan", "approve", "shop@prod"]);
    assert!(texts(&plan["evidence"], "text").iter().any(|text| text == "it also waits at staging, which this does not open"), "{plan}");
    assert_eq!(place.json(0, &["approve", "shop@prod"])["state"], "effective");
    assert_eq!(lab.gates_of(run), [STAGING]);
    assert_eq!(place.json(0, &["approve", "shop@staging"])["state"], "effective");
    assert!(lab.gates_of(run).is_empty());
}

#[test]
fn what_changed_since_the_plan_is_not_answered() {
    let lab = Lab::start(false);
    let place = place(&lab);
    let changes: [(&str, &dyn Fn(u64)); 5] = [
        ("attempt 2", &|run| lab.asked_again(run, "cy-gh")),
        ("builds 2222", &|run| lab.change(run, |_, sha| *sha = "2".repeat(40))),
        ("production and staging by now", &|run| lab.waits_at(run, &[GATE, STAGING])),
        ("waits at no gate by now", &|run| {
            lab.answer_by_hand(run, "bo-gh", "approved");
            lab.hold(run);
        }),
        ("has ended", &|run| lab.answer_by_hand(run, "bo-gh", "rejected")),
    ];
    for (words, change) in changes {
        let run = lab.waiting("cy-gh", &[GATE]);
        let plan = place.json(0, &["plan", "approve", "shop@prod", "--run", &named(run)])["plan"].as_str().unwrap().to_owned();
        change(run);
        let deed = place.json(5, &["approve", "shop@prod", "--run", &named(run), "--if-plan", &plan]);
        assert_eq!((&deed["state"], rules(&deed)), (&"denied".into(), vec!["changed".to_owned()]), "{deed}");
        assert!(deed["reasons"][0]["text"].as_str().unwrap().contains(words), "{words}: {deed}");
        assert_eq!((place.newest().as_deref(), answers(&lab)), (Some("denied"), 0));
        lab.end(run);
    }
}

#[test]
fn another_hand_that_was_quicker_is_told_and_not_taken_for_ours() {
    let lab = Lab::start(false);
    let place = place(&lab);
    for (status, state, words) in [(422, "approved", "bo-gh opened it"), (409, "rejected", "bo-gh closed it")] {
        let run = lab.waiting("cy-gh", &[GATE]);
        lab.state().rival = Some(("bo-gh", state));
        lab.answer_wrongly("POST", Wrong::says(status, "There are no pending deployment requests to approve or reject."));
        let deed = place.json(5, &["approve", "shop@prod", "--run", &named(run)]);
        assert_eq!(deed["state"], "failed", "{deed}");
        let error = deed["steps"][0]["error"].as_str().unwrap();
        assert!(error.contains(words), "{deed}");
        assert_eq!((place.newest().as_deref(), lab.answered(run).len()), (Some("failed"), 1));
        lab.end(run);
    }
}

#[test]
fn an_answer_that_is_lost_is_looked_for_and_never_sent_twice() {
    let lab = Lab::start(false);
    let place = place(&lab);
    let lost = |does: bool| lab.answer_wrongly("POST", Wrong { does, ..Wrong::says(502, "Server Error") });
    let run = lab.waiting("cy-gh", &[GATE]);
    lost(true);
    let deed = place.json(0, &["approve", "shop@prod", "--run", &named(run)]);
    assert_eq!((&deed["state"], answers(&lab)), (&"effective".into(), 1));
    assert_eq!(place.kinds().split_off(1), ["intent", "sending", "unknown", "accepted", "effective"]);
    // Another answer in the place of ours: it did not happen by us.
    let run = lab.waiting("cy-gh", &[GATE]);
    lab.state().rival = Some(("bo-gh", "approved"));
    lost(false);
    let said = place.run(&["approve", "shop@prod", "--run", &named(run), "--json"]).exits(1);
    assert!(said.err.contains("it did not happen by us: it does not wait at production any more; bo-gh opened it"), "{said:?}");
    assert_eq!((place.newest().as_deref(), answers(&lab)), (Some("not-begun"), 2));
    lab.end(run);
    // Nothing to be seen of it: a person decides.
    let run = lab.waiting("cy-gh", &[GATE]);
    lost(false);
    let deed = place.json(7, &["approve", "shop@prod", "--run", &named(run)]);
    assert_eq!((&deed["state"], answers(&lab)), (&"unknown".into(), 3));
}

#[test]
fn a_process_that_is_killed_between_sending_and_answer_leaves_it_to_the_next() {
    let lab = Lab::start(false);
    let place = place(&lab);
    let run = lab.waiting("cy-gh", &[GATE]);
    lab.answer_wrongly("POST", Wrong { does: true, ..Wrong::says(0, "") });
    let running = place.start(&["approve", "shop@prod", "--run", &named(run)]);
    wait_for("the answer to be there", LONG, || (lab.answered(run).len() == 1).then_some(()));
    running.kill();
    assert_eq!(running.end().code, None);
    assert_eq!(place.kinds().split_off(1), ["intent", "sending"]);
    let said = place.run(&["note", "shop@prod", "after it"]).exits(0);
    assert!(said.err.contains("settling approve shop@prod first, whose process died"), "{said:?}");
    assert_eq!(place.kinds().split_off(3)[..2], ["accepted", "effective"]);
    assert_eq!(answers(&lab), 1);
}

#[test]
fn a_freeze_stops_an_approval_of_a_run() {
    let lab = Lab::start(false);
    let run = lab.waiting("cy-gh", &[GATE]);
    let frozen = "[[freeze]]\nname = \"now\"\nreason = \"nobody is here\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2099-01-01T00:00Z\"\n";
    let place = Place::with(&config(&lab, &people(), "", frozen));
    refused(&lab, &place, run, 3, "freeze");
    let held = Place::with(&config(&lab, &people(), "", ""));
    held.run(&["hold", "shop@prod"]).exits(0);
    refused(&lab, &held, run, 3, "hold");
}

/// Two persons on one store: what one asks for another agrees to, and neither may be the one who asked for the run.
#[test]
fn a_second_person_agrees_and_then_the_gate_opens() {
    let lab = Lab::start(false);
    let (anas, cys, bos) = (Agent::start(), Agent::start(), Agent::start());
    let key = |agent: &Agent, name: &str| agent.add(name, &["-t", "ed25519"]);
    let one = |name: &str, key: String| {
        format!(
            "[[person]]\nname = \"{name}\"\nos_user = \"{}\"\nkeys = [\"{key}\"]\nlogins = {{ github = \"{name}-gh\" }}\nroles = [{{ role = \"captain\" }}]\n",
            os_user()
        )
    };
    let people = format!("{}{}{}", one("ana", key(&anas, "ana")), one("cy", key(&cys, "cy")), one("bo", key(&bos, "bo")));
    let prod = "protection = { approvals = 1, approver_roles = [\"captain\"], actor_roles = [\"captain\"], typed_confirmation = true }";
    let place = Place::with(&config(&lab, &people, prod, ""));
    let wanted = lab.waiting("bo-gh", &[GATE]);
    let deed = run(&place, &anas.socket(), &["approve", "shop@prod", "--yes", "--json"]).exits(4).json();
    assert_eq!((&deed["state"], answers(&lab)), (&"waiting".into(), 0));
    let plan = &deed["plan"].as_str().unwrap()[..12];
    // Bo asked for the run: his agreement is no second pair of eyes. Without a name, what waits is the plan about the run.
    let said = run(&place, &bos.socket(), &["approve", "shop@prod", "--json"]).exits(3);
    assert_eq!(rules(&said.json()), ["own-run"], "{said:?}");
    run(&place, &anas.socket(), &["execute", plan, "--yes"]).exits(4);
    let said = run(&place, &cys.socket(), &["approve", "shop@prod", "--json"]).exits(0).json();
    assert_eq!((&said["decision"], &said["verb"], &said["given"]), (&"approve".into(), &"approve".into(), &1.into()));
    assert_eq!(answers(&lab), 0, "agreeing to a plan answers nothing");
    run(&place, &anas.socket(), &["execute", plan]).exits(2);
    run(&place, &anas.socket(), &["execute", plan, "--yes"]).exits(0);
    assert_eq!((answers(&lab), lab.answered(wanted)[0]["state"].as_str()), (1, Some("approved")));
    let kinds = place.kinds();
    // Bo's agreement, and that it was to be carried out before anybody had agreed.
    assert_eq!(kinds.iter().filter(|kind| *kind == "denied").count(), 2, "{kinds:?}");
    assert!(kinds.contains(&"approval".to_owned()) && kinds.last().unwrap() == "effective", "{kinds:?}");
}

#[test]
fn runs_are_started_repeated_in_whole_or_in_part_and_stopped() {
    let lab = Lab::start(false);
    lab.state().gated = false;
    let place = place(&lab);
    let deed = place.json(0, &["start", "shop@staging"]);
    assert_eq!(deed["state"], "effective", "{deed}");
    let run = lab.newest();
    lab.fail(run);
    let again = |args: &[&str], code: i32| place.json(code, &[&["retry", "shop@staging", "--run", &named(run)], args].concat());
    let plan = place.json(0, &["plan", "retry", "shop@staging", "--run", &named(run), "--failed"]);
    assert_eq!((&plan["order"]["effects"][0]["failed_only"], &plan["order"]["effects"][0]["attempt"]), (&true.into(), &1.into()));
    assert_eq!(again(&["--failed"], 0)["state"], "effective");
    assert!(lab.writes().last().unwrap().ends_with("/rerun-failed-jobs"), "{:?}", lab.writes());
    // The stored plan was of the attempt before.
    let stale = place.json(5, &["retry", "shop@staging", "--failed", "--if-plan", plan["plan"].as_str().unwrap()]);
    assert_eq!(stale["state"].as_str().filter(|state| *state == "effective"), None, "{stale}");
    lab.fail(run);
    assert_eq!(again(&[], 0)["state"], "effective");
    assert!(lab.writes().last().unwrap().ends_with("/rerun"), "{:?}", lab.writes());
    lab.hold(run);
    let deed = place.json(0, &["cancel", "shop@staging", "--run", &named(run)]);
    assert_eq!(deed["state"], "effective", "{deed}");
    place.run(&["cancel", "shop@staging", "--failed"]).exits(2);
    let writes: Vec<_> = lab.writes().iter().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(writes, ["dispatches", "rerun-failed-jobs", "rerun", "cancel"]);
    lab.pass(run);
    assert_eq!(rules(&again(&["--failed"], 3)), ["nothing-failed"]);
}
