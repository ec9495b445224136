//! A session in this terminal: one frame in flight, newest frame only, input never behind drawing; given back whole in every way out.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use super::heard::Heard;
use super::input::Inputs;
use super::mouse;
pub use super::wire::give_back;
use super::wire::{self, Wire, enter};
use crate::control::driver::Handle as Room;
use crate::control::driver::alarm::Alarm;
use crate::control::driver::past::{self, Past};
use crate::control::event::Event;
use crate::control::replay::traveller::Shown;
use crate::control::world::World;
use crate::model::name::BackendName;
use crate::model::text::Text;
use crate::model::time::{Boot, Moment};
use crate::ports::clock::Clock;
use crate::ports::journal::Journal;
use crate::ui::glass::Glass;
use crate::ui::input::Input;
use crate::ui::keymap::Keymap;
use crate::ui::limits::Limits;
use crate::ui::line::End;
use crate::ui::screen::Screen;
use crate::ui::session::{Act, Journey, Session, SessionOptions};
use crate::ui::theme::Theme;

/// Other looks and keys, or why they are not taken over.
pub type Redressed = Result<(Theme, Keymap), Text>;

/// What a session in this terminal needs.
pub struct Local {
    /// The room.
    pub handle: Room,
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// The looks.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
    /// What the terminal can show.
    pub limits: Limits,
    /// Who answers for the frames.
    pub end: End,
    /// Other looks and keys, as their files change.
    pub redressed: mpsc::Receiver<Redressed>,
    /// Makes two equal wishes two plans.
    pub nonce: Box<dyn FnMut() -> String + Send>,
    /// Whether the operator is shown around.
    pub tour: bool,
    /// Told when the first frame has been written.
    pub shown: oneshot::Sender<()>,
    /// What the past is read from.
    pub memory: Memory,
}

/// What the past is read from.
pub enum Memory {
    /// The journal, once the store is open.
    Journal(Arc<OnceLock<Arc<dyn Journal>>>),
    /// A past without a room of now, and its first world.
    Alone(Box<Past>, Box<Shown>),
}

/// Gives the terminal back when it is dropped, whatever the way out.
struct Terminal;

impl Terminal {
    /// Takes it and shows the first frame, in one write.
    fn take(first: &[u8]) -> std::io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        let taken = Self;
        enter(first)?;
        Ok(taken)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// The machine's clock, for what is measured at the terminal: that of the room may play another time.
fn ticks() -> Boot {
    Boot(micros() / 1000)
}

/// The same clock, for what is shorter.
fn micros() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or_default(), u64::try_from(now.tv_nsec).unwrap_or_default());
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000)
}

/// How a session goes on after an act.
enum Next {
    Stay,
    Leave,
}

/// Runs a session until the operator leaves, the terminal is hung up or the process is asked to end.
///
/// # Errors
/// The terminal could not be taken, read or written.
pub fn run(local: Local) -> std::io::Result<()> {
    // A runtime of its own: what the terminal says wakes this thread, and no other on the way to it.
    let behind = Handle::current();
    tokio::task::block_in_place(|| {
        let glass = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ended = glass.block_on(attend(local, &behind));
        glass.shutdown_background();
        ended
    })
}

async fn attend(local: Local, behind: &Handle) -> std::io::Result<()> {
    let Local { mut handle, clock, theme, keymap, limits, end: answers, mut redressed, nonce, tour, shown, memory } = local;
    let mut end = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut resumed = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let size = crossterm::terminal::size()?;
    let mut session = Session::new(SessionOptions { theme, keymap, size, nonce, screen: Screen::Board, target: None })
        .within(limits)
        .over_line_to(answers);
    session.line_at(ticks());
    let (journal, mut past) = match memory {
        Memory::Journal(journal) => (Some(journal), None),
        Memory::Alone(past, first) => {
            session.show_past(*first);
            (None, Some(*past))
        }
    };
    if tour {
        session = session.touring();
    }
    let counts = handle.counts().clone();
    let began = micros();
    let mut glass = Glass::new(size.0, size.1);
    let mut first = glass.probe(session.theme()).unwrap_or_default();
    first.extend_from_slice(glass.frame(&session, &handle.world(), &clock.now()).unwrap_or_default());
    if session.asks() {
        first.extend_from_slice(Glass::QUESTION);
    }
    first.extend(session.call(&handle.world(), &clock.now()));
    counts.frames.took(micros().saturating_sub(began));
    counts.wrote(first.len());
    wire::title_is_ours(handle.world().catalog.room.title);
    mouse::wish(handle.world().catalog.room.mouse);
    let terminal = Terminal::take(&first)?;
    let _ = shown.send(());
    let mut inputs = Inputs::new()?;
    let mut followed: Option<(BackendName, u64)> = None;
    let mut wire = Wire::new();
    let mut alarm = Alarm::new();
    let mut sent = 0;
    let mut dirty = false;
    loop {
        if dirty && wire.is_free() {
            let world = handle.world();
            dirty = false;
            let began = micros();
            session.line_at(Boot(began / 1000));
            let mut bytes = glass.frame(&session, &world, &clock.now()).map(<[u8]>::to_vec).unwrap_or_default();
            // A question goes with a frame; alone only for one that went out while another question was under way.
            if (!bytes.is_empty() || session.waits_for_answer()) && session.asks() {
                bytes.extend_from_slice(Glass::QUESTION);
            }
            bytes.extend(session.call(&world, &clock.now()));
            bytes.extend_from_slice(mouse::wish(world.catalog.room.mouse));
            bytes.extend(wire.behind());
            if !bytes.is_empty() {
                sent = micros();
                counts.frames.took(sent.saturating_sub(began));
                counts.wrote(bytes.len());
                if wire.send(bytes)? {
                    counts.writes.took(micros().saturating_sub(sent));
                }
            }
        }
        let pause = session.next_redraw(&handle.world(), &clock.now()).unwrap_or(Duration::from_hours(1));
        tokio::select! {
            biased;
            written = wire.written() => {
                counts.writes.took(micros().saturating_sub(sent));
                written?;
            }
            heard = inputs.next() => {
                let Some(mut heard) = heard? else { break };
                session.line_at(ticks());
                let mut ends = false;
                // Everything that was typed ahead is taken in before anything is drawn.
                loop {
                    match heard {
                        Heard::Input(input) => {
                            counts.heard();
                            for act in session.on(input, &handle.world(), &clock.now()) {
                                if let Act::Past(journey) = act {
                                    travel(journey, &mut session, &mut past, (journal.as_deref(), behind));
                                    continue;
                                }
                                ends |= matches!(perform(act, &handle, (&mut glass, &mut wire), &mut followed).await, Next::Leave);
                            }
                            dirty = true;
                        }
                        Heard::Well => dirty |= session.terminal_answered(),
                        Heard::Cursor { column, .. } => {
                            if glass.probed(column) == Some(false) {
                                session.draw_in_ascii();
                                glass.forget();
                                dirty = true;
                            }
                        }
                    }
                    let Some(next) = inputs.ready()? else { break };
                    heard = next;
                }
                if ends { break }
            }
            alive = handle.changed() => {
                if !alive { break }
                dirty = true;
            }
            alive = async { match past.as_mut() { Some(past) => past.changed().await, None => std::future::pending().await } } => {
                dirty = true;
                if !alive {
                    past = None;
                    if session.is_past() {
                        session.refuse(&Text::clean("nothing more can be read of the past"));
                    }
                    continue;
                }
                let Some(seen) = past.as_mut().map(Past::seen) else { continue };
                seen.shown.into_iter().for_each(|shown| session.show_past(shown));
                seen.trouble.iter().for_each(|why| session.refuse(why));
            }
            () = alarm.after(pause) => dirty = true,
            Some(looks) = redressed.recv() => {
                match looks {
                    Ok((theme, keymap)) => {
                        session.dress(theme, keymap);
                        session.say(&Text::clean("the changed looks and keys are taken over"));
                    }
                    Err(why) => session.warn(&why),
                }
                dirty = true;
            }
            _ = resized.recv() => {
                for act in fit(&mut session, &mut glass, &handle.world(), &clock.now())? {
                    perform(act, &handle, (&mut glass, &mut wire), &mut followed).await;
                }
                dirty = true;
            }
            _ = end.recv() => break,
            _ = hang_up.recv() => break,
            _ = resumed.recv() => {
                crossterm::terminal::enable_raw_mode()?;
                enter(&[])?;
                for act in fit(&mut session, &mut glass, &handle.world(), &clock.now())? {
                    perform(act, &handle, (&mut glass, &mut wire), &mut followed).await;
                }
                glass.forget();
                session.taken_again();
                dirty = true;
            }
        }
    }
    wire.end().await;
    drop(terminal);
    Ok(())
}

/// Takes over the size that the terminal has now.
fn fit(session: &mut Session, glass: &mut Glass, world: &World, now: &Moment) -> std::io::Result<Vec<Act>> {
    let (columns, rows) = crossterm::terminal::size()?;
    if session.size() == (columns, rows) {
        return Ok(Vec::new());
    }
    *glass = Glass::new(columns, rows);
    Ok(session.on(Input::Resize(columns, rows), world, now))
}

/// Opens the past, goes elsewhere in it, or comes back.
fn travel(
    journey: Journey,
    session: &mut Session,
    past: &mut Option<Past>,
    (journal, behind): (Option<&OnceLock<Arc<dyn Journal>>>, &Handle),
) {
    match journey {
        Journey::Open => match journal.and_then(OnceLock::get) {
            Some(journal) => {
                session.say(&Text::clean("reading the journal"));
                let _behind = behind.enter();
                *past = Some(past::open(past::of_journal(journal.clone()), true, None));
            }
            None => session.refuse(&Text::clean("nothing is remembered here: the journal is not open")),
        },
        Journey::Ask(ask) => past.iter().for_each(|past| past.ask(ask)),
        Journey::Leave => {
            session.leave_past();
            *past = None;
        }
    }
}

async fn perform(act: Act, handle: &Room, (glass, wire): (&mut Glass, &mut Wire), followed: &mut Option<(BackendName, u64)>) -> Next {
    match act {
        Act::Quit => return Next::Leave,
        Act::Execute(plan) => {
            handle.send(Event::Confirmed { plan }).await;
        }
        Act::Refuse(plan, reasons) => {
            handle.send(Event::Refused { plan, reasons }).await;
        }
        Act::Rule(ruling) => {
            handle.send(Event::Rule { ruling: *ruling }).await;
        }
        Act::Speak(saying) => {
            handle.send(Event::Speak { saying: *saying }).await;
        }
        Act::NameRules(naming) => {
            handle.send(Event::NameRules { naming: *naming }).await;
        }
        Act::Look { target, run } => {
            handle.send(Event::Looking { target, run: run.map(|run| run.number) }).await;
        }
        Act::FollowLog { backend, log } => {
            unfollow(handle, followed).await;
            *followed = Some((backend.clone(), log));
            handle.send(Event::Following { backend, log, on: true }).await;
        }
        Act::Unfollow => unfollow(handle, followed).await,
        Act::VerifyLedger => {
            handle.send(Event::VerifyAsked).await;
        }
        Act::Copy(text) => wire.put_behind(format!("\u{1b}]52;c;{}\u{1b}\\", base64(&text)).as_bytes()),
        // It is travelled before.
        Act::Past(_) => {}
        Act::Redraw => glass.forget(),
        Act::Suspend => {
            give_back();
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP);
        }
    }
    Next::Stay
}

async fn unfollow(handle: &Room, followed: &mut Option<(BackendName, u64)>) {
    if let Some((backend, log)) = followed.take() {
        handle.send(Event::Following { backend, log, on: false }).await;
    }
}

fn base64(text: &str) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(text.as_bytes())
}
