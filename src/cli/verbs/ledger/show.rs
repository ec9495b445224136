//! `gonogo ledger show N`.

use serde_json::{Value, json};

use super::{failed, open};
use crate::cli::exit::Exit;
use crate::cli::{json as shapes, out};
use crate::config::surroundings::{Flags, Surroundings};
use crate::model::authorship::Authorship;
use crate::model::text::Text;
use crate::store::Shown;

/// Prints an entry in full, with the evidence that was seen. Exit 2 when there is none of that number, exit 11 when its evidence is
/// not what was recorded.
pub async fn run(around: &Surroundings, flags: &Flags, n: u64, as_json: bool) -> Exit {
    let store = match open(around, flags).await {
        Ok((store, _)) => store,
        Err(exit) => return exit,
    };
    let shown = match store.show(n).await {
        Ok(Some(shown)) => shown,
        Ok(None) => {
            out::words(&format!("gonogo: there is no entry {n}; `gonogo ledger list` names them"));
            return Exit::Usage;
        }
        Err(error) => return failed(&error),
    };
    if as_json {
        out::json(&shape(&shown));
    } else {
        say(&shown);
    }
    if shown.seen.is_some_and(|seen| !seen.whole) { Exit::Ledger } else { Exit::Done }
}

fn shape(shown: &Shown) -> Value {
    let seen = shown.seen.as_ref();
    let evidence = seen.map(|seen| json!({ "digest": seen.digest, "whole": seen.whole, "items": seen.items }));
    // An allowed-signers file is no JSON.
    let body = serde_json::from_str(&shown.body).unwrap_or_else(|_| Value::from(shown.body.as_str()));
    json!({ "schema": shapes::SCHEMA, "entry": shapes::entry(&shown.row), "body": body, "evidence": evidence })
}

fn say(shown: &Shown) {
    let row = &shown.row;
    let clean = |text: &str| Text::clean(text).to_string();
    let field = |name: &str, value: &str| out::line(&format!("{name:<10} {value}"));
    field("entry", &format!("{} {}", row.n, row.kind.word()));
    field("at", &row.at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string());
    field("signed by", &clean(&row.signer));
    for (name, value) in [("verb", &row.verb), ("target", &row.target), ("asked by", &row.requester), ("verdict", &row.verdict)] {
        if let Some(value) = value {
            field(name, &clean(value));
        }
    }
    if let Some(deed) = &row.deed {
        field("plan", &deed.to_string());
    }
    if !row.words.is_empty() {
        field("words", row.words.as_str());
    }
    for line in shown.body.lines() {
        field("body", &clean(line));
    }
    let Some(seen) = &shown.seen else { return };
    let whole = if seen.whole { "as recorded" } else { "NOT WHAT WAS RECORDED" };
    field("evidence", &format!("{} {whole}", clean(&seen.digest)));
    for item in &seen.items {
        if let Some(released) = item.get("released") {
            let version = |of: &str| clean(released.pointer(&format!("/{of}/version")).and_then(Value::as_str).unwrap_or("not known"));
            let commit = released.pointer("/to/revision").and_then(Value::as_str).map(|commit| format!(", commit {}", clean(commit)));
            field("", &format!("released: from {} to {}{}", version("from"), version("to"), commit.unwrap_or_default()));
            continue;
        }
        let authors = item.get("authors").and_then(|authors| serde_json::from_value::<Authorship>(authors.clone()).ok());
        if let Some(authors) = authors {
            field("", &format!("authors: {}", clean(&authors.said())));
            continue;
        }
        let word = |name: &str| clean(item.get(name).and_then(Value::as_str).unwrap_or_default());
        let age = item.get("age_s").and_then(Value::as_u64).map_or_else(|| "never read".to_owned(), |age| format!("{age} s old"));
        let kind = [word("kind"), word("finding")].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let kind = if kind.is_empty() { kind } else { format!("{kind}: ") };
        field("", &format!("{kind}{} ({} {age})", word("text"), word("source")));
    }
}
