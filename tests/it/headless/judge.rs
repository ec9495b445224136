//! `gonogo canary judge` on two files: its four exits, its JSON, what it refuses, and `SciPy` on the same files.

use serde_json::{Value, json};

use super::place::{Place, Said};
use crate::servers::support::installed;

const FILES: [&str; 6] = ["canary", "judge", "--baseline", "a.csv", "--canary", "b.csv"];
const OLD: [&str; 10] = ["10", "11", "9", "10.5", "9.5", "10", "10.2", "9.9", "10.1", "9.8"];
const NEW: [&str; 10] = ["20", "21", "19", "20.5", "19.5", "20", "20.2", "19.9", "20.1", "19.8"];

/// A file of samples, a minute apart.
fn csv(metrics: &[(&str, &[&str])]) -> String {
    let row = |metric: &str, (minute, value): (usize, &&str)| format!("{},{metric},{value}\n", 1_795_525_200 + minute * 60);
    let rows = metrics.iter().flat_map(|(metric, values)| values.iter().enumerate().map(|each| row(metric, each)).collect::<Vec<_>>());
    std::iter::once("time,metric,value\n".to_owned()).chain(rows).collect()
}

/// A home without configuration and two files.
fn place(baseline: &[(&str, &[&str])], canary: &[(&str, &[&str])]) -> Place {
    let place = Place::bare();
    place.write("a.csv", &csv(baseline));
    place.write("b.csv", &csv(canary));
    place
}

fn with(place: &Place, config: &str, more: &[&str]) -> Said {
    let path = place.write("judge.toml", config);
    place.run(&[&["--config", path.to_str().unwrap()], &FILES[..], more].concat())
}

#[test]
fn each_verdict_has_its_exit_without_any_configuration() {
    let same = place(&[("a", &OLD)], &[("a", &OLD)]);
    let found = same.json(0, &FILES);
    let expected = json!({ "schema": 1, "score": 100.0, "verdict": "pass", "metrics": [{ "name": "a", "classification": "Pass", "critical": false,
        "u": 50.0, "p": 1.0, "shift": null, "effect": 1.0, "reason": "both sides have the same values" }], "also": null });
    assert_eq!(found, expected);
    let half = place(&[("a", &OLD), ("b", &OLD)], &[("a", &NEW), ("b", &OLD)]).json(20, &FILES);
    assert_eq!((&half["verdict"], &half["score"]), (&json!("marginal"), &json!(50.0)));
    let worse = place(&[("a", &OLD)], &[("a", &NEW)]).json(21, &FILES);
    assert_eq!((&worse["verdict"], &worse["score"], &worse["metrics"][0]["classification"]), (&json!("fail"), &json!(0.0), &json!("High")));
    let shift = &worse["metrics"][0]["shift"];
    assert!(shift["low"].as_f64() < shift["estimate"].as_f64() && shift["estimate"].as_f64() < shift["high"].as_f64(), "{shift}");
    for (baseline, canary) in [(&[][..], &[][..]), (&[("a", &OLD[..])], &[]), (&[("a", &OLD[..])], &[("a", &["", ""][..])])] {
        let none = place(baseline, canary).json(22, &FILES);
        assert_eq!((&none["verdict"], &none["score"]), (&json!("nodata"), &Value::Null), "P13: no evidence is no pass");
    }
}

#[test]
fn people_get_a_table_and_a_sentence_for_each_metric() {
    let said = place(&[("a", &OLD), ("errors{code=5xx}", &OLD)], &[("a", &NEW), ("errors{code=5xx}", &OLD)]).run(&FILES).exits(20);
    assert!(said.err.is_empty(), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("METRIC            CLASS  SHIFT"), "{}", said.out);
    assert!(lines[4].starts_with("a: the canary is higher: shift 10 ("), "{}", said.out);
    assert_eq!(lines[5], "errors{code=5xx}: both sides have the same values");
    assert!(
        lines[6].starts_with("MARGINAL: score 50 (pass from 75, marginal from 50): 1 of 2 scored metrics failed: a; it is just marginal"),
        "{}",
        said.out
    );
}

#[test]
fn only_the_table_of_the_judge_is_read() {
    let place = place(&[("latency", &OLD)], &[("latency", &NEW)]);
    let strange = "[[service]]\nname = 7\n[nonsense]\nx = 1\n[judge]\npass = 90\n";
    with(&place, strange, &[]).exits(21);
    let decrease = "[[judge.metric]]\nname = \"latency\"\ndirection = \"decrease\"\n";
    assert!(with(&place, decrease, &[]).exits(0).out.contains("higher, which is no harm here"));
    let critical = "[[judge.metric]]\nname = \"latency\"\ncritical = { high = 1.5 }\n";
    let found = with(&place, critical, &["--json"]).exits(21).json();
    assert_eq!(found["metrics"][0]["critical"], true);
    let muted = "[[judge.metric]]\nname = \"latency\"\nmuted = true\n";
    let found = with(&place, muted, &["--json"]).exits(22).json();
    assert_eq!(found["metrics"][0]["classification"], "High");
}

#[test]
fn a_replaced_empty_side_keeps_kayentas_answer_with_the_reason() {
    let place = place(&[("latency", &OLD)], &[]);
    let replace = "[[judge.metric]]\nname = \"latency\"\nmissing = \"replace\"\n";
    let found = with(&place, replace, &["--json"]).exits(0).json();
    assert_eq!(found["metrics"][0]["classification"], "Pass");
    assert!(found["metrics"][0]["reason"].as_str().unwrap().starts_with("no data, replaced by 0"), "{found}");
    assert!(with(&place, replace, &[]).exits(0).out.contains("a rollout holds on that"));
}

#[test]
fn the_users_own_configuration_counts_and_a_wrong_one_is_exit_8() {
    let place = place(&[("latency", &OLD)], &[("latency", &NEW)]);
    place.configure("[[judge.metric]]\nname = \"latency\"\ndirection = \"decrease\"\n");
    place.run(&FILES).exits(0);
    let said = with(&place, "[judge]\nmethod = \"netflix\"\n", &[]).exits(8);
    assert!(said.err.contains("judge.toml:2:10: "), "{said:?}");
    assert_eq!(said.out, "");
    let said = with(&place, "[judge]\nmetod = \"kayenta\"\n", &[]).exits(8);
    assert!(said.err.contains("judge.toml:2:1: unknown key `metod` in [judge]; expected `method`"), "{said:?}");
    let said = place.run(&[&["--config", "absent.toml"], &FILES[..]].concat()).exits(8);
    assert!(said.err.contains("there is no such file"), "{said:?}");
}

/// A file of two hundred values, or counts, of the metric `m`.
fn long(value: impl Fn(u32) -> String) -> String {
    let rows = (0..200).map(|n| format!("{},m,{}\n", 1_795_525_200 + n * 15, value(n)));
    std::iter::once("time,metric,value\n".to_owned()).chain(rows).collect()
}

#[test]
fn the_method_gonogo_has_the_four_exits_and_shows_the_other_method_where_it_differs() {
    let place = Place::bare();
    let value = |n: u32| 100.0 + f64::from(n * 31 % 97) / 10.0;
    place.write("a.csv", &long(|n| value(n + 13).to_string()));
    let rules = "[judge]\nmethod = \"gonogo\"\n[[judge.metric]]\nname = \"m\"\ndirection = \"increase\"\nmargin = 3\n";
    let judged = |canary: &dyn Fn(u32) -> f64, exit: i32| {
        place.write("b.csv", &long(|n| canary(n).to_string()));
        with(&place, rules, &["--json"]).exits(exit).json()
    };
    let pass = judged(&|n| value(n), 0);
    assert_eq!((&pass["verdict"], &pass["score"], &pass["also"]), (&json!("pass"), &json!(100.0), &Value::Null));
    let fail = judged(&|n| value(n) + 9.0, 21);
    assert_eq!((&fail["metrics"][0]["classification"], &fail["score"]), (&json!("High"), &json!(0.0)));
    // Every twentieth a hundred times slower: Kayenta's method passes it.
    let rare = judged(&|n| value(n) * if n % 20 == 7 { 100.0 } else { 1.0 }, 21);
    assert_eq!((&rare["also"]["method"], &rare["also"]["verdict"]), (&json!("kayenta"), &json!("pass")), "{rare}");
    assert!(rare["metrics"][0]["reason"].as_str().unwrap().starts_with("its worst values are worse: 10 of 200 lie beyond"), "{rare}");
    let said = with(&place, rules, &[]).exits(21);
    assert!(
        said.out.contains("FAIL: worse beyond the margin: m") && said.out.contains("The method kayenta says PASS: score 100"),
        "{said:?}"
    );
    place.write("b.csv", "time,metric,value\n");
    let none = with(&place, &format!("{rules}missing = \"replace\"\n"), &["--json"]).exits(22).json();
    assert_eq!(
        (&none["verdict"], &none["score"], &none["also"]["verdict"]),
        (&json!("nodata"), &Value::Null, &json!("pass")),
        "P13: no evidence is no pass"
    );
    place.write("b.csv", &long(|n| if n < 20 { value(n).to_string() } else { String::new() }));
    let early = with(&place, rules, &["--json"]).exits(22).json();
    assert_eq!(early["verdict"], "early");
    assert!(early["metrics"][0]["reason"].as_str().unwrap().contains("more values a side, about"), "{early}");
}

#[test]
fn counts_are_judged_as_counts() {
    let place = Place::bare();
    let rules =
        "[judge]\nmethod = \"gonogo\"\n[[judge.metric]]\nname = \"m\"\nkind = \"counts\"\ndirection = \"increase\"\nmargin = 0.01\n";
    place.write("a.csv", &long(|n| format!("{}/1000", 5 + n % 3)));
    place.write("b.csv", &long(|n| format!("{}/50", n % 40 / 39)));
    let pass = with(&place, rules, &["--json"]).exits(0).json();
    let reason = pass["metrics"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("no worse: 5 of 10,000, old 1,199 of 200,000; -0.5495 points ("), "{reason}");
    place.write("b.csv", &long(|n| format!("{}/50", 1 + n % 4)));
    let fail = with(&place, rules, &["--json"]).exits(21).json();
    assert_eq!(fail["metrics"][0]["classification"], "High");
}

#[test]
fn broken_files_are_told_by_line_and_column_both_at_once() {
    let place = place(&[], &[]);
    place.write("a.csv", "time,metric,value\n1,a,\"1\n");
    place.write("b.csv", "time,metric,value\nyesterday,a,1\n2,\u{1b}[2J,one\n");
    let said = place.run(&FILES).exits(1);
    assert_eq!(said.out, "");
    assert_eq!(
        said.err.lines().collect::<Vec<_>>(),
        [
            "a.csv:2:5: the quote is never closed; expected a quote at the end of the field",
            "b.csv:2:1: `yesterday` is no time; expected RFC 3339 such as 2026-11-24T14:00:00Z, or seconds since 1970",
            "b.csv:3:8: `one` is no value; expected a finite number, or nothing where it is missing",
        ]
    );
    std::fs::write(place.path("b.csv"), b"time,metric,value\n1,\xff,1\n").unwrap();
    std::fs::remove_file(place.path("a.csv")).unwrap();
    let said = place.run(&FILES).exits(1);
    assert!(
        said.err.contains("failed to read a.csv: No such file")
            && said.err.contains("b.csv:2:3: the file is no UTF-8; expected text in UTF-8"),
        "{said:?}"
    );
}

#[test]
fn a_metric_that_no_rule_names_is_refused_once() {
    let place = place(&[("latncy", &OLD)], &[("latncy", &NEW)]);
    let said = with(&place, "[[judge.metric]]\nname = \"latency\"\n", &[]).exits(1);
    assert_eq!(said.err.lines().count(), 2, "{said:?}");
    assert!(said.err.starts_with("a.csv:2:12: no [[judge.metric]] is named `latncy`; expected `latency`"), "{said:?}");
}

#[test]
fn usage_without_both_files_is_exit_2() {
    let place = Place::bare();
    for args in [&["canary"][..], &["canary", "judge"], &["canary", "judge", "--baseline", "a.csv"]] {
        place.run(args).exits(2);
    }
}

/// Reads both files as gonogo does, and asks `SciPy`.
const SCIPY: &str = r"
import csv, json, sys
from scipy.stats import mannwhitneyu

def side(name):
    metrics = {}
    for row in csv.DictReader(open(name, newline='')):
        metrics.setdefault(row['metric'], []).append(float(row['value']))
    return metrics

baseline, canary = side('a.csv'), side('b.csv')
out = {}
for name in baseline:
    found = mannwhitneyu(canary[name], baseline[name], use_continuity=True, method='asymptotic', alternative='two-sided')
    out[name] = [float(found.statistic), float(found.pvalue)]
print(json.dumps(out))
";

/// Numbers of a fixed sequence (Knuth's MMIX generator), from 0 to 1.
fn next(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from(u32::try_from(*state >> 32).unwrap()) / f64::from(u32::MAX)
}

#[test]
fn u_and_p_are_those_of_scipy_on_generated_and_tied_data() {
    let mut state = 20_261_128;
    let mut files = [String::from("time,metric,value\n"), String::from("time,metric,value\n")];
    for metric in 0..400 {
        // Half of them tied, some heavily; shifts from none to far away; sides of different lengths.
        let steps = [f64::INFINITY, 1000.0, 10.0, 3.0][metric % 4];
        let moved = [0.0, 0.05, 0.3, 1.5][metric / 4 % 4];
        for (side, file) in files.iter_mut().enumerate() {
            let length = 2.0 + (next(&mut state) * 60.0).floor();
            let mut second = 0.0;
            while second < length {
                let raw = next(&mut state);
                let even = if steps.is_finite() { (raw * steps).round() / steps } else { raw };
                let value = if side == 1 { even + moved } else { even };
                file.push_str(&format!("{second},m{metric},{value}\n"));
                second += 1.0;
            }
        }
    }
    let place = Place::bare();
    place.write("a.csv", &files[0]);
    place.write("b.csv", &files[1]);
    let python = installed().join("venv/bin/python");
    let said = Place::started(&mut place.command(python.to_str().unwrap(), &["-c", SCIPY])).end().exits(0);
    let theirs: Value = serde_json::from_str(&said.out).unwrap();
    let kayenta = place.run(&[&FILES[..], &["--json"]].concat()).json();
    let gonogo = with(&place, "[judge]\nmethod = \"gonogo\"\n", &["--json"]).json();
    let [kayenta, gonogo] = [&kayenta, &gonogo].map(|said| said["metrics"].as_array().unwrap());
    assert_eq!((kayenta.len(), gonogo.len()), (400, 400));
    let mut small = 0;
    for metric in kayenta.iter().chain(gonogo) {
        let [u, p] = [0, 1].map(|place| theirs[metric["name"].as_str().unwrap()][place].as_f64().unwrap());
        assert!((metric["u"].as_f64().unwrap() - u).abs() < 1e-9, "U {u}: {metric}");
        let found = metric["p"].as_f64().unwrap();
        assert!((found - p).abs() <= 1e-11 * p.max(1e-300), "p {p}: {metric}");
        small += i32::from(p < 1e-6);
    }
    assert!(small > 40, "only {small} far apart: the tail was not held against SciPy's");
}
