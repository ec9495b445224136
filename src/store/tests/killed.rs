//! Real processes on real files, killed while they write: what a process was told to be recorded is there, and the rest is whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::*;
use crate::ports::ledger::Ledger as _;

/// Where the child writes, and which child it is.
const WHERE: &str = "GONOGO_TEST_KILLED";
/// Processes that are killed, one after the other, on one store.
const LIVES: u64 = 25;
/// Processes that are killed at the most.
const MOST: u64 = 250;
const SIGKILL: i32 = 9;

/// Deeds without end; each line says how many entries are recorded, and the plan of the newest deed.
async fn write_until_killed(dir: &Path, life: &str) {
    let clock = Still::new();
    let store = store(dir, &clock).await;
    for n in 0.. {
        let plan = plan(&clock, Verb::Shift, &format!("{life}-{n}"));
        let begun = store.begin(&plan, &yes(plan.id)).await.unwrap();
        store.sending(&begun, 0).await.unwrap();
        store.record(plan.id, &outcome(EntryKind::Failed, None)).await.unwrap();
        // Not through the test's own capture: the parent reads it.
        writeln!(std::io::stderr(), "recorded {} {}", store.size().await.unwrap(), plan.id).unwrap();
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the child is told by its environment where to write")]
async fn whatever_moment_a_process_is_killed_at_what_it_recorded_is_there_and_whole() {
    if let Ok(dir) = std::env::var(WHERE) {
        let (life, dir) = dir.split_once(' ').unwrap();
        return write_until_killed(Path::new(dir), life).await;
    }
    let (dir, clock) = (tempfile::tempdir().unwrap(), Still::new());
    let mut before = store(dir.path(), &clock).await.size().await.unwrap();
    let unfinished = std::cell::Cell::new(0);
    // A kill falls between two deeds where the machine is quick or busy: there are more of them until one fell into a deed.
    for life in (0..MOST).take_while(|life| *life < LIVES || unfinished.get() == 0) {
        let mut child = Command::new("/proc/self/exe");
        let name = "store::tests::killed::whatever_moment_a_process_is_killed_at_what_it_recorded_is_there_and_whole";
        child.args(["--exact", name, "--nocapture"]).env(WHERE, format!("{life} {}", dir.path().display()));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = lines.map(Result::unwrap).filter(|line| line.starts_with("recorded "));
        // After a few deeds, and then somewhere in the next one.
        let mut last = told.by_ref().nth(usize::try_from(life % 5).unwrap()).expect("the child writes");
        for _ in 0..life * 37 % 200 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL), "life {life} ended before it was killed");
        // What was said while it was being killed counts too.
        for line in told {
            last = line;
        }
        let (size, plan) = last.strip_prefix("recorded ").unwrap().split_once(' ').unwrap();

        let next = store(dir.path(), &clock).await;
        assert_eq!(next.condition(), None, "life {life}");
        let found = next.verify().await.unwrap();
        assert!(found.intact, "life {life}: {found:?}");
        let now = next.size().await.unwrap();
        assert!(now >= size.parse().unwrap() && now > before, "life {life}: {now} of {size} entries, {before} before");
        assert!(next.deed(plan).await.unwrap().facts.sent.is_some(), "life {life}");
        for open in next.open_deeds().await.unwrap() {
            assert!(!open.owner_alive, "life {life}: the dead hold nothing");
            unfinished.set(unfinished.get() + 1);
            let id = open.deed.plan;
            next.adopt(id).await.unwrap();
            next.record(id, &outcome(EntryKind::Failed, None)).await.unwrap();
        }
        before = next.size().await.unwrap();
        next.close().await;
    }
    assert!(unfinished.get() > 0, "none of {MOST} was killed in the middle of a deed");
}
