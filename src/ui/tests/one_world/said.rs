//! Facts as a page says them, found by rule: by the words around them, or by the heading of their column.

use std::fmt::Display;

use super::Page;
use crate::control::world::World;
use crate::model::name::Target;

/// One fact on one page.
#[derive(Debug)]
pub(super) struct Said {
    /// What kind of fact.
    pub(super) kind: &'static str,
    /// Of what: a target, a source, a moment; empty where the world has one of it, or where it names itself.
    pub(super) of: String,
    /// As it is said.
    pub(super) value: String,
}

impl Said {
    fn new(kind: &'static str, of: impl Display, value: impl Display) -> Self {
        Self { kind, of: of.to_string(), value: value.to_string() }
    }

    pub(super) fn subject(&self) -> String {
        if self.of.is_empty() { self.kind.to_owned() } else { format!("{} of {}", self.kind, self.of) }
    }

    /// Whether there is one such fact in a world, so that no two pages may say it differently.
    pub(super) fn is_one(&self) -> bool {
        !matches!(self.kind, "version" | "id" | "run" | "target" | "counts")
    }
}

/// A word without what stands around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| "()[],;:.\"".contains(c))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn is_version(word: &str) -> bool {
    word.split('.').count() == 3 && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_time(word: &str) -> bool {
    word.len() == 8 && word.split(':').count() == 3 && word.chars().all(|c| c.is_ascii_digit() || c == ':')
}

pub(super) fn versions(text: &str) -> Vec<&str> {
    text.split_whitespace().map(bare).filter(|word| is_version(word)).collect()
}

/// Whether a limit stands in one row with its word, and not in the column beside it.
fn in_a_row(page: &Page, number: &str) -> bool {
    page.rows.iter().any(|row| row.contains(&format!("limit {number}")))
}

/// Every `27 of 1,281` of a text.
pub(super) fn counts(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().map(bare).collect();
    let is_count = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    let found = words.windows(3).filter(|three| three[1] == "of" && is_count(three[0]) && is_count(three[2]));
    found.map(|three| three.join(" ")).collect()
}

/// The number before the last per cent sign.
fn per_cent(text: &str) -> Option<&str> {
    let words: Vec<&str> = text.split_whitespace().map(bare).collect();
    let at = words.iter().rposition(|word| *word == "%")?;
    words.get(at.checked_sub(1)?).copied().filter(|word| is_number(word))
}

/// The text of some columns.
fn columns(row: &str, from: usize, to: usize) -> String {
    row.chars().take(to).skip(from).collect()
}

/// The column at which a word of a heading begins.
fn column(heading: &str, word: &str) -> Option<usize> {
    heading.find(&format!(" {word}")).and_then(|at| heading.get(..=at)).map(|before| before.chars().count())
}

/// The whole number that follows some words at the beginning of a rule.
fn heading<'p>(page: &'p Page, words: &str) -> Option<(u64, &'p str)> {
    let row = page.rows.iter().find_map(|row| row.strip_prefix("─ ")?.strip_prefix(words))?;
    let digits = row.len() - row.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    Some((row.get(..digits)?.parse().ok()?, row.get(digits..)?.trim_end_matches('─')))
}

/// Everything that a page says.
pub(super) fn all(page: &Page, world: &World) -> Vec<Said> {
    let mut said = Vec::new();
    frame(page, &mut said);
    prose(page, world, &mut said);
    match page.kind {
        "board" => board(page, world, &mut said),
        "map" => map(page, world, &mut said),
        "plan" => plan(page, &mut said),
        "rollout" => measures(page, &mut said),
        "pipeline" => counted(page, "runs", "", " run", &mut said),
        "incident" => counted(page, "alerts", "alerts ", "", &mut said),
        "changes" => counted(page, "plans that wait", "plans that wait ", "", &mut said),
        "ledger" => entries(page, &mut said),
        _ => {}
    }
    said
}

/// The clock, and the age of each source.
fn frame(page: &Page, said: &mut Vec<Said>) {
    let clock = page.rows[0].split_whitespace().find(|word| word.strip_suffix('Z').is_some_and(is_time));
    said.extend(clock.map(|clock| Said::new("clock", "", clock)));
    let ages = page.rows[1].trim().strip_prefix("ages: ").into_iter().flat_map(|ages| ages.split("  "));
    // What needs a person elsewhere stands at the end of the same row.
    let (needs, ages): (Vec<&str>, Vec<&str>) = ages.filter(|one| !one.contains('…')).partition(|one| one.contains(" you"));
    let elsewhere = needs.first().and_then(|one| one.trim().split_once(" need")).filter(|_| !page.is_of_target());
    said.extend(elsewhere.map(|(count, _)| Said::new("needs you", "", count)));
    for (source, age) in ages.into_iter().filter_map(|one| one.trim().split_once(' ')) {
        said.push(Said::new("age", source, age.trim()));
    }
}

/// What the words say, wherever they stand; of the target that was named last, or that the page is about.
fn prose(page: &Page, world: &World, said: &mut Vec<Said>) {
    let body = page.rows[2..].join(" ").replace(['─', '│'], " ");
    let words: Vec<&str> = body.split_whitespace().collect();
    let mut target = page.target.clone().filter(|_| page.is_of_target());
    let mut signal = None;
    for (at, word) in words.iter().enumerate() {
        let near = |by: isize| at.checked_add_signed(by).and_then(|at| words.get(at)).copied().unwrap_or_default();
        let bare_word = bare(word);
        if let Some((_, environment)) = bare_word.split_once('@')
            && world.catalog.environments.iter().any(|known| known.name.as_str() == environment)
        {
            said.push(Said::new("target", "", bare_word));
            target = if matches!(page.kind, "board" | "changes" | "ledger") { bare_word.parse().ok() } else { target };
        }
        if let Some((backend, number)) = bare_word.split_once('/')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && world.sources.keys().any(|known| known.as_str() == backend)
        {
            said.push(Said::new("run", "", bare_word));
        }
        if bare_word.len() == 8 && bare_word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            said.push(Said::new("id", "", bare_word));
        }
        if is_version(bare_word) {
            said.push(Said::new("version", "", bare_word));
            let kind = match bare(near(1)) {
                "stable" => Some("stable version"),
                "canary" => Some("version on trial"),
                _ => None,
            };
            said.extend(kind.zip(target.as_ref()).map(|(kind, target)| Said::new(kind, target, bare_word)));
        }
        let remainder = near(1).strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|rest| rest.contains(':'));
        if let (true, Some(remainder)) = (is_time(word), remainder) {
            said.push(Said::new("remainder", word, remainder));
        }
        let Some(target) = &target else { continue };
        let service = world.catalog.services.get(&target.service);
        if service.is_some_and(|service| service.signals.iter().any(|known| known.name.as_str() == bare_word)) {
            signal = Some(bare_word);
        }
        if let (true, Some(signal)) = (*word == "limit" && is_number(bare(near(1))) && in_a_row(page, near(1)), signal) {
            let unit = bare(near(2));
            let closed = near(1).ends_with(&[',', ';', ':'][..]);
            let unit = if !closed && matches!(unit, "%" | "s" | "ms") { format!(" {unit}") } else { String::new() };
            said.push(Said::new("limit", format!("{signal} of {}", target.service), format!("{}{unit}", bare(near(1)))));
        }
        let traffic = (*word == "wished" && near(2) == "%,") || (*word == "on" && bare(near(2)) == "%");
        if traffic && is_number(near(1)) {
            said.push(Said::new("share", target, near(1)));
        }
        let count = |word: &str| bare(word).replace(',', "").parse::<u64>().ok();
        // `44 of 100 = 5 + ..` is a score, written as its sum.
        if let ("of", Some(_), Some(100..), false) = (*word, count(near(-1)), count(near(1)), near(2) == "=") {
            said.push(Said::new("counts", target, format!("{} of {}", bare(near(-1)), bare(near(1)))));
        }
    }
}

/// What needs a person, how many services there are and what becomes of each count, and a row a service.
fn board(page: &Page, world: &World, said: &mut Vec<Said>) {
    for kind in ["needs you", "services"] {
        let Some((count, parts)) = heading(page, &format!("{kind} ")) else { panic!("{}: no {kind}", page.name) };
        let sum: u64 = parts.split([',', ':']).filter_map(|part| part.split_whitespace().next()?.parse::<u64>().ok()).sum();
        said.push(Said::new(kind, "", count));
        said.push(Said::new("sum", kind, if sum == count { "its parts" } else { "not its parts" }));
    }
    let Some(at) = page.rows.iter().position(|row| row.contains("   service ")) else { return };
    let head = format!("{}  ", page.rows[at]);
    let mut edges: Vec<usize> = ["since", "budget", "signal", "team"].iter().filter_map(|word| column(&head, word)).collect();
    let environments = world.catalog.environments.iter().filter_map(|one| Some((&one.name, column(&head, &format!("{} ", one.name))?)));
    let environments: Vec<_> = environments.collect();
    edges.extend(environments.iter().map(|(_, at)| *at));
    for row in page.rows[at + 1..].iter().take_while(|row| !row.starts_with('─') && !row.is_empty()) {
        let Some(service) = columns(row, 4, 40).split_whitespace().next().and_then(|name| name.parse().ok()) else { continue };
        if !world.catalog.services.contains_key(&service) {
            continue;
        }
        for (environment, from) in &environments {
            let to = edges.iter().filter(|edge| *edge > from).min().copied().unwrap_or(usize::MAX);
            let cell = columns(row, *from, to);
            slots(&cell, &Target::new(service.clone(), (*environment).clone()), said);
        }
        if let Some(from) = column(&head, "signal") {
            let to = edges.iter().filter(|edge| **edge > from).min().copied().unwrap_or(usize::MAX);
            let cell = columns(row, from, to);
            let name = cell.split_whitespace().find(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
            if let (Some(name), Some((_, limit))) = (name, cell.rsplit_once(", ")) {
                said.push(Said::new("limit", format!("{name} of {service}"), limit.trim()));
            }
        }
    }
}

/// `2.4.1 80 ▸ 2.5.0 20 %`, and its shorter forms.
fn slots(cell: &str, target: &Target, said: &mut Vec<Said>) {
    let share = per_cent(cell);
    match (versions(cell).as_slice(), share) {
        ([stable, trial], _) => {
            said.push(Said::new("stable version", target, stable));
            said.push(Said::new("version on trial", target, trial));
        }
        ([trial], Some(_)) => said.push(Said::new("version on trial", target, trial)),
        ([stable], None) => said.push(Said::new("stable version", target, stable)),
        _ => {}
    }
    said.extend(share.filter(|_| cell.trim() != "100 %").map(|share| Said::new("share", target, share)));
}

/// The rows of the map.
fn map(page: &Page, world: &World, said: &mut Vec<Said>) {
    let Some(at) = page.rows.iter().position(|row| row.contains(" stopped by ")) else { return };
    let head = &page.rows[at];
    let mut rows = 0;
    let environment = page.rows[0].split(" map ").next().and_then(|before| before.split_whitespace().last()).unwrap_or_default();
    for row in page.rows[at + 1..].iter().take_while(|row| !row.starts_with('─') && !row.is_empty()) {
        let name = columns(row, 5, 40).split_whitespace().next().unwrap_or_default().to_owned();
        let target: Target = format!("{name}@{environment}").parse().unwrap();
        said.push(Said::new("target", "", &target));
        rows += 1;
        let (state, stopped) = (column(head, "state").unwrap(), column(head, "stopped by").unwrap());
        if let Some(from) = column(head, "from > to") {
            slots(&columns(row, from, state).replace("100 %", ""), &target, said);
        }
        let state = columns(row, state, column(head, "takes").unwrap_or(stopped));
        said.extend(per_cent(&state).map(|share| Said::new("share", &target, share)));
    }
    let all = world.targets.keys().filter(|target| target.environment.as_str() == environment).count();
    // On the smallest glass the others are scrolled to.
    if page.rows.len() > 24 {
        said.push(Said::new("sum", format!("services on the map of {environment}"), if rows == all { "all" } else { "not all" }));
    }
    let links = page.rows[0].split_once("links: ").map(|(_, links)| links.split("   ").next().unwrap_or_default());
    said.extend(links.filter(|links| !links.contains('…')).map(|links| Said::new("links", environment, links.trim())));
}

/// How it stands before a plan.
fn plan(page: &Page, said: &mut Vec<Said>) {
    let Some(target) = &page.target else { return };
    let id = page.rows[0].split_whitespace().skip_while(|word| *word != "PLAN").nth(1);
    said.extend(id.map(|id| Said::new("plan drawn up", target, id)));
    let now = page.rows.iter().find_map(|row| row.strip_prefix(" now "));
    if let Some(now) = now.filter(|now| now.contains('%')) {
        let first = now.split(['(', ';']).next().unwrap_or_default();
        slots(&first.split(',').take(2).collect::<Vec<_>>().join(","), target, said);
    }
}

/// The table of measures: a row a signal, its limit under its heading.
fn measures(page: &Page, said: &mut Vec<Said>) {
    let Some(at) = page.rows.iter().position(|row| row.starts_with("─ measure")) else { return };
    let (Some(head), Some(target)) = (page.rows.get(at + 1), &page.target) else { return };
    let Some(from) = column(head, "limit") else { return };
    // What a judge says of a measure stands under it, further in.
    let rows = page.rows[at + 2..].iter().take_while(|row| !row.starts_with('─') && !row.is_empty());
    for row in rows.filter(|row| !columns(row, 3, 4).trim().is_empty()) {
        let name = columns(row, 3, 40).split_whitespace().next().unwrap_or_default().to_owned();
        let cell = columns(row, from, from + 7);
        let (value, unit) = cell.trim().split_once(' ').unwrap_or((cell.trim(), ""));
        let unit = if matches!(unit.trim(), "%" | "s" | "ms") { format!(" {}", unit.trim()) } else { String::new() };
        if is_number(value) {
            said.push(Said::new("limit", format!("{name} of {}", target.service), format!("{value}{unit}")));
        }
    }
}

/// A count in a heading.
fn counted(page: &Page, kind: &'static str, before: &str, after: &str, said: &mut Vec<Said>) {
    let count = heading(page, before).filter(|(_, rest)| rest.starts_with(after)).map(|(count, _)| count);
    let of = page.target.as_ref().filter(|_| page.kind != "changes").map(ToString::to_string).unwrap_or_default();
    said.extend(count.map(|count| Said::new(kind, of, count)));
}

/// How many entries the ledger has.
fn entries(page: &Page, said: &mut Vec<Said>) {
    let row = page.rows.iter().find(|row| row.starts_with("─ ledger of ")).map(String::as_str).unwrap_or_default();
    let count = row.split(": ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    said.push(Said::new("entries", "", count));
}
