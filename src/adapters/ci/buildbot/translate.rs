//! From Buildbot's answers to runs, steps and queued runs: states by result number, seconds to dates, every text cleaned.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::wire;
use crate::model::name::BackendName;
use crate::model::pipeline::{LogPart, LogRef, QueuedRun, Run, RunId, RunState, RunStep};
use crate::model::text::Text;

/// The most properties that are kept of one run.
const MOST_PROPERTIES: usize = 100;
/// The longest value of a property, in characters.
const LONGEST_VALUE: usize = 400;
/// 2000-01-01, in seconds: no build is older.
const EARLIEST: i64 = 946_684_800;
/// 2100-01-01, in seconds: no build is newer.
const LATEST: i64 = 4_102_444_800;

/// A time that was told: there, not there, or refused with words.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    No,
    At(DateTime<Utc>),
    Refused(String),
}

impl Told {
    /// The date; a refusal is added to the words.
    fn date(self, what: &str, doubts: &mut Vec<String>) -> Option<DateTime<Utc>> {
        match self {
            Self::No => None,
            Self::At(at) => Some(at),
            Self::Refused(raw) => {
                doubts.push(format!("{what} at {raw}, which is no date"));
                None
            }
        }
    }
}

/// Epoch seconds, whole or not.
fn seconds(raw: &Value) -> Told {
    if raw.is_null() {
        return Told::No;
    }
    #[expect(clippy::cast_possible_truncation, reason = "float casts saturate, and the bounds refuse what saturated")]
    let whole = raw.as_i64().or_else(|| raw.as_f64().map(|float| float as i64));
    let date = whole.filter(|whole| (EARLIEST..LATEST).contains(whole)).and_then(|whole| DateTime::from_timestamp(whole, 0));
    date.map_or_else(|| Told::Refused(raw.to_string().chars().take(40).collect()), Told::At)
}

/// When something was asked for; none when no date was told.
pub fn asked(raw: &Value) -> Option<DateTime<Utc>> {
    seconds(raw).date("", &mut Vec::new())
}

/// Begin and end, with what is wrong with them.
fn span(started: &Value, ended: &Value, doubts: &mut Vec<String>) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let started = seconds(started).date("began", doubts);
    let ended = seconds(ended).date("ended", doubts);
    if let (Some(began), Some(end)) = (started, ended)
        && end < began
    {
        doubts.push(format!("ended at {}, before it began", end.format("%Y-%m-%dT%H:%M:%SZ")));
        return (started, None);
    }
    (started, ended)
}

/// The state by the number of the results; a number that is not known is [`RunState::Broken`], with words.
fn ended_state(results: &Value, doubts: &mut Vec<String>) -> RunState {
    match results.as_i64() {
        Some(0) => RunState::Passed,
        Some(1) => RunState::Warned,
        Some(2) => RunState::Failed,
        Some(3) => RunState::Skipped,
        Some(4) => RunState::Broken,
        Some(5) => RunState::Retrying,
        Some(6) => RunState::Cancelled,
        Some(_) | None => {
            let raw: String = results.to_string().chars().take(40).collect();
            doubts.push(format!("results {raw} is not known"));
            RunState::Broken
        }
    }
}

/// Whether it is over: by its word, or by its end when it gives none.
fn is_over(complete: Option<bool>, complete_at: &Value) -> bool {
    complete.unwrap_or(!complete_at.is_null())
}

/// The backend's words, then what is wrong with them.
fn words(said: Option<&str>, doubts: &[String]) -> Text {
    let said = said.unwrap_or_default();
    if doubts.is_empty() {
        return Text::clean_within(said, LONGEST_VALUE);
    }
    let said: String = said.chars().take(LONGEST_VALUE).collect();
    let doubts = doubts.join("; ");
    Text::clean(&if said.is_empty() { doubts } else { format!("{said} ({doubts})") })
}

/// The value of a property without its source; what is not text is shown as JSON.
fn property_text(raw: &Value) -> Text {
    let value = raw.as_array().and_then(|pair| pair.first()).unwrap_or(raw);
    match value.as_str() {
        Some(text) => Text::clean_within(text, LONGEST_VALUE),
        None if value.is_null() => Text::empty(),
        None => Text::clean_within(&value.to_string(), LONGEST_VALUE),
    }
}

/// Properties with clean names and values.
pub fn properties(raw: Option<&wire::Properties>) -> BTreeMap<String, Text> {
    let all = raw.into_iter().flatten().take(MOST_PROPERTIES);
    all.map(|(name, value)| (Text::clean_within(name, 128).as_str().to_owned(), property_text(value))).collect()
}

/// Where a run comes from: its request's set, when that was read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    pub request: Option<&'a wire::BuildRequest>,
    pub set: Option<&'a wire::BuildSet>,
}

impl Origin<'_> {
    fn asked(&self) -> Option<DateTime<Utc>> {
        self.set.and_then(|set| asked(&set.submitted_at)).or_else(|| self.request.and_then(|request| asked(&request.submitted_at)))
    }

    fn reason(&self, properties: &BTreeMap<String, Text>) -> Text {
        let told = self.set.and_then(|set| set.reason.as_deref()).map(|reason| Text::clean_within(reason, LONGEST_VALUE));
        told.or_else(|| properties.get("reason").cloned()).unwrap_or_else(Text::empty)
    }
}

/// A run without its steps.
pub fn run(backend: &BackendName, builder: &str, build: &wire::Build, origin: Origin<'_>) -> Run {
    let mut doubts = Vec::new();
    let (started, ended) = span(&build.started_at, &build.complete_at, &mut doubts);
    let over = is_over(build.complete, &build.complete_at);
    let state = if over { ended_state(&build.results, &mut doubts) } else { RunState::Running };
    let properties = properties(build.properties.as_ref());
    let named = |names: &[&str]| names.iter().find_map(|name| properties.get(*name).filter(|text| !text.is_empty())).cloned();
    let stamp = origin.set.and_then(|set| set.sourcestamps.as_ref()).and_then(|stamps| stamps.first());
    let stamped = |text: Option<&String>| text.map_or_else(Text::empty, |text| Text::clean_within(text, LONGEST_VALUE));
    let revision = named(&["got_revision", "revision"]).unwrap_or_else(|| stamped(stamp.and_then(|stamp| stamp.revision.as_ref())));
    let branch = named(&["branch"]).unwrap_or_else(|| stamped(stamp.and_then(|stamp| stamp.branch.as_ref())));
    Run {
        id: RunId { backend: backend.clone(), number: build.buildid },
        number: build.number.unwrap_or_default(),
        builder: Text::clean_within(builder, 128),
        state,
        words: words(build.state_string.as_deref(), &doubts),
        reason: origin.reason(&properties),
        revision,
        branch,
        by: named(&["owner"]).unwrap_or_else(|| owners(build.properties.as_ref())),
        asked_by: Vec::new(),
        asked: origin.asked(),
        started,
        ended: ended.filter(|_| over),
        properties,
        retry_of: origin.set.and_then(|set| set.rebuilt_buildid),
        attempt: None,
        gates: Vec::new(),
        steps: Vec::new(),
    }
}

/// The authors of the changes of a run that nobody asked for by hand.
fn owners(properties: Option<&wire::Properties>) -> Text {
    let list = properties.and_then(|all| all.get("owners")).and_then(|pair| pair.as_array()).and_then(|pair| pair.first());
    let names: Vec<&str> = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(3).collect();
    Text::clean_within(&names.join(", "), LONGEST_VALUE)
}

/// A step without its logs.
pub fn step(place: usize, step: &wire::Step) -> RunStep {
    let mut doubts = Vec::new();
    let (started, ended) = span(&step.started_at, &step.complete_at, &mut doubts);
    let over = is_over(step.complete, &step.complete_at);
    let state = match (over, started) {
        (true, _) => ended_state(&step.results, &mut doubts),
        (false, Some(_)) => RunState::Running,
        (false, None) => RunState::Queued,
    };
    RunStep {
        number: step.number.unwrap_or_else(|| u32::try_from(place).unwrap_or(u32::MAX)),
        name: Text::clean_within(step.name.as_deref().unwrap_or_default(), 128),
        state,
        words: words(step.state_string.as_deref(), &doubts),
        started,
        ended: ended.filter(|_| over),
        logs: Vec::new(),
    }
}

/// A reference to a log.
pub fn log_ref(log: &wire::Log) -> LogRef {
    LogRef {
        id: log.logid,
        name: Text::clean_within(log.name.as_deref().unwrap_or_default(), 128),
        lines: log.num_lines.unwrap_or_default(),
        complete: log.complete.unwrap_or_default(),
    }
}

/// A request that waits.
pub fn queued(builder: &str, request: &wire::BuildRequest, set: Option<&wire::BuildSet>) -> QueuedRun {
    let origin = Origin { request: Some(request), set };
    let properties = properties(request.properties.as_ref());
    QueuedRun {
        request: request.buildrequestid,
        builder: Text::clean_within(builder, 128),
        asked: origin.asked(),
        reason: origin.reason(&properties),
        properties,
    }
}

/// The lines of a part of a log. Lines of a `s` log lose the letter of their stream.
pub fn log_part(log: &wire::Log, first: u64, limit: usize, chunk: Option<&wire::LogChunk>) -> LogPart {
    let streams = log.kind.as_deref() == Some("s");
    let first = chunk.and_then(|chunk| chunk.firstline).unwrap_or(first);
    let content = chunk.map_or("", |chunk| chunk.content.as_str());
    let lines: Vec<Text> = content.split_terminator('\n').take(limit).map(|line| Text::clean(without_stream(line, streams))).collect();
    let seen = first.saturating_add(lines.len().try_into().unwrap_or(u64::MAX));
    let told = log.num_lines.unwrap_or_default();
    let total = if lines.is_empty() { told } else { told.max(seen) };
    LogPart { first, lines, total, complete: log.complete.unwrap_or_default() }
}

fn without_stream(line: &str, streams: bool) -> &str {
    if streams { line.strip_prefix(['o', 'e', 'h']).unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn ci() -> BackendName {
        BackendName::new("ci").unwrap()
    }

    fn run_of(build: Value) -> Run {
        run(&ci(), "checkout", &serde_json::from_value(build).unwrap(), Origin::default())
    }

    #[rstest]
    #[case(0, RunState::Passed)]
    #[case(1, RunState::Warned)]
    #[case(2, RunState::Failed)]
    #[case(3, RunState::Skipped)]
    #[case(4, RunState::Broken)]
    #[case(5, RunState::Retrying)]
    #[case(6, RunState::Cancelled)]
    fn results_are_states(#[case] results: i64, #[case] state: RunState) {
        let run = run_of(json!({"buildid": 7, "complete": true, "results": results, "state_string": "said"}));
        assert_eq!((run.state, run.words.as_str()), (state, "said"));
    }

    #[rstest]
    #[case(json!(7), "said (results 7 is not known)")]
    #[case(json!(-1), "said (results -1 is not known)")]
    #[case(json!("0"), "said (results \"0\" is not known)")]
    #[case(json!(null), "said (results null is not known)")]
    fn a_result_that_is_not_known_is_broken_with_words(#[case] results: Value, #[case] words: &str) {
        let run = run_of(json!({"buildid": 7, "complete": true, "results": results, "state_string": "said"}));
        assert_eq!((run.state, run.words.as_str()), (RunState::Broken, words));
    }

    #[test]
    fn a_build_with_nothing_but_its_identity_is_a_run() {
        let run = run_of(json!({"buildid": 7}));
        assert_eq!((run.id.to_string().as_str(), run.state, run.started, run.ended), ("ci/7", RunState::Running, None, None));
    }

    #[test]
    fn fields_of_another_type_are_as_if_missing() {
        let odd = json!({"buildid": 7, "number": "x", "complete": 1, "state_string": {}, "properties": [], "complete_at": 1_795_476_087});
        let run = run_of(odd);
        assert_eq!((run.number, run.properties.len()), (0, 0));
        assert!(run.state.is_over(), "its end says that it is over");
    }

    #[rstest]
    #[case(json!(-5), "began at -5, which is no date")]
    #[case(json!(0), "began at 0, which is no date")]
    #[case(json!(1e300), "began at 1e+300, which is no date")]
    #[case(json!(99_999_999_999_i64), "began at 99999999999, which is no date")]
    #[case(json!("yesterday"), "began at \"yesterday\", which is no date")]
    fn a_time_that_cannot_be_is_refused(#[case] at: Value, #[case] words: &str) {
        let run = run_of(json!({"buildid": 7, "complete": false, "started_at": at}));
        assert_eq!((run.started, run.words.as_str()), (None, words));
    }

    #[test]
    fn an_end_before_the_beginning_is_refused() {
        let run = run_of(json!({"buildid": 7, "complete": true, "results": 0, "started_at": 1_795_476_087, "complete_at": 1_795_476_000}));
        assert_eq!((run.state, run.ended), (RunState::Passed, None));
        assert_eq!(run.words.as_str(), "ended at 2026-11-23T23:20:00Z, before it began");
    }

    #[test]
    fn escape_sequences_become_something_to_read() {
        let run = run_of(json!({"buildid": 7, "state_string": "\u{1b}[2J", "properties": {"\u{1b}k": ["\u{202e}v", "x"]}}));
        assert_eq!(run.words.as_str(), "␛[2J");
        assert_eq!(run.properties.get("␛k").unwrap().as_str(), "<U+202E>v");
    }

    #[test]
    fn origin_gives_reason_source_and_repetition() {
        let set = serde_json::from_value(json!({"bsid": 3, "reason": "rebuild", "rebuilt_buildid": 2, "submitted_at": 1_795_476_087,
            "sourcestamps": [{"branch": "main", "revision": "abc"}]}));
        let set: wire::BuildSet = set.unwrap();
        let build =
            serde_json::from_value(json!({"buildid": 7, "properties": {"revision": ["", "Build"], "owners": [["ann", "bob"], "Build"]}}));
        let run = run(&ci(), "checkout", &build.unwrap(), Origin { request: None, set: Some(&set) });
        assert_eq!((run.reason.as_str(), run.branch.as_str(), run.revision.as_str()), ("rebuild", "main", "abc"));
        assert_eq!((run.retry_of, run.by.as_str()), (Some(2), "ann, bob"));
        assert!(run.asked.is_some());
    }

    #[test]
    fn lines_lose_the_letter_of_their_stream_only_where_there_is_one() {
        let log = |kind: &str| serde_json::from_value(json!({"logid": 1, "type": kind, "num_lines": 9, "complete": false})).unwrap();
        let chunk = wire::LogChunk { firstline: Some(4), content: "oout\neerr\nhhead\no\n".into() };
        let lines = |part: LogPart| part.lines.iter().map(|line| line.as_str().to_owned()).collect::<Vec<_>>();
        let part = log_part(&log("s"), 4, 100, Some(&chunk));
        assert_eq!((part.first, part.total, part.complete), (4, 9, false));
        assert_eq!(lines(part), ["out", "err", "head", ""]);
        assert_eq!(lines(log_part(&log("t"), 4, 2, Some(&chunk))), ["oout", "eerr"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_on_any_number(started in any::<f64>(), ended in any::<i64>(), results in any::<i64>()) {
            let run = run_of(json!({"buildid": 7, "complete": true, "started_at": started, "complete_at": ended, "results": results}));
            if let (Some(started), Some(ended)) = (run.started, run.ended) {
                prop_assert!(started <= ended);
            }
        }
    }
}
