//! `ledger list` and `verify`: intact, tampered, cut, absent.

use serde_json::Value;

use super::place::{Pair, Place, Said};
use super::shape;

/// Runs Python on the ledger's file, as a hand would that has the file and no gonogo.
fn by_hand(place: &Place, sql: &str) {
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); n = sum(c.execute(s).rowcount for s in sys.argv[2].split(';')); c.commit(); print(n)";
    let file = place.store().join("ledger.db");
    let said = Place::started(&mut place.command("python3", &["-c", script, file.to_str().unwrap(), sql])).end().exits(0);
    assert_ne!(said.out.trim(), "0", "{sql} changed nothing");
}

fn written(notes: usize) -> Place {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    for n in 0..notes {
        place.run(&["note", "checkout@prod", &format!("line {n}")]).exits(0);
    }
    let found = place.json(0, &["ledger", "verify"]);
    shape::verification(&found);
    assert_eq!((&found["intact"], &found["first_bad"], &found["reason"]), (&true.into(), &Value::Null, &Value::Null));
    assert!(place.run(&["ledger", "verify"]).exits(0).out.starts_with("intact: "));
    place
}

#[test]
fn a_changed_entry_is_found_at_its_number() {
    let place = written(2);
    let entries = place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().len();
    by_hand(&place, "update entry set line = cast(replace(cast(line as text), '\"n\":3,', '\"n\": 3,') as blob) where n = 3");
    let said = place.run(&["ledger", "verify", "--json"]).exits(11);
    let found = said.json();
    shape::verification(&found);
    assert_eq!((&found["intact"], &found["first_bad"]), (&false.into(), &3.into()), "{found}");
    assert!(found["entries"].as_u64().unwrap() <= u64::try_from(entries).unwrap());
    assert!(place.run(&["ledger", "verify"]).exits(11).out.contains("NOT INTACT at entry 3"));
}

#[test]
fn a_cut_tail_is_noticed_and_deeds_are_refused() {
    let place = written(2);
    by_hand(&place, "delete from entry where n = (select max(n) from entry)");
    let found = place.json(11, &["ledger", "verify"]);
    assert_eq!((&found["intact"], &found["first_bad"], &found["reason"].is_string()), (&false.into(), &Value::Null, &true), "{found}");
    let said = place.run(&["hold", "checkout@prod"]);
    assert!([9, 11].contains(&said.code.unwrap()), "{said:?}");
    place.run(&["status"]).exits(0);
}

#[test]
fn a_record_that_cannot_be_read_is_exit_11_with_the_reason() {
    let place = written(1);
    let checkpoint = place.store().join("checkpoint");
    std::fs::remove_file(&checkpoint).unwrap();
    std::fs::create_dir(&checkpoint).unwrap();
    let said = place.run(&["ledger", "verify", "--json"]).exits(11);
    let found = said.json();
    assert_eq!(
        (&found["intact"], &found["entries"], &found["first_bad"]),
        (&false.into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert!(found["reason"].as_str().unwrap().contains("failed to read the record: checkpoint: "), "{found}");
    assert!(place.run(&["ledger", "verify"]).exits(11).err.contains("failed to read the record: checkpoint: "));
}

#[test]
fn no_ledger_is_exit_11_and_none_is_made_by_looking() {
    let pair = Pair::shared();
    let place = pair.room(&Pair::pool()).place();
    for verb in ["list", "verify"] {
        let said = place.run(&["ledger", verb, "--json"]).exits(11);
        assert!(said.out.is_empty() && said.err.contains("no ledger"), "{said:?}");
    }
    assert!(!place.store().join("ledger.db").exists());
}

#[test]
fn a_file_that_is_no_database_is_exit_11_and_the_rest_is_alive() {
    let place = written(1);
    for beside in ["ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(place.store().join(beside));
    }
    std::fs::write(place.store().join("ledger.db"), "this is no database, however long it may be made to look like one").unwrap();
    for verb in ["list", "verify"] {
        place.run(&["ledger", verb]).exits(11);
    }
    let said = place.run(&["hold", "checkout@prod"]);
    assert!([9, 11].contains(&said.code.unwrap()), "{said:?}");
    shape::status(&place.json(0, &["status"]));
}

/// A machine on which nothing is configured, as an auditor's.
fn elsewhere(arguments: &[&str]) -> Said {
    Place::bare().run(arguments)
}

/// Writes an export of the ledger and tells where.
fn exported(place: &Place, name: &str) -> String {
    let path = place.path(name).to_str().unwrap().to_owned();
    place.run(&["ledger", "export", "--out", &path]).exits(0);
    path
}

#[test]
fn an_export_is_verified_where_nothing_is_configured() {
    let place = written(2);
    let (early, kept) = (exported(&place, "early.jsonl"), place.path("kept").to_str().unwrap().to_owned());
    std::fs::copy(place.store().join("checkpoint"), &kept).unwrap();
    place.run(&["note", "checkout@prod", "one more"]).exits(0);
    let file = exported(&place, "export.jsonl");
    let found = elsewhere(&["ledger", "verify", "--file", &file, "--checkpoint", &kept, "--against", &early, "--json"]).exits(0).json();
    shape::verification(&found);
    assert_eq!((&found["intact"], &found["first_bad"]), (&true.into(), &Value::Null));
    assert!(elsewhere(&["ledger", "verify", "--file", &file]).exits(0).out.starts_with("intact: "));
    place.run(&["ledger", "verify", "--checkpoint", &kept, "--against", &early]).exits(0);

    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let refused = |name: &str, text: &str, more: &[&str], first_bad: Value, reason: &str| {
        let changed = place.write(name, text);
        let arguments = [&["ledger", "verify", "--json", "--file", changed.to_str().unwrap()], more].concat();
        let found = elsewhere(&arguments).exits(11).json();
        shape::verification(&found);
        let why = found["reason"].as_str().unwrap();
        assert!(found["intact"] == false && found["first_bad"] == first_bad && why.starts_with(reason), "{name}: {found}");
    };
    refused("changed", &text.replace(r#""kind":"note""#, r#""kind":"held""#), &[], 3.into(), "b");
    refused("cut", &lines[..4].join("\n"), &[], Value::Null, "checkpoint");
    refused("spaced", &text.replace(r#"{"n":1,"#, r#"{"n": 1,"#), &[], 1.into(), "bytes");
    refused("header", &text.replace("ledger/1", "ledger/2"), &[], Value::Null, "header");
    let stranger = written(1);
    let foreign = exported(&stranger, "foreign.jsonl");
    refused("same", &text, &["--against", &foreign], Value::Null, "against");
    refused("same", &text, &["--checkpoint", stranger.store().join("checkpoint").to_str().unwrap()], Value::Null, "checkpoint");
    let absent = elsewhere(&["ledger", "verify", "--file", "nowhere", "--json"]).exits(11);
    assert!(absent.out.is_empty() && absent.err.contains("nowhere"), "{absent:?}");
}

#[test]
fn proofs_are_written_from_the_store_and_from_an_export() {
    let place = written(2);
    let file = exported(&place, "export.jsonl");
    let size = std::fs::read_to_string(&file).unwrap().lines().count() - 2;
    let note = std::fs::read_to_string(place.store().join("checkpoint")).unwrap();
    let proof = place.run(&["ledger", "prove", "2"]).exits(0).out;
    assert_eq!(proof, elsewhere(&["ledger", "prove", "2", "--file", &file]).exits(0).out);
    let (head, tail) = proof.split_once("\n\n").unwrap();
    assert!(head.starts_with("c2sp.org/tlog-proof@v1\nindex 2\n") && tail == note, "{proof}");
    assert_eq!(head.lines().count(), 2 + usize::try_from((size - 1).ilog2() + 1).unwrap(), "{proof}");

    let growth = place.run(&["ledger", "prove", "--from", "2", "--to", "5"]).exits(0).out;
    assert!(growth.starts_with("old 2\n") && growth.contains("\n5\n"), "{growth}");
    let all = place.run(&["ledger", "prove", "--from", "3", "--to", &size.to_string()]).exits(0).out;
    assert_eq!(all, elsewhere(&["ledger", "prove", "--from", "3", "--file", &file]).exits(0).out);
    assert!(all.starts_with("old 3\n") && all.ends_with(&format!("\n\n{note}")), "{all}");

    for wrong in [&["99"][..], &["--from", "99"], &["--from", "3", "--to", "99"], &["--from", "3", "--to", "2"], &[], &["2", "--from", "1"]]
    {
        place.run(&[&["ledger", "prove"], wrong].concat()).exits(2);
    }
    elsewhere(&["ledger", "prove", "--from", "2", "--to", "5", "--file", &file]).exits(2);
    let cut = place.write("cut.jsonl", &std::fs::read_to_string(&file).unwrap().replace(r#""n":1,"#, r#""n":7,"#));
    elsewhere(&["ledger", "prove", "2", "--file", cut.to_str().unwrap()]).exits(11);
}

#[test]
fn an_export_that_cannot_be_written_says_where() {
    let place = written(1);
    let said = place.run(&["ledger", "export", "--out", "nowhere/export.jsonl"]).exits(1);
    assert!(said.err.contains("nowhere/export.jsonl"), "{said:?}");
    place.run(&["ledger", "export"]).exits(2);
}

/// A place with a witness, and where that is.
fn witnessed() -> (Place, std::path::PathBuf) {
    let pair = Pair::shared();
    let room = pair.room(&Pair::pool());
    let place = room.place();
    let witness = place.path("witness");
    place.configure(&format!("{}\n[ledger]\nwitness = [\"{}\"]\n", room.text(), witness.display()));
    (place, witness)
}

#[test]
fn a_store_restored_whole_from_yesterday_is_refused_by_its_witness() {
    let (place, witness) = witnessed();
    std::fs::create_dir(&witness).unwrap();
    place.run(&["note", "checkout@prod", "one"]).exits(0);
    let names = ["ledger.db", "ledger.db-wal", "ledger.db-shm", "checkpoint"];
    let aside = tempfile::tempdir().unwrap();
    for name in names {
        let _ = std::fs::copy(place.store().join(name), aside.path().join(name));
    }
    place.run(&["note", "checkout@prod", "two"]).exits(0);
    let kept: Vec<_> = std::fs::read_dir(&witness).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    assert_eq!(kept, [std::fs::read(place.store().join("checkpoint")).unwrap()]);
    for name in names {
        let _ = std::fs::remove_file(place.store().join(name));
        let _ = std::fs::copy(aside.path().join(name), place.store().join(name));
    }
    let found = place.json(11, &["ledger", "verify"]);
    assert_eq!((&found["intact"], &found["first_bad"], &found["reason"]), (&false.into(), &Value::Null, &"checkpoint".into()));
    let said = place.run(&["note", "checkout@prod", "three"]);
    assert!([9, 11].contains(&said.code.unwrap()) && said.err.contains("its witness"), "{said:?}");
    assert!(place.run(&["render", "ledger"]).exits(0).out.contains("its witness"));
}

#[test]
fn a_witness_that_is_not_there_is_said_and_stops_no_deed() {
    let (place, witness) = witnessed();
    place.run(&["note", "checkout@prod", "one"]).exits(0);
    assert!(place.run(&["doctor"]).exits(0).out.contains(&format!("witness: {}", witness.display())));
    let told = place.json(0, &["doctor"])["store"]["witnesses"].as_array().unwrap().len();
    assert_eq!(told, 1);
    assert!(place.run(&["render", "board"]).exits(0).out.contains("a witness of the ledger keeps no checkpoint"));
    std::fs::create_dir(&witness).unwrap();
    assert!(!place.run(&["doctor"]).exits(0).out.contains("witness: "));
}

#[test]
fn an_entry_is_shown_with_what_was_seen() {
    let place = written(1);
    let entries = place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().len();
    let intent = (0..entries).map(|n| place.json(0, &["ledger", "show", &n.to_string()])).find(|shown| shown["entry"]["kind"] == "intent");
    let intent = intent.expect("a note begins with its intent");
    assert_eq!((&intent["body"]["verb"], intent["evidence"]["whole"].as_bool()), (&"note".into(), Some(true)));
    assert!(intent["evidence"]["digest"].as_str().unwrap().len() == 64 && intent["evidence"]["items"].is_array(), "{intent}");
    let n = intent["entry"]["n"].to_string();
    let said = place.run(&["ledger", "show", &n]).exits(0).out;
    assert!(said.contains("evidence") && said.contains("as recorded"), "{said}");
    by_hand(&place, "update evidence set json = cast('[[],[{\"text\":\"another\"}]]' as blob)");
    assert!(place.run(&["ledger", "show", &n]).exits(11).out.contains("NOT WHAT WAS RECORDED"));
    place.run(&["ledger", "show", "999"]).exits(2);
}
