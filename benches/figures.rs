//! What is measured of a program, and the table of it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::Outcome;
use crate::ssh::Server;
use crate::terminal::{Program, Running, SILENCE};

/// How much is measured.
pub(crate) struct Wanted {
    /// Starts.
    pub(crate) runs: usize,
    /// Seconds at rest.
    pub(crate) rest: usize,
    /// Keys.
    pub(crate) presses: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { runs: 10, rest: 10, presses: 300 }
    }
}

/// Silence after which a key was answered.
const ANSWERED: Duration = Duration::from_millis(15);
/// What a program may do after its start before it counts as at rest.
const SETTLING: Duration = Duration::from_secs(5);
/// More rows than a list of 40 lines shows.
const IN_SIGHT: usize = 40;
/// Rows that are scrolled: with those in sight fewer than the list of 100 services has.
const SCROLLED: usize = 40;
/// Keys in one write.
const QUEUED: usize = 50;

/// The rows of the table: a name and its unit.
const ROWS: [(&str, &str); 26] = [
    ("first byte after exec", "ms"),
    ("first frame (5 ms silence)", "ms"),
    ("first frame (5 ms silence),", "B"),
    ("all that opens (100 ms silence)", "ms"),
    ("all that opens (100 ms silence),", "B"),
    ("key to first byte, p50", "ms"),
    ("key to first byte, p99", "ms"),
    ("one cursor move, median", "B"),
    ("one cursor move, most", "B"),
    ("write calls a move, wake-ups included", ""),
    ("processor a move", "ms"),
    ("one scrolled row, median", "B"),
    ("50 keys in one write", "B"),
    ("50 keys in one write, whole", "ms"),
    ("at rest, bytes a second", "B/s"),
    ("at rest, processor a second", "ms/s"),
    ("at rest, wake-ups a second", "1/s"),
    ("at rest, write calls a second", "1/s"),
    ("memory 5 s after exec", "MiB"),
    ("memory at rest", "MiB"),
    ("memory after the keys", "MiB"),
    ("over ssh: key to first byte, p50", "ms"),
    ("over ssh: key to first byte, p99", "ms"),
    ("over ssh: one cursor move, both ways, mean", "B"),
    ("over ssh: one scrolled row, both ways, mean", "B"),
    ("over ssh: at rest, both ways, a second", "B/s"),
];

/// Between two keys over ssh: what acknowledges the one is under way no more when the other is pressed.
const APART: Duration = Duration::from_millis(150);

/// Everything measured of one program: one list of values a row.
#[derive(Default)]
pub(crate) struct Figures {
    values: [Vec<f64>; ROWS.len()],
}

impl Figures {
    fn add(&mut self, row: &str, value: f64) {
        let place = ROWS.iter().position(|(name, _)| *name == row);
        if let Some(values) = place.and_then(|place| self.values.get_mut(place)) {
            values.push(value);
        }
    }

    fn median(&self, row: &str) -> f64 {
        let place = ROWS.iter().position(|(name, _)| *name == row);
        place.and_then(|place| self.values.get(place)).map_or(f64::NAN, |values| quantile(values, 50))
    }

    /// Starts a program once.
    pub(crate) fn start(&mut self, program: &Program) -> Outcome<()> {
        let opening = program.start()?.opening()?;
        self.add("first byte after exec", milliseconds(opening.first));
        self.add("first frame (5 ms silence)", milliseconds(opening.layout.0));
        self.add("first frame (5 ms silence),", count(opening.layout.1));
        self.add("all that opens (100 ms silence)", milliseconds(opening.last));
        self.add("all that opens (100 ms silence),", count(opening.bytes));
        Ok(())
    }

    /// Watches a program at rest, then presses keys one by one, then many at once.
    pub(crate) fn rest_and_press(&mut self, program: &Program, wanted: &Wanted) -> Outcome<()> {
        let mut running = program.start()?;
        running.opening()?;
        running.listen(SETTLING.saturating_sub(running.age()))?;
        self.add("memory 5 s after exec", running.memory()?);
        self.rest(&mut running, wanted.rest)?;
        self.press(&mut running, wanted.presses)?;
        self.scroll(&mut running)?;
        for turn in 0..9 {
            let (down, up) = running.moves();
            let keys = if turn % 2 == 0 { down } else { up }.repeat(QUEUED);
            // A program in which they change nothing is not asked again.
            let Some(burst) = running.press(&keys, Duration::from_millis(60))? else { break };
            self.add("50 keys in one write", count(burst.bytes));
            self.add("50 keys in one write, whole", milliseconds(burst.last));
        }
        self.add("memory after the keys", running.memory()?);
        Ok(())
    }

    /// Watches a program at rest and presses keys one by one, over ssh. Bytes are those of IP.
    pub(crate) fn over_ssh(&mut self, program: &Program, server: &Server, wanted: &Wanted) -> Outcome<()> {
        let mut running = server.program(program).start()?;
        running.opening()?;
        running.listen(SETTLING.saturating_sub(running.age()))?;
        let before = server.carried()?;
        running.listen(Duration::from_secs(u64::try_from(wanted.rest)?))?;
        self.add("over ssh: at rest, both ways, a second", bytes_since(before, server)? / count(wanted.rest));
        let (down, up) = running.moves();
        let one = |running: &mut Running, key: &[u8]| {
            let begun = running.age();
            let burst = running.press(key, ANSWERED)?;
            running.listen((begun + APART).saturating_sub(running.age()))?;
            Ok::<_, Box<dyn std::error::Error>>(burst)
        };
        one(&mut running, &down)?;
        let (mut firsts, before) = (Vec::new(), server.carried()?);
        for press in 0..wanted.presses {
            let Some(burst) = one(&mut running, if press % 2 == 0 { &down } else { &up })? else { return Ok(()) };
            firsts.push(milliseconds(burst.first));
        }
        self.add("over ssh: one cursor move, both ways, mean", bytes_since(before, server)? / count(firsts.len()));
        self.add("over ssh: key to first byte, p50", quantile(&firsts, 50));
        self.add("over ssh: key to first byte, p99", quantile(&firsts, 99));
        running.press(&down.repeat(IN_SIGHT), SILENCE)?;
        let before = server.carried()?;
        for _ in 0..SCROLLED {
            if one(&mut running, &down)?.is_none() {
                return Ok(());
            }
        }
        self.add("over ssh: one scrolled row, both ways, mean", bytes_since(before, server)? / count(SCROLLED));
        Ok(())
    }

    fn rest(&mut self, running: &mut Running, seconds: usize) -> Outcome<()> {
        let per_second = 1.0 / count(seconds);
        let (processor, wakes, writes) = (running.processor()?, running.wakes()?, running.writes()?);
        let bytes = running.listen(Duration::from_secs(u64::try_from(seconds)?))?;
        self.add("at rest, bytes a second", count(bytes) * per_second);
        self.add("at rest, processor a second", (running.processor()? - processor) * per_second);
        self.add("at rest, wake-ups a second", (running.wakes()? - wakes) * per_second);
        self.add("at rest, write calls a second", (running.writes()? - writes) * per_second);
        self.add("memory at rest", running.memory()?);
        Ok(())
    }

    /// Walks past the last row in sight, then row by row: each key moves the whole list by one.
    fn scroll(&mut self, running: &mut Running) -> Outcome<()> {
        let (down, _) = running.moves();
        running.press(&down.repeat(IN_SIGHT), SILENCE)?;
        let mut bytes = Vec::new();
        for _ in 0..SCROLLED {
            let Some(burst) = running.press(&down, ANSWERED)? else { break };
            bytes.push(count(burst.bytes));
        }
        if !bytes.is_empty() {
            self.add("one scrolled row, median", quantile(&bytes, 50));
        }
        Ok(())
    }

    fn press(&mut self, running: &mut Running, presses: usize) -> Outcome<()> {
        let (mut firsts, mut bytes) = (Vec::new(), Vec::new());
        // The first key makes the list the operator's own, which is drawn once.
        let (down, up) = running.moves();
        running.press(&down, ANSWERED)?;
        let (processor, writes) = (running.processor()?, running.writes()?);
        for press in 0..presses {
            let key = if press % 2 == 0 { &down } else { &up };
            let Some(burst) = running.press(key, ANSWERED)? else { break };
            firsts.push(milliseconds(burst.first));
            bytes.push(count(burst.bytes));
        }
        if firsts.is_empty() {
            return Ok(());
        }
        self.add("processor a move", (running.processor()? - processor) / count(firsts.len()));
        self.add("write calls a move, wake-ups included", (running.writes()? - writes) / count(firsts.len()));
        self.add("key to first byte, p50", quantile(&firsts, 50));
        self.add("key to first byte, p99", quantile(&firsts, 99));
        self.add("one cursor move, median", quantile(&bytes, 50));
        self.add("one cursor move, most", quantile(&bytes, 100));
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a benchmark stay far below 2^52")]
fn bytes_since(before: u64, server: &Server) -> Outcome<f64> {
    Ok(server.carried()?.saturating_sub(before) as f64)
}

/// The table: one row a figure that was measured, one column a program, the first program being the floor.
pub(crate) fn table(all: &[(&str, Figures)]) -> String {
    let mut text = format!("{:<44}", "");
    for (name, _) in all {
        let _ = write!(text, "{name:>28}");
    }
    text.push('\n');
    for (place, (name, unit)) in ROWS.iter().enumerate() {
        let medians: Vec<f64> =
            all.iter().map(|(_, figures)| figures.values.get(place).map_or(f64::NAN, |values| quantile(values, 50))).collect();
        if medians.iter().all(|median| median.is_nan()) {
            continue;
        }
        let _ = write!(text, "{:<44}", format!("{name} {unit}"));
        let floor = medians.first().copied().unwrap_or(f64::NAN);
        for (column, median) in medians.iter().enumerate() {
            let ratio =
                if column == 0 || floor <= 0.0 || floor.is_nan() { "      ".to_owned() } else { format!("{:>5.2}x", median / floor) };
            let _ = write!(text, "{:>21} {ratio}", shown(*median));
        }
        text.push('\n');
    }
    text
}

/// What a figure of a column must not pass.
pub(crate) struct Limit {
    /// The row.
    pub(crate) row: &'static str,
    /// The most, in the row's unit.
    pub(crate) most: f64,
    /// The most as a multiple of the floor of this run, for what depends on the machine.
    pub(crate) ratio: Option<f64>,
}

/// Compares a column with its limits: one line a limit.
pub(crate) fn judged(name: &str, figures: &Figures, floor: &Figures, limits: &[Limit]) -> String {
    let mut text = String::new();
    for limit in limits {
        let (found, of_floor) = (figures.median(limit.row), floor.median(limit.row));
        let within = found <= limit.most || limit.ratio.is_some_and(|ratio| found <= of_floor * ratio);
        let word = if found.is_nan() {
            "-"
        } else if within {
            "within"
        } else {
            "PAST"
        };
        let ratio = limit.ratio.map(|ratio| format!(" or {ratio} x floor")).unwrap_or_default();
        let _ = writeln!(text, "{name:<28}{:<44}{:>10}  {word:<7} limit {}{ratio}", limit.row, shown(found), shown(limit.most));
    }
    text
}

fn shown(value: f64) -> String {
    if value.is_nan() {
        "-".to_owned()
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// The value below which so many per cent of all lie.
fn quantile(values: &[f64], per_cent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() * per_cent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark stay far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
