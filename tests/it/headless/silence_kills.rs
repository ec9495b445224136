//! SIGKILL at each boundary between the record of a silence and its end, at a real Alertmanager: the next room says what became of it, and
//! the silence is neither doubled nor lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::delayed::Delayed;
use super::place::{Place, Running};
use super::silence::{firing_behind, silenced};
use crate::pty::Term;
use crate::servers::alertmanager::Alertmanager;
use crate::servers::between::{Between, Pass};
use crate::servers::support::{exchange, get, wait_for};

const LONG: Duration = Duration::from_secs(40);

/// Where the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    /// The intent is on record, and the sending is not.
    Intended,
    /// The sending is on record; what stands there is read once more, and nothing was sent.
    Recorded,
    /// The write left and does not arrive.
    Sent,
    /// The write is done, and its answer does not arrive.
    Done,
    /// The answer arrived; how it reads back does not.
    Answered,
    /// It was read back, and is watched.
    Effective,
}

impl Point {
    /// The first one last: it needs a ledger that is there.
    const ALL: [Self; 6] = [Self::Recorded, Self::Sent, Self::Done, Self::Answered, Self::Effective, Self::Intended];
}

/// What is done with a request while one waits for its moment.
type Trap = Box<dyn FnMut(&str) -> Option<Pass> + Send>;

/// An Alertmanager with a go-between that can kill whoever asks.
struct Stage {
    alerts: Alertmanager,
    place: Place,
    trap: Arc<Mutex<Option<Trap>>>,
}

impl Stage {
    fn start() -> Self {
        let trap: Arc<Mutex<Option<Trap>>> = Arc::default();
        let armed = Arc::clone(&trap);
        let (alerts, place) = firing_behind(&["captain"], "2s", |alerts| {
            let decide = move |request: &str| armed.lock().unwrap().as_mut().and_then(|trap| trap(request)).unwrap_or(Pass::On);
            Between::start(alerts.port, decide).url()
        });
        Self { alerts, place, trap }
    }

    /// Starts a deed and kills its process at a point.
    fn killed_at(&self, point: Point, args: &[&str]) {
        let before = self.of(args[0]).len();
        let died = Arc::new(Mutex::new(false));
        let (pid, port) = (Arc::new(Mutex::new(None::<Pid>)), self.alerts.port);
        // It is known once it was started; nothing is asked before.
        let mut whom = pid.lock().unwrap();
        let (victim, dead) = (Arc::clone(&pid), Arc::clone(&died));
        let die = move || {
            let mut dead = dead.lock().unwrap();
            if !*dead {
                kill_process(victim.lock().unwrap().unwrap(), Signal::KILL).unwrap();
                *dead = true;
            }
        };
        let mut ledger = self.place.command(env!("CARGO_BIN_EXE_gonogo"), &["ledger", "list", "--json"]);
        let mut wrote = false;
        let trap: Trap = Box::new(move |request| {
            let writes = !request.starts_with("GET ");
            let here = match point {
                Point::Recorded => !writes && newest(&ledger.output().unwrap().stdout).as_deref() == Some("sending"),
                Point::Sent => writes,
                Point::Done if writes => {
                    exchange(port, &request.replacen("\r\n", "\r\nConnection: close\r\n", 1)).expect("Alertmanager answers");
                    true
                }
                Point::Answered => !writes && wrote,
                Point::Intended | Point::Done | Point::Effective => false,
            };
            wrote |= writes;
            here.then(|| {
                die();
                Pass::Cut
            })
        });
        *self.trap.lock().unwrap() = Some(trap);
        let delayed = (point == Point::Intended).then(|| Delayed::sending(&self.place.store()));
        let deed = self.place.start(&[args, &["--yes", "--wait", "held", "--json"]].concat());
        *whom = Some(deed.pid());
        drop(whom);
        self.dies(point, args[0], before, &deed);
        let said = deed.end();
        assert_eq!(said.code, None, "{point:?}: it was not killed: {said:?}");
        delayed.into_iter().for_each(Delayed::end);
        *self.trap.lock().unwrap() = None;
    }

    /// Kills it at a point that the ledger tells of, and no request.
    fn dies(&self, point: Point, verb: &str, before: usize, deed: &Running) {
        let kind = match point {
            Point::Intended => "intent",
            Point::Effective => "effective",
            Point::Recorded | Point::Sent | Point::Done | Point::Answered => return,
        };
        wait_for(&format!("its entry {kind}"), LONG, || self.of(verb).get(before)?.iter().any(|one| one == kind).then_some(()));
        deed.kill();
    }

    /// The kinds of the entries of each deed with this verb, oldest first.
    fn of(&self, verb: &str) -> Vec<Vec<String>> {
        let said = self.place.run(&["ledger", "list", "--json"]);
        let entries = if said.code == Some(0) { said.json()["entries"].as_array().unwrap().clone() } else { Vec::new() };
        let mut deeds: Vec<(String, Vec<String>)> = Vec::new();
        for entry in entries.iter().filter(|entry| entry["verb"] == verb) {
            let (deed, kind) = (entry["deed"].to_string(), entry["kind"].as_str().unwrap().to_owned());
            match deeds.iter_mut().find(|(name, _)| *name == deed) {
                Some((_, kinds)) => kinds.push(kind),
                None => deeds.push((deed, vec![kind])),
            }
        }
        deeds.into_iter().map(|(_, kinds)| kinds).collect()
    }

    /// How many silences Alertmanager has that are not over.
    fn standing(&self) -> usize {
        let answer = get(self.alerts.port, "/api/v2/silences").unwrap();
        let all: Value = serde_json::from_str(&answer[answer.find('[').unwrap()..=answer.rfind(']').unwrap()]).unwrap();
        all.as_array().unwrap().iter().filter(|silence| silence["status"]["state"] != "expired").count()
    }

    fn room(&self) -> Term {
        let file = self.place.path("config/gonogo/gonogo.toml");
        Term::start_in(self.place.home(), &["--config", file.to_str().unwrap()], (160, 50), &[])
    }

    /// Whether Alertmanager itself mutes the alert, and only that one.
    fn is_quiet(&self) -> bool {
        let all = silenced(&self.alerts);
        assert!(all.iter().all(|(name, quiet)| !quiet || name == "Errors/checkout"), "{all:?}");
        all.iter().any(|(_, quiet)| *quiet)
    }
}

fn newest(listed: &[u8]) -> Option<String> {
    let listed: Value = serde_json::from_slice(listed).ok()?;
    Some(listed["entries"].as_array()?.last()?["kind"].as_str()?.to_owned())
}

const SILENCE: [&str; 8] = ["silence", "checkout@prod", "--alert", "Errors", "--for", "2h", "--reason", "we know"];
const UNSILENCE: [&str; 6] = ["unsilence", "checkout@prod", "--alert", "Errors", "--reason", "it is over"];

/// Kills a deed at a point, opens a room, and holds what it says and what stands there against the record.
fn killed_and_settled(stage: &Stage, point: Point, args: &[&str]) {
    let verb = args[0];
    let (begins, stood) = (verb == "silence", stage.standing());
    let nth = stage.of(verb).len();
    stage.killed_at(point, args);
    let what = format!("{verb} killed at {point:?}");

    let room = stage.room();
    room.sees("checkout", LONG).press("5").sees("timeline", LONG);
    let ends = ["held", "unwatched", "slipped", "failed", "not-begun", "unknown"];
    let kinds = wait_for(&format!("{what} to be settled"), LONG, || {
        let kinds = stage.of(verb).get(nth).cloned()?;
        ends.contains(&kinds.last()?.as_str()).then_some(kinds)
    });
    let happened = matches!(point, Point::Done | Point::Answered | Point::Effective);
    let last = kinds.last().unwrap().as_str();
    if happened {
        assert!(kinds.iter().any(|kind| kind == "effective") && matches!(last, "held" | "unwatched"), "{what}: {kinds:?}");
    } else {
        assert_eq!(last, "not-begun", "{what}: {kinds:?}");
    }
    // Neither doubled nor lost: it was sent once at most, and stands as the record says.
    let sent = usize::from(point != Point::Intended);
    assert_eq!(kinds.iter().filter(|kind| *kind == "sending").count(), sent, "{what}: {kinds:?}");
    let wished = if happened { usize::from(begins) } else { stood };
    assert_eq!((stage.standing(), stage.is_quiet()), (wished, wished == 1), "{what}: {kinds:?}");
    // Whoever opens the room reads what became of it.
    if happened {
        room.sees(&format!("{verb} EFFECTIVE"), LONG);
    } else {
        room.sees(&format!("{verb} FAILED"), LONG).sees("order it again if it is still wished", LONG);
    }
    room.until("for the alert as it is", LONG, |screen| screen.contains("SILENCED until ") == (wished == 1));
    room.press("q").exit_code(LONG);
}

#[test]
fn a_silence_killed_at_any_boundary_is_settled_and_is_neither_doubled_nor_lost() {
    let stage = Stage::start();
    for point in Point::ALL {
        killed_and_settled(&stage, point, &SILENCE);
        if stage.standing() == 0 {
            // Nothing is in the way of ordering it again.
            stage.place.run(&[&SILENCE[..], &["--yes"]].concat()).exits(0);
        }
        assert_eq!((stage.standing(), stage.is_quiet()), (1, true), "{point:?}");
        killed_and_settled(&stage, point, &UNSILENCE);
        if stage.standing() == 1 {
            stage.place.run(&[&UNSILENCE[..], &["--yes"]].concat()).exits(0);
        }
        assert_eq!((stage.standing(), stage.is_quiet()), (0, false), "{point:?}");
    }
    stage.place.run(&["ledger", "verify"]).exits(0);
}
