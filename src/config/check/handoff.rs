//! `[[link]]`: the addresses at which other tools show the same target and time.

use super::super::address::{self, Wrong};
use super::super::file::Fields;
use super::super::node::Node;
use super::super::placeholder;
use super::super::problem::{At, Findings};
use crate::model::handoff::{HandOff, PLACEHOLDERS};
use crate::model::name::BackendName;

pub(super) const KEYS: &[&str] = &["name", "url"];
/// Parameters that are mostly secrets: a link is shown, copied and sent around.
const SECRETS: &[&str] =
    &["token", "access_token", "auth", "auth_token", "apikey", "api_key", "api-key", "password", "passwd", "secret", "signature"];

/// All hand-offs, in the order of the file.
pub(super) fn handoffs(nodes: &[Node], found: &mut Findings) -> Vec<HandOff> {
    nodes.iter().filter_map(|node| handoff(node, found)).collect()
}

fn handoff(node: &Node, found: &mut Findings) -> Option<HandOff> {
    let what = super::label("link", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(BackendName::new, found);
    let node = fields.required("url", "`url = \"https://..\"`, an address with placeholders such as $service", found)?;
    let url = node.text("url", found)?;
    refuse(node.at, url, found);
    Some(HandOff { name: name?, url: url.to_owned() })
}

fn refuse(at: At, url: &str, found: &mut Findings) {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (before, behind) = url.split_at_checked(end).unwrap_or((url, ""));
    match address::url(before) {
        Ok(_) => {}
        Err(Wrong::Credentials) => found.problem(at, "`url` holds a user or a password", "an address at which each person signs in alone"),
        Err(Wrong::NoUrl | Wrong::Query) => {
            found.problem(at, "`url` is no address of the web", "http:// or https:// and a host without placeholders, then a path");
        }
    }
    if !behind.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c)) {
        found.problem(
            at,
            "`url` holds a character that cannot stand in an address",
            "the same in per cent: %22 for a quote, %20 for a space",
        );
    }
    let parameter = |part: &str| part.split('=').next().unwrap_or_default().to_ascii_lowercase();
    if let Some(secret) = behind.split(['?', '#', '&', ';']).map(parameter).find(|name| SECRETS.contains(&name.as_str())) {
        found.problem(at, &format!("`{secret}` of `url` is mostly a secret, and a link is shown and copied"), "an address without it");
    }
    if let Some((wrong, right)) = placeholder::unknown(url, PLACEHOLDERS) {
        found.problem(at, &format!("unknown placeholder {wrong} in `url`"), &right);
    }
}
