//! A withdrawal against the beginning of the deed, many times, in two handles on one store: one of them is first, and the other is told.

use std::sync::Barrier;

use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::model::approval::{Decision, Ruling};
use crate::model::reason::Reason;
use crate::ports::ledger::{CARRIED_OUT, Ledger, LedgerError};

const ROUNDS: u32 = 200;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn says(plan: &Plan, decision: Decision) -> Ruling {
    Ruling::about(plan, decision, "bo", Text::empty()).unwrap()
}

/// A judge that wants one approval.
fn one(plan: PlanId) -> impl Fn(&AtCommit) -> Verdict + Send + Sync {
    move |found| match found.approvals.as_slice() {
        [] => Verdict::SecondPerson { needs: 1, given: 0, may: Vec::new(), reasons: vec![Reason::new("approvals", "one", "ask")] },
        _ => Verdict::Permit(Permit::grant(plan)),
    }
}

#[test]
fn a_withdrawal_and_a_beginning_that_race_leave_one_of_them_and_the_other_is_told_why() {
    let (dir, clock, main) = (tempfile::tempdir().unwrap(), Still::new(), runtime());
    let (ours, theirs) = main.block_on(async { (store(dir.path(), &clock).await, store(dir.path(), &clock).await) });
    let nothing = |_: &Plan, _: &AtCommit| Vec::new();
    let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let mut begun = 0;
    for round in 0..ROUNDS {
        let plan = plan(&clock, Verb::Shift, &round.to_string());
        let before = main.block_on(async {
            ours.store_plan(&plan).await.unwrap();
            ours.wait_for(plan.id).await.unwrap();
            ours.rule(&says(&plan, Decision::Approve), None, &nothing).await.unwrap();
            ours.size().await.unwrap()
        });
        // Each in a thread of its own; who waits a little is thrown. Which of them a machine lets run first is its own affair, and on a busy
        // one it may always be the same: so the first two rounds are no race, and each of them is first in one.
        let (begins_late, spins, start) = (dice.random_bool(0.5), dice.random_range(0..20_000_u32), Barrier::new(2));
        let late = |is_late: bool| {
            start.wait();
            for _ in 0..if is_late { spins } else { 0 } {
                std::hint::spin_loop();
            }
        };
        let executes = || runtime().block_on(ours.begin(&plan, &one(plan.id))).map(drop);
        let withdraws = || runtime().block_on(theirs.rule(&says(&plan, Decision::Withdraw), None, &nothing)).map(drop);
        let (executed, withdrawn) = std::thread::scope(|scope| match round {
            0 => {
                let executed = scope.spawn(executes).join().unwrap();
                (executed, scope.spawn(withdraws).join().unwrap())
            }
            1 => {
                let withdrawn = scope.spawn(withdraws).join().unwrap();
                (scope.spawn(executes).join().unwrap(), withdrawn)
            }
            _ => {
                let executing = scope.spawn(|| {
                    late(begins_late);
                    executes()
                });
                let withdrawing = scope.spawn(|| {
                    late(!begins_late);
                    withdraws()
                });
                (executing.join().unwrap(), withdrawing.join().unwrap())
            }
        });
        main.block_on(async {
            let kinds: Vec<EntryKind> = ours.entries(before, 9).await.unwrap().iter().map(|entry| entry.kind).collect();
            if executed.is_ok() {
                begun += 1;
                assert_eq!(withdrawn, Err(LedgerError::Spent(Text::clean(CARRIED_OUT))), "{round}");
                assert_eq!(kinds, [EntryKind::Intent, EntryKind::Denied], "{round}");
                ours.record(plan.id, &outcome(EntryKind::Failed, None)).await.unwrap();
            } else {
                assert!(matches!(&executed, Err(LedgerError::Refused(reasons)) if reasons[0].rule == "approvals"), "{round}: {executed:?}");
                assert_eq!((withdrawn, kinds), (Ok(()), vec![EntryKind::Withdrawal, EntryKind::Denied]), "{round}");
            }
        });
    }
    assert!((1..ROUNDS).contains(&begun), "the same one was first in each of {ROUNDS} rounds, also where it was the second: {begun}");
    let found = main.block_on(ours.verify()).unwrap();
    assert!(found.intact, "{found:?}");
}
