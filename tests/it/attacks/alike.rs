//! What looks like an approval and is none: a signature of something else, a plan that looks like another one, a clock that was set back.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::stage::{DEE, Stage, one};
use crate::headless::place::{Place, texts};
use crate::servers::agent::{Fake, string};

/// An agent in front of a real one that keeps the first signature of an approval, and gives it again for every other one.
fn replaying(real: PathBuf) -> Fake {
    let kept: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    Fake::start(move |question| {
        let is_approval = question[0] == 13 && question.windows(18).any(|part| part == b"gonogo-approval@v1");
        let mut kept = kept.lock().unwrap();
        if let (true, Some(answer)) = (is_approval, kept.as_ref()) {
            return Some(answer.clone());
        }
        let answer = asked(&real, question)?;
        if is_approval {
            *kept = Some(answer.clone());
        }
        Some(answer)
    })
}

fn asked(socket: &Path, question: &[u8]) -> Option<Vec<u8>> {
    let mut line = UnixStream::connect(socket).ok()?;
    line.write_all(&string(question)).ok()?;
    let mut length = [0; 4];
    line.read_exact(&mut length).ok()?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    line.read_exact(&mut answer).ok()?;
    Some(string(&answer))
}

#[test]
fn a_signature_of_another_plan_or_installation_is_not_taken() {
    let stage = Stage::with("T1", "check = { authors = \"require\" }", one(DEE, DEE, "Change"));
    let (first, second) = (stage.asks("ana", "20"), stage.asks("ana", "50"));
    let fake = replaying(stage.socket("cy"));
    stage.run_by(&fake.socket(), &["approve", "checkout@prod", "--plan", &first]).exits(0);
    let before = stage.denials().len();
    let said = stage.run_by(&fake.socket(), &["approve", "checkout@prod", "--plan", &second, "--json"]).exits(3);
    assert_eq!(texts(&said.json()["reasons"], "rule"), ["assurance"], "{said:?}");
    stage.denied_since(before, "assurance");
    stage.run("ana", &["execute", &second, "--yes"]).exits(4);
    stage.nothing_moved();
    // Another installation and environment: the same words, another ledger.
    let other = Stage::with("T1", "check = { authors = \"require\" }", one(DEE, DEE, "Change"));
    let theirs = other.asks("ana", "20");
    let copied = replaying(other.socket("cy"));
    let signed = other.run_by(&copied.socket(), &["approve", "checkout@prod", "--plan", &theirs]).exits(0);
    assert!(!signed.out.is_empty());
    let before = other.denials().len();
    other.run("cy", &["approve", "checkout@prod", "--plan", &first]).exits(5);
    assert_eq!(other.denials().len(), before, "digits that name nothing here are no attempt at anything");
    let again = other.asks("ana", "20");
    other.run_by(&copied.socket(), &["approve", "checkout@prod", "--plan", &again]).exits(3);
    other.denied_since(before, "assurance");
}

/// One installation, one key, the same wish: signed for staging, given again for prod.
#[test]
fn a_signature_of_another_environment_is_not_taken() {
    let stage = Stage::with("T1", "check = { authors = \"require\" }", one(DEE, DEE, "Change"));
    let pool = crate::headless::place::Pair::pool();
    let staging = format!(
        "[service.deploy.staging]\nstrategy = \"canary\"\ntraffic = [{{ backend = \"edge\", pool = \"{pool}\", stable = [\"v1\"], canary = [\"v2\"] }}]\n\
         version = {{ backend = \"prom\", query = 'app_info{{slot=\"$slot\"}}', label = \"version\" }}\n[service.deploy.prod]\n"
    );
    let environments = "[[environment]]\nname = \"staging\"\nassurance = \"T1\"\nprotection = { approvals = 1, approver_roles = [\"captain\"] }\n\
                        [[environment]]\nname = \"prod\"\n";
    stage.rewrite(&[("[[environment]]\nname = \"prod\"\n", environments), ("[service.deploy.prod]\n", &staging)]);
    let asked = stage.json(4, "ana", &["shift", "checkout@staging", "20", "--yes"])["plan"].as_str().unwrap().to_owned();
    let plan = stage.asks("ana", "20");
    let fake = replaying(stage.socket("cy"));
    stage.run_by(&fake.socket(), &["approve", "checkout@staging", "--plan", &asked]).exits(0);
    let before = stage.denials().len();
    let said = stage.run_by(&fake.socket(), &["approve", "checkout@prod", "--plan", &plan, "--json"]).exits(3);
    assert_eq!(texts(&said.json()["reasons"], "rule"), ["assurance"], "{said:?}");
    stage.denied_since(before, "assurance");
    // Nor are the digits of one environment's plan a name for what is to be done in the other.
    stage.run("cy", &["approve", "checkout@prod", "--plan", &asked]).exits(2);
    stage.denied_since(before + 1, "other-plan");
    stage.may_not_execute("ana", &plan, 4, "approvals");
}

#[test]
fn two_plans_with_one_text_are_two() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let (first, second) = (stage.asks("ana", "20"), stage.asks("ana", "20"));
    assert_ne!(first, second);
    stage.approves("cy", &first);
    stage.may_not_execute("ana", &second, 4, "approvals");
    // With two of them a target alone names none.
    stage.run("cy", &["approve", "checkout@prod"]).exits(10);
}

#[test]
fn digits_that_name_two_plans_name_none_also_when_one_of_them_is_gone() {
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let plan = stage.asks("ana", "20");
    // Whoever can make plans can make two that begin alike: half a minute of tries for eight digits. Here one is written that does.
    let twin = format!("{}{}", &plan[..8], "0".repeat(56));
    let store = stage.place.store().join("ledger.db");
    let sql = format!(
        "INSERT INTO plan (id, expires, waiting, spent, json) SELECT '{twin}', expires, 0, 'withdrawn by ana', json FROM plan WHERE id = '{plan}'"
    );
    let done = std::process::Command::new("python3")
        .args(["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"])
        .arg(&store)
        .arg(&sql)
        .status()
        .unwrap();
    assert!(done.success());
    let before = stage.denials().len();
    let said = stage.run("cy", &["approve", "checkout@prod", "--plan", &plan[..8]]).exits(5);
    assert!(said.err.contains("names several stored plans"), "{said:?}");
    stage.denied_since(before, "ambiguous");
    stage.run("ana", &["execute", &plan[..8], "--yes"]).exits(5);
    stage.denied_since(before + 1, "ambiguous");
    stage.approves("cy", &plan);
}

#[test]
fn names_that_only_look_like_others_are_refused_and_words_are_cleaned() {
    let place = Place::with(
        "[[environment]]\nname = \"prod\"\n[[service]]\nname = \"ch\u{435}ckout\"\n[service.deploy.prod]\nstrategy = \"canary\"\n",
    );
    let said = place.run(&["config", "check"]);
    assert_eq!(said.code, Some(8), "{said:?}");
    assert!(said.err.contains("\\u{435}") || said.out.contains("\\u{435}") || said.err.contains("may not stand"), "{said:?}");
    let stage = Stage::new(one(DEE, DEE, "Change"));
    let why = "to 5 %\u{202e}% 05 ot\u{200b}\u{1b}[2J";
    stage.run("ana", &["shift", "checkout@prod", "20", "--yes", "--reason", why]).exits(4);
    let shown = stage.run("cy", &["show", "changes"]).exits(0);
    assert!(!shown.out.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{}", shown.out);
    assert!(shown.out.contains("shift to 20 %"), "{}", shown.out);
}
