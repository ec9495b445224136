//! Without any server: usage, configuration that is absent or refused, targets that are not known, looks.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::place::{Place, Room, os_user};
use super::shape;

/// A configuration whose backends nobody will ever reach.
fn nowhere() -> Room {
    Room {
        socket: "/nonexistent/admin.sock".to_owned(),
        prometheus: "http://127.0.0.1:1".to_owned(),
        pool: "be".to_owned(),
        edge: String::new(),
        environment: String::new(),
        people: String::new(),
        more: String::new(),
    }
}

#[test]
fn usage_is_exit_2_with_words_on_standard_error_alone() {
    let place = nowhere().place();
    for args in [
        &["frobnicate"][..],
        &["shift"],
        &["shift", "checkout@prod"],
        &["shift", "checkout@prod", "101"],
        &["shift", "checkout@prod", "-1"],
        &["shift", "checkout@prod", "many"],
        &["shift", "checkout@prod", "5", "extra"],
        &["hold", "checkout@prod", "extra"],
        &["hold", "checkout@prod", "--wait", "forever"],
        &["note", "checkout@prod"],
        &["plan", "teleport", "checkout@prod"],
        &["plan", "hold", "checkout@prod", "extra"],
        &["plan", "shift", "checkout@prod"],
        &["explain", "hold", "checkout@prod", "--as", "nobody"],
        &["retry", "checkout@prod", "--run", "not a run"],
        &["hold", "checkout@prod", "--run", "ci/1"],
        &["show", "nonsense"],
        &["render", "nonsense"],
        &["render", "board", "--size", "0x0"],
        &["render", "board", "--format", "gif"],
        &["render", "board", "--scenario", "nonsense"],
        &["demo", "nonsense", "--headless", "--until", "1s"],
        &["demo", "--headless"],
        &["demo", "--headless", "--until", "soon"],
        &["status", "--settle", "soon"],
        &["completions", "perl"],
        &["ledger", "burn"],
        &["config", "burn"],
    ] {
        let said = place.run(args).exits(2);
        assert_eq!(said.out, "", "{args:?}: {said:?}");
        assert!(!said.err.trim().is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_exit_0_on_standard_output() {
    let place = Place::bare();
    for args in [&["--help"][..], &["shift", "--help"], &["--version"]] {
        let said = place.run(args).exits(0);
        assert!(said.out.contains("gonogo") && said.err.is_empty(), "{said:?}");
    }
}

#[test]
fn a_headless_verb_without_configuration_is_exit_8() {
    let place = Place::bare();
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["show", "board"],
        &["watch", "--jsonl"],
        &["plan", "hold", "checkout@prod"],
        &["explain", "hold", "checkout@prod"],
        &["hold", "checkout@prod"],
        &["shift", "checkout@prod", "0"],
        &["note", "checkout@prod", "text"],
        &["ledger", "list"],
        &["ledger", "verify"],
    ] {
        let said = place.run(args).exits(8);
        assert!(said.out.is_empty() && said.err.contains("nothing is configured"), "{args:?}: {said:?}");
    }
    assert!(!place.store().join("ledger.db").exists(), "a refused verb made a store");
}

#[test]
fn what_needs_no_configuration_works_without_one() {
    let place = Place::bare();
    let who = place.json(0, &["whoami"]);
    shape::keys(&who, "schema name os_user known by how keys agent_error roles grants");
    assert_eq!((&who["name"], &who["known"]), (&format!("os:{}", os_user()).into(), &"unverified".into()));
    assert!(place.run(&["whoami"]).exits(0).out.contains("unverified"));
    let said = place.run(&["doctor"]).exits(0).out;
    assert!(
        said.contains("nothing is configured") && said.contains("`gonogo init` looks around") && said.contains("terminal: xterm"),
        "{said}"
    );
    let told = place.json(0, &["doctor"]);
    shape::keys(&told, "schema backends store receivers metrics log terminal findings");
    let nowhere = serde_json::json!({ "file": null, "error": null, "written": null });
    assert_eq!((&told["metrics"], &told["log"]), (&nowhere, &nowhere));
    let said = place.run(&["config", "check"]).exits(0);
    assert!(said.out.contains("nothing to check") && said.out.contains("gonogo config example") && said.err.is_empty(), "{said:?}");
    assert!(!place.store().exists(), "looking at nothing made a store");
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(&["completions", shell]).exits(0).out.contains("gonogo"));
    }
    // The page of a verb is one that `man` reads, and says what its exits mean.
    let page = place.run(&["man", "rollout", "start"]).exits(0).out;
    assert!(page.contains(".TH GONOGO-ROLLOUT-START 1") && page.contains("\\-\\-version") && page.contains("\\fB12\\fR"), "{page}");
    assert!(place.run(&["man"]).exits(0).out.contains("break\\-glass"));
    assert!(place.run(&["man", "rollout", "fly"]).exits(2).err.contains("`fly` is no verb of rollout; expected one of start,"));
    let picture = place.run(&["render", "board", "--size", "80x24"]).exits(0);
    assert!(picture.out.lines().next().unwrap().contains("SIMULATED") && picture.out.lines().count() <= 24, "{}", picture.out);
}

#[test]
fn a_file_that_is_not_there_is_exit_8() {
    let place = Place::bare();
    for args in [&["status"][..], &["ledger", "verify"], &["config", "check"], &[], &["hold", "a@b"]] {
        let args: Vec<_> = ["--config", "no/such.toml"].iter().chain(args).copied().collect();
        let said = place.run(&args).exits(8);
        assert!(said.err.starts_with("no/such.toml:1:1: "), "{said:?}");
    }
    for args in [&["whoami"][..], &["doctor"]] {
        let args: Vec<_> = args.iter().chain(&["--config", "no/such.toml"]).copied().collect();
        let said = place.run(&args).exits(0);
        assert!(said.err.contains("no/such.toml: there is no such file") && !said.out.is_empty(), "{said:?}");
    }
    // Named by the variable it is no less refused.
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["config", "check"]);
    Place::started(command.env("GONOGO_CONFIG", "no/such.toml")).end().exits(8);
}

#[test]
fn the_example_is_accepted_and_wrong_files_are_refused_with_their_place() {
    let place = Place::bare();
    let example = place.run(&["config", "example"]).exits(0).out;
    place.configure(&example);
    let said = place.run(&["config", "check"]).exits(0);
    assert!(said.out.contains("services"), "{said:?}");
    for (text, place_of_it, what) in [
        ("", ":1:1: ", "nothing"),
        ("[room]\nname = 3\n", ":2:8: ", "string"),
        ("[room]\nnmae = \"x\"\n", ":2:1: ", "name"),
        ("[[service]]\nname = \"a\"\n[[service]]\nname = \"a\"\n", ":4:", "a"),
        ("[[service]]\nname = \"a\"\ndepends_on = [\"b\"]\n[[service]]\nname = \"b\"\ndepends_on = [\"a\"]\n", ":", "circle"),
        ("[[backend]]\nname = \"p\"\nkind = \"prometheus\"\nurl = \"nonsense\"\n", ":4:", "URL"),
        ("[room\n", ":1:", "expected"),
    ] {
        place.configure(text);
        for args in [&["config", "check"][..], &["status"]] {
            let said = place.run(args).exits(8);
            assert!(said.out.is_empty() && said.err.contains(&format!("gonogo.toml{place_of_it}")), "{text}: {said:?}");
            assert!(said.err.contains("; expected ") && said.err.contains(what), "{text}: {said:?}");
        }
    }
}

#[test]
fn a_target_that_is_not_known_is_exit_10_and_the_nearest_is_named() {
    let room = nowhere();
    let more = "[service.deploy.stage]\nstrategy = \"canary\"\n[[environment]]\nname = \"stage\"\n[[service]]\nname = \"mail\"\n[service.deploy.stage]\nstrategy = \"canary\"\n";
    let place = Room { more: more.to_owned(), ..room }.place();
    for verb in [&["hold"][..], &["plan", "hold"], &["explain", "hold"], &["show", "rollout"], &["status"]] {
        for (typed, near) in [
            ("chekout@prod", "checkout@prod"),
            ("checkout@prd", "checkout@prod"),
            ("chekout", "checkout@"),
            ("zzzzzzzzzzzz@prod", "gonogo status"),
        ] {
            let args: Vec<_> = verb.iter().copied().chain([typed]).collect();
            let said = place.run(&args).exits(10);
            assert!(said.out.is_empty() && said.err.contains(near), "{args:?}: {said:?}");
        }
    }
    let said = place.run(&["hold", "checkout"]).exits(10);
    assert!(said.err.contains("ambiguous") && said.err.contains("checkout@prod") && said.err.contains("checkout@stage"), "{said:?}");
    let said = place.run(&["hold", "checkout@prod/eu"]).exits(10);
    assert!(said.err.contains("cells"), "{said:?}");
    place.run(&["render", "rollout", "--target", "chekout@prod"]).exits(10);
    place.run(&["hold", "mail", "--json"]).exits(0);
}

#[test]
fn a_project_file_that_nobody_trusts_may_not_define_backends() {
    let place = Place::bare();
    place.write("gonogo.toml", &nowhere().text());
    let said = place.run(&["status"]).exits(8);
    assert!(said.err.contains("config trust"), "{said:?}");
    let said = place.run(&["config", "trust", "gonogo.toml"]).exits(0);
    assert!(said.out.contains("gonogo.toml"), "{said:?}");
    place.run(&["status"]).exits(0);
    // A change of the file ends the trust; given by hand it is trusted.
    place.write("gonogo.toml", &format!("# changed\n{}", nowhere().text()));
    place.run(&["status"]).exits(8);
    place.run(&["--config", "gonogo.toml", "status"]).exits(0);
    place.run(&["config", "trust", "no/such.toml"]).exits(8);
}

#[test]
fn variables_and_flags_rise_above_the_files() {
    let place = nowhere().place();
    let elsewhere = place.path("elsewhere");
    let run = |name: &str, value: &str, args: &[&str]| {
        let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), args);
        Place::started(command.env(name, value)).end()
    };
    run("GONOGO_READ_ONLY", "maybe", &["status"]).exits(8);
    run("GONOGO_CONFIG", "no/such.toml", &["status"]).exits(8);
    run("GONOGO_THEME", "no-such-theme", &["status"]).exits(8);
    run("GONOGO_STORE", elsewhere.to_str().unwrap(), &["note", "checkout@prod", "here"]).exits(0);
    assert!(elsewhere.join("ledger.db").exists() && !place.store().join("ledger.db").exists());
    assert_eq!(std::fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o700);
    let said = run("GONOGO_READ_ONLY", "1", &["hold", "checkout@prod"]).exits(3);
    assert!(said.err.contains("read-only"), "{said:?}");
    place.run(&["--theme", "no-such-theme", "status"]).exits(8);
    place.run(&["hold", "checkout@prod", "--read-only"]).exits(3);
    place.run(&["--read-only", "hold", "checkout@prod"]).exits(3);
}

#[test]
fn a_pipe_that_closes_ends_a_verb_quietly() {
    let place = nowhere().place();
    for args in
        ["config example", "render board --scenario calm", "completions bash", "status --json", "--help", "demo calm --headless --until 5s"]
    {
        let shell = format!("set -o pipefail; {} {args} | head -c1 >/dev/null", env!("CARGO_BIN_EXE_gonogo"));
        let said = Place::started(&mut place.command("bash", &["-c", &shell])).end().exits(0);
        assert_eq!(said.err, "", "{args}");
    }
    // Standard output that was closed from the beginning.
    let mut command = place.command("bash", &["-c", &format!("{} status --json >&-", env!("CARGO_BIN_EXE_gonogo"))]);
    Place::started(command.stdout(Stdio::null())).end().exits(0);
    let said = Place::started(&mut place.command("bash", &["-c", &format!("{} status >/dev/full", env!("CARGO_BIN_EXE_gonogo"))])).end();
    assert!(!said.err.contains("panicked"), "{said:?}");
}

#[test]
fn pictures_come_as_text_and_with_colours() {
    let place = Place::bare();
    let text = place.run(&["render", "board", "--scenario", "bad-canary", "--at", "180s", "--size", "100x30"]).exits(0).out;
    assert!(!text.contains('\u{1b}') && text.contains("checkout"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100) && text.lines().count() <= 30);
    let again = place.run(&["render", "board", "--scenario", "bad-canary", "--at", "180s", "--size", "100x30"]).exits(0).out;
    assert_eq!(text, again, "the same picture twice");
    let other = place.run(&["render", "board", "--scenario", "bad-canary", "--at", "180s", "--size", "100x30", "--seed", "7"]).exits(0).out;
    assert_ne!(text, other, "another seed");
    let ansi = place.run(&["render", "board", "--scenario", "bad-canary", "--format", "ansi"]).exits(0).out;
    assert!(ansi.contains("\u{1b}["), "{ansi}");
    for screen in ["board", "pipeline", "rollout", "incident", "ledger"] {
        assert!(place.run(&["render", screen, "--scenario", "calm"]).exits(0).out.contains("SIMULATED"), "{screen}");
    }
}
