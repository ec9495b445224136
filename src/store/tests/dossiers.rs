//! Dossiers: all of one moment, in the order of their first entries, each whole, whatever else is written or turned round.

use super::*;
use crate::model::approval::{Decision, Ruling};
use crate::model::dossier::{Dossier, Selection};
use crate::model::reason::Reason;
use crate::model::released::{Build, Released};
use crate::ports::ledger::{Ledger as _, LedgerError};

async fn all(store: &SqliteStore, wanted: &Selection) -> Vec<Dossier> {
    let mut look = store.look_at().await.unwrap();
    let mut found = Vec::new();
    let each = |dossier: Dossier| {
        found.push(dossier);
        Ok::<_, LedgerError>(())
    };
    look.dossiers(wanted, each).await.unwrap();
    look.end().await.unwrap();
    found
}

fn releasing(clock: &Still, nonce: &str) -> Plan {
    let to = Build { version: Some(Text::clean("2.5.0")), revision: Some(Text::clean("a1b2c3d4")), ..Build::default() };
    Plan { released: Released { from: Build::default(), to }, ..plan(clock, Verb::Shift, nonce) }
}

#[tokio::test]
async fn every_plan_is_told_once_in_the_order_of_its_first_entry_over_many_pages() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let mut plans = Vec::new();
    for n in 0..270 {
        clock.pass(Duration::from_secs(1));
        let denied = plan(&clock, Verb::Note, &n.to_string());
        let times = if n % 100 == 0 { 2 } else { 1 };
        for _ in 0..times {
            store.deny(&denied, &[Reason::new("freeze", "a freeze", "wait")]).await.unwrap();
        }
        plans.push((denied.id, clock.now().wall));
    }
    let found = all(&store, &Selection::default()).await;
    assert_eq!(found.iter().map(|one| one.plan).collect::<Vec<_>>(), plans.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert!(found.iter().all(|one| one.state() == "denied" && !one.has_begun()));
    let (from, to) = (plans[10].1, plans[20].1);
    let part = all(&store, &Selection { from: Some(from), to: Some(to), ..Selection::default() }).await;
    assert_eq!(part.iter().map(|one| one.plan).collect::<Vec<_>>(), plans[10..20].iter().map(|(id, _)| *id).collect::<Vec<_>>());
    assert!(all(&store, &Selection { service: Some("mail".parse().unwrap()), ..Selection::default() }).await.is_empty());
    assert!(all(&store, &Selection { environment: Some("dev".parse().unwrap()), ..Selection::default() }).await.is_empty());
    assert_eq!(all(&store, &Selection { service: Some("checkout".parse().unwrap()), ..Selection::default() }).await.len(), 270);
}

#[tokio::test]
async fn a_look_shows_one_moment_whatever_another_process_writes_meanwhile() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let (one, other) = (store(dir.path(), &clock).await, store(dir.path(), &clock).await);
    one.deny(&plan(&clock, Verb::Note, "1"), &[]).await.unwrap();
    let mut look = one.look_at().await.unwrap();
    other.deny(&plan(&clock, Verb::Note, "2"), &[]).await.unwrap();
    let mut seen = 0;
    look.dossiers(&Selection::default(), |_| {
        seen += 1;
        Ok::<_, LedgerError>(())
    })
    .await
    .unwrap();
    assert_eq!((seen, look.size), (1, 2));
    look.end().await.unwrap();
    assert_eq!(all(&one, &Selection::default()).await.len(), 2);
}

#[tokio::test]
async fn a_withdrawn_approval_is_none_and_what_was_released_is_told_only_as_it_was_recorded() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let shift = releasing(&clock, "1");
    store.store_plan(&shift).await.unwrap();
    for (decision, person) in [(Decision::Approve, "bo"), (Decision::Approve, "cy"), (Decision::Withdraw, "bo")] {
        store.rule(&Ruling::about(&shift, decision, person, Text::empty()).unwrap(), None, &|_, _| Vec::new()).await.unwrap();
    }
    let waiting = all(&store, &Selection::default()).await;
    assert_eq!((waiting[0].state(), waiting[0].has_begun(), waiting[0].order.is_some()), ("waiting", false, true));
    let begun = store.begin(&shift, &yes(shift.id)).await.unwrap();
    store.sending(&begun, 0).await.unwrap();
    let told = all(&store, &Selection::default()).await;
    let approvers: Vec<_> = told[0].approvals().map(|said| said.person.to_owned()).collect();
    assert_eq!((approvers, told[0].state(), told.len()), (vec!["cy".to_owned()], "sent", 1));
    assert_eq!((told[0].released.clone(), told[0].order.as_ref()), (shift.released.clone(), Some(&shift.order)));
    assert_eq!(told[0].evidence(), Some(shift.evidence_digest().unwrap().as_str()));
    // Somebody writes another commit into what was seen: it is told no more.
    let turn = "UPDATE evidence SET json = CAST(replace(CAST(json AS TEXT), 'a1b2c3d4', 'ffffffff') AS BLOB)";
    sqlx::raw_sql(turn).execute(&mut *store.conn.lock().await).await.unwrap();
    assert!(all(&store, &Selection::default()).await[0].released.is_empty());
}
