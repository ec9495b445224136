//! Objectives as the configuration writes them, and as files of Sloth and `OpenSLO` do.

use std::time::Duration;

use super::{Machine, check, fixture, fs};
use crate::model::burn_rule::{Severity, factor};
use crate::model::objective::{Counting, Indicator, Objective, Period, Side};

const FRAME: &str = "[[backend]]\nname = \"prom\"\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9090\"\n[[environment]]\nname = \"prod\"\n\
                     [[service]]\nname = \"checkout\"\n[[service]]\nname = \"ledger\"\n";

fn files(entry: &str) -> Vec<Objective> {
    let directory = fixture("slo").display().to_string();
    let machine = Machine::new().user(&format!("slo_files = [{}]\n{FRAME}", entry.replace("DIR", &directory)));
    let loaded = machine.load().unwrap_or_else(|problems| panic!("{problems}"));
    loaded.config.catalog.objectives.clone()
}

/// What is wrong in a file of objectives, by its line and column.
fn wrong(text: &str, more: &str) -> Vec<String> {
    let machine = Machine::new().user(&format!("slo_files = [{{ file = \"x.yml\", environment = \"prod\"{more} }}]\n{FRAME}"));
    fs::write(machine.around.config_dir.join("x.yml"), text).expect("written");
    machine.problems().iter().map(|problem| problem.replace("config/", "")).collect()
}

#[test]
fn sloth_says_the_same_in_both_of_its_forms() {
    let found = files("{ file = \"DIR/sloth.yml\", environment = \"prod\" }");
    let names: Vec<_> = found.iter().map(|one| format!("{} {} {}", one.service, one.name, factor(one.goal * 100.0))).collect();
    assert_eq!(names, ["checkout requests-availability 99.9", "checkout satisfaction 95", "ledger availability 99.5"]);
    let Indicator::Bad { bad, total } = &found[0].indicator else { panic!("events: {:?}", found[0]) };
    assert_eq!(bad.text, "sum(rate(http_requests_total{job=\"checkout\",code=~\"(5..|429)\"}[$window]))");
    assert_eq!((bad.counting, total.counting), (Counting::Rate, Counting::Rate));
    assert!(total.text.ends_with("[$window]))"), "{}", total.text);
    assert!(found[0].rules.iter().all(|rule| rule.severity == Severity::Page) && found[0].rules.len() == 2, "tickets are switched off");
    assert!(matches!(&found[1].indicator, Indicator::Share { query } if query.starts_with("1 - (") && query.contains("[$window]")));
    assert_eq!((found[1].rules.len(), found[2].rules.len()), (0, 4));
    assert!(found.iter().all(|one| one.period == Period::Rolling(Duration::from_hours(720)) && one.backend.as_str() == "prom"));
}

#[test]
fn openslo_refers_to_its_indicator_and_counts_by_the_calendar() {
    let found = files("{ file = \"DIR/openslo.yml\", environment = \"prod\" }");
    let names: Vec<_> = found.iter().map(|one| format!("{} {} {}", one.name, factor(one.goal * 100.0), one.period)).collect();
    assert_eq!(names, ["checkout-availability-1 99.9 28d", "checkout-availability-2 99.95 28d", "ledger-queue 98 month"]);
    let Indicator::Good { good, total } = &found[0].indicator else { panic!("good events: {:?}", found[0]) };
    assert_eq!((good.text.as_str(), good.counting), ("http_requests_total{job=\"checkout\",code=~\"2..|3..\"}", Counting::Counter));
    assert_eq!(total.text, "http_requests_total{job=\"checkout\"}");
    assert_eq!(found[2].indicator, Indicator::Value { query: "max(ledger_queue_length)".to_owned(), side: Side::Under, bound: 100.0 });
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_own_line_and_column() {
    let sloth = "version: prometheus/v1\nservice: chekout\nslos:\n  - name: a\n    objektive: 99\n    sli:\n      plugin: {id: x}\n";
    assert_eq!(
        wrong(sloth, ""),
        [
            "x.yml:2:10: no service is named `chekout`; expected `checkout`",
            "x.yml:4:5: the slo `a` has no `objective`; expected a share in per cent, such as 99.9",
            "x.yml:5:5: unknown key `objektive` in the slo `a`; expected `objective`",
            "x.yml:7:15: plugins of Sloth are programs, which are not run here; expected `events` or `raw`",
        ]
    );
    let openslo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: checkout\n  indicatorRef: nothing\n  budgetingMethod: Timeslices\n  objectives: [{target: 0.9}]\n";
    assert_eq!(
        wrong(openslo, ""),
        ["x.yml:7:20: the budget of `a` is counted by Timeslices, which is not done here; expected `Occurrences`"]
    );
    assert_eq!(
        wrong(&openslo.replace("Timeslices", "Occurrences"), ""),
        ["x.yml:6:17: no indicator is named `nothing` in `slo_files`; expected none, for none is configured"]
    );
    let alpha = wrong("apiVersion: openslo/v1alpha\nkind: SLO\n", "");
    assert_eq!(alpha, ["x.yml:1:1: a document of OpenSLO v1alpha; expected `apiVersion: openslo/v1`"]);
    assert!(wrong("a: [1\n", "")[0].starts_with("x.yml:2:1: no valid YAML"));
    assert!(wrong("a: 1\n", "")[0].contains("neither of Sloth nor of OpenSLO"));
    assert!(wrong(sloth, ", service = \"ledgr\"").iter().any(|problem| problem.contains("no service is named `ledgr`")));
}

#[test]
fn a_rule_that_cannot_fire_and_a_file_that_is_not_there_are_told() {
    let slo = |goal: &str| {
        format!(
            "{FRAME}[[slo]]\nname = \"a\"\nservice = \"ledger\"\nenvironment = \"prod\"\nobjective = {goal}\nkind = \"value\"\nquery = \"x\"\nover = 1\n"
        )
    };
    let warned = Machine::new().user(&slo("90")).load().expect("accepted").warnings;
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].what.as_str().contains("can never fire: when everything fails the budget burns 10 times"), "{warned:?}");
    assert_eq!(Machine::new().user(&slo("99")).load().expect("accepted").warnings, []);
    let absent = Machine::new().user(&format!("slo_files = [\"none.yml\"]\n{FRAME}")).problems();
    assert!(absent[0].contains("none.yml` cannot be read"), "{absent:?}");
}

#[test]
fn layers_add_their_objectives_and_two_of_one_name_are_refused() {
    let one = |name: &str| {
        format!(
            "[[slo]]\nname = \"{name}\"\nservice = \"ledger\"\nenvironment = \"prod\"\nobjective = 99\nkind = \"value\"\nquery = \"x\"\nover = 1\n"
        )
    };
    let both = Machine::new().user(&format!("{FRAME}{}", one("a"))).project(&one("b"));
    let names: Vec<_> = both.load().expect("accepted").config.catalog.objectives.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    let twice = Machine::new().user(&format!("{FRAME}{}", one("a"))).project(&one("a")).problems();
    assert!(twice[0].contains("two objectives of ledger@prod are named `a`"), "{twice:?}");
}

#[test]
fn the_example_has_objectives_of_every_kind() {
    let path = tempfile::tempdir().expect("a directory");
    let file = path.path().join("gonogo.toml");
    fs::write(&file, super::example::example()).expect("written");
    let catalog = check(file).expect("accepted").config.catalog;
    let kinds: Vec<_> = catalog.objectives.iter().map(|one| one.indicator.word()).collect();
    assert_eq!(kinds, ["ratio", "histogram", "value"]);
}
