//! An approval that was given once is used for something else: again, for more, after a push, after it was taken back, under other rules.

use super::stage::{BO, DEE, NEW, Stage, one};
use crate::headless::place::texts;

#[test]
fn an_approval_is_not_used_again() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    stage.run("ana", &["execute", &plan, "--yes"]).exits(0);
    stage.run("ana", &["shift", "checkout@prod", "0", "--yes"]).exits(0);
    let before = stage.denials().len();
    for words in [vec!["execute", &plan, "--yes"], vec!["shift", "checkout@prod", "20", "--yes", "--if-plan", &plan]] {
        let said = stage.run("ana", &words).exits(5);
        assert!(said.err.contains("already carried out"), "{said:?}");
    }
    assert_eq!(stage.denials().len(), before + 2);
    stage.denied_since(before + 1, "spent");
    stage.run("ana", &["shift", "checkout@prod", "20", "--yes"]).exits(4);
    assert_eq!(stage.pair.weight(&stage.pool), 0);
    let before = stage.denials().len();
    stage.run("bo", &["approve", "checkout@prod", "--plan", &plan]).exits(5);
    stage.denied_since(before, "spent");
}

#[test]
fn an_approval_does_not_survive_a_force_push() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    {
        let mut state = stage.lab.state();
        let pushed = state.history.commit(&["first"], DEE, DEE, "Change, and something else");
        state.history.name(NEW, &pushed);
    }
    stage.may_not_execute("ana", &plan, 4, "range-changed");
    // It is shown, and who looks at it again may approve again.
    let listed = stage.json(0, "cy", &["show", "changes"]);
    let approval = &listed["queue"][0]["approvals"][0];
    assert_eq!((&approval["counts"], &approval["void"][0]["rule"]), (&false.into(), &"range-changed".into()), "{listed}");
    assert_eq!((&listed["queue"][0]["given"], &listed["queue"][0]["part"]), (&0.into(), &"may-agree".into()), "{listed}");
    let shown = stage.run("cy", &["show", "changes"]).exits(0);
    assert!(shown.out.contains("it does not count"), "{}", shown.out);
    stage.approves("cy", &plan);
    stage.run("ana", &["execute", &plan, "--yes"]).exits(0);
}

#[test]
fn who_became_the_author_after_he_approved_is_one() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("bo", &plan);
    {
        let mut state = stage.lab.state();
        let amended = state.history.commit(&["first"], BO, DEE, "Change");
        state.history.name(NEW, &amended);
    }
    stage.may_not_execute("ana", &plan, 4, "author");
    let listed = stage.json(0, "cy", &["show", "changes"]);
    assert_eq!(listed["queue"][0]["approvals"][0]["void"][0]["rule"], "author", "{listed}");
    stage.may_not_approve("bo", &plan, "author", "bo-gh");
}

#[test]
fn an_approval_of_a_smaller_plan_is_none_of_a_greater_one() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    let before = stage.denials().len();
    stage.run("ana", &["shift", "checkout@prod", "50", "--yes", "--if-plan", &plan]).exits(2);
    stage.denied_since(before, "other-plan");
    let before_greater = stage.denials().len();
    stage.run("ana", &["shift", "checkout@prod", "50", "--yes"]).exits(4);
    assert_eq!(stage.denials().len(), before_greater, "a plan that was only stored and waits is no denial");
    // Nor for another target, in either order.
    stage.run("ana", &["shift", "mail@prod", "20", "--yes", "--if-plan", &plan]).exits(2);
    stage.denied_since(before + 1, "other-plan");
    stage.run("cy", &["approve", "mail@prod", "--plan", &plan]).exits(2);
    stage.denied_since(before + 2, "other-plan");
    // Nor for somebody else.
    stage.may_not_execute("bo", &plan, 3, "not-yours");
    stage.nothing_moved();
}

#[test]
fn rules_that_its_requester_edited_void_a_plan() {
    let stage = Stage::new(one(BO, BO, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    stage.reconfigure("approvals = 1", "approvals = 0");
    stage.may_not_execute("ana", &plan, 5, "rules");
    // Nor may the author be made a stranger, or the changes be looked for elsewhere.
    let plan = {
        stage.reconfigure("approvals = 1", "approvals = 1");
        stage.asks("ana", "20")
    };
    for (from, to) in [
        ("logins = { github = \"bo-gh\" }", "logins = { github = \"nobody-gh\" }"),
        ("emails = [\"bo@shop.example\"]", "emails = []"),
        ("check = { authors = \"require\" }", "authors = { unmapped = \"warn\" }"),
        ("tag = \"v$version\"", "tag = \"harmless-$version\""),
    ] {
        stage.reconfigure(from, to);
        let before = stage.denials().len();
        let said = stage.json(5, "bo", &["approve", "checkout@prod", "--plan", &plan]);
        assert!(texts(&said["reasons"], "rule").contains(&"rules".to_owned()), "{said}");
        stage.denied_since(before, "rules");
    }
    stage.nothing_moved();
}

#[test]
fn a_freeze_that_its_requester_took_out_of_the_rules_binds_until_another_accepts_that() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let owners = [
        ("bots = [\"ana-bot\"]\nroles = [{", "bots = [\"ana-bot\"]\nroles = [{ role = \"policy-owner\" }, {"),
        ("bots = [\"cy-bot\"]\nroles = [{", "bots = [\"cy-bot\"]\nroles = [{ role = \"policy-owner\" }, {"),
    ];
    let without = [owners[0], owners[1], ("approvals = 1,", "approvals = 0,")];
    let freeze = "[[freeze]]\nname = \"night\"\nreason = \"nobody is here\"\nbegin = \"2020-01-01T00:00Z\"\nend = \"2099-01-01T00:00Z\"\n[[service]]\nname = \"mail\"";
    stage.rewrite(&[without[0], without[1], without[2], ("[[service]]\nname = \"mail\"", freeze)]);
    stage.run("ana", &["note", "checkout@prod", "the rules are these"]).exits(0);
    stage.rewrite(&without);
    let before = stage.denials().len();
    let said = stage.json(3, "ana", &["shift", "checkout@prod", "20", "--yes"]);
    assert_eq!(texts(&said["reasons"], "rule"), ["freeze"], "{said}");
    assert!(said["reasons"][0]["fix"].as_str().unwrap().contains("rules that were accepted"), "{said}");
    stage.denied_since(before, "freeze");
    assert_eq!(stage.pair.weight(&stage.pool), 0);
    // Who wrote them does not accept them; another owner does, and then the freeze is gone.
    stage.run("ana", &["policy", "accept"]).exits(4);
    stage.run("ana", &["policy", "accept"]).exits(3);
    stage.denied_since(before + 1, "own-rules");
    stage.run("cy", &["policy", "accept"]).exits(0);
    stage.run("ana", &["shift", "checkout@prod", "20", "--yes"]).exits(0);
}
