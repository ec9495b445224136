//! CSV by RFC 4180, one row a plan; no cell can become a formula in a spreadsheet.

use chrono::{DateTime, Utc};

use crate::model::dossier::Dossier;
use crate::model::released::Build;
use crate::model::text::Text;
use crate::model::time::rfc3339;

/// The columns, in their order. A later version adds at the end alone.
pub const COLUMNS: [&str; 30] = [
    "deed",
    "plan",
    "verb",
    "service",
    "environment",
    "team",
    "change_type",
    "requester",
    "approvers",
    "reason",
    "ticket",
    "from_version",
    "from_digest",
    "to_version",
    "to_digest",
    "to_revision",
    "to_run",
    "share",
    "intended",
    "sent",
    "accepted",
    "effective",
    "held",
    "state",
    "break_glass",
    "review",
    "signed",
    "evidence",
    "rules",
    "entries",
];

/// The first line.
pub fn header() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

/// One row. `team`: the service's, by the present configuration.
pub fn row(dossier: &Dossier, team: &str) -> String {
    let order = dossier.order.as_ref();
    let target = dossier.target.as_ref();
    let facts = dossier.facts();
    let plan = dossier.plan.to_string();
    let deed = if dossier.has_begun() { plan.clone() } else { String::new() };
    let approvers: Vec<&str> = dossier.approvals().map(|said| said.person).collect();
    let entries: Vec<String> = dossier.entries.iter().map(|entry| entry.n.to_string()).collect();
    let signed =
        dossier.first(crate::model::deed::EntryKind::Intent).map_or("", |entry| if entry.is_own_key() { "own key" } else { "process" });
    let (from, to) = (&dossier.released.from, &dossier.released.to);
    let digest = |build: &Build| said(build.digest.as_ref());
    // What is in the signed Order stands above what was merely read.
    let to_digest = order.and_then(|order| order.targets.first()?.digest.as_ref()).map_or_else(|| digest(to), |digest| said(Some(digest)));
    let cells: [String; COLUMNS.len()] = [
        deed,
        plan,
        dossier.verb.clone().unwrap_or_default(),
        target.map(|target| target.service.to_string()).unwrap_or_default(),
        target.map(|target| target.environment.to_string()).unwrap_or_default(),
        team.to_owned(),
        order.map(|order| order.change_type.word().to_owned()).unwrap_or_default(),
        dossier.requester.clone(),
        approvers.join(" "),
        dossier.reason.to_string(),
        dossier.ticket().unwrap_or_default().to_owned(),
        said(from.version.as_ref()),
        digest(from),
        said(to.version.as_ref()),
        to_digest,
        said(to.revision.as_ref()),
        to.run.clone().unwrap_or_default(),
        order.and_then(|order| order.percent).map(|percent| percent.to_string()).unwrap_or_default(),
        time(facts.intended),
        time(facts.sent),
        time(facts.accepted),
        time(facts.effective),
        time(facts.held),
        dossier.state().to_owned(),
        dossier.break_glass().unwrap_or_default().to_owned(),
        review(dossier),
        signed.to_owned(),
        dossier.evidence().unwrap_or_default().to_owned(),
        order.map(|order| order.rules.clone()).unwrap_or_default(),
        entries.join(" "),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}

fn said(text: Option<&Text>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| rfc3339(&at)).unwrap_or_default()
}

/// `owed until T`, `made by NAME at T`, or nothing.
fn review(dossier: &Dossier) -> String {
    let Some(review) = &dossier.review else { return String::new() };
    match (&review.closed, review.due) {
        (Some(closed), _) => format!("made by {} at {}", closed.by, rfc3339(&closed.at)),
        (None, Some(due)) => format!("owed until {}", rfc3339(&due)),
        (None, None) => String::new(),
    }
}

/// One cell: what a spreadsheet would compute gets an apostrophe before it, what holds a separator stands in quotes.
fn cell(text: &str) -> String {
    // Some programs skip blanks before they look for a formula, and take full-width signs for the narrow ones.
    let computes = text.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let guarded = if computes || text.starts_with(['\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\r', '\n', ';', '\t']) || guarded.starts_with(' ') || guarded.ends_with(' ') {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_compute_is_text() {
        for (text, wanted) in [
            ("plain", "plain"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\"'\t=1\""),
            ("a=1", "a=1"),
            ("say \"yes\", now", "\"say \"\"yes\"\", now\""),
            ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
        ] {
            assert_eq!(cell(text), wanted);
        }
    }

    /// RFC 4180 as a reader would: the fields of one record.
    fn fields(record: &str) -> Vec<String> {
        let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
        let mut rest = record.chars().peekable();
        while let Some(c) = rest.next() {
            match (c, quoted) {
                ('"', true) if rest.peek() == Some(&'"') => {
                    rest.next();
                    field.push('"');
                }
                ('"', _) => quoted = !quoted,
                (',', false) => fields.push(std::mem::take(&mut field)),
                (c, _) => field.push(c),
            }
        }
        fields.push(field);
        fields
    }

    proptest! {
        #[test]
        fn any_texts_come_back_from_their_row_and_none_is_a_formula(texts in proptest::collection::vec(any::<String>(), 1..6)) {
            let row = texts.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",");
            let back = fields(&row);
            prop_assert_eq!(back.len(), texts.len());
            for (read, text) in back.iter().zip(&texts) {
                prop_assert!(read == text || read.strip_prefix('\'') == Some(text));
                prop_assert!(!read.trim_start().starts_with(['=', '+', '-', '@']));
            }
        }
    }
}
