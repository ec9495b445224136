//! `src/CONTRACTS.md` and the program: every key, verb, flag, exit code, metric and member of JSON stands there, and no key, verb or exit code
//! that is not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::floors::source::root;
use crate::headless::place::Place;

const PAGE: &str = include_str!("../../src/CONTRACTS.md");

type Names = BTreeSet<String>;

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn section(title: &str) -> &'static str {
    let rest = PAGE.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("the page has no section {title}")).1;
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The rows of the tables in a text: what stands in backquotes in the first cell, and the whole second one.
fn rows(text: &str) -> impl Iterator<Item = (Vec<&str>, &str)> {
    text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| {
        let mut cells = line.split('|').skip(1);
        Some((quoted(cells.next()?).collect::<Vec<_>>(), cells.next()?))
    })
}

#[track_caller]
fn same(what: &str, of_the_program: &Names, of_the_page: &Names) {
    let missing: Vec<_> = of_the_program.difference(of_the_page).collect();
    let invented: Vec<_> = of_the_page.difference(of_the_program).collect();
    assert!(missing.is_empty() && invented.is_empty(), "{what}: src/CONTRACTS.md lacks {missing:?} and invents {invented:?}");
}

/// The texts of sources below a folder, without the tests in them.
fn texts(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let of_tests = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !of_tests {
            all.extend(texts(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !of_tests {
            let text = std::fs::read_to_string(&path).unwrap();
            all.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned());
        }
    }
    all
}

/// The strings of a source that are nothing but these characters, each with what stands behind it.
fn strings(text: &str, may_stand: fn(char) -> bool) -> impl Iterator<Item = (&str, &str)> {
    let behind = text.split('"').skip(1);
    text.split('"').zip(behind).filter(move |(string, _)| !string.is_empty() && string.chars().all(may_stand))
}

/// Every key of a schema by its path, without marks for lists and for names of the user's choice. A secret is one key.
fn keys(schema: &Value, path: &str, all: &mut Names) {
    let inner = ["items", "additionalProperties"].into_iter().filter_map(|part| schema.get(part));
    let either = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
    inner.chain(either).for_each(|inner| keys(inner, path, all));
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    if properties.len() == 3 && ["env", "file", "command"].iter().all(|way| properties.contains_key(*way)) {
        return;
    }
    for (key, inner) in properties {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        keys(inner, &path, all);
        all.insert(path);
    }
}

#[test]
fn every_key_of_the_configuration_stands_in_the_table_of_its_section_and_no_other() {
    let schema = Place::bare().run(&["config", "schema"]).exits(0).out;
    let mut known = Names::new();
    keys(&serde_json::from_str(&schema).unwrap(), "", &mut known);
    assert!(known.len() > 300, "{}", known.len());
    let mut told = Names::new();
    for part in section("Configuration").split("\n### ").skip(1) {
        let (heading, text) = part.split_once('\n').unwrap();
        let Some(table) = quoted(heading).next().map(|name| name.trim_matches(['[', ']']).replace(".ENV", "")) else { continue };
        told.extend(rows(text).flat_map(|(keys, _)| keys).map(|key| format!("{table}.{key}")));
        told.insert(table);
    }
    same("keys", &known, &told);
}

fn flags(text: &str) -> Names {
    quoted(text).flat_map(str::split_whitespace).filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

/// Every verb with its flags, as `--help` has them; the program itself is the empty word. Those of one depth are asked at once.
fn verbs(place: &Place) -> BTreeMap<String, Names> {
    let (mut all, mut level) = (BTreeMap::new(), vec![Vec::<String>::new()]);
    while !level.is_empty() {
        let ask = |words: Vec<String>| (place.start(&words.iter().map(String::as_str).chain(["--help"]).collect::<Vec<_>>()), words);
        let asked: Vec<_> = level.drain(..).map(ask).collect();
        for (running, words) in asked {
            let help = running.end().exits(0).out;
            let part = |title: &str| help.split_once(&format!("\n{title}:\n")).unwrap_or_default().1;
            let first = |line: &str| line.strip_prefix("  ")?.split(' ').next().filter(|word| !word.is_empty()).map(str::to_owned);
            let below: Vec<String> = part("Commands").lines().take_while(|line| !line.is_empty()).filter_map(first).collect();
            if below.is_empty() || words.is_empty() {
                let lines = part("Options").lines().filter(|line| line.trim_start().starts_with('-'));
                let flags = lines.filter_map(|line| line.split_whitespace().take(2).find(|word| word.starts_with("--")));
                all.insert(words.join(" "), flags.map(str::to_owned).collect());
            }
            level.extend(below.into_iter().map(|word| words.iter().cloned().chain([word]).collect()));
        }
    }
    all
}

#[test]
fn every_verb_has_a_row_with_its_flags_and_no_other() {
    let known = verbs(&Place::bare());
    let text = section("Command line");
    let of = |start: &str| flags(text.split("\n\n").find(|part| part.trim_start().starts_with(start)).unwrap_or_default());
    let (every, deed) = (of("**Every verb**"), of("**Deed flags**"));
    let mut told = Names::new();
    for (verb, cell) in rows(text) {
        let word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let verb = verb[0].split(' ').take_while(word).collect::<Vec<_>>().join(" ").replace("gonogo", "");
        let own = flags(cell);
        if let Some(flags) = known.get(&verb) {
            let all: Names =
                [&every, &own, if cell.contains("deed flags") { &deed } else { &own }].into_iter().flatten().cloned().collect();
            let missing: Vec<_> = flags.difference(&all).collect();
            let invented: Vec<_> = own.difference(flags).collect();
            assert!(missing.is_empty() && invented.is_empty(), "the row of `{verb}` lacks {missing:?} and invents {invented:?}");
        }
        told.insert(verb);
    }
    same("verbs", &known.into_keys().collect(), &told);
}

#[test]
fn every_exit_code_stands_in_its_table_and_no_other() {
    let page = Place::bare().run(&["man"]).exits(0).out;
    let codes = page.split_once("EXIT STATUS").unwrap().1.lines();
    let known: Names = codes.filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR")).map(str::to_owned).collect();
    assert!(known.contains("130"), "{known:?}");
    same("exit codes", &known, &rows(section("Exit codes")).flat_map(|(codes, _)| codes).map(str::to_owned).collect());
}

/// What a room tells depends on what it lives through, so the names are read where they are written.
#[test]
fn every_metric_stands_there_and_no_other() {
    let is_metric = |name: &str| name.starts_with("gonogo_");
    let known: Names = ["src/cli/health/families.rs", "src/adapters/notify/pushgateway.rs"]
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(root().join(file)).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            strings(text, |c| c.is_ascii_lowercase() || c == '_').map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        })
        .filter(|name| is_metric(name))
        .collect();
    assert!(known.len() > 20, "{known:?}");
    same("metrics", &known, &quoted(section("Metrics")).filter(|name| is_metric(name)).map(str::to_owned).collect());
}

#[test]
fn every_member_of_json_every_form_and_every_variable_stands_there() {
    let words: BTreeSet<&str> = quoted(PAGE).flat_map(|span| span.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))).collect();
    let mut missing = Names::new();
    for text in texts(&root().join("src/cli")) {
        let members = strings(&text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let members = members.filter(|(_, behind)| behind.starts_with(": ") || behind.starts_with(", json!("));
        missing.extend(members.map(|(name, _)| name).filter(|name| !words.contains(name)).map(str::to_owned));
    }
    let spans: BTreeSet<&str> = quoted(PAGE).collect();
    for text in texts(&root().join("src")) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@/".contains(c);
        let is_form = |name: &str| {
            let form = name.ends_with("@v1") || name.starts_with("dev.gonogo.") || matches!(name.split_once('/'), Some((_, "1")));
            form || name.starts_with("GONOGO_") && !name.starts_with("GONOGO_TEST_")
        };
        let forms = strings(&text, plain).map(|(name, _)| name).filter(|name| is_form(name) && !spans.contains(name));
        missing.extend(forms.map(str::to_owned));
    }
    assert!(missing.is_empty(), "src/CONTRACTS.md lacks {missing:?}");
}

#[test]
fn a_section_that_is_cited_is_there() {
    let cites = ["CONTRACTS", ".md, \""].concat();
    let all = [texts(&root().join("src")), texts(&root().join("tests"))].concat();
    let cited: Names = all
        .iter()
        .flat_map(|text| text.split(cites.as_str()).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(cited.len() > 2, "{cited:?}");
    assert!(cited.iter().all(|title| !section(title).is_empty()));
}
