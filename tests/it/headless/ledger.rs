//! `ledger list` and `verify`: intact, tampered, cut, absent.

use super::place::{Pair, Place};
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
    assert_eq!(
        (&found["intact"], &found["first_bad"], &found["reason"]),
        (&true.into(), &serde_json::Value::Null, &serde_json::Value::Null)
    );
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
    assert_eq!(
        (&found["intact"], &found["first_bad"], &found["reason"].is_string()),
        (&false.into(), &serde_json::Value::Null, &true),
        "{found}"
    );
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
