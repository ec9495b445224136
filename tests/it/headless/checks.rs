//! Checks of a rollout by the command line: an address, a program and a query, asked for real, and what the record says of them.

use std::time::Duration;

use super::place::{Load, Pair};
use crate::servers::support::wait_for;

#[test]
fn a_rollout_begins_when_its_checks_hold_and_the_record_says_what_they_were_answered() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let folder = tempfile::tempdir().unwrap();
    let migrated = folder.path().join("migrated-2.5.0");
    let mut room = pair.room(&pool);
    // Behind `version = ..` of the deploy table.
    room.more = format!(
        "[service.deploy.prod.rollout]\njudged = false\nwait = \"1s\"\nbake = \"1s\"\nway_back = []\nchecks = [\n\
         {{ name = \"health\", when = \"before\", http = \"{}/-/healthy\", contains = \"Healthy\" }},\n\
         {{ name = \"migrations\", when = \"before\", command = [\"/usr/bin/test\", \"-e\", \"{}/migrated-$version\"], every = \"1s\" }},\n\
         {{ name = \"lag\", when = \"after\", backend = \"prom\", query = 'count(app_info{{service=\"$service\"}})', at_least = 2 }},\n]\n",
        pair.prometheus.url(),
        folder.path().display()
    );
    let place = room.place();
    let plan = place.run(&["rollout", "start", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("checked: before health, before migrations, after lag"), "{plan}");
    let _load = Load::on(&pair, &pool);
    place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(0);
    let watch = place.start(&["rollout", "watch", "checkout@prod"]);
    wait_for("the check to be told", Duration::from_secs(30), || {
        let status = place.json(0, &["rollout", "status", "checkout@prod"]);
        (status["rollouts"][0]["weight_wished"].as_f64() == Some(0.0)).then_some(())
    });
    std::fs::write(&migrated, "").unwrap();
    let said = watch.end();
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    assert!(said.out.contains("would go to 5 %, but check migrations fails: /usr/bin/test ended with 1"), "{}", said.out);
    assert!(said.out.contains("over: promoted"), "{}", said.out);
    // Each part's reason stands in the record.
    let count = place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().len();
    let entries: String = (0..=count).map(|n| place.run(&["ledger", "show", &n.to_string()]).out).collect();
    for words in [
        "the rollout begins with 5 %; checks held: health (GET ",
        "migrations (/usr/bin/test ended with 0)",
        "nothing was found; checks held: lag (the query gave 2, at least 2 is asked for)",
    ] {
        assert!(entries.contains(words), "{words}: {entries}");
    }
}
