//! Running judgements: one a target, and the one that has seen most of a rollout stays.

use super::*;
use crate::model::kept::KeptTrial;
use crate::model::name::PlanId;
use crate::ports::journal::Journal as _;

fn kept(target: &str, pairs: u64) -> KeptTrial {
    KeptTrial {
        target: target.parse().unwrap(),
        rollout: PlanId([7; 32]),
        judge: "1".to_owned(),
        rules: "ab".to_owned(),
        at: chrono::DateTime::from_timestamp_millis(1_790_000_000_123).unwrap(),
        pairs,
        trial: format!("{{\"of\":{pairs}}}"),
    }
}

#[tokio::test]
async fn the_judgement_that_has_seen_most_of_a_rollout_stays_and_is_read_again_as_it_was() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let store = store(dir.path(), &clock).await;
    let pairs = async || store.kept_trials().await.unwrap().iter().map(|kept| kept.pairs).collect::<Vec<_>>();
    assert_eq!(pairs().await, Vec::<u64>::new());
    store.keep_trial(&kept("shop@prod", 9), false).await.unwrap();
    store.keep_trial(&kept("pay@prod", 3), false).await.unwrap();
    assert_eq!(store.kept_trials().await.unwrap(), [kept("pay@prod", 3), kept("shop@prod", 9)]);
    store.keep_trial(&kept("shop@prod", 4), false).await.unwrap();
    assert_eq!(pairs().await, [3, 9], "another room has seen less of it");
    store.keep_trial(&kept("shop@prod", 10), false).await.unwrap();
    assert_eq!(pairs().await, [3, 10]);
    store.keep_trial(&kept("shop@prod", 1), true).await.unwrap();
    assert_eq!(pairs().await, [3, 1], "what could not be gone on with gives way");
    for other in [
        KeptTrial { rollout: PlanId([8; 32]), ..kept("pay@prod", 2) },
        KeptTrial { rules: "cd".to_owned(), rollout: PlanId([8; 32]), ..kept("pay@prod", 1) },
        KeptTrial { judge: "2".to_owned(), rules: "cd".to_owned(), rollout: PlanId([8; 32]), ..kept("pay@prod", 0) },
    ] {
        store.keep_trial(&other, false).await.unwrap();
        assert_eq!(store.kept_trials().await.unwrap()[0], other);
    }
    store.close().await;
    let again = super::store(dir.path(), &clock).await;
    assert_eq!(again.kept_trials().await.unwrap().len(), 2);
}
