//! Prometheus, and what answers like it: few queries for many questions, samples with their own times, rules with their health.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::future::join;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::kept::Kept;
use super::promql::Template;
use super::vector::{self, MOST_WARNINGS, TIME_LABEL};
use super::{history, links};
use crate::adapters::http::HttpClient;
use crate::model::capability::Capability;
use crate::model::error::{PortError, PortErrorKind};
use crate::model::link::{LinkAsk, LinkReading};
use crate::model::objective::{HistoryAsk, HistoryReading};
use crate::model::signal::{Answer, Ask, Form, RuleHealth, SignalReading};
use crate::model::text::Text;
use crate::ports::Pending;
use crate::ports::metrics::Metrics;

/// Queries under way at once; the server's own bound is 20 for everyone.
const AT_ONCE: usize = 4;
/// Questions folded into one query at most.
const FOLDED: usize = 64;
/// Rules kept at most.
const MOST_RULES: usize = 10_000;

/// A Prometheus behind the metrics port.
///
/// A value bears the time of its sample where the query is a plain selector of one metric. What a query computes bears the time of
/// its evaluation, since the samples' times are lost in it: such a value may rest on samples up to five minutes older.
pub struct Prometheus {
    http: HttpClient,
    kept: Mutex<Kept>,
}

/// Questions that one query answers.
struct Group {
    template: Template,
    form: Form,
    asks: Vec<usize>,
}

/// What one query brought, for each of its questions.
struct Got {
    answers: Vec<(usize, Answer)>,
    warnings: Vec<String>,
}

/// What a query answered, before it is told apart.
struct Reply {
    value: Arc<Value>,
    warnings: Vec<String>,
    date: Option<DateTime<Utc>>,
}

impl Reply {
    fn data(&self) -> &Value {
        self.value.get("data").unwrap_or(&Value::Null)
    }
}

impl Prometheus {
    /// Puts the port on a client.
    pub fn new(http: HttpClient) -> Self {
        Self { http, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_all(&self, asks: &[Ask]) -> Result<SignalReading, PortError> {
        self.kept().turn();
        // The first question tells whether the backend can be spoken to at all, its clock, and how many targets are up.
        let first = self.query("read scrape targets", "count_values(\"up\", up)").await?;
        let now = first.date.unwrap_or_else(|| self.http.clock().now().wall);
        let (targets_up, targets) = count_targets(first.data());
        let (unasked, groups) = group(asks, &self.http);
        let (mut answers, mut warnings) = (vec![None; asks.len()], first.warnings);
        put(&mut answers, unasked);
        let permits = Semaphore::new(AT_ONCE);
        let end = self.http.deadline().saturating_mul(2);
        let queries = async {
            let mut queries: FuturesUnordered<_> = groups.iter().map(|group| self.ask(group, asks, &permits, now, end)).collect();
            // Each answer goes to its place as it comes: of tens of thousands there is no second list.
            while let Some(got) = queries.next().await {
                put(&mut answers, got.answers);
                warnings.extend(got.warnings);
            }
        };
        let ((), rules) = join(queries, self.rules()).await;
        let rules = match rules {
            Ok(rules) => rules,
            // What only answers like Prometheus may have no rules.
            Err(error) if matches!(error.kind, PortErrorKind::NotFound | PortErrorKind::Unsupported) => Vec::new(),
            Err(error) => {
                warnings.push(error.to_string());
                Vec::new()
            }
        };
        #[expect(clippy::filter_map_identity, reason = "it stays in its place; flatten makes a second list of tens of thousands")]
        let answers = answers.into_iter().filter_map(|answer| answer).collect();
        let warnings: BTreeSet<Text> = warnings.iter().map(|warning| Text::clean_within(warning, 400)).collect();
        Ok(SignalReading {
            answers,
            warnings: warnings.into_iter().take(MOST_WARNINGS).collect(),
            rules,
            targets_up,
            targets,
            backend_clock: first.date,
        })
    }

    /// Asks one group, and when its query as a whole is refused, each of its questions alone.
    async fn ask(&self, group: &Group, asks: &[Ask], permits: &Semaphore, now: DateTime<Utc>, end: Duration) -> Got {
        let work = async {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            let got = self.ask_together(group, &group.asks, asks, now).await;
            let spoiled = |answer: &Answer| {
                answer.series.as_ref().is_err_and(|error| matches!(error.kind, PortErrorKind::Refused | PortErrorKind::Malformed))
            };
            if group.asks.len() < 2 || !got.answers.iter().all(|(_, answer)| spoiled(answer)) {
                return got;
            }
            let mut all = Got { answers: Vec::new(), warnings: Vec::new() };
            for ask in &group.asks {
                let one = self.ask_together(group, std::slice::from_ref(ask), asks, now).await;
                all.answers.extend(one.answers);
                all.warnings.extend(one.warnings);
            }
            all
        };
        if let Ok(got) = tokio::time::timeout(end, work).await {
            return got;
        }
        let error = self.http.fault(PortErrorKind::TimedOut, "read signals", "too many slow queries for one poll");
        failed(&group.asks, asks, &error, |ask| self.kept().query(alone(&group.template, ask)))
    }

    async fn ask_together(&self, group: &Group, which: &[usize], asks: &[Ask], now: DateTime<Utc>) -> Got {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in which.iter().filter_map(|at| asks.get(*at)).flat_map(|ask| ask.values.iter()) {
            values.entry(name).or_default().insert(value);
        }
        let refuse = |error: &PortError| failed(which, asks, error, |ask| self.kept().query(alone(&group.template, ask)));
        let sent = match query(&group.template, group.form, &values) {
            Ok(sent) => sent,
            Err((kind, why)) => return refuse(&self.http.fault(kind, "read signals", &why)),
        };
        let reply = match self.query("read signals", &sent).await {
            Ok(reply) => reply,
            Err(error) => return refuse(&error),
        };
        let malformed = |why: &str| self.http.fault(PortErrorKind::Malformed, "read signals", why);
        let now = now.max(reply.date.unwrap_or(now));
        let raw = vector::read(reply.data(), now);
        let warnings = reply.warnings;
        // The tree is many times as large as what was read from it, and the other queries are under way.
        drop(reply.value);
        let mut raw = match raw {
            Ok(raw) => raw,
            Err(why) => return refuse(&malformed(&why)),
        };
        if bears_times(&group.template, group.form) {
            raw = vector::with_times(raw, now);
        }
        let pairs = group.template.foldable();
        let asked =
            |raw: &vector::Raw| pairs.iter().all(|(label, name)| values.get(name).is_some_and(|all| all.contains(raw.label(label))));
        if !raw.iter().all(asked) {
            return refuse(&malformed("the answer holds series that were not asked for"));
        }
        let mut labels = vector::Labels::default();
        let mut kept = self.kept();
        let answers = which.iter().filter_map(|at| {
            let ask = asks.get(*at)?;
            let mine = |raw: &vector::Raw| pairs.iter().all(|(label, name)| Some(raw.label(label)) == value(ask, name));
            let (series, refused) = match vector::pick(&raw, mine, &mut labels, &mut kept) {
                Ok((series, refused)) => (Ok(series), refused),
                Err(why) => (Err(Arc::new(malformed(&why))), 0),
            };
            Some((*at, Answer { ask: ask.clone(), query: kept.query(alone(&group.template, ask)), series, refused }))
        });
        Got { answers: answers.collect(), warnings }
    }

    async fn query(&self, doing: &str, query: &str) -> Result<Reply, PortError> {
        let answer = self.http.post_form(doing, "/api/v1/query", &[("query", query)]).await?;
        let (_, warnings) = vector::data(&self.http, doing, &answer.value)?;
        Ok(Reply { value: answer.value, warnings, date: answer.date })
    }

    async fn rules(&self) -> Result<Vec<RuleHealth>, PortError> {
        let doing = "read alerting rules";
        let answer = self.http.get_json(doing, "/api/v1/rules", &[("type", "alert"), ("exclude_alerts", "true")]).await?;
        let (data, _) = vector::data(&self.http, doing, &answer.value)?;
        Ok(rules(data))
    }
}

impl Metrics for Prometheus {
    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::ReadSignals]
    }

    fn read<'a>(&'a self, asks: &'a [Ask]) -> Pending<'a, Result<SignalReading, PortError>> {
        Box::pin(self.read_all(asks))
    }

    fn history<'a>(&'a self, ask: &'a HistoryAsk) -> Pending<'a, Result<HistoryReading, PortError>> {
        Box::pin(history::read(&self.http, ask))
    }

    fn links<'a>(&'a self, ask: &'a LinkAsk) -> Pending<'a, Result<LinkReading, PortError>> {
        Box::pin(links::read(&self.http, ask))
    }
}

fn value<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    ask.values.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
}

/// Puts answers in the places of their questions.
fn put(places: &mut [Option<Answer>], answers: Vec<(usize, Answer)>) {
    for (at, answer) in answers {
        if let Some(place) = places.get_mut(at) {
            *place = Some(answer);
        }
    }
}

fn failed(which: &[usize], asks: &[Ask], error: &PortError, query: impl Fn(&Ask) -> Text) -> Got {
    let error = Arc::new(error.clone());
    let answer = |at: &usize| {
        let ask = asks.get(*at)?.clone();
        Some((*at, Answer { query: query(&ask), ask, series: Err(Arc::clone(&error)), refused: 0 }))
    };
    Got { answers: which.iter().filter_map(answer).collect(), warnings: Vec::new() }
}

/// What one question asks for, without the others and without the times of samples; empty where something in it stands for nothing.
fn alone(template: &Template, ask: &Ask) -> Text {
    let values = ask.values.iter().map(|(name, value)| (&**name, BTreeSet::from([&**value]))).collect();
    template.fill(&values).map_or_else(|_| Text::empty(), |filled| Text::clean(&ask.form.of(filled)))
}

/// Whether the samples' own times are asked for beside the values.
fn bears_times(template: &Template, form: Form) -> bool {
    form == Form::Instant && template.is_named()
}

/// The query as it is sent.
fn query(template: &Template, form: Form, values: &BTreeMap<&str, BTreeSet<&str>>) -> Result<String, (PortErrorKind, String)> {
    let filled = template.fill(values).map_err(|why| (PortErrorKind::Refused, why))?;
    match form {
        Form::Counters { .. } if template.is_selector() => Ok(form.of(filled)),
        Form::Counters { .. } => {
            let why = "counters are read as they are, so the query must be a plain selector such as requests_total{service=\"$service\"}, \
                       without a function, an operator or an offset";
            Err((PortErrorKind::Unsupported, why.to_owned()))
        }
        // One query, one evaluation: values and the times of their samples belong together, and what went stale is in neither.
        Form::Instant if bears_times(template, form) => {
            Ok(format!("{filled} or label_replace(timestamp({filled}), \"{TIME_LABEL}\", \"time\", \"\", \"\")"))
        }
        Form::Instant => Ok(filled),
    }
}

/// Puts questions together that one query can answer; what cannot be asked at all is answered at once.
fn group(asks: &[Ask], http: &HttpClient) -> (Vec<(usize, Answer)>, Vec<Group>) {
    type Key<'a> = (&'a str, Option<u32>, Vec<Option<&'a str>>);
    let mut templates: BTreeMap<&str, Result<Template, String>> = BTreeMap::new();
    let mut groups: BTreeMap<Key<'_>, Vec<Group>> = BTreeMap::new();
    let mut answers = Vec::new();
    for (at, ask) in asks.iter().enumerate() {
        let template = match templates.entry(&ask.template).or_insert_with(|| Template::parse(&ask.template)) {
            Ok(template) => template,
            Err(why) => {
                let error = http.fault(PortErrorKind::Refused, "read signals", why);
                answers.extend(failed(&[at], asks, &error, |ask| Text::clean(&ask.template)).answers);
                continue;
            }
        };
        let foldable: BTreeSet<&str> = template.foldable().into_iter().map(|(_, name)| name).collect();
        let missing = template.placeholders().into_iter().find(|name| value(ask, name).is_none());
        if let Some(name) = missing {
            let error = http.fault(PortErrorKind::Refused, "read signals", &format!("nothing stands for `${name}`"));
            answers.extend(failed(&[at], asks, &error, |ask| Text::clean(&ask.template)).answers);
            continue;
        }
        let window = match ask.form {
            Form::Counters { window_s } => Some(window_s),
            Form::Instant => None,
        };
        let placeholders = template.placeholders();
        let fixed = placeholders.iter().filter(|name| !foldable.contains(*name)).map(|name| value(ask, name)).collect();
        let key = (&*ask.template, window, fixed);
        let same = groups.entry(key).or_default();
        match same.last_mut() {
            Some(group) if group.asks.len() < FOLDED => group.asks.push(at),
            _ => same.push(Group { template: template.clone(), form: ask.form, asks: vec![at] }),
        }
    }
    (answers, groups.into_values().flatten().collect())
}

/// Targets that are up, and all, from `count_values("up", up)`.
fn count_targets(data: &Value) -> (u32, u32) {
    let rows = data.get("result").and_then(Value::as_array).into_iter().flatten();
    rows.fold((0_u32, 0_u32), |(up, all), row| {
        let count = row.pointer("/value/1").and_then(Value::as_str).and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
        let is_up = row.pointer("/metric/up").and_then(Value::as_str) == Some("1");
        (up.saturating_add(if is_up { count } else { 0 }), all.saturating_add(count))
    })
}

fn rules(data: &Value) -> Vec<RuleHealth> {
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let rules = list(data, "groups").into_iter().flat_map(|group| list(&group, "rules"));
    let alerting = rules.filter(|rule| rule.get("type").and_then(Value::as_str) == Some("alerting"));
    let health = |rule: Value| {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
        RuleHealth {
            name: Text::clean_within(text("name"), 200),
            healthy: text("health") == "ok",
            error: Text::clean_within(text("lastError"), 400),
            evaluated: moment(text("lastEvaluation")),
        }
    };
    alerting.take(MOST_RULES).map(health).collect()
}

/// An RFC 3339 time of this era; the year 1 is how Go says never.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (0..253_402_300_800).contains(&at.timestamp()).then_some(at)
}
