//! Who made it approves it: by another key, another account, a bot, a line of the message, or while nobody can tell.

use super::stage::{ANA, BO, DEE, NEW, OLD, Stage, one};
use crate::servers::github::Wrong;
use crate::servers::history::Who;

#[test]
fn self_approval_by_a_second_key() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("ana's second", &plan, "own-plan", "ana asked for it");
    stage.may_not_execute_yet(&plan);
}

#[test]
fn self_approval_by_a_second_login() {
    // Another account with bo's address, and one that nobody configured.
    let stage = Stage::new(one(Who("bo-at-home", "Bo@Shop.example"), DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-at-home <bo@shop.example>");
    let hidden = Stage::new(one(Who("bo-in-secret", "bo@home.example"), DEE, "Change"));
    let said = hidden.json(3, "ana", &["shift", "checkout@prod", "20", "--yes"]);
    assert_eq!(said["reasons"][0]["rule"], "check-authors", "{said}");
    assert!(said["reasons"][0]["text"].as_str().unwrap().contains("bo-in-secret <bo@home.example>"), "{said}");
    let plan = hidden.json(0, "ana", &["plan", "shift", "checkout@prod", "20"])["plan"].as_str().unwrap().to_owned();
    for who in ["bo", "cy"] {
        hidden.may_not_approve(who, &plan, "authors-unknown", "nobody configured is bo-in-secret");
    }
}

#[test]
fn self_approval_by_a_bot() {
    let stage =
        Stage::new(one(Who("bo-bot[bot]", "12+bo-bot[bot]@users.noreply.github.com"), Who("web-flow", "noreply@github.com"), "Bump"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-bot[bot]");
    stage.approves("cy", &plan);
    stage.run("ana", &["execute", &plan, "--yes"]).exits(0);
}

#[test]
fn self_approval_behind_a_co_author_line() {
    let stage = Stage::new(one(DEE, DEE, "Change\n\nco-authored-by: Bo <7+bo-gh@users.noreply.github.com>"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-gh");
    stage.may_not_approve("dee", &plan, "author", "dee-gh");
}

#[test]
fn self_approval_by_the_committer_who_is_not_the_author() {
    let stage = Stage::new(one(DEE, BO, "Change"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-gh <bo@shop.example>");
}

#[test]
fn self_approval_of_commits_that_a_squash_took_in() {
    let stage = Stage::new(|history| {
        let theirs = history.commit(&["first"], BO, BO, "Half");
        let squashed = history.commit(&["first"], DEE, Who("web-flow", "noreply@github.com"), "Squashed");
        history.pull(7, "cy-gh", &[&theirs], &squashed);
        history.name(NEW, &squashed);
    });
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-gh");
    stage.may_not_approve("cy", &plan, "author", "cy-gh");
}

/// `git commit --amend --author=..`, and with another committer too: the pull request says who pushed it.
#[test]
fn self_approval_by_an_author_who_amended_himself_away() {
    let stage = Stage::new(one(BO, BO, "Change"));
    let plan = stage.asks("ana", "20");
    let amend = |committer: Who, pulled: bool| {
        let mut state = stage.lab.state();
        let amended = state.history.commit(&["first"], DEE, committer, "Change");
        if pulled {
            state.history.pull(8, "bo-gh", &[&amended], &amended);
        }
        state.history.name(NEW, &amended);
    };
    amend(BO, false);
    stage.may_not_approve("bo", &plan, "author", "bo-gh <bo@shop.example>");
    amend(DEE, true);
    stage.may_not_approve("bo", &plan, "author", "bo-gh");
    stage.may_not_approve("dee", &plan, "author", "dee-gh");
    stage.nothing_moved();
}

/// A role given to oneself, and one that the requester agreed to, which is to help each other.
#[test]
fn self_approval_by_a_role_that_was_given_to_oneself() {
    let stage = Stage::new(one(BO, BO, "Change"));
    let protection = "protection = { approvals = 1, approver_roles = [\"captain\"] }";
    let offered = format!("{protection}\nself_service = [{{ role = \"captain\", teams = [\"payments\"], at_most = \"4h\" }}]");
    let of_the_team = "bots = [\"dee-bot\"]\nteams = [\"payments\"]";
    stage.rewrite(&[(protection, &offered), ("bots = [\"dee-bot\"]\nroles = [{ role = \"captain\" }]", of_the_team)]);
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("dee", &plan, "role", "dee");
    let take = ["grant", "captain", "@prod", "--for", "1h", "--reason", "stands in for cy tonight"];
    let grant = stage.json(0, "dee", &take)["grant"]["grant"].as_str().unwrap().to_owned();
    stage.may_not_approve("dee", &plan, "grant-own", "dee");
    stage.run("ana", &["approve", "@prod", "--grant", &grant]).exits(0);
    stage.may_not_approve("dee", &plan, "grant-crosswise", "ana");
    stage.may_not_execute_yet(&plan);
}

#[test]
fn two_halves_of_one_change_each_approved_by_the_other_author() {
    let stage = Stage::new(|history| {
        let first = history.commit(&["first"], ANA, ANA, "Half");
        let second = history.commit(&[&first], BO, BO, "The other half");
        history.name(NEW, &second);
    });
    let (anas, bos) = (stage.asks("ana", "20"), stage.asks("bo", "20"));
    stage.may_not_approve("bo", &anas, "author", "bo-gh");
    stage.may_not_approve("ana", &bos, "author", "ana-gh");
    stage.nothing_moved();
}

#[test]
fn approval_while_nobody_can_tell_who_made_it() {
    // History was rewritten, so that the running version lies on no way to the other one.
    let stage = Stage::new(|history| {
        let other = history.commit(&["another root"], DEE, DEE, "Rewritten");
        history.name(NEW, &other);
    });
    let plan = stage.json(0, "ana", &["plan", "shift", "checkout@prod", "20"]);
    assert_eq!((&plan["verdict"], &plan["reasons"][0]["rule"]), (&"deny".into(), &"check-authors".into()), "{plan}");
    stage.may_not_approve("cy", plan["plan"].as_str().unwrap(), "authors-unknown", "is no ancestor of v2.5.0");
    let told = stage.json(3, "ana", &["explain", "shift", "checkout@prod", "20"]);
    assert_eq!(told["reasons"][0]["rule"], "check-authors", "{told}");
    // The way back asks for no authors.
    stage.run("ana", &["shift", "checkout@prod", "0", "--yes"]).exits(0);
}

#[test]
fn execution_while_the_source_does_not_answer() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.approves("cy", &plan);
    // What was read at the approval, and a moment ago, does not stand for what cannot be read now.
    for _ in 0..40 {
        stage.lab.answer_wrongly("/compare/", Wrong::says(500, "no"));
    }
    stage.may_not_execute("ana", &plan, 3, "check-authors");
}

#[test]
fn without_the_check_authors_who_are_known_may_not_approve_all_the_same() {
    let stage = Stage::with("T0", "", one(BO, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    stage.may_not_approve("bo", &plan, "author", "bo-gh");
    let listed = stage.json(0, "cy", &["show", "changes"]);
    let authors = &listed["queue"][0]["authors"];
    assert_eq!(
        (&authors["known"], &authors["people"][0]["person"], &authors["people"][1]["person"]),
        (&true.into(), &"bo".into(), &"dee".into())
    );
    assert_eq!(listed["queue"][0]["could"][0]["person"], "cy", "{listed}");
    stage.approves("cy", &plan);
    stage.run("ana", &["execute", &plan, "--yes"]).exits(0);
    // Unknown, it warns and lets an approval count.
    let unknown = Stage::with("T0", "", |history| {
        let other = history.commit(&["another root"], DEE, DEE, "Rewritten");
        history.name(NEW, &other);
        history.name(OLD, "gone");
    });
    let plan = unknown.asks("ana", "20");
    let told = unknown.json(0, "ana", &["plan", "shift", "checkout@prod", "20"]);
    assert!(told["evidence"].to_string().contains("authors are not known"), "{told}");
    unknown.approves("bo", &plan);
    unknown.run("ana", &["execute", &plan, "--yes"]).exits(0);
}

impl Stage {
    /// The plan waits on, and that it was tried is on record.
    #[track_caller]
    fn may_not_execute_yet(&self, plan: &str) {
        self.may_not_execute("ana", plan, 4, "approvals");
    }
}
