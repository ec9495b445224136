//! Checks of a rollout by the command line: an address, a program and a query, asked for real, and what the record says of them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::place::{Load, Pair};
use crate::servers::support::wait_for;

#[test]
fn a_rollout_begins_when_its_checks_hold_and_the_record_says_what_they_were_answered() {
    let pair = Pair::shared();
    let pool = Pair::pool();
    let folder = tempfile::tempdir().unwrap();
    let migrated = folder.path().join("migrated-2.5.0");
    // It says that it was asked before its file was there.
    let (asked, script) = (folder.path().join("asked"), folder.path().join("migrated"));
    let lines =
        format!("#!/bin/sh\ntest -e \"{}/migrated-$1\" && exit 0\ntouch \"{}\"\nexit 1\n", folder.path().display(), asked.display());
    std::fs::write(&script, lines).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let script = script.display().to_string();
    let mut room = pair.room(&pool);
    // Behind `version = ..` of the deploy table.
    room.more = format!(
        "[service.deploy.prod.rollout]\njudged = false\nwait = \"1s\"\nbake = \"1s\"\nway_back = []\nchecks = [\n\
         {{ name = \"health\", when = \"before\", http = \"{}/-/healthy\", contains = \"Healthy\" }},\n\
         {{ name = \"migrations\", when = \"before\", command = [\"{script}\", \"$version\"], every = \"1s\" }},\n\
         {{ name = \"lag\", when = \"after\", backend = \"prom\", query = 'count(app_info{{service=\"$service\"}})', at_least = 2 }},\n]\n",
        pair.prometheus.url(),
    );
    let place = room.place();
    let plan = place.run(&["rollout", "start", "checkout@prod", "--dry-run"]).exits(0).out;
    assert!(plan.contains("checked: before health, before migrations, after lag"), "{plan}");
    let _load = Load::on(&pair, &pool);
    place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(0);
    let watch = place.start(&["rollout", "watch", "checkout@prod"]);
    wait_for("the check to be made", Duration::from_secs(30), || asked.exists().then_some(()));
    let status = place.json(0, &["rollout", "status", "checkout@prod"]);
    assert_eq!(status["rollouts"][0]["weight_wished"], 0.0, "{status}");
    std::fs::write(&migrated, "").unwrap();
    let said = watch.end();
    assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
    let would = format!("would go to 5 %, but check migrations fails: {script} ended with 1");
    assert!(said.out.contains(&would), "{}", said.out);
    assert!(said.out.contains("over: promoted"), "{}", said.out);
    // Each part's reason stands in the record.
    let count = place.json(0, &["ledger", "list"])["entries"].as_array().unwrap().len();
    let entries: String = (0..=count).map(|n| place.run(&["ledger", "show", &n.to_string()]).out).collect();
    for words in [
        "the rollout begins with 5 %; checks held: health (GET ",
        &format!("migrations ({script} ended with 0)"),
        "nothing was found; checks held: lag (the query gave 2, at least 2 is asked for)",
    ] {
        assert!(entries.contains(words), "{words}: {entries}");
    }
}
