//! Deaths and neighbours: SIGKILL while delivering, two processes on one store.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gonogo::ports::ledger::Ledger as _;

use super::bench::{Work, courier, in_order, know, notes, settings, store, until};
use crate::headless::place::Place;
use crate::servers::receiver::{Answer, Receiver};

/// A place whose store has so many notes for the receiver `audit`; the number of the first.
fn filled(place: &Place, receiver: &Receiver, count: usize) -> u64 {
    place.configure(&format!(
        "[[backend]]\nname = \"edge\"\nkind = \"haproxy\"\nsocket = \"/nowhere\"\n[[webhook]]\nname = \"audit\"\nurl = \"{}\"\n",
        receiver.url()
    ));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store(&place.store()).await;
        know(&store, &["audit"]).await;
        let first = store.size().await.unwrap();
        notes(&store, count).await;
        first
    })
}

#[test]
fn killed_at_any_moment_of_its_delivery_nothing_is_lost_and_only_the_one_under_way_comes_again() {
    let (place, audit) = (Place::bare(), Receiver::start());
    let first = filled(&place, &audit, 20);
    // A few of the answers are slow enough to be killed in.
    audit.answers([Answer::Status(204, ""), Answer::Silent, Answer::Reset, Answer::Status(500, "")]);
    let mut kills = 0;
    for delay in (0..40).map(|n| 60 + n * 23 % 300) {
        if audit.taken().len() >= 60 {
            break;
        }
        let mut child = place.command(env!("CARGO_BIN_EXE_gonogo"), &["outbox", "deliver", "--within", "20s"]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begin = tokio::time::Instant::now();
        crate::servers::support::wait_for("its moment", Duration::from_secs(5), || {
            (begin.elapsed() >= Duration::from_millis(delay)).then_some(())
        });
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let said = place.run(&["outbox", "deliver", "--within", "50s", "--json"]).exits(0);
    assert_eq!(said.json()["receivers"][0]["waiting"], 0, "{said:?}");
    assert!(kills >= 3, "{kills} kills");
    in_order(&audit.taken(), first, first + 59);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_on_one_store_one_delivers_and_the_other_takes_over_from_the_dead() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (store(dir.path()).await, store(dir.path()).await);
    let audit = Receiver::start();
    know(&one, &["audit"]).await;
    let first = one.size().await.unwrap();
    let work = |store: &Arc<_>| Work::of(store, vec![courier(&settings("audit", &audit), &audit)]);
    let (first_work, _second_work) = (work(&one), work(&two));
    notes(&one, 10).await;
    until("30 notices", || audit.taken().len() >= 30).await;
    assert_eq!(audit.got().len(), 30, "each came once");
    in_order(&audit.taken(), first, first + 29);
    // Whoever has the right to deliver: the first process ends without giving anything back.
    drop(first_work);
    let dead = Arc::into_inner(one);
    drop(dead);
    notes(&two, 10).await;
    until("30 more", || audit.taken().len() >= 60).await;
    in_order(&audit.taken(), first, first + 59);
}

#[test]
fn a_living_room_delivers_and_a_verb_leaves_it_to_the_room() {
    let (place, audit) = (Place::bare(), Receiver::start());
    let first = filled(&place, &audit, 1);
    // The living process holds the right while its receiver keeps it waiting.
    audit.answers([Answer::Silent]);
    let mut command: Command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["outbox", "deliver", "--within", "20s"]);
    let living = Place::started(&mut command);
    crate::servers::support::wait_for("its first try", Duration::from_secs(10), || (!audit.got().is_empty()).then_some(()));
    let verb = place.run(&["outbox", "deliver", "--within", "1s"]).exits(6);
    assert!(verb.err.contains("3 notices for `audit` not delivered yet"), "{verb:?}");
    assert_eq!(audit.got().len(), 1, "only the living process tries");
    living.end().exits(0);
    in_order(&audit.taken(), first, first + 2);
}
