//! Hand-offs of a target: the same target, version, measure and time at the other tools that show them.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};

use crate::config::placeholder;
use crate::control::world::{SignalView, World};
use crate::model::catalog::BackendKind;
use crate::model::name::Target;
use crate::model::slot::Track;
use crate::model::text::Text;

/// The most panels that are opened at a metrics system.
const PANELS: usize = 4;

/// A link to another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// What it leads to.
    pub name: String,
    /// The address; or what it lacks here.
    pub url: Result<String, String>,
}

/// Every hand-off of a target, for a measure and a time in milliseconds since 1970: the configured ones, then each measure's own metrics system.
pub fn ways(world: &World, target: &Target, signal: Option<&SignalView>, (from, to): (i64, i64)) -> Vec<Way> {
    let configured = world
        .catalog
        .handoffs
        .iter()
        .map(|one| Way { name: one.name.to_string(), url: filled(world, target, signal, (from, to), &one.url) });
    configured.chain(signal.and_then(|signal| graph(world, signal, (from, to)))).collect()
}

fn filled(world: &World, target: &Target, signal: Option<&SignalView>, (from, to): (i64, i64), template: &str) -> Result<String, String> {
    let view = world.target(target);
    let version = |track: Track| {
        let view = view?;
        view.version(track.slot(view.state.stable)).map(|seen| seen.version.to_string())
    };
    let iso = |ms: i64| DateTime::from_timestamp_millis(ms).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let value = |name: &str| match name {
        "service" => Some(target.service.to_string()),
        "environment" => Some(target.environment.to_string()),
        "version" => version(Track::Canary).or_else(|| version(Track::Stable)),
        "stable" => version(Track::Stable),
        "signal" => signal.map(|signal| signal.name.to_string()),
        "query" => signal.and_then(|signal| signal.queries.first().map(|query| drawable(signal, query))),
        "from" => Some(from.to_string()),
        "to" => Some(to.to_string()),
        "from_iso" => iso(from),
        "to_iso" => iso(to),
        _ => None,
    };
    let known = placeholder::names(template).map(|name| match value(name) {
        Some(text) => Ok((name, encoded(&text))),
        None => Err(format!("${name} is not known here")),
    });
    let known = known.collect::<Result<Vec<_>, String>>()?;
    let url = placeholder::fill(template, |name| known.iter().find(|(of, _)| *of == name).map(|(_, text)| text.as_str()));
    if is_plain(&url) { Ok(url) } else { Err("it is no plain web address".to_owned()) }
}

/// The graph page of a metrics system, with the queries of a measure.
fn graph(world: &World, signal: &SignalView, (from, to): (i64, i64)) -> Option<Way> {
    let backend = world.catalog.backends.get(&signal.backend).filter(|backend| backend.kind == BackendKind::Prometheus)?;
    if !is_plain(&backend.address) {
        return None;
    }
    let end = DateTime::from_timestamp_millis(to)?.format("%Y-%m-%d %H:%M:%S").to_string();
    let mut url = format!("{}/graph", backend.address.trim_end_matches('/'));
    for (n, query) in signal.queries.iter().take(PANELS).enumerate() {
        let lead = if n == 0 { '?' } else { '&' };
        let span = (to - from).max(1_000) / 1_000;
        let (query, end) = (encoded(&drawable(signal, query)), encoded(&end));
        let _ = write!(url, "{lead}g{n}.expr={query}&g{n}.tab=0&g{n}.range_input={span}s&g{n}.end_input={end}");
    }
    let url = if signal.queries.is_empty() { Err("no query was sent yet".to_owned()) } else { Ok(url) };
    Some(Way { name: signal.backend.to_string(), url })
}

/// A query as it can be drawn over time: of the samples of a counter their rate, since a range of samples is no graph.
fn drawable(signal: &SignalView, query: &Text) -> String {
    match signal.window_s {
        Some(_) if query.as_str().ends_with(']') => format!("rate({query})"),
        Some(_) | None => query.to_string(),
    }
}

/// A value as it may stand in any part of an address: all but letters, digits and `-._~` in per cent.
pub fn encoded(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Whether it is an address of the web in characters that a terminal takes for nothing else, without a user in it.
fn is_plain(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    authority.is_some_and(|host| !host.is_empty() && !host.contains('@')) && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_means_something_in_an_address_is_written_in_per_cent() {
        assert_eq!(encoded("a b&c=d#é/\u{1b}"), "a%20b%26c%3Dd%23%C3%A9%2F%1B");
        assert_eq!(encoded("2.5.0-rc_1~x"), "2.5.0-rc_1~x");
    }

    #[test]
    fn only_addresses_of_the_web_without_a_user_are_plain() {
        for (url, plain) in [
            ("https://grafana.shop.example/d/1?from=1", true),
            ("http://127.0.0.1:9090/graph", true),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
            ("https://ana:secret@grafana.shop.example/", false),
            ("https://grafana.shop.example/\u{1b}]8;;", false),
            ("https://grafana.shop.example/a b", false),
            ("https:///d/1", false),
        ] {
            assert_eq!(is_plain(url), plain, "{url}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_backend_tells_stays_in_its_place(value in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let url = format!("https://logs.shop.example/q?v={}", encoded(&value));
            prop_assert!(is_plain(&url));
            prop_assert_eq!(url.matches(['?', '&', '#', '=']).count(), 2);
        }
    }
}
