//! Approvals, rejections and withdrawals: bound to one plan, spent with it, taken back until it begins.

use super::*;
use crate::model::approval::{Decision, Ruling};
use crate::model::operator::Person;
use crate::model::reason::Reason;
use crate::ports::ledger::{Ledger, LedgerError};

fn nothing(_: &Plan, _: &AtCommit) -> Vec<Reason> {
    Vec::new()
}

fn says(plan: &Plan, decision: Decision, person: &str) -> Ruling {
    Ruling::about(plan, decision, person, Text::clean("seen it")).unwrap()
}

async fn stored(store: &SqliteStore, clock: &Still, nonce: &str) -> Plan {
    let plan = plan(clock, Verb::Shift, nonce);
    store.store_plan(&plan).await.unwrap();
    store.wait_for(plan.id).await.unwrap();
    plan
}

async fn givers(store: &SqliteStore) -> Vec<String> {
    store.waiting().await.unwrap().remove(0).approvals.into_iter().map(|approval| approval.person).collect()
}

async fn kinds(store: &SqliteStore) -> Vec<&'static str> {
    store.entries(0, 99).await.unwrap().iter().map(|entry| entry.kind.word()).collect()
}

/// A judge that wants two approvals.
fn two(plan: PlanId) -> impl Fn(&AtCommit) -> Verdict + Send + Sync {
    move |found| {
        if found.approvals.iter().filter(|approval| approval.counts(&found.at)).count() >= 2 {
            Verdict::Permit(Permit::grant(plan))
        } else {
            Verdict::SecondPerson { needs: 2, given: 0, may: Vec::new(), reasons: vec![Reason::new("approvals", "two", "ask")] }
        }
    }
}

#[tokio::test]
async fn approvals_of_two_processes_let_the_plan_begin_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, two_) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    let plan = stored(&one, &clock, "1").await;
    assert!(matches!(one.begin(&plan, &two(plan.id)).await, Err(LedgerError::Refused(_))));
    one.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    two_.rule(&says(&plan, Decision::Approve, "cy"), None, &nothing).await.unwrap();
    assert_eq!(givers(&one).await, ["bo", "cy"]);
    two_.begin(&plan, &two(plan.id)).await.unwrap();
    // Spent: neither the plan nor what was said about it can be used again.
    assert!(matches!(one.begin(&plan, &two(plan.id)).await, Err(LedgerError::Spent(_))));
    for decision in [Decision::Approve, Decision::Withdraw, Decision::Reject] {
        assert!(matches!(one.rule(&says(&plan, decision, "bo"), None, &nothing).await, Err(LedgerError::Spent(_))), "{decision:?}");
    }
    assert_eq!(kinds(&one).await, ["signers", "denied", "approval", "approval", "intent", "denied", "denied", "denied"]);
    let found = one.verify().await.unwrap();
    assert!(found.intact, "{found:?}");
}

#[tokio::test]
async fn the_body_of_an_approval_is_the_statement_alone() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = stored(&store, &clock, "1").await;
    store.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    let line: serde_json::Value = serde_json::from_slice(&store.lines().await.unwrap().1[1]).unwrap();
    assert_eq!(line["kind"], "approval");
    let body = <base64ct::Base64 as base64ct::Encoding>::decode_vec(line["body"].as_str().unwrap()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let wanted = serde_json::json!({
        "decision": "approve", "evidence": plan.evidence_digest().unwrap(), "format": 1, "installation": "test", "person": "bo", "plan": plan.id.to_string()
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn an_approval_for_one_plan_is_none_for_another() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let (first, second) = (stored(&store, &clock, "1").await, stored(&store, &clock, "2").await);
    for person in ["bo", "cy"] {
        store.rule(&says(&first, Decision::Approve, person), None, &nothing).await.unwrap();
    }
    assert!(matches!(store.begin(&second, &two(second.id)).await, Err(LedgerError::Refused(_))));
    store.begin(&first, &two(first.id)).await.unwrap();
}

#[tokio::test]
async fn a_person_counts_once_and_what_was_taken_back_does_not_count() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = stored(&store, &clock, "1").await;
    store.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    let again = store.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await;
    assert!(matches!(&again, Err(LedgerError::Refused(reasons)) if reasons[0].rule == "approved-already"), "{again:?}");
    let stranger = store.rule(&says(&plan, Decision::Withdraw, "dan"), None, &nothing).await;
    assert!(matches!(&stranger, Err(LedgerError::Refused(reasons)) if reasons[0].rule == "nothing-to-withdraw"), "{stranger:?}");
    store.rule(&says(&plan, Decision::Approve, "cy"), None, &nothing).await.unwrap();
    store.rule(&says(&plan, Decision::Withdraw, "bo"), None, &nothing).await.unwrap();
    assert_eq!(givers(&store).await, ["cy"]);
    assert!(matches!(store.begin(&plan, &two(plan.id)).await, Err(LedgerError::Refused(_))));
    assert_eq!(kinds(&store).await.last().copied(), Some("denied"));
    assert_eq!(kinds(&store).await, ["signers", "approval", "denied", "denied", "approval", "withdrawal", "denied"]);
}

#[tokio::test]
async fn a_rejection_and_the_requesters_withdrawal_end_the_plan() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    for (nonce, decision, person, how) in
        [("1", Decision::Reject, "bo", "rejected by bo"), ("2", Decision::Withdraw, "ana", "withdrawn by ana")]
    {
        let plan = stored(&store, &clock, nonce).await;
        for person in ["bo", "cy"] {
            store.rule(&says(&plan, Decision::Approve, person), None, &nothing).await.unwrap();
        }
        store.rule(&says(&plan, decision, person), None, &nothing).await.unwrap();
        let ended = store.begin(&plan, &two(plan.id)).await.unwrap_err();
        assert_eq!(ended, LedgerError::Spent(Text::clean(how)));
        assert!(store.waiting().await.unwrap().is_empty());
        // Stored again it stays ended.
        store.store_plan(&plan).await.unwrap();
        assert!(matches!(store.plan(&plan.id.short()).await, Err(LedgerError::Spent(_))));
    }
}

#[tokio::test]
async fn an_approval_ends_by_the_ledgers_clock() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = stored(&store, &clock, "1").await;
    let soon = Some(clock.now().wall + TimeDelta::minutes(1));
    store.rule(&Ruling { expires: soon, ..says(&plan, Decision::Approve, "bo") }, None, &nothing).await.unwrap();
    clock.pass(Duration::from_secs(61));
    store.rule(&says(&plan, Decision::Approve, "cy"), None, &nothing).await.unwrap();
    // Set back, the clock revives nothing: the ledger's time is that of its last entry.
    clock.set_back(Duration::from_mins(1));
    assert!(matches!(store.begin(&plan, &two(plan.id)).await, Err(LedgerError::Refused(_))));
    assert_eq!(kinds(&store).await.last().copied(), Some("denied"));
    store.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    store.begin(&plan, &two(plan.id)).await.unwrap();
}

#[tokio::test]
async fn what_policy_refuses_is_recorded_with_its_reasons() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = stored(&store, &clock, "1").await;
    let no = |_: &Plan, _: &AtCommit| vec![Reason::new("own-plan", "ana asked for it", "another person approves")];
    let refused = store.rule(&says(&plan, Decision::Approve, "ana"), None, &no).await;
    assert!(matches!(refused, Err(LedgerError::Refused(_))));
    let entry = store.entries(1, 1).await.unwrap().remove(0);
    assert_eq!((entry.kind, entry.deed), (EntryKind::Denied, Some(plan.id)));
    assert_eq!(entry.words.as_str(), "approve by ana: ana asked for it");
    assert!(givers(&store).await.is_empty());
}

#[tokio::test]
async fn a_change_of_people_is_an_entry_before_the_next_that_a_person_can_sign() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGjvH0DkPwSfNWnR3bTqkdzPfo9CxQ4oFPVDTmFXIYaF";
    let ana = Person {
        name: "ana".parse().unwrap(),
        os_user: None,
        keys: vec![format!("{key} ana at her desk")],
        emails: Vec::new(),
        logins: Vec::new(),
        bots: Vec::new(),
        teams: Vec::new(),
        roles: Vec::new(),
    };
    store.name_people(std::slice::from_ref(&ana));
    let first = stored(&store, &clock, "1").await;
    assert_eq!(kinds(&store).await, ["signers"], "naming alone writes nothing");
    store.rule(&says(&first, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    store.name_people(std::slice::from_ref(&ana));
    store.rule(&says(&first, Decision::Approve, "cy"), None, &nothing).await.unwrap();
    store.name_people(&[]);
    store.rule(&says(&first, Decision::Withdraw, "cy"), None, &nothing).await.unwrap();
    assert_eq!(kinds(&store).await, ["signers", "signers", "approval", "approval", "signers", "withdrawal"]);
    let line: serde_json::Value = serde_json::from_slice(&store.lines().await.unwrap().1[1]).unwrap();
    let body = <base64ct::Base64 as base64ct::Encoding>::decode_vec(line["body"].as_str().unwrap()).unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.ends_with(&format!("ana namespaces=\"gonogo-deed@v1,gonogo-approval@v1\" {key}\n")), "{body}");
    assert!(store.verify().await.unwrap().intact);
}

#[tokio::test]
async fn a_plan_that_was_only_stored_waits_once_somebody_approved_it() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let plan = plan(&clock, Verb::Shift, "1");
    store.store_plan(&plan).await.unwrap();
    assert!(store.waiting().await.unwrap().is_empty());
    store.rule(&says(&plan, Decision::Approve, "bo"), None, &nothing).await.unwrap();
    assert_eq!(givers(&store).await, ["bo"]);
}
