//! `gonogo slo` on a real Prometheus whose past was filled in: exported rules, budgets as they stand, and a month walked back.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::place::Place;
use super::shape::keys;
use crate::servers::prometheus::Prometheus;
use crate::servers::support::get;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

const SERVICES: &str = "[[environment]]\nname = \"prod\"\norder = 1\n[[service]]\nname = \"checkout\"\n[[service]]\nname = \"ledger\"\n[[service]]\nname = \"mail\"\n";

fn config(prometheus: &str, slos: &str) -> String {
    format!("[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"{prometheus}\"\n{SERVICES}{slos}")
}

fn availability(service: &str, goal: &str, more: &str) -> String {
    format!(
        "[[slo]]\nname = \"availability\"\nservice = \"{service}\"\nenvironment = \"prod\"\nobjective = {goal}\nkind = \"ratio\"\n\
         bad = 'http_requests_total{{service=\"$service\",code=~\"5..\"}}'\ntotal = 'http_requests_total{{service=\"$service\"}}'\n{more}\n"
    )
}

/// Every kind of objective, and every way in which its queries may be written.
const KINDS: &str = r#"
[[slo]]
name = "good"
service = "checkout"
environment = "prod"
objective = 99
window = "28d"
kind = "ratio"
good = 'sum(rate(http_requests_total{service="$service",code!~"(5..|429)"}[$window]))'
total = 'sum(rate(http_requests_total{service="$service"}[$window]))'
min_events = 0
[[slo]]
name = "latency"
service = "checkout"
environment = "prod"
objective = 95
window = "month"
kind = "histogram"
buckets = 'http_request_duration_seconds_bucket{service="$service"}'
under = 0.3
description = "answers within {{ 0.3 }} s, \"quickly\""
[[slo]]
name = "load"
service = "ledger"
environment = "prod"
objective = 99.5
kind = "value"
query = 'saturation{service="$service"}'
under = 0.8
[[slo]]
name = "odd"
service = "ledger"
environment = "prod"
objective = 90
window = "7d"
kind = "ratio"
bad = 'sum(rate(a[$window])) + sum(rate(b[$window]))'
total = 'sum(increase(c[$window]))'
[[slo]]
name = "own"
service = "mail"
environment = "prod"
objective = 99.9
window = "quarter"
kind = "ratio"
bad = 'errors_total'
total = 'requests_total{job=~"mail-[ab]"}'
alerts = [{ severity = "page", long = "30m", burn = 20 }, { severity = "ticket", long = "12h", short = "1h", budget = 5 }]
"#;

#[test]
fn exported_rules_and_their_unit_tests_are_accepted_by_promtool() {
    let place = Place::with(&config("http://127.0.0.1:9", &format!("{}{KINDS}", availability("checkout", "99.9", ""))));
    let written = place.json(0, &["slo", "rules", "--out", "rules.yml", "--tests", "tests.yml"]);
    keys(&written, "schema out tests rules groups");
    keys(&written["groups"][0], "group service environment slo alerts left_out");
    let odd = written["groups"].as_array().unwrap().iter().find(|group| group["slo"] == "odd").unwrap();
    assert_eq!(odd["left_out"][0], "page 13.44x over 1h and 5m", "all requests failing burn only 10 times: {odd}");
    let promtool = |args: &[&str]| Place::started(&mut place.command("promtool", args)).end();
    let checked = promtool(&["check", "rules", "rules.yml"]).exits(0);
    assert!(checked.out.contains("rules found"), "{checked:?}");
    promtool(&["test", "rules", "tests.yml"]).exits(0);

    // A test of rules that always pass would be none: the same tests turn red on rules that never fire.
    let rules = std::fs::read_to_string(place.path("rules.yml")).unwrap();
    assert!(rules.contains("(14.4 * (1 - 0.999))"), "{rules}");
    place.write("rules.yml", &rules.replace("(14.4 * (1 - 0.999))", "(14.4 * 100)").replace("(6 * (1 - 0.999))", "(6 * 100)"));
    let red = promtool(&["test", "rules", "tests.yml"]).exits(1);
    assert!(red.err.contains("availability") && red.err.contains("got: nil"), "{red:?}");

    let printed = place.run(&["slo", "rules", "checkout@prod"]).exits(0);
    assert!(printed.out.contains("gonogo-slo-checkout@prod-latency") && !printed.out.contains("ledger"), "{}", printed.out);
    place.run(&["slo", "rules", "nobody"]).exits(10);
    Place::with(&config("http://127.0.0.1:9", "")).run(&["slo", "rules"]).exits(8);
}

/// What was: samples a minute apart, `of` gives good and bad requests of the minute that begins then, none where nothing was scraped.
fn counters(service: &str, from: i64, to: i64, of: impl Fn(i64) -> Option<(u32, u32)>) -> String {
    let (mut good, mut bad) = (0_u64, 0_u64);
    let (mut goods, mut bads) = (String::new(), String::new());
    let mut was_reset = false;
    for at in (from..=to).step_by(60) {
        // A process that begins anew counts from nothing.
        if !was_reset && at > from + 16 * DAY {
            (good, bad, was_reset) = (0, 0, true);
        }
        if let Some((more_good, more_bad)) = of(at) {
            (good, bad) = (good + u64::from(more_good), bad + u64::from(more_bad));
            goods.push_str(&format!("http_requests_total{{service=\"{service}\",code=\"200\"}} {good} {at}\n"));
            bads.push_str(&format!("http_requests_total{{service=\"{service}\",code=\"500\"}} {bad} {at}\n"));
        }
    }
    goods + &bads
}

struct Past {
    server: Prometheus,
    end: i64,
}

/// Thirty days: three incidents of checkout, noise, a gap, a process that began anew, and services with few requests or a short past.
#[expect(clippy::disallowed_methods, reason = "the past of a real server ends in real time")]
fn past() -> Past {
    let end = Utc::now().timestamp() / 60 * 60;
    let begin = end - 30 * DAY;
    let checkout = counters("checkout", begin, end, |at| {
        let since = at - begin;
        let within = |from: i64, long: i64| (from..from + long).contains(&since);
        if within(15 * DAY, 3 * HOUR) {
            return None;
        }
        let bad = if within(5 * DAY + 10 * HOUR, HOUR) {
            50
        } else if within(12 * DAY + 3 * HOUR, 20 * MINUTE) {
            500
        } else if within(20 * DAY, 30 * HOUR) {
            5
        } else if since % DAY < 2 * MINUTE {
            30
        } else {
            u32::from(since % 300 == 0)
        };
        Some((1_000 - bad, bad))
    });
    // One request in three minutes, one of which failed at night.
    let ledger = counters("ledger", begin, end, |at| {
        let since = at - begin;
        let asked = u32::from(since % 180 == 0);
        let failed = u32::from(since / 180 * 180 == 9 * DAY + 3 * HOUR) * asked;
        Some((asked - failed, failed))
    });
    let mail = counters("mail", end - 8 * DAY, end, |at| Some(if at > end - 40 * MINUTE { (80, 20) } else { (100, 0) }));
    Past { server: Prometheus::with_past(&format!("{checkout}{ledger}{mail}# EOF\n")), end }
}

fn rfc(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap().to_rfc3339()
}

#[test]
fn a_month_with_three_incidents_is_walked_and_budgets_stand_as_prometheus_counts_them() {
    let Past { server, end } = past();
    let begin = end - 30 * DAY;
    let slos =
        format!("{}{}{}", availability("checkout", "99.9", ""), availability("ledger", "99.9", ""), availability("mail", "99.5", ""));
    let place = Place::with(&config(&server.url(), &slos));
    let incidents = [(5 * DAY + 10 * HOUR, HOUR), (12 * DAY + 3 * HOUR, 20 * MINUTE), (20 * DAY, 30 * HOUR)];
    let lines: Vec<String> =
        incidents.iter().map(|(from, long)| format!("{},{},checkout\n", rfc(begin + from), rfc(begin + from + long))).collect();
    place.write("incidents.csv", &format!("start,end,service\n{}", lines.concat()));

    let (from, to) = (rfc(begin + 3 * DAY), rfc(end));
    let args = ["slo", "backtest", "checkout", "--from", &from, "--to", &to, "--incidents", "incidents.csv"];
    let found = place.json(0, &args);
    keys(&found, "schema from to objectives incidents score load");
    keys(&found["objectives"][0], "service environment name coverage step_s unknown too_few alarms");
    let score = |word: &str| found["score"][word].clone();
    for word in ["page", "ticket", "any"] {
        keys(&score(word), "alarms right incidents found precision recall time_to_detect_s median_time_to_detect_s");
    }
    assert_eq!(score("page")["precision"], 100.0, "neither noise, nor the gap, nor the process that began anew calls: {found}");
    assert_eq!((&score("page")["found"], &score("page")["alarms"]), (&Value::from(2), &Value::from(2)), "{found}");
    assert_eq!(score("any")["recall"], 100.0, "the slow one is a ticket: {found}");
    let detect = |word: &str, n: usize| score(word)["time_to_detect_s"][n].as_i64();
    // 14.4 of 50 of an hour is 17 min; of 500 it is under 2; once over three days is 14.4 h
    // at a burn of 5, less with the noise of the days before. Stretches are 5 min long.
    assert!((17 * MINUTE..=30 * MINUTE).contains(&detect("page", 0).unwrap()), "{found}");
    assert!((0..=10 * MINUTE).contains(&detect("page", 1).unwrap()), "{found}");
    assert_eq!(detect("page", 2), None);
    assert!((10 * HOUR..=14 * HOUR).contains(&detect("ticket", 2).unwrap()), "{found}");
    let coverage = found["objectives"][0]["coverage"].as_f64().unwrap();
    assert!((99.0..99.7).contains(&coverage), "three hours of 27 days are missing: {coverage}");
    keys(&found["load"], "operators pages_per_hour pages_per_10_min worst_10_min acceptable_per_10_min flood_per_10_min acceptable flood");
    assert_eq!((&found["load"]["acceptable"], &found["load"]["flood"]), (&Value::Bool(true), &Value::Bool(false)));
    let said = place.run(&args).exits(0);
    assert!(said.out.contains("EEMUA 191") && said.out.contains("precision 100 % (2 of 2 alarms)"), "{}", said.out);

    let night = place.json(0, &["slo", "backtest", "ledger", "--from", &from]);
    assert_eq!(night["objectives"][0]["alarms"], Value::Array(Vec::new()), "one error in twenty requests is held: {night}");
    assert!(night["objectives"][0]["too_few"].as_f64().unwrap() > 0.0 && night["score"].is_null(), "{night}");
    let brave = Place::with(&config(&server.url(), &availability("ledger", "99.9", "min_events = 0")));
    let brave = brave.json(0, &["slo", "backtest", "ledger", "--from", &from]);
    assert_ne!(brave["objectives"][0]["alarms"], Value::Array(Vec::new()), "without the guard it calls: {brave}");
    place.run(&["slo", "backtest", "--from", &to, "--to", &from]).exits(2);
    stands(&place, &server);
}

/// What is left and what fires now.
fn stands(place: &Place, server: &Prometheus) {
    let status = place.json(0, &["slo", "status"]);
    keys(&status, "schema simulated at objectives");
    let of = |service: &str| status["objectives"].as_array().unwrap().iter().find(|one| one["service"] == service).unwrap().clone();
    let mail = of("mail");
    keys(
        &mail,
        "service environment name description objective window kind counts backend state firing budget burns rules measured_until age_s stale \
         error doubt query",
    );
    keys(&mail["firing"], "severity rule since burn");
    keys(&mail["budget"], "from to left spent spent_today spent_if_alike coverage bad total outlook gone_in_s burn_down");
    keys(&mail["burns"][0], "window burn at_least coverage bad total");
    keys(&mail["rules"][0], "severity long short factor verdict since burn_long burn_short coverage_long coverage_short");
    assert_eq!((&mail["state"], &mail["firing"]["severity"], &mail["stale"]), (&"page".into(), &"page".into(), &false.into()), "{mail}");
    let coverage = mail["budget"]["coverage"].as_f64().unwrap();
    assert!((26.0..27.5).contains(&coverage), "8 of 30 days were measured, and that is said: {mail}");
    assert!(mail["budget"]["spent_if_alike"].as_f64() > mail["budget"]["spent"].as_f64(), "{mail}");
    // Prometheus' own figure for the same hour.
    let until = mail["measured_until"].as_str().unwrap();
    let query = "sum(increase(http_requests_total%7Bservice=%22mail%22,code=%22500%22%7D%5B1h%5D))/sum(increase(http_requests_total%7Bservice=%22mail%22%7D%5B1h%5D))";
    let answer = get(server.port, &format!("/api/v1/query?query={query}&time={until}")).unwrap();
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let share: f64 = body["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    let hour = mail["burns"].as_array().unwrap().iter().find(|burn| burn["window"] == "1h").unwrap()["burn"].as_f64().unwrap();
    assert!((hour / (share / 0.005) - 1.0).abs() < 0.05, "{hour} {share}");
    let checkout = of("checkout");
    // 3,000, 10,000 and 9,000 bad requests in incidents, about 10,000 of noise, of 43,200 that may be bad.
    let spent = checkout["budget"]["spent"].as_f64().unwrap();
    assert!(checkout["state"] == "quiet" && (71.0..76.0).contains(&spent), "{checkout}");
    assert_eq!(checkout["budget"]["burn_down"].as_array().unwrap().len(), 60);
    let words = place.run(&["slo", "status", "mail"]).exits(0);
    assert!(words.out.contains("mail@prod availability  99.5 % over 30d  PAGE") && words.out.contains("at most"), "{}", words.out);
}

#[test]
fn a_prometheus_that_is_gone_or_has_nothing_makes_an_objective_unknown_and_never_quiet() {
    let place = Place::with(&config("http://127.0.0.1:9", &availability("mail", "99.5", "")));
    let gone = place.json(0, &["slo", "status", "--settle", "5s"]);
    let mail = &gone["objectives"][0];
    assert_eq!((&mail["state"], &mail["budget"], &mail["stale"]), (&"unknown".into(), &Value::Null, &true.into()), "{mail}");
    assert!(mail["error"].as_str().unwrap().contains("prom"), "{mail}");
    place.run(&["slo", "backtest"]).exits(6);

    let server = Prometheus::start(&[], "", "");
    let place = Place::with(&config(&server.url(), &availability("mail", "99.5", "")));
    let empty = place.json(0, &["slo", "status"]);
    let mail = &empty["objectives"][0];
    assert_eq!((&mail["state"], &mail["firing"], &mail["budget"]["left"]), (&"unknown".into(), &Value::Null, &Value::Null), "{mail}");
    assert_eq!(mail["budget"]["coverage"], 0.0);
    assert!(mail["rules"].as_array().unwrap().iter().all(|rule| rule["verdict"] == "unknown"), "{mail}");
}
