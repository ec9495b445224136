//! A withdrawal against the execution, each a process of its own on one store: one of them is first, the other is told why, and both are
//! on record.

use rand::{Rng as _, SeedableRng as _};

use super::stage::{DEE, Stage, one};
use crate::headless::place::{Place, Running};
use crate::servers::github::TOKEN;

const ROUNDS: u32 = 10;

impl Stage {
    fn starts(&self, who: &str, words: &[&str]) -> Running {
        let mut command = self.place.command(env!("CARGO_BIN_EXE_gonogo"), words);
        Place::started(command.env("SSH_AUTH_SOCK", self.socket(who)).env("GITHUB_TOKEN", TOKEN))
    }

    /// Kind, and who wanted it, of each entry about a plan.
    fn about(&self, plan: &str) -> Vec<(String, String)> {
        let entries = self.json(0, "ana", &["ledger", "list"])["entries"].clone();
        let entries = entries.as_array().unwrap().iter().filter(|entry| entry["deed"] == plan);
        let told = entries.map(|entry| {
            let shown = self.json(0, "ana", &["ledger", "show", &entry["n"].to_string()]);
            let rules = shown["body"]["reasons"][0]["rule"].as_str().unwrap_or_default().to_owned();
            (entry["kind"].as_str().unwrap().to_owned(), rules)
        });
        told.collect()
    }
}

#[test]
fn a_withdrawal_and_an_execution_that_race_leave_one_of_them_and_the_other_is_told_why() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let mut dice = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let mut begun = 0;
    for round in 0..ROUNDS {
        let plan = stage.asks("ana", "20");
        stage.approves("cy", &plan);
        let (execute, withdraw) = (["execute", &plan, "--yes", "--json"], ["withdraw", &plan, "--json"]);
        // The first two rounds are no race; in the others the withdrawal comes by the dice later into the other's way.
        let (executed, withdrawn) = match round {
            0 => {
                let withdrawn = stage.starts("cy", &withdraw).end();
                (stage.starts("ana", &execute).end(), withdrawn)
            }
            1 => {
                let executed = stage.starts("ana", &execute).end();
                (executed, stage.starts("cy", &withdraw).end())
            }
            _ => {
                let executing = stage.starts("ana", &execute);
                for _ in 0..dice.random_range(0..5) {
                    let _ = stage.run("bo", &["whoami"]);
                }
                let withdrawing = stage.starts("cy", &withdraw);
                (executing.end(), withdrawing.end())
            }
        };
        let about = stage.about(&plan);
        let entries = |kind: &str| about.iter().filter(|(one, _)| one == kind).count();
        let denied: Vec<&str> = about.iter().filter(|(kind, _)| kind == "denied").map(|(_, rule)| rule.as_str()).collect();
        match (entries("withdrawal"), entries("intent")) {
            (1, 0) => {
                assert_eq!((executed.code, withdrawn.code), (Some(4), Some(0)), "{round}: {about:?} {executed:?}");
                assert_eq!(denied, ["approvals"], "{round}: {about:?}");
                assert_eq!(executed.json()["reasons"][0]["rule"], "approvals", "{round}: {executed:?}");
                assert_eq!(stage.pair.weight(&stage.pool), 0, "{round}");
            }
            (0, 1) => {
                begun += 1;
                assert_eq!((executed.code, withdrawn.code), (Some(0), Some(5)), "{round}: {about:?} {withdrawn:?}");
                assert_eq!(denied, ["spent"], "{round}: {about:?}");
                assert!(withdrawn.err.contains("already carried out"), "{round}: {withdrawn:?}");
                stage.run("ana", &["shift", "checkout@prod", "0", "--yes"]).exits(0);
            }
            other => panic!("{round}: {other:?}: {about:?} {executed:?} {withdrawn:?}"),
        }
    }
    assert!((1..ROUNDS).contains(&begun), "{begun}");
    stage.place.run(&["ledger", "verify"]).exits(0);
}
