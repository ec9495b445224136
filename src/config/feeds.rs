//! The calendars that windows and freezes are read from: their addresses, each under one name.

use std::time::Duration;

use super::address::{self, Wrong};
use super::node::Node;
use super::problem::Findings;
use super::settings::{CalendarAddress, CalendarSettings};
use crate::model::name::BackendName;
use crate::model::timetable::Feed;

/// All calendars of a configuration.
#[derive(Debug, Clone, Default)]
pub(super) struct Feeds(Vec<(CalendarSettings, Duration)>);

impl Feeds {
    /// Takes in the address at `node`; the name under which it is read.
    pub(super) fn add(&mut self, node: &Node, every: Duration, found: &mut Findings) -> Option<BackendName> {
        let text = node.text("calendar", found)?;
        let address = if text.contains("://") {
            CalendarAddress::Url(url(node, text, found)?)
        } else {
            CalendarAddress::File(node.path("calendar", found)?)
        };
        if let Some((settings, shortest)) = self.0.iter_mut().find(|(settings, _)| settings.address == address) {
            *shortest = every.min(*shortest);
            return Some(settings.name.clone());
        }
        let name = self.name(&address)?;
        self.0.push((CalendarSettings { name: name.clone(), address }, every));
        Some(name)
    }

    /// A name by which a person knows the address again: the host, or the file's name. Never the path of a URL, which may be a secret.
    fn name(&self, address: &CalendarAddress) -> Option<BackendName> {
        let text = match address {
            CalendarAddress::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            CalendarAddress::Url(url) => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                rest.split_once('/').map_or(rest, |(host, _)| host).to_owned()
            }
        };
        let plain: String =
            text.chars().take(100).map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect();
        let base = if plain.is_empty() { "calendar".to_owned() } else { plain };
        let taken = |name: &str| self.0.iter().any(|(settings, _)| settings.name.as_str() == name);
        let mut name = base.clone();
        let mut count = 1;
        while taken(&name) {
            count += 1;
            name = format!("{base}-{count}");
        }
        BackendName::new(&name).ok()
    }

    /// The calendars as nouns, without their addresses.
    pub(super) fn nouns(&self) -> Vec<Feed> {
        self.0.iter().map(|(settings, every)| Feed { name: settings.name.clone(), every: *every }).collect()
    }

    /// Where they are read.
    pub(super) fn settings(self) -> Vec<CalendarSettings> {
        self.0.into_iter().map(|(settings, _)| settings).collect()
    }
}

/// An address that is safe to read: encrypted, or on this machine. It is never repeated, for its path may be a secret.
fn url(node: &Node, text: &str, found: &mut Findings) -> Option<String> {
    let (what, expected) = match address::url(text) {
        Ok(url) if url.encrypted || url.loopback => return Some(url.text),
        Ok(_) => ("the calendar would come in plain text over a network, where anyone may change it", "https://"),
        Err(Wrong::NoUrl) => {
            ("the calendar's address is no http or https URL", "an address such as \"https://cal.shop.example/freeze.ics\"")
        }
        Err(Wrong::Credentials) => ("the calendar's address holds a user or a password", "an address without them"),
        Err(Wrong::Query) => ("the calendar's address holds a query or a fragment", "an address without them"),
    };
    found.problem(node.at, what, expected);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> CalendarAddress {
        CalendarAddress::File(path.into())
    }

    #[test]
    fn two_files_of_one_name_have_two_names() {
        let mut feeds = Feeds::default();
        let first = feeds.name(&file("/a/freeze days.ics")).unwrap();
        assert_eq!(first.as_str(), "freeze-days.ics");
        feeds.0.push((CalendarSettings { name: first, address: file("/a/freeze days.ics") }, Duration::ZERO));
        assert_eq!(feeds.name(&file("/b/freeze days.ics")).unwrap().as_str(), "freeze-days.ics-2");
    }

    #[test]
    fn the_name_of_a_url_tells_the_host_and_not_the_path_which_may_be_a_secret() {
        let name = Feeds::default().name(&CalendarAddress::Url("https://cal.example/private-abc/basic.ics".to_owned())).unwrap();
        assert_eq!(name.as_str(), "cal.example");
    }
}
