//! Known incidents as a file: CSV with the header `start,end,service`, or one JSON object a line.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::DateTime;
use serde::Deserialize;

use crate::analysis::burn::score::Incident;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::config::nearest::instead;
use crate::model::name::ServiceName;
use crate::model::text::Text;

/// The longest file in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;
const HEADER: &str = "start,end,service";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    start: String,
    end: String,
    service: String,
}

/// Reads them.
///
/// # Errors
/// Exit 1, having said of each wrong line what would be right.
pub(super) fn read(file: &Path, services: &BTreeSet<ServiceName>) -> Result<Vec<Incident>, Exit> {
    let refused = |why: &str| {
        out::words(&format!("gonogo: {}: {why}", file.display()));
        Exit::Failed
    };
    let length = std::fs::metadata(file).map_err(|error| refused(&format!("failed to read it: {error}")))?.len();
    if length > LONGEST {
        return Err(refused("it is longer than 16 MiB"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| refused(&format!("failed to read it: {error}")))?;
    parse(&text, services).map_err(|wrong| {
        for (line, why) in wrong.iter().take(20) {
            out::words(&format!("{}:{line}:1: {why}", file.display()));
        }
        Exit::Failed
    })
}

fn parse(text: &str, services: &BTreeSet<ServiceName>) -> Result<Vec<Incident>, Vec<(usize, String)>> {
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())).filter(|(_, line)| !line.is_empty()).peekable();
    let is_json = lines.peek().is_some_and(|(_, line)| line.starts_with('{'));
    let (mut incidents, mut wrong) = (Vec::new(), Vec::new());
    if !is_json
        && let Some((n, line)) = lines.next()
        && line != HEADER
    {
        wrong.push((n, format!("the header is `{}`; expected `{HEADER}`, or JSON objects with these keys", Text::clean_within(line, 80))));
    }
    for (n, line) in lines {
        match one(line, is_json, services) {
            Ok(incident) => incidents.push(incident),
            Err(why) => wrong.push((n, why)),
        }
    }
    if wrong.is_empty() { Ok(incidents) } else { Err(wrong) }
}

fn one(line: &str, is_json: bool, services: &BTreeSet<ServiceName>) -> Result<Incident, String> {
    let fields = if is_json {
        serde_json::from_str::<Line>(line)
            .map_err(|error| format!("no incident: {error}; expected {{\"start\":..,\"end\":..,\"service\":..}}"))?
    } else {
        match line.split(',').map(str::trim).collect::<Vec<_>>().as_slice() {
            [start, end, service] => Line { start: (*start).to_owned(), end: (*end).to_owned(), service: (*service).to_owned() },
            other => return Err(format!("{} fields; expected 3: {HEADER}", other.len())),
        }
    };
    let at = |text: &str| {
        let wrong = |_| format!("`{}` is no RFC 3339 time; expected such as 2026-11-24T14:00:00Z", Text::clean_within(text, 40));
        DateTime::parse_from_rfc3339(text).map(|at| at.timestamp()).map_err(wrong)
    };
    let (from_s, to_s) = (at(&fields.start)?, at(&fields.end)?);
    if from_s >= to_s {
        return Err("it ends before it begins; expected `start` before `end`".to_owned());
    }
    let Some(service) = services.iter().find(|service| service.as_str() == fields.service) else {
        let known = instead(&fields.service, services.iter().map(ServiceName::as_str));
        return Err(format!("no service is named `{}`; expected {known}", Text::clean_within(&fields.service, 80)));
    };
    Ok(Incident { service: service.clone(), from_s, to_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> BTreeSet<ServiceName> {
        BTreeSet::from(["checkout".parse().unwrap()])
    }

    #[test]
    fn both_forms_say_the_same() {
        let csv = "start,end,service\n2026-11-01T10:00:00Z,2026-11-01T11:00:00Z,checkout\n";
        let json = "{\"start\":\"2026-11-01T10:00:00Z\",\"end\":\"2026-11-01T12:00:00+01:00\",\"service\":\"checkout\"}\n";
        let found = parse(csv, &services()).unwrap();
        assert_eq!(found, parse(json, &services()).unwrap());
        assert_eq!((found.len(), found[0].to_s - found[0].from_s), (1, 3_600));
        assert_eq!(parse("", &services()), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let text = "start,end\n2026-11-01T10:00:00Z,2026-11-01T09:00:00Z,checkout\n\nyesterday,today,checkout\na,b\n2026-11-01T10:00:00Z,2026-11-01T11:00:00Z,chekout\n";
        let wrong = parse(text, &services()).unwrap_err();
        let said: Vec<_> = wrong.iter().map(|(n, why)| format!("{n} {why}")).collect();
        assert_eq!(
            said,
            [
                "1 the header is `start,end`; expected `start,end,service`, or JSON objects with these keys",
                "2 it ends before it begins; expected `start` before `end`",
                "4 `yesterday` is no RFC 3339 time; expected such as 2026-11-24T14:00:00Z",
                "5 2 fields; expected 3: start,end,service",
                "6 no service is named `chekout`; expected `checkout`",
            ]
        );
    }
}
