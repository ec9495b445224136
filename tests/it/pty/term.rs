//! A terminal that runs a program: its screen, its cells, its raw bytes, its end.
#![expect(clippy::disallowed_methods, reason = "a terminal test waits in real time, for a condition, with a deadline")]

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::keys;
use super::line::Line;

/// Long enough for anything that should come at once, also on a busy machine.
pub const SOON: Duration = Duration::from_mins(1);
/// The least time between Escape and the next key.
const APART: Duration = Duration::from_millis(150);
/// The silence after which a frame is whole and answered for.
const REST: Duration = Duration::from_millis(40);
/// What a sheet says whose keys do not count yet.
const NOT_YET: [&str; 2] = ["Enter not yet", "keys not yet"];
/// The longest that such a silence is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Raw bytes that are kept: enough for any test, and a bound for a program that never stops writing.
const RAW: usize = 64 << 20;

/// One cell of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What stands in it; empty when nothing was ever written there.
    pub text: String,
    /// Foreground and background.
    pub colours: (vt100::Color, vt100::Color),
    /// Bold.
    pub bold: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background changed over.
    pub inverse: bool,
}

struct Glass {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// How many of the raw bytes the parser has taken.
    taken: usize,
    /// When the program wrote last.
    wrote: Instant,
    over: bool,
}

/// How a terminal answers what it is asked.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How long it takes to say that it is well; none: it never does.
    pub well: Option<Duration>,
    /// Whether it makes some glyph two cells wide.
    pub wide: bool,
    /// What lies between it and the program; none: nothing.
    pub line: Option<Line>,
}

impl Manners {
    /// At once, and as it is.
    pub const GOOD: Self = Self { well: Some(Duration::ZERO), wide: false, line: None };
}

/// A program in a pseudo-terminal. Killed when dropped.
pub struct Term {
    glass: Arc<(Mutex<Glass>, Condvar)>,
    master: Mutex<Box<dyn MasterPty + Send>>,
    keys: Arc<Mutex<Keys>>,
    child: Mutex<Box<dyn Child + Send + Sync>>,
    escaped: Mutex<Option<Instant>>,
    home: Home,
}

/// A temporary folder that is `HOME` and the working directory of a program, with the XDG folders in it. Clones share it, so that
/// a program can be started again on what an earlier one left. Removed with its last clone.
#[derive(Clone)]
pub struct Home(Arc<tempfile::TempDir>);

/// The XDG folders: the variable, and its folder in a home.
const XDG: [(&str, &str); 5] = [
    ("XDG_CONFIG_HOME", "config"),
    ("XDG_DATA_HOME", "data"),
    ("XDG_STATE_HOME", "state"),
    ("XDG_CACHE_HOME", "cache"),
    ("XDG_RUNTIME_DIR", "run"),
];

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for (_, folder) in XDG {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        Self(Arc::new(home))
    }

    /// Where it lies.
    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// Writes a file into it, as `gonogo.toml` or `config/gonogo/gonogo.toml`; where it lies.
    pub fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Everything that a program's environment consists of here: name and value.
    pub fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let fixed = [("TERM", "xterm-256color".into()), ("LANG", "C.UTF-8".into()), ("HOME", self.path().into())];
        let path = ("PATH", std::env::var_os("PATH").unwrap_or_default());
        fixed.into_iter().chain([path]).chain(XDG.map(|(name, folder)| (name, self.path().join(folder).into()))).collect()
    }
}

impl Term {
    /// Starts gonogo with arguments in a terminal of (columns, rows), in a clean environment and an empty home; `env` is added.
    pub fn start(args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::start_in(&Home::new(), args, size, env)
    }

    /// Starts gonogo in a home that was prepared, or left by an earlier one.
    pub fn start_in(home: &Home, args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::run(home, env!("CARGO_BIN_EXE_gonogo"), args, size, env)
    }

    /// Starts any program in the same way.
    pub fn run(home: &Home, program: &str, args: &[&str], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        Self::run_with(home, (program, args), size, env, Manners::GOOD)
    }

    /// Starts gonogo in a terminal that answers in a way of its own.
    pub fn start_with(args: &[&str], size: (u16, u16), env: &[(&str, &str)], manners: Manners) -> Self {
        Self::run_with(&Home::new(), (env!("CARGO_BIN_EXE_gonogo"), args), size, env, manners)
    }

    fn run_with(home: &Home, (program, args): (&str, &[&str]), (cols, rows): (u16, u16), env: &[(&str, &str)], manners: Manners) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.cwd(home.path());
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        drop(pair.slave);
        let (reader, writer) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let (reader, writer) = match manners.line {
            Some(line) => (line.reader(reader), line.writer(writer)),
            None => (reader, writer),
        };
        let keys = Arc::new(Mutex::new(writer));
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        let glass = Arc::new((Mutex::new(Glass { parser, raw: Vec::new(), taken: 0, wrote: Instant::now(), over: false }), Condvar::new()));
        std::thread::spawn({
            let (glass, keys) = (Arc::clone(&glass), Arc::clone(&keys));
            move || read(reader, &glass, &keys, manners)
        });
        Self { glass, master: Mutex::new(pair.master), keys, child: Mutex::new(child), escaped: Mutex::new(None), home: home.clone() }
    }

    /// Presses keys, see [`keys::bytes`]. All go in one write; wait for what they should show before pressing more.
    ///
    /// They are pressed on what was seen: when the frame is whole, and the program counts keys. [`Term::send`] waits for nothing.
    pub fn press(&self, keys: &str) -> &Self {
        self.rest().send(&keys::bytes(keys))
    }

    /// Waits until the program writes nothing for a moment, and its keys count.
    fn rest(&self) -> &Self {
        self.falls_silent();
        if NOT_YET.iter().any(|words| self.screen().contains(words)) {
            self.until("for keys to count", SOON, |screen| !NOT_YET.iter().any(|words| screen.contains(words)));
        }
        self
    }

    /// Waits for a moment in which the program writes nothing; not for ever, where it never stops.
    fn falls_silent(&self) {
        let end = Instant::now() + PATIENCE;
        let mut glass = self.glass();
        loop {
            let now = Instant::now();
            let quiet = now.saturating_duration_since(glass.wrote);
            if quiet >= REST || now >= end || glass.over {
                return;
            }
            glass = self.glass.1.wait_timeout(glass, REST.saturating_sub(quiet)).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    /// Types text as it is, spaces included, when keys count.
    pub fn types(&self, text: &str) -> &Self {
        self.rest().send(text.as_bytes())
    }

    /// Pastes text, when keys count: in brackets when the program asked for that.
    pub fn paste(&self, text: &str) -> &Self {
        self.rest();
        let brackets = self.glass().parser.screen().bracketed_paste();
        self.send(if brackets { format!("\x1b[200~{text}\x1b[201~") } else { text.to_owned() }.as_bytes())
    }

    /// Sends bytes as they are.
    pub fn send(&self, bytes: &[u8]) -> &Self {
        // An Escape and a key that reach a program together are Alt and that key: no hand is so quick, so neither is this one.
        let mut escaped = self.escaped.lock().unwrap();
        if let Some(at) = escaped.take() {
            std::thread::sleep(APART.saturating_sub(at.elapsed()));
        }
        let mut keys = self.keys.lock().unwrap();
        keys.write_all(bytes)
            .and_then(|()| keys.flush())
            .unwrap_or_else(|error| panic!("nobody reads the keys: {error}\n{}", self.screen()));
        *escaped = bytes.ends_with(b"\x1b").then(Instant::now);
        self
    }

    /// Waits until a text stands on the screen, in one line.
    pub fn sees(&self, text: &str, within: Duration) -> &Self {
        self.until(&format!("to see `{text}`"), within, |screen| screen.contains(text))
    }

    /// Waits until a text no longer stands on the screen.
    pub fn sees_not(&self, text: &str, within: Duration) -> &Self {
        self.until(&format!("for `{text}` to go"), within, |screen| !screen.contains(text))
    }

    /// Waits until the screen is as wished; fails with the screen when it is not in time, or the program ended before.
    pub fn until(&self, what: &str, within: Duration, wished: impl Fn(&str) -> bool) -> &Self {
        self.wait(what, within, |glass| wished(&contents(glass)));
        self
    }

    /// Waits until the raw bytes are as wished.
    pub fn until_raw(&self, what: &str, within: Duration, wished: impl Fn(&[u8]) -> bool) -> &Self {
        self.wait(what, within, |glass| wished(&glass.raw));
        self
    }

    /// The screen as text, one line a row, spaces at the ends cut.
    pub fn screen(&self) -> String {
        contents(&self.glass())
    }

    /// One line of the screen, from 0.
    pub fn line(&self, row: u16) -> String {
        self.screen().lines().nth(usize::from(row)).unwrap_or_default().to_owned()
    }

    /// One cell, row and column from 0.
    pub fn cell(&self, row: u16, col: u16) -> Cell {
        let glass = self.glass();
        let cell = glass.parser.screen().cell(row, col).unwrap_or_else(|| panic!("no cell at {row}, {col}"));
        let colours = (cell.fgcolor(), cell.bgcolor());
        Cell { text: cell.contents().to_owned(), colours, bold: cell.bold(), underline: cell.underline(), inverse: cell.inverse() }
    }

    /// Where a text stands: row and column of its first character; the first place from the top.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        let glass = self.glass();
        let (rows, cols) = glass.parser.screen().size();
        let places = (0..rows.get()).flat_map(|row| (0..cols.get()).map(move |col| (row, col)));
        places.into_iter().find(|(row, col)| {
            let line = (*col..cols.get()).filter_map(|col| glass.parser.screen().cell(*row, col));
            let line: String =
                line.map(|cell| if cell.has_contents() { cell.contents() } else { " " }).take(text.chars().count()).collect();
            line == text
        })
    }

    /// Changes the size of the terminal, (columns, rows).
    pub fn resize(&self, (cols, rows): (u16, u16)) -> &Self {
        self.glass().parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.lock().unwrap().resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        self
    }

    /// Every byte that the program wrote so far.
    pub fn raw(&self) -> Vec<u8> {
        self.glass().raw.clone()
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().process_id().expect("it was started")
    }

    /// Waits for the end of the program and of its output; its exit code. Fails when a signal ended it.
    pub fn exit_code(&self, within: Duration) -> u32 {
        let status = self.ended(within);
        assert!(status.signal().is_none(), "it was ended by {:?}\n{}", status.signal(), self.screen());
        status.exit_code()
    }

    /// Waits for the end by whatever way.
    pub fn ended(&self, within: Duration) -> portable_pty::ExitStatus {
        self.wait("for its end", within, |glass| glass.over);
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it closed its terminal and runs on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) -> &Self {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{signal:?}: {error}"));
        self
    }

    /// SIGKILL: no program can tidy up after that.
    pub fn kill(&self) -> &Self {
        self.signal(Signal::KILL)
    }

    /// Fails unless the terminal was left as it was found: no alternate screen, cursor shown, no bracketed paste, no mouse, no style
    /// left on, and the line editing of the terminal itself on again. Call it after [`Term::exit_code`].
    pub fn gave_the_terminal_back(&self) {
        let glass = self.glass();
        let screen = glass.parser.screen();
        let style = (screen.fgcolor(), screen.bgcolor(), screen.bold(), screen.inverse());
        let left = [
            ("the alternate screen", screen.alternate_screen()),
            ("a hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("the mouse", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
            ("application cursor keys", screen.application_cursor()),
            ("a style", style != (vt100::Color::Default, vt100::Color::Default, false, false)),
            ("focus events", last(&glass.raw, b"\x1b[?1004h") > last(&glass.raw, b"\x1b[?1004l")),
            ("synchronised output", last(&glass.raw, b"\x1b[?2026h") > last(&glass.raw, b"\x1b[?2026l")),
            ("the kitty keyboard", count(&glass.raw, b"\x1b[>") > count(&glass.raw, b"\x1b[<")),
            ("raw mode", self.raw_mode()),
        ];
        let left: Vec<&str> = left.iter().filter(|(_, on)| *on).map(|(what, _)| *what).collect();
        assert!(left.is_empty(), "the terminal was not given back: {left:?} left on\n{}", contents(&glass));
    }

    fn raw_mode(&self) -> bool {
        let termios = self.master.lock().unwrap().get_termios().expect("the state of the terminal");
        !format!("{:?}", termios.local_flags).contains("ICANON")
    }

    fn glass(&self) -> MutexGuard<'_, Glass> {
        self.glass.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn wait(&self, what: &str, within: Duration, wished: impl Fn(&Glass) -> bool) {
        let end = Instant::now() + within;
        let mut glass = self.glass();
        while !wished(&glass) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited {within:?} {what}; the screen is\n{}", framed(&glass));
            assert!(!glass.over, "it ended while the test waited {what}; the screen is\n{}", framed(&glass));
            glass = self.glass.1.wait_timeout(glass, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !matches!(child.try_wait(), Ok(Some(_))) {
            if let Some(pid) = child.process_id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
            let _ = child.wait();
        }
    }
}

/// Reads until the end, keeps everything, and answers what a terminal is asked: as of where the question stands in the stream.
fn read(mut reader: Box<dyn std::io::Read + Send>, glass: &(Mutex<Glass>, Condvar), keys: &Arc<Mutex<Keys>>, manners: Manners) {
    let mut buffer = [0; 16 << 10];
    loop {
        let got = reader.read(&mut buffer).unwrap_or(0);
        let mut guard = glass.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = RAW.saturating_sub(guard.raw.len());
        let new = &buffer[..got.min(room)];
        guard.raw.extend_from_slice(new);
        if room < got {
            // Nobody will look at it any more.
            guard.parser.process(&buffer[..got]);
        }
        guard.over = got == 0;
        guard.wrote = Instant::now();
        let mut answers = Vec::new();
        while let Some((length, question)) = asked(&guard.raw[guard.taken..]) {
            let until = guard.taken + length;
            advance(&mut guard, until);
            answers.push(match question {
                Question::Well => None,
                Question::What => Some("\x1b[?62;c".to_owned()),
                Question::Cursor => {
                    let (row, column) = guard.parser.screen().cursor_position();
                    Some(format!("\x1b[{};{}R", row + 1, column + 1 + u16::from(manners.wide)))
                }
            });
        }
        // The beginning of a question may still be without its end.
        let until = guard.raw.len() - if got == 0 { 0 } else { begun(&guard.raw[guard.taken..]) };
        advance(&mut guard, until);
        drop(guard);
        glass.1.notify_all();
        if got == 0 {
            return;
        }
        for answer in answers {
            match (answer, manners.well) {
                (Some(answer), _) => say(keys, &answer),
                (None, None) => {}
                (None, Some(Duration::ZERO)) => say(keys, "\x1b[0n"),
                (None, Some(late)) => {
                    let keys = Arc::clone(keys);
                    std::thread::spawn(move || {
                        std::thread::sleep(late);
                        say(&keys, "\x1b[0n");
                    });
                }
            }
        }
    }
}

type Keys = Box<dyn std::io::Write + Send>;

fn say(keys: &Mutex<Keys>, answer: &str) {
    let _ = keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(answer.as_bytes());
}

/// What a program asks a terminal.
enum Question {
    Well,
    Cursor,
    What,
}

/// The first question in what was written, and where it ends.
fn asked(bytes: &[u8]) -> Option<(usize, Question)> {
    let found = |question: &[u8]| bytes.windows(question.len()).position(|window| window == question).map(|at| at + question.len());
    let all = [(found(b"\x1b[5n"), Question::Well), (found(b"\x1b[6n"), Question::Cursor), (found(b"\x1b[c"), Question::What)];
    all.into_iter().filter_map(|(at, question)| at.map(|at| (at, question))).min_by_key(|(at, _)| *at)
}

/// How many bytes at the end may be the beginning of a question.
fn begun(bytes: &[u8]) -> usize {
    (1..=3).rev().find(|length| bytes.ends_with(&b"\x1b[5"[..*length]) || bytes.ends_with(&b"\x1b[6"[..*length])).unwrap_or(0)
}

/// Lets the screen take what was written up to there.
fn advance(glass: &mut Glass, until: usize) {
    let Glass { parser, raw, taken, .. } = glass;
    parser.process(&raw[*taken..until]);
    *taken = until;
}

fn cells(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).expect("a terminal has at least one cell")
}

fn contents(glass: &Glass) -> String {
    let (_, cols) = glass.parser.screen().size();
    let rows = glass.parser.screen().rows(0, cols.get()).map(|row| row.trim_end().to_owned());
    rows.collect::<Vec<_>>().join("\n")
}

fn framed(glass: &Glass) -> String {
    let lines: Vec<String> = contents(glass).lines().map(|line| format!("| {line}")).collect();
    format!("{}\n({} bytes in all)", lines.join("\n").trim_end(), glass.raw.len())
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part).count()
}

fn last(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part)
}
