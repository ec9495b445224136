//! Who is at the keys: an agent's key behind a shared account, and agents that only say so.

use std::path::Path;

use serde_json::Value;

use super::place::{Pair, Place, Room, Said, os_user};
use crate::servers::agent::{Agent, Fake, bytes_of, make_key, string};

/// Ana and Cy share the account that runs the tests.
pub fn people(ana: &str, cy: &str) -> String {
    let user = os_user();
    let person = |name, key| {
        format!(
            "[[person]]\nname = \"{name}\"\nos_user = \"{user}\"\nkeys = [\"{key} {name}@laptop\"]\nroles = [{{ role = \"captain\" }}]\n"
        )
    };
    format!("{}{}", person("ana", ana), person("cy", cy))
}

fn shared(ana: &str, cy: &str) -> Place {
    let service = "[[environment]]\nname = \"prod\"\n[[service]]\nname = \"checkout\"\n[service.deploy.prod]\nstrategy = \"canary\"\n";
    Place::with(&format!("{}{service}", people(ana, cy)))
}

pub fn run(place: &Place, socket: &Path, args: &[&str]) -> Said {
    Place::started(place.command(env!("CARGO_BIN_EXE_gonogo"), args).env("SSH_AUTH_SOCK", socket)).end()
}

fn whoami(place: &Place, socket: &Path) -> Value {
    run(place, socket, &["whoami", "--json"]).exits(0).json()
}

#[test]
fn behind_a_shared_account_the_key_of_the_agent_says_who_it_is() {
    let agent = Agent::start();
    let ana = agent.add("ana", &["-t", "ed25519"]);
    let cy = make_key(agent.folder(), "cy", &["-t", "ed25519"]);
    let place = shared(&ana, &cy);
    let who = whoami(&place, &agent.socket());
    assert_eq!((&who["name"], &who["known"], &who["by"]), (&"ana".into(), &"configured".into(), &"agent-key".into()), "{who}");
    assert_eq!((&who["keys"][0]["person"], &who["keys"][0]["type"]), (&"ana".into(), &"ssh-ed25519".into()), "{who}");
    let listed = std::process::Command::new("ssh-add").arg("-l").env("SSH_AUTH_SOCK", agent.socket()).output().unwrap();
    let fingerprint = who["keys"][0]["fingerprint"].as_str().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains(&format!(" {fingerprint} ")), "{who}");
    let said = run(&place, &agent.socket(), &["whoami"]).exits(0);
    assert!(said.out.starts_with(&format!("ana, by the agent's key {fingerprint}: captain\n")), "{said:?}");
    assert!(said.out.contains("ssh-ed25519  ana"), "{said:?}");
    let deed = run(&place, &agent.socket(), &["hold", "checkout@prod", "--json"]).exits(0).json();
    assert_eq!(deed["requester"], "ana");
}

#[test]
fn behind_a_shared_account_without_a_key_there_is_nobody() {
    let agent = Agent::start();
    let (ana, cy) = (make_key(agent.folder(), "ana", &["-t", "ed25519"]), make_key(agent.folder(), "cy", &["-t", "ed25519"]));
    let place = shared(&ana, &cy);
    let nobody = |socket: &Path, part: &str| {
        let who = whoami(&place, socket);
        assert_eq!((&who["known"], &who["by"]), (&"stranger".into(), &Value::Null), "{who}");
        assert!(who["how"].as_str().unwrap().contains(part), "{who}");
        run(&place, socket, &["hold", "checkout@prod"]).exits(3);
        who
    };
    let who = nobody(&agent.folder().join("none.sock"), "is the account of ana and cy");
    assert!(who["agent_error"].as_str().unwrap().contains("ssh-add"), "{who}");
    let who = nobody(&agent.socket(), "is the account of ana and cy");
    assert_eq!((&who["agent_error"], &who["keys"]), (&Value::Null, &serde_json::json!([])));
    agent.add("other", &["-t", "ed25519"]);
    assert_eq!(nobody(&agent.socket(), "is the account of ana and cy")["keys"][0]["person"], Value::Null);
    for key in ["ana", "cy"] {
        agent.ssh_add(&["-q", agent.folder().join(key).to_str().unwrap()]);
    }
    nobody(&agent.socket(), "holds keys of ana and cy");
}

/// Public keys are public: a program that lists Cy's is not Cy, and must not approve for him.
#[test]
fn an_agent_that_lists_a_key_and_cannot_sign_with_it_is_nobody() {
    let agent = Agent::start();
    let (ana, cy) = (agent.add("ana", &["-t", "ed25519"]), make_key(agent.folder(), "cy", &["-t", "ed25519"]));
    let place = shared(&ana, &cy);
    let forged = [string(b"ssh-ed25519"), string(&[7; 64])].concat();
    for answer in [string(&[5]), string(&[&[14][..], &string(&forged)].concat())] {
        let fake = Fake::listing(vec![bytes_of(&cy)], Some(answer));
        let who = whoami(&place, &fake.socket());
        assert_eq!((&who["known"], &who["by"]), (&"stranger".into(), &Value::Null), "{who}");
        assert!(who["how"].as_str().unwrap().contains("did not sign"), "{who}");
        let said = run(&place, &fake.socket(), &["hold", "checkout@prod", "--json"]).exits(3);
        assert_eq!(said.json()["requester"], format!("os:{}", os_user()));
        assert!(said.err.contains("did not sign"), "{said:?}");
        // Looking asks for no signature, so that nobody has to touch a key for it.
        run(&place, &fake.socket(), &["status", "--settle", "0s"]).exits(0);
    }
}

/// Self-approval from a shared account: the same hands, another person's public key.
#[test]
fn a_plan_of_a_shared_account_is_approved_by_the_other_persons_key_and_by_nothing_less() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, cys) = (Agent::start(), Agent::start());
    let (ana, cy) = (anas.add("ana", &["-t", "ed25519"]), cys.add("cy", &["-t", "ed25519"]));
    let environment = "hold_time = \"1s\"\nprotection = { approvals = 1 }".to_owned();
    let place = Room { people: people(&ana, &cy), environment, ..pair.room(&pool) }.place();
    let plan = run(&place, &anas.socket(), &["shift", "checkout@prod", "20", "--yes", "--json"]).exits(4).json();
    let plan = &plan["plan"].as_str().unwrap()[..12];
    let approve = ["approve", "checkout@prod", "--plan", plan];
    run(&place, &anas.socket(), &approve).exits(3);
    let fake = Fake::listing(vec![bytes_of(&cy)], Some(string(&[5])));
    run(&place, &fake.socket(), &approve).exits(3);
    run(&place, &anas.folder().join("none.sock"), &approve).exits(3);
    run(&place, &anas.socket(), &["execute", plan]).exits(4);
    assert_eq!(pair.weight(&pool), 0);
    run(&place, &cys.socket(), &approve).exits(0);
    run(&place, &cys.socket(), &["execute", plan]).exits(3);
    run(&place, &anas.socket(), &["execute", plan, "--wait", "accepted"]).exits(0);
    assert_ne!(pair.weight(&pool), 0);
}

/// Tier T1: what a person says bears the person's own signature, and everything else the process's.
#[test]
fn at_tier_one_persons_sign_what_they_order_and_what_they_approve() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let (anas, cys) = (Agent::start(), Agent::start());
    let (ana, cy) = (anas.add("ana", &["-t", "ed25519"]), cys.add("cy", &["-t", "ecdsa"]));
    let environment = "hold_time = \"1s\"\nassurance = \"T1\"\nprotection = { approvals = 1 }".to_owned();
    let place = Room { people: people(&ana, &cy), environment, ..pair.room(&pool) }.place();
    let plan = run(&place, &anas.socket(), &["shift", "checkout@prod", "20", "--yes", "--json"]).exits(4).json();
    let plan = &plan["plan"].as_str().unwrap()[..12];
    run(&place, &cys.socket(), &["approve", "checkout@prod", "--reason", "seen on the canary"]).exits(0);
    run(&place, &anas.socket(), &["execute", plan, "--wait", "accepted"]).exits(0);
    run(&place, &anas.socket(), &["note", "checkout@prod", "handed over"]).exits(0);
    run(&place, &cys.socket(), &["hold", "checkout@prod"]).exits(0);
    assert_ne!(pair.weight(&pool), 0);
    // Nobody in particular orders nothing there, not even with every role.
    run(&place, &anas.folder().join("none.sock"), &["note", "checkout@prod", "not me"]).exits(3);
    let list = place.json(0, &["ledger", "list"]);
    let by: Vec<(String, String)> = list["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["kind"].as_str().unwrap().to_owned(), entry["signer"].as_str().unwrap().to_owned()))
        .collect();
    let signers = |kind: &str| by.iter().filter(|(known, _)| known == kind).map(|(_, by)| by.as_str()).collect::<Vec<_>>();
    assert_eq!(signers("intent"), ["ana", "ana", "cy"], "{by:?}");
    assert_eq!((signers("approval"), signers("note")), (vec!["cy"], vec!["ana"]), "{by:?}");
    for kind in ["sending", "accepted", "signers", "hold", "denied"] {
        assert!(!signers(kind).is_empty() && signers(kind).iter().all(|by| by.starts_with("process:")), "{kind}: {by:?}");
    }
    place.run(&["ledger", "verify"]).exits(0);
}
