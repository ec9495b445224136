//! The shape of the configuration: for each table the keys that its check knows, and what each of them takes; from it the JSON Schema is made.
// long because: it lists every key of the configuration.

use serde_json::{Map, Value, json};

use super::super::settings::LogLevel;
use super::{
    backend, desk, discovery, environment, flags, gates, handoff, health, judge, known, oscal, person, probe, rollout, room, self_service,
    service, set, slo, slo_files, times, timetable, traffic, webhook, workload,
};
use crate::model::catalog::BackendKind;
use crate::model::gate::CheckKind;
use crate::model::link::Telemetry;
use crate::model::strategy::{Strategy, Trigger};
use crate::model::together::OnFailure;
use crate::model::workload::WorkloadKind;

/// What a key takes.
enum Shape {
    Text,
    Name,
    Flag,
    Count(u64, u64),
    Number,
    Duration,
    Texts,
    Word(Vec<&'static str>),
    Words(Vec<&'static str>),
    /// A table of its own.
    Table(Sheet),
    /// A list of tables.
    Tables(Sheet),
    /// A table with keys of the user's choice.
    Map(Box<Shape>),
    List(Box<Shape>),
    Either(Vec<Shape>),
}

/// A table: the keys that its check knows, what they take, and which must be there.
struct Sheet {
    keys: Vec<&'static str>,
    shapes: Vec<(&'static str, Shape)>,
    required: &'static [&'static str],
    /// What else a schema can say of the whole table.
    rules: Vec<Value>,
}

impl Sheet {
    /// With keys that must be there where another one has a value.
    fn needing(mut self, key: &str, cases: &[(&[&str], &[&str])]) -> Self {
        for (words, needed) in cases {
            self.rules.push(json!({
                "if": { "properties": { key: { "enum": words } }, "required": [key] },
                "then": { "required": needed },
            }));
        }
        self
    }

    /// With keys of which none comes without the other.
    fn paired(mut self, pairs: &[(&str, &str)]) -> Self {
        self.rules.extend(pairs.iter().map(|(one, other)| json!({ "dependentRequired": { *one: [other], *other: [one] } })));
        self
    }

    /// With keys of which one must be there where another one is, or where it has this value.
    fn choosing(mut self, (key, word): (&str, Option<&str>), keys: &[&str]) -> Self {
        let asked = match word {
            Some(word) => json!({ "properties": { key: { "enum": [word] } }, "required": [key] }),
            None => json!({ "required": [key] }),
        };
        let any: Vec<_> = keys.iter().map(|key| json!({ "required": [key] })).collect();
        self.rules.push(json!({ "if": asked, "then": { "anyOf": any } }));
        self
    }

    /// With keys of which one must be there.
    fn any(mut self, keys: &[&str]) -> Self {
        self.rules.push(json!({ "anyOf": keys.iter().map(|key| json!({ "required": [key] })).collect::<Vec<_>>() }));
        self
    }
}

use Shape::{Count, Duration, Either, Flag, List, Name, Number, Table, Tables, Text, Texts, Word, Words};

fn sheet(keys: &[&'static str], required: &'static [&'static str], shapes: Vec<(&'static str, Shape)>) -> Sheet {
    Sheet { keys: keys.to_vec(), shapes, required, rules: Vec::new() }
}

fn map(of: Shape) -> Shape {
    Shape::Map(Box::new(of))
}

fn list(of: Shape) -> Shape {
    List(Box::new(of))
}

/// A JSON Schema (draft 2020-12) of a configuration file.
pub(in super::super) fn schema() -> Value {
    let mut object = of_sheet(&root());
    if let Some(object) = object.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("gonogo.toml"));
        object.insert(
            "description".to_owned(),
            json!(
                "What the release control room looks at, and who may do what. `gonogo config check` knows more rules than a schema can say."
            ),
        );
    }
    object
}

fn of_sheet(sheet: &Sheet) -> Value {
    let properties: Map<String, Value> = sheet
        .keys
        .iter()
        .map(|key| {
            let shape = sheet.shapes.iter().find(|(name, _)| name == key);
            ((*key).to_owned(), shape.map_or_else(|| json!(true), |(_, shape)| of_shape(shape)))
        })
        .collect();
    let mut object = json!({ "type": "object", "properties": properties, "required": sheet.required, "additionalProperties": false });
    if let (Some(object), false) = (object.as_object_mut(), sheet.rules.is_empty()) {
        object.insert("allOf".to_owned(), json!(sheet.rules));
    }
    object
}

fn of_shape(shape: &Shape) -> Value {
    match shape {
        Text => json!({ "type": "string", "pattern": "\\S" }),
        Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$" }),
        Flag => json!({ "type": "boolean" }),
        Count(least, most) if *most == u64::MAX => json!({ "type": "integer", "minimum": least }),
        Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Number => json!({ "type": "number" }),
        Duration => {
            json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "description": "such as \"250ms\", \"5s\", \"1h30m\", \"14d\"" })
        }
        Texts => json!({ "type": "array", "items": of_shape(&Text) }),
        Word(words) => json!({ "enum": words }),
        Words(words) => json!({ "type": "array", "items": { "enum": words } }),
        Table(sheet) => of_sheet(sheet),
        Tables(sheet) => json!({ "type": "array", "items": of_sheet(sheet) }),
        Shape::Map(of) => json!({ "type": "object", "additionalProperties": of_shape(of) }),
        List(of) => json!({ "type": "array", "items": of_shape(of) }),
        Either(shapes) => json!({ "anyOf": shapes.iter().map(of_shape).collect::<Vec<_>>() }),
    }
}

fn root() -> Sheet {
    let entry = || {
        sheet(
            slo_files::FILE,
            &["file"],
            vec![("file", Text), ("service", Name), ("environment", Name), ("backend", Name), ("window", Text)],
        )
    };
    sheet(
        super::ROOT,
        &[],
        vec![
            (
                "room",
                Table(sheet(
                    room::ROOM,
                    &[],
                    vec![
                        ("name", Text),
                        ("timezone", Text),
                        ("theme", Text),
                        ("keymap", Text),
                        ("bell", Flag),
                        ("notify", Flag),
                        ("title", Flag),
                        ("mouse", Flag),
                        ("read_only", Flag),
                    ],
                )),
            ),
            (
                "store",
                Table(sheet(
                    room::STORE,
                    &[],
                    vec![("path", Text), ("journal_days", Count(1, 36_500)), ("journal_bytes", Count(1_000_000, u64::MAX))],
                )),
            ),
            ("metrics", Table(sheet(health::METRICS, &["file"], vec![("file", Text), ("every", Duration)]))),
            (
                "log",
                Table(sheet(
                    health::LOG,
                    &[],
                    vec![
                        ("file", Text),
                        ("level", Word(LogLevel::WORDS.map(|(word, _)| word).to_vec())),
                        ("bytes", Count(health::BYTES.0, health::BYTES.1)),
                        ("keep", Count(0, health::KEEP)),
                    ],
                )),
            ),
            ("ledger", Table(sheet(room::LEDGER, &[], vec![("witness", Texts), ("break_glass", Text)]))),
            ("person", Tables(person())),
            ("backend", list(Either(vec![Table(backend()), Table(desk())]))),
            ("webhook", Tables(webhook())),
            ("environment", Tables(environment())),
            ("service", Tables(service())),
            ("window", Tables(timed(&[], vec![]))),
            (
                "freeze",
                Tables(timed(
                    &["reason"],
                    vec![
                        ("reason", Text),
                        ("way_back", Word(vec!["exempt", "frozen"])),
                        ("running", Word(vec!["finish", "hold"])),
                        ("unreadable", Word(vec!["stop", "warn"])),
                    ],
                )),
            ),
            (
                "exception",
                Tables(
                    sheet(
                        timetable::EXCEPTION,
                        &["freeze", "by", "reason"],
                        vec![("freeze", Text), ("plan", Text), ("target", Text), ("date", Text), ("by", Text), ("reason", Text)],
                    )
                    .paired(&[("target", "date")])
                    .any(&["plan", "target"]),
                ),
            ),
            (
                "train",
                Tables(sheet(
                    timetable::TRAIN,
                    &["name", "environment", "services", "window"],
                    vec![
                        ("name", Name),
                        ("environment", Name),
                        ("services", Texts),
                        ("window", Text),
                        ("departs", Text),
                        ("cut_off", Duration),
                    ],
                )),
            ),
            ("judge", Table(judge_rules())),
            (
                "oscal",
                Table(sheet(
                    oscal::OSCAL,
                    &[],
                    vec![
                        ("import_ap", Text),
                        ("controls", Table(sheet(oscal::CONTROLS, &[], oscal::CONTROLS.iter().map(|key| (*key, Texts)).collect()))),
                    ],
                )),
            ),
            ("slo", Tables(objective())),
            (
                "set",
                Tables(sheet(
                    set::SET,
                    &["name", "targets"],
                    vec![("name", Name), ("targets", Texts), ("on_failure", Word(OnFailure::ALL.map(OnFailure::word).to_vec()))],
                )),
            ),
            ("link", Tables(sheet(handoff::KEYS, &["name", "url"], vec![("name", Text), ("url", Text)]))),
            ("discovery", Tables(discovery())),
            ("slo_files", list(Either(vec![Text, Table(entry())]))),
        ],
    )
}

/// A secret by reference, never itself.
fn secret() -> Shape {
    Table(sheet(backend::SECRET, &[], vec![("env", Text), ("file", Text), ("command", Texts)]).any(backend::SECRET))
}

fn person() -> Sheet {
    let role = sheet(person::ROLE, &["role"], vec![("role", Name), ("environments", Texts), ("services", Texts)]);
    let lists = ["keys", "emails", "bots", "teams"].map(|key| (key, Texts));
    let mut shapes = vec![("name", Name), ("os_user", Text), ("logins", map(Text)), ("roles", Tables(role))];
    shapes.extend(lists);
    sheet(person::KEYS, &["name"], shapes)
}

fn backend() -> Sheet {
    let mut shapes = vec![
        ("name", Name),
        ("kind", Word(BackendKind::ALL.into_iter().map(BackendKind::word).collect())),
        ("token", secret()),
        ("password", secret()),
        ("insecure", Flag),
        ("in_cluster", Flag),
    ];
    shapes.extend(["url", "socket", "file", "user", "ca_file", "kubeconfig", "context", "namespace"].map(|key| (key, Text)));
    shapes.extend(["every", "stale_after", "lookup_within", "deadline"].map(|key| (key, Duration)));
    sheet(backend::KEYS, &["name", "kind"], shapes).choosing(("password", None), &["user"]).needing(
        "kind",
        &[
            (&["haproxy"], &["socket"]),
            (&["prometheus", "alertmanager", "envoy", "caddy", "buildbot", "unleash"], &["url"]),
            (&["traefik", "flagd"], &["url", "file"]),
        ],
    )
}

fn desk() -> Sheet {
    sheet(
        desk::KEYS,
        &["name", "kind", "url"],
        vec![
            ("name", Name),
            ("kind", Word(vec![known::DESK])),
            ("url", Text),
            ("token", secret()),
            ("user", Text),
            ("password", secret()),
            ("ca_file", Text),
            ("deadline", Duration),
            ("environments", Texts),
            ("opens", Word(vec!["planned", "waiting", "begun"])),
            ("fields", map(Text)),
            ("standard_template", Text),
        ],
    )
    .paired(&[("user", "password")])
    .any(&["token", "password"])
}

fn webhook() -> Sheet {
    sheet(
        webhook::KEYS,
        &["name", "url"],
        vec![
            ("name", Name),
            ("url", Either(vec![Text, secret()])),
            ("events", Texts),
            ("environments", Texts),
            ("format", Word(webhook::FORMATS.to_vec())),
            ("member", Text),
            ("secret", secret()),
            ("token", secret()),
            ("ca_file", Text),
            ("insecure", Flag),
            ("deadline", Duration),
        ],
    )
}

fn environment() -> Sheet {
    let roles = || list(Name);
    let group = sheet(gates::GROUP, &[], vec![("roles", roles()), ("teams", Texts), ("approvals", Count(0, 100))]).any(&["roles", "teams"]);
    let protection = sheet(
        environment::PROTECTION,
        &[],
        vec![
            ("approvals", Count(0, 100)),
            ("approver_roles", roles()),
            ("actor_roles", roles()),
            ("typed_confirmation", Flag),
            ("way_back_approvals", Count(0, 100)),
            ("also", Tables(group)),
            ("approvals_expire", Duration),
            ("break_glass", Table(sheet(environment::BREAK_GLASS, &[], vec![("review_within", Duration)]))),
            ("break_glass_roles", roles()),
        ],
    );
    let standard = sheet(
        gates::STANDARD,
        &["verbs"],
        vec![("verbs", Texts), ("max_percent", Count(0, 100)), ("way_back_proven_within", Duration), ("approvals", Count(0, 100))],
    );
    let emergency = sheet(
        gates::EMERGENCY,
        &[],
        vec![("severities", Texts), ("approvals", Count(0, 100)), ("approver_roles", roles()), ("review_within", Duration)],
    );
    let authors = sheet(gates::AUTHORS, &[], vec![("unmapped", Word(vec!["refuse", "warn"])), ("outsiders", Texts)]);
    let checks: Vec<&'static str> = CheckKind::ALL.map(CheckKind::word).to_vec();
    let check = sheet(&checks, &[], checks.iter().map(|check| (*check, Word(vec!["require", "warn"]))).collect());
    let taken = sheet(
        self_service::KEYS,
        &["role", "at_most"],
        vec![
            ("role", Name),
            ("teams", Texts),
            ("services", Texts),
            ("at_most", Duration),
            ("pause", Duration),
            ("approvals", Count(0, 100)),
        ],
    );
    let mut sheet = sheet(
        environment::KEYS,
        &["name"],
        vec![
            ("name", Name),
            ("order", Count(0, u64::from(u32::MAX))),
            ("hold_time", Duration),
            ("effective_within", Duration),
            ("min_requests", Count(0, u64::MAX)),
            ("assurance", Word(vec!["T0", "T1", "T2"])),
            ("protection", Table(protection)),
            ("booking", Duration),
            ("conflicts", Word(vec!["warn", "refuse"])),
            ("check", Table(check)),
            ("soak_time", Duration),
            ("way_back_proven_within", Duration),
            ("standard", Table(standard)),
            ("emergency", Table(emergency)),
            ("authors", Table(authors)),
            ("require_ticket", Flag),
            ("self_service", Tables(taken)),
        ],
    );
    for (kind, key) in [("soak", "soak_time"), ("way_back", "way_back_proven_within")] {
        let asked = json!({ "properties": { "check": { "required": [kind] } }, "required": ["check"] });
        sheet.rules.push(json!({ "if": asked, "then": { "required": [key] } }));
    }
    sheet
}

fn service() -> Sheet {
    let repository = sheet(service::REPOSITORY, &["name"], vec![("backend", Name), ("name", Text), ("paths", Texts), ("tag", Text)]);
    let alerts = sheet(service::ALERTS, &["backend"], vec![("backend", Name), ("match", map(Text))]);
    let signal = sheet(
        service::SIGNAL,
        &["name", "kind", "backend"],
        vec![
            ("name", Name),
            ("kind", Word(vec!["ratio", "histogram", "value"])),
            ("backend", Name),
            ("bad", Text),
            ("total", Text),
            ("buckets", Text),
            ("quantile", Number),
            ("query", Text),
            ("better", Word(vec!["lower", "higher"])),
            ("limit", Number),
            ("unit", Text),
            ("critical", Flag),
            ("margin", Number),
            ("weight", Number),
        ],
    )
    .needing("kind", &[(&["ratio"], &["bad", "total"]), (&["histogram"], &["buckets"]), (&["value"], &["query"])]);
    sheet(
        service::KEYS,
        &["name"],
        vec![
            ("name", Name),
            ("team", Text),
            ("tier", Count(1, 9)),
            ("repository", Table(repository)),
            ("depends_on", Texts),
            ("alerts", Table(alerts)),
            ("pipeline", Table(pipeline())),
            ("deploy", map(Table(deploy()))),
            ("signal", Tables(signal)),
            ("judge", Table(sheet(judge::OF_SERVICE, &[], vec![("method", Word(vec!["gonogo"])), ("alpha", Number), ("power", Number)]))),
            ("stateful", Flag),
        ],
    )
}

fn pipeline() -> Sheet {
    let mut shapes = vec![("backend", Name), ("properties", map(Text))];
    shapes.extend(["builder", "workflow", "scheduler", "ref"].map(|key| (key, Text)));
    sheet(service::PIPELINE, &["backend"], shapes).any(&["builder", "workflow"])
}

fn deploy() -> Sheet {
    let pools =
        vec![("backend", Name), ("pool", Name), ("stable", list(Name)), ("canary", list(Name)), ("testers", Name), ("mirror", Name)];
    let flag = sheet(flags::KEYS, &["backend", "name"], vec![("backend", Name), ("name", Text), ("project", Text), ("environment", Text)]);
    let ramp =
        sheet(&["to", "by", "every"], &["to", "by", "every"], vec![("to", Count(1, 100)), ("by", Count(1, 100)), ("every", Duration)]);
    let testers = sheet(traffic::TESTERS, &["value"], vec![("header", Text), ("cookie", Text), ("value", Text)]);
    let testers = testers.any(&["header", "cookie"]);
    let version =
        sheet(service::VERSION, &["backend", "query"], vec![("backend", Name), ("query", Text), ("label", Text), ("digest", Text)]);
    sheet(
        service::DEPLOY,
        &["strategy"],
        vec![
            ("strategy", Word(Strategy::ALL.map(Strategy::word).to_vec())),
            ("steps", list(Either(vec![Count(0, 100), Table(ramp)]))),
            ("traffic", Tables(sheet(traffic::TRAFFIC, &["backend", "pool", "stable", "canary"], pools))),
            ("testers", Table(testers)),
            ("mirror", Either(vec![Flag, Count(1, 100)])),
            ("flags", Tables(flag)),
            ("version", Table(version)),
            ("deploy", Table(pipeline())),
            ("github_environment", Text),
            ("rollout", Table(rollout())),
            ("workload", Table(workload())),
            ("workloads", Table(slots())),
            ("batches", list(Count(1, 100))),
        ],
    )
    .needing("strategy", &[(&["rolling", "recreate"], &["workload"])])
    .choosing(("testers", None), &["traffic"])
    .choosing(("workloads", None), &["traffic"])
}

fn workload() -> Sheet {
    let kinds = WorkloadKind::ALL.iter().map(|kind| kind.word()).collect();
    let mut shapes = vec![("backend", Name), ("kind", Word(kinds))];
    shapes.extend(["namespace", "name", "container", "image"].map(|key| (key, Text)));
    sheet(workload::KEYS, &["backend", "kind", "namespace", "name", "container", "image"], shapes)
}

fn slots() -> Sheet {
    let mut shapes = vec![
        ("backend", Name),
        ("kind", Word(vec![WorkloadKind::Deployment.word(), WorkloadKind::StatefulSet.word()])),
        ("replicas", Count(1, 100_000)),
        ("after", Count(0, 100_000)),
    ];
    shapes.extend(["namespace", "container", "image", "stable", "canary"].map(|key| (key, Text)));
    sheet(workload::SLOTS, &["backend", "kind", "namespace", "container", "image", "stable", "canary"], shapes)
}

fn rollout() -> Sheet {
    let check = sheet(
        probe::CHECK,
        &["name", "when"],
        vec![
            ("name", Name),
            ("when", Word(vec!["before", "each", "after"])),
            ("within", Duration),
            ("every", Duration),
            ("http", Text),
            ("status", Count(100, 599)),
            ("contains", Text),
            ("command", Texts),
            ("backend", Name),
            ("query", Text),
            ("at_most", Number),
            ("at_least", Number),
        ],
    );
    let check = check.paired(&[("query", "backend")]).choosing(("query", None), &["at_most", "at_least"]);
    let check = check.any(&["http", "command", "query"]);
    let to = Either(vec![Word(vec!["on", "off"]), Count(1, 100)]);
    let flag = sheet(&["name", "at", "to"], &["name", "at", "to"], vec![("name", Text), ("at", Count(0, 100)), ("to", to)]);
    sheet(
        rollout::KEYS,
        &[],
        vec![
            ("wait", Duration),
            ("deadline", Duration),
            ("bake", Duration),
            ("pause_before", list(Count(0, 100))),
            ("judged", Flag),
            ("way_back", Words(Trigger::ALL.iter().map(|trigger| trigger.word()).collect())),
            ("after", Duration),
            ("checks", Tables(check)),
            ("flags", Tables(flag)),
        ],
    )
}

/// A window or a freeze.
fn timed(required: &'static [&'static str], more: Vec<(&'static str, Shape)>) -> Sheet {
    let mut shapes = vec![("name", Name), ("timezone", Text), ("types", Words(vec!["standard", "normal", "emergency"]))];
    shapes.extend(["environments", "services", "teams", "days"].map(|key| (key, Texts)));
    shapes.extend(["from", "to", "begin", "end", "calendar", "summary", "category"].map(|key| (key, Text)));
    shapes.extend(["every", "stale_after"].map(|key| (key, Duration)));
    let mut keys: Vec<&'static str> = ["name", "timezone"].into_iter().chain(timetable::SCOPE).chain(times::KEYS).collect();
    if !more.is_empty() {
        keys.extend(["unreadable"].into_iter().chain(timetable::FREEZE));
    }
    shapes.extend(more);
    let required: &'static [&'static str] = if required.is_empty() { &["name"] } else { &["name", "reason"] };
    Sheet { keys, shapes, required, rules: Vec::new() }.paired(&[("from", "to"), ("begin", "end")]).any(&["from", "begin", "calendar"])
}

fn judge_rules() -> Sheet {
    let bounds = || vec![("low", Number), ("high", Number)];
    let mut effect = bounds();
    effect.push(("measure", Word(vec!["mean-ratio", "common-language"])));
    let mut shapes = vec![
        ("name", Text),
        ("direction", Word(vec!["increase", "decrease", "either"])),
        ("missing", Word(vec!["remove", "replace"])),
        ("outliers", Word(vec!["keep", "remove"])),
        ("kind", Word(vec!["values", "counts"])),
        ("effect", Table(sheet(judge::EFFECT, &[], effect))),
        ("critical", Either(vec![Flag, Table(sheet(judge::BOUNDS, &[], bounds()))])),
        ("must_have_data", Flag),
        ("muted", Flag),
        ("group", Either(vec![Text, Texts])),
    ];
    shapes.extend(["tolerance", "confidence", "outlier_factor", "margin"].map(|key| (key, Number)));
    let mut rules = vec![
        ("method", Word(vec!["kayenta", "gonogo"])),
        ("weights", map(Number)),
        ("metric", Tables(sheet(judge::METRIC, &["name"], shapes))),
    ];
    rules.extend(["pass", "marginal", "alpha", "power"].map(|key| (key, Number)));
    sheet(judge::JUDGE, &[], rules)
}

fn objective() -> Sheet {
    let alert = sheet(
        slo::ALERT,
        &["severity", "long"],
        vec![("severity", Word(vec!["page", "ticket"])), ("long", Duration), ("short", Duration), ("burn", Number), ("budget", Number)],
    )
    .any(&["burn", "budget"]);
    let mut shapes = vec![
        ("name", Name),
        ("service", Name),
        ("environment", Name),
        ("kind", Word(vec!["ratio", "histogram", "value"])),
        ("backend", Name),
        ("alerts", Tables(alert)),
    ];
    shapes.extend(["window", "bad", "good", "total", "buckets", "query", "description"].map(|key| (key, Text)));
    shapes.extend(["objective", "under", "over", "min_events", "min_coverage"].map(|key| (key, Number)));
    sheet(slo::SLO, &["name", "service", "objective", "kind"], shapes)
        .needing("kind", &[(&["ratio"], &["total"]), (&["histogram"], &["buckets", "under"]), (&["value"], &["query"])])
        .choosing(("kind", Some("ratio")), &["bad", "good"])
        .choosing(("kind", Some("value")), &["under", "over"])
}

fn discovery() -> Sheet {
    let mut shapes = vec![
        ("name", Name),
        ("backend", Name),
        ("environment", Name),
        ("kind", Word(Telemetry::ALL.map(Telemetry::word).to_vec())),
        ("user_label", Text),
        ("used_label", Text),
        ("match", map(Text)),
        ("names", map(Text)),
    ];
    shapes.extend(["window", "every", "stale_after"].map(|key| (key, Duration)));
    sheet(discovery::KEYS, &["name", "backend", "environment", "kind"], shapes).needing("kind", &[(&["envoy"], &["user_label"])])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(sheet: &Sheet, path: &str, wrong: &mut Vec<String>) {
        for key in &sheet.keys {
            if sheet.shapes.iter().filter(|(name, _)| name == key).count() != 1 {
                wrong.push(format!("{path}.{key} has no shape, or two"));
            }
        }
        for (name, shape) in &sheet.shapes {
            if !sheet.keys.contains(name) {
                wrong.push(format!("{path}.{name} is no key that is checked"));
            }
            within(shape, &format!("{path}.{name}"), wrong);
        }
        wrong.extend(sheet.required.iter().filter(|key| !sheet.keys.contains(key)).map(|key| format!("{path}.{key} is required")));
    }

    fn within(shape: &Shape, path: &str, wrong: &mut Vec<String>) {
        match shape {
            Table(sheet) | Tables(sheet) => each(sheet, path, wrong),
            Shape::Map(of) | List(of) => within(of, path, wrong),
            Either(shapes) => shapes.iter().for_each(|one| within(one, path, wrong)),
            Text | Name | Flag | Count(..) | Number | Duration | Texts | Word(_) | Words(_) => {}
        }
    }

    #[test]
    fn every_key_that_is_checked_has_a_shape_and_no_other_has() {
        let mut wrong = Vec::new();
        each(&root(), "", &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
