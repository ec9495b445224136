//! The pack laid out for people: one order of headings, fields, lists and tables, which every writer of it follows.

use chrono::{DateTime, Utc};

use super::{Coming, Pack};
use crate::model::approval::Approval;
use crate::model::gate::{Check, Counts};
use crate::model::review::Review;

/// A piece of the sheet. All texts are plain: each writer escapes them in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The one title.
    Title(String),
    /// A section.
    Section(String),
    /// One change.
    Change(String),
    /// A sentence.
    Say(String),
    /// Names with their values.
    Fields(Vec<(&'static str, String)>),
    /// A list with its name.
    List(&'static str, Vec<String>),
    /// A table with its name and its heads.
    Table(&'static str, Vec<&'static str>, Vec<Vec<String>>),
}

/// An instant, in UTC.
fn time(at: &DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

/// Lays the pack out.
pub fn sheet(pack: &Pack) -> Vec<Block> {
    let mut sheet = vec![Block::Title(format!("Changes of {}, {} to {}", pack.room, time(&pack.period.begin), time(&pack.period.end)))];
    if pack.simulated {
        sheet.push(Block::Say("SIMULATED: nothing here is real.".to_owned()));
    }
    let history = match pack.entries_from {
        None => "the ledger has no entry".to_owned(),
        Some(from) if pack.older_entries => format!("ledger entries from {} on; OLDER ONES WERE NOT LOOKED AT", time(&from)),
        Some(from) => format!("all ledger entries, from {} on", time(&from)),
    };
    sheet.push(Block::Fields(vec![
        ("made at", time(&pack.made)),
        ("changes", pack.coming.len().to_string()),
        ("carried out", pack.done.len().to_string()),
        ("break glass and emergencies", pack.glass.len().to_string()),
        ("reviews overdue", pack.overdue.len().to_string()),
        ("history", history),
    ]));
    if !pack.not_believed.is_empty() {
        sheet.push(Block::List("calendars that are NOT BELIEVED", pack.not_believed.clone()));
    }
    let freezes = pack
        .freezes
        .iter()
        .map(|one| vec![one.environment.to_string(), one.name.clone(), time(&one.span.begin), time(&one.span.end), one.reason.clone()]);
    table(&mut sheet, "freezes", &["environment", "freeze", "from", "to", "reason"], freezes.collect());
    if pack.period.end > pack.known_until {
        sheet.push(Block::Say(format!("Freezes are listed until {}; later ones are not looked at.", time(&pack.known_until))));
    }
    sheet.push(Block::Section("Changes that wait or are scheduled".to_owned()));
    if pack.coming.is_empty() {
        sheet.push(Block::Say("None.".to_owned()));
    }
    for one in &pack.coming {
        change(&mut sheet, one);
    }
    sheet.push(Block::Section("Carried out in the period".to_owned()));
    let done = pack.done.iter().map(|one| {
        let agreed = if one.agreed.is_empty() { "nobody".to_owned() } else { one.agreed.join(", ") };
        vec![
            time(&one.at),
            one.plan.short(),
            format!("{} {}", one.verb, one.target),
            one.by.clone(),
            agreed,
            one.outcome.word().to_owned(),
            one.words.to_string(),
        ]
    });
    table(&mut sheet, "deeds", &["begun", "plan", "deed", "by", "agreed", "outcome", "in words"], done.collect());
    sheet.push(Block::Section("Break glass, emergencies and reviews".to_owned()));
    let reviews = |all: &[Review]| all.iter().map(review).collect::<Vec<_>>();
    let heads = ["begun", "plan", "deed", "by", "cause", "reason", "review"];
    table(&mut sheet, "in the period", &heads, reviews(&pack.glass));
    table(&mut sheet, "overdue reviews", &heads, reviews(&pack.overdue));
    sheet
}

fn table(sheet: &mut Vec<Block>, name: &'static str, heads: &[&'static str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        sheet.push(Block::Fields(vec![(name, "none".to_owned())]));
    } else {
        sheet.push(Block::Table(name, heads.to_vec(), rows));
    }
}

fn review(review: &Review) -> Vec<String> {
    let state = match (&review.closed, review.due) {
        (Some(closed), _) => format!("made by {} at {}: {}", closed.by, time(&closed.at), closed.words),
        (None, Some(due)) => format!("due {}", time(&due)),
        (None, None) => "not owed yet".to_owned(),
    };
    vec![
        time(&review.at),
        review.plan.short(),
        format!("{} {}", review.verb.word(), review.target),
        review.by.clone(),
        review.cause.word().to_owned(),
        review.reason.to_string(),
        state,
    ]
}

fn change(sheet: &mut Vec<Block>, one: &Coming) {
    sheet.push(Block::Change(format!("{} {} (plan {})", one.what, one.target, one.plan.short())));
    let because = one.because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
    let when = if one.booked { "booked" } else { "waits, and ends with it" };
    let undo = one.undo.clone().unwrap_or_else(|| "nothing undoes it".to_owned());
    let proven = one.proven.map_or_else(|| "never proven".to_owned(), |at| format!("last proven {}", time(&at)));
    sheet.push(Block::Fields(vec![
        ("plan", one.plan.to_string()),
        ("service", one.target.service.to_string()),
        ("team", one.team.clone().unwrap_or_else(|| "none configured".to_owned())),
        ("environment", one.target.environment.to_string()),
        ("type", format!("{}{because}", one.kind.word())),
        ("state", one.state.to_owned()),
        ("asked by", format!("{} at {}", one.requester, time(&one.made))),
        ("reason", if one.reason.is_empty() { "none given".to_owned() } else { one.reason.to_string() }),
        ("time", format!("{} to {} ({when})", time(&one.time.begin), time(&one.time.end))),
        ("now", one.now.to_string()),
        ("after", one.after.to_string()),
        ("way back", format!("{undo}; {proven}")),
        ("evidence", one.evidence.clone().map_or_else(|| "none".to_owned(), |digest| format!("SHA-256 {digest}"))),
        ("risk", format!("{}, {} of {} points; its parts are below", one.risk.word(), one.risk.points(), one.risk.most())),
    ]));
    let parts = one.risk.parts.iter().map(|part| vec![part.name.to_owned(), format!("{} of {}", part.points, part.most), part.why.clone()]);
    sheet.push(Block::Table("parts of the risk", vec!["part", "points", "because"], parts.collect()));
    list(
        sheet,
        "what stands in its way or is awaited",
        one.blocked.iter().map(|why| format!("{}: {}; {}", why.rule, why.text, why.fix)).collect(),
    );
    list(sheet, "conflicts at its time", one.conflicts.clone());
    let failures = one
        .failures
        .iter()
        .map(|failure| vec![time(&failure.at), failure.how.clone(), failure.target.clone(), failure.by.clone(), failure.words.to_string()]);
    table(sheet, "last failures of this service", &["when", "what", "target", "by", "in words"], failures.collect());
    list(sheet, "approvals asked", one.asked.clone());
    list(sheet, "approvals given", one.given.iter().map(given).collect());
    list(sheet, "checks", one.checks.iter().map(check).collect());
}

fn list(sheet: &mut Vec<Block>, name: &'static str, all: Vec<String>) {
    if all.is_empty() {
        sheet.push(Block::Fields(vec![(name, "none".to_owned())]));
    } else {
        sheet.push(Block::List(name, all));
    }
}

fn given(approval: &Approval) -> String {
    let signed = if approval.is_own_key { "own key (T1)" } else { "signed by the process (T0)" };
    let words = if approval.words.is_empty() { String::new() } else { format!(": {}", approval.words) };
    format!(
        "{} at {}, until {}, {signed}, saw evidence {}{words}",
        approval.person,
        time(&approval.at),
        time(&approval.expires),
        approval.evidence
    )
}

fn check(check: &Check) -> String {
    let counts = match check.counts {
        Counts::Require => "required",
        Counts::Warn => "warns",
    };
    let text = if check.text.is_empty() { String::new() } else { format!(": {}", check.text) };
    format!("{} {} ({counts}){text}", check.kind.word(), check.finding.word())
}
