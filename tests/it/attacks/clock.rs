//! A clock that was set back: what was over stays over, since the ledger's time never runs backwards.

use chrono::TimeDelta;
use gonogo::adapters::clock::SystemClock;
use gonogo::ports::clock::Clock as _;

use super::stage::{DEE, Stage, one};
use crate::headless::place::texts;

/// The environment asks for nobody's agreement, and lets the team take the role for a while; Dee is of the team and nothing else.
const TAKEN: [(&str, &str); 2] = [
    (
        "protection = { approvals = 1, approver_roles = [\"captain\"] }",
        "protection = { actor_roles = [\"captain\"] }\nself_service = [{ role = \"captain\", teams = [\"payments\"], at_most = \"4h\" }]",
    ),
    ("bots = [\"dee-bot\"]\nroles = [{ role = \"captain\" }]", "bots = [\"dee-bot\"]\nteams = [\"payments\"]"),
];

impl Stage {
    /// Somebody's shift is refused by this rule alone, nothing moves, and that is on record.
    #[track_caller]
    fn may_not_shift(&self, who: &str, code: i32, rule: &str) {
        let before = self.denials().len();
        let said = self.json(code, who, &["shift", "checkout@prod", "20", "--yes"]);
        assert_eq!(texts(&said["reasons"], "rule"), [rule], "{said}");
        self.denied_since(before, rule);
        self.nothing_moved();
    }
}

#[test]
fn an_approval_that_is_over_counts_no_more() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    stage.reconfigure("approvals = 1,", "approvals = 1, approvals_expire = \"10m\",");
    let (plan, other) = (stage.asks("ana", "20"), stage.asks("bo", "20"));
    stage.approves("cy", &plan);
    stage.set_back(TimeDelta::minutes(20));
    stage.may_not_execute("ana", &plan, 4, "approvals");
    // A fresh one counts: it ends by the ledger's time too.
    stage.approves("cy", &other);
    stage.run("bo", &["execute", &other]).exits(0);
    stage.place.run(&["ledger", "verify"]).exits(0);
}

#[test]
fn p14_a_clock_that_ran_ahead_ends_no_plan_at_its_making() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    stage.rewrite(&[("approvals = 1,", "approvals = 0,")]);
    stage.set_back(TimeDelta::hours(5));
    for percent in ["20", "0"] {
        let deed = stage.json(0, "ana", &["shift", "checkout@prod", percent, "--yes"]);
        assert_eq!(deed["state"], "effective", "{deed}");
    }
}

#[test]
fn a_plan_that_is_over_is_neither_approved_nor_carried_out() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    stage.set_back(TimeDelta::hours(25));
    stage.may_not_execute("ana", &plan, 5, "expired");
    let before = stage.denials().len();
    stage.run("bo", &["approve", "checkout@prod", "--plan", &plan]).exits(5);
    stage.denied_since(before, "expired");
}

#[test]
fn a_role_that_was_taken_for_a_while_is_over_after_it() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    stage.rewrite(&TAKEN);
    stage.run("dee", &["grant", "captain", "checkout@prod", "--for", "5m", "--reason", "stands in for cy tonight"]).exits(0);
    stage.set_back(TimeDelta::minutes(8));
    stage.may_not_shift("dee", 3, "grant-ended");
}

#[test]
fn a_freeze_that_began_is_not_slipped_under() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    // A plan that waits for nobody is over after ten minutes, whatever else there is against it.
    let minute = |minutes| (SystemClock.now().wall + TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%MZ").to_string();
    let freeze = format!(
        "[[freeze]]\nname = \"night\"\nreason = \"nobody is here\"\nbegin = \"{}\"\nend = \"{}\"\n[[service]]\nname = \"mail\"",
        minute(6),
        minute(60)
    );
    stage.rewrite(&[("approvals = 1,", "approvals = 0,"), ("[[service]]\nname = \"mail\"", &freeze)]);
    let plan = stage.json(0, "ana", &["plan", "shift", "checkout@prod", "20"]);
    assert_eq!(plan["verdict"], "permit", "{plan}");
    stage.set_back(TimeDelta::minutes(8));
    stage.may_not_shift("ana", 3, "freeze");
}
