//! Evidence: kept with the entry whose verdict saw it, bound by its digest, shown when everything else has forgotten it.

use super::*;
use crate::model::approval::{Decision, Ruling};
use crate::model::plan::Evidence;
use crate::model::reason::Reason;
use crate::ports::ledger::Ledger as _;

fn evident(clock: &Still, verb: Verb, nonce: &str, text: &str) -> Plan {
    let mut plan = plan(clock, verb, nonce);
    plan.evidence = vec![Evidence { text: Text::clean(text), source: "prom".to_owned(), age_s: Some(4), warns: true }];
    plan
}

#[tokio::test]
async fn what_each_verdict_and_each_approver_saw_is_shown_from_the_store() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let denied = evident(&clock, Verb::Note, "1", "errors 3 %");
    store.deny(&denied, &[Reason::new("freeze", "a freeze", "wait")]).await.unwrap();
    let shift = evident(&clock, Verb::Shift, "2", "errors 0.1 %");
    store.store_plan(&shift).await.unwrap();
    store.rule(&Ruling::about(&shift, Decision::Approve, "bo", Text::empty()).unwrap(), None, &|_, _| Vec::new()).await.unwrap();
    let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    let rows = store.entries(0, 99).await.unwrap();
    let mut found = Vec::new();
    for row in rows {
        let shown = store.show(row.n).await.unwrap().unwrap();
        let body: serde_json::Value = serde_json::from_str(&shown.body).unwrap_or_default();
        let named = body.get("evidence").and_then(|named| named.as_str()).map(str::to_owned);
        let Some(seen) = shown.seen else {
            found.push((row.kind.word(), String::new(), named.is_some()));
            continue;
        };
        assert!(seen.whole && named.as_ref().is_none_or(|named| *named == seen.digest));
        assert_eq!((seen.items.len(), &seen.items[0]["source"], &seen.items[0]["age_s"]), (1, &"prom".into(), &4.into()));
        found.push((row.kind.word(), seen.items[0]["text"].as_str().unwrap().to_owned(), named.is_some()));
    }
    let told = |kind, text: &str, bound| (kind, text.to_owned(), bound);
    let expected = [
        told("signers", "", false),
        told("denied", "errors 3 %", true),
        told("approval", "errors 0.1 %", true),
        told("intent", "errors 0.1 %", false),
        // The Order is the whole body of an intent; what follows binds the evidence.
        told("sending", "", true),
    ];
    assert_eq!(found, expected);
    assert!(store.verify().await.unwrap().intact);
    assert!(store.show(99).await.unwrap().is_none());
    // Years later, somebody turns the figure round.
    sqlx::raw_sql("UPDATE evidence SET json = CAST(replace(CAST(json AS TEXT), '0.1', '0.0') AS BLOB)")
        .execute(&mut *store.conn.lock().await)
        .await
        .unwrap();
    let turned = store.show(2).await.unwrap().unwrap().seen.unwrap();
    assert!(!turned.whole && turned.items[0]["text"] == "errors 0.0 %");
}
