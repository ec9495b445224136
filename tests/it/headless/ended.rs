//! `gonogo watch` ends in order whoever ends it: its last line is whole, its last metrics are written, and it says 130.

use std::io::{PipeReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use super::place::{Pair, Place, Room};
use crate::servers::support::wait_for;

const LONG: Duration = Duration::from_secs(30);

/// A place over the pair whose rooms write metrics, and their file.
fn place() -> (Arc<Pair>, Place, PathBuf) {
    let pair = Pair::shared();
    let more = "[service.deploy.prod.rollout]\njudged = false\nwait = \"10m\"\nway_back = []\n\
                [metrics]\nfile = \"gonogo.prom\"\nevery = \"1s\"\n";
    let place = Room { more: more.to_owned(), ..pair.room(&Pair::pool()) }.place();
    let file = place.path("config/gonogo/gonogo.prom");
    (pair, place, file)
}

fn says(file: &Path, open: u8) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line == format!("gonogo_room_open {open}")))
}

/// A verb that hears a hang-up, also where whoever started the tests ignores it, as `nohup` does.
fn hearing(place: &Place, args: &[&str]) -> Command {
    place.command("env", &[&["--default-signal=HUP", env!("CARGO_BIN_EXE_gonogo")], args].concat())
}

/// Every line is whole, and with `--jsonl` an object.
fn whole(text: &str, args: &[&str]) {
    assert!(text.ends_with('\n'), "the last line is cut: {text:?}");
    if args.contains(&"--jsonl") {
        for line in text.lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(event["schema"], 1);
        }
    }
}

#[test]
fn whatever_ends_a_watch_its_last_line_is_whole_and_its_last_metrics_are_written() {
    let (_pair, place, file) = place();
    for (signal, args) in [
        (Signal::TERM, &["watch", "--jsonl"][..]),
        (Signal::HUP, &["watch", "--jsonl"]),
        (Signal::INT, &["watch", "--jsonl"]),
        (Signal::TERM, &["watch"]),
        (Signal::HUP, &["watch"]),
    ] {
        let out = place.path("out");
        let watching = Place::started(hearing(&place, args).stdout(std::fs::File::create(&out).unwrap()));
        wait_for("metrics of an open room, and a line", LONG, || {
            place.run(&["note", "checkout@prod", "watch this"]).exits(0);
            (says(&file, 1) && std::fs::read_to_string(&out).unwrap().contains("watch this")).then_some(())
        });
        watching.signal(signal);
        let said = watching.end().exits(130);
        assert!(says(&file, 0), "{signal:?} {args:?}: {}", std::fs::read_to_string(&file).unwrap());
        assert_eq!(said.err, "", "{signal:?} {args:?}");
        whole(&std::fs::read_to_string(&out).unwrap(), args);
    }
}

/// A watch into a pipe that is full and that nobody reads, with what reads it.
fn stuck(place: &Place) -> (super::place::Running, PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = place.command(env!("CARGO_BIN_EXE_gonogo"), &["watch", "--jsonl"]);
    let watching = Place::started(command.stdout(writer));
    // Dropped with its writing end, so that only the watch holds that.
    drop(command);
    let mut before = 0;
    let text = "x".repeat(900);
    wait_for("the pipe to be full", LONG, || {
        for _ in 0..8 {
            place.run(&["note", "checkout@prod", &text]).exits(0);
        }
        let now = rustix::io::ioctl_fionread(&reader).unwrap();
        let full = now > 40_000 && now == before;
        before = now;
        full.then_some(())
    });
    (watching, reader)
}

#[test]
fn a_reader_that_takes_nothing_keeps_no_watch_alive_and_a_slow_one_gets_its_line_whole() {
    let (_pair, place, file) = place();
    let (watching, _reader) = stuck(&place);
    watching.signal(Signal::TERM);
    watching.end().exits(130);
    assert!(says(&file, 0), "{}", std::fs::read_to_string(&file).unwrap());

    let (watching, mut reader) = stuck(&place);
    watching.signal(Signal::TERM);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    watching.end().exits(130);
    whole(&text, &["--jsonl"]);
}

#[test]
fn a_watch_that_was_started_to_outlive_its_terminal_does() {
    let (_pair, place, file) = place();
    let out = place.path("out");
    let line = format!("trap '' HUP; exec {} watch --jsonl", env!("CARGO_BIN_EXE_gonogo"));
    let watching = Place::started(place.command("sh", &["-c", &line]).stdout(std::fs::File::create(&out).unwrap()));
    wait_for("metrics of an open room", LONG, || says(&file, 1).then_some(()));
    watching.signal(Signal::HUP);
    wait_for("what happens after the hang-up", LONG, || {
        place.run(&["note", "checkout@prod", "still here"]).exits(0);
        std::fs::read_to_string(&out).unwrap().contains("still here").then_some(())
    });
    watching.signal(Signal::TERM);
    watching.end().exits(130);
    whole(&std::fs::read_to_string(&out).unwrap(), &["--jsonl"]);
}

#[test]
fn a_rollout_is_let_go_of_in_order() {
    let (_pair, place, file) = place();
    place.run(&["rollout", "start", "checkout@prod", "--yes"]).exits(0);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let watching = Place::started(&mut hearing(&place, &["rollout", "watch", "checkout@prod", "--json"]));
        wait_for("metrics of an open room", LONG, || says(&file, 1).then_some(()));
        watching.signal(signal);
        let said = watching.end().exits(130);
        assert!(says(&file, 0), "{signal:?}: {}", std::fs::read_to_string(&file).unwrap());
        assert!(said.err.contains("is not conducted from here any more: it goes on where another room is open"), "{said:?}");
        assert!(said.out.is_empty() || said.out.ends_with("}\n"), "{said:?}");
    }
}
