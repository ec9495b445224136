//! A `[[backend]]` of the kind `servicenow`: a desk, which is told and not polled.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::address::{self, Wrong};
use super::super::file::Fields;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::super::settings::{DeskSettings, WebhookSettings};
use super::backend::secret;
use super::known::Known;
use super::{label, text_of, webhook};
use crate::model::name::BackendName;
use crate::model::outbox::{NoticeKind, Opens, Wants};

pub(super) const KEYS: &[&str] =
    &["name", "kind", "url", "token", "user", "password", "ca_file", "deadline", "environments", "opens", "fields", "standard_template"];
/// Fields that are ours to write.
const OURS: &[&str] = &["short_description", "correlation_id", "correlation_display", "state", "close_code", "close_notes", "work_notes"];
/// Three requests of a try end within the right to deliver.
const LONGEST: Duration = Duration::from_secs(6);

/// One desk.
pub(super) fn desk(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<DeskSettings> {
    let what = label("backend", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(BackendName::new, found);
    let url = url(&fields, found);
    // What of it means something for a change is the clerk's to say.
    let wants = Wants { kinds: NoticeKind::ALL.to_vec(), ..webhook::wants(&fields, known, found) };
    let opens = fields.choice("opens", &[("planned", Opens::Planned), ("waiting", Opens::Waiting), ("begun", Opens::Begun)], found);
    let token = fields.get("token").and_then(|node| secret("token", node, found));
    let user = fields.text("user", found).map(str::to_owned);
    let password = fields.get("password").and_then(|node| secret("password", node, found));
    match (fields.get("token"), fields.get("user"), fields.get("password")) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => {}
        _ => found.problem(fields.at, &format!("{what} does not say who we are"), "`token`, or `user` and `password`, by reference"),
    }
    let mut written = BTreeMap::new();
    for (key, node) in fields.table("fields", found) {
        if OURS.contains(&key.name.as_ref()) {
            found.problem(key.at, &format!("`{}` is written by gonogo itself", key.name), "another field");
        } else if let Some(text) = node.text(&key.name, found) {
            written.insert(key.name.to_string(), text.to_owned());
        }
    }
    let template = fields.text("standard_template", found).map(str::to_owned);
    let deadline = fields.duration("deadline", Duration::from_millis(100), found).unwrap_or(LONGEST);
    if let (true, Some(node)) = (deadline > LONGEST, fields.get("deadline")) {
        found.problem(node.at, "`deadline` is too long: a change must be written while the right to write it lasts", "at most 6s");
    }
    let ca_file = fields.path("ca_file", found);
    Some(DeskSettings { name: name?, url: url?, wants, opens, fields: written, template, token, user, password, ca_file, deadline })
}

fn url(fields: &Fields<'_>, found: &mut Findings) -> Option<String> {
    let node = fields.required("url", "`url = \"https://..\"`", found)?;
    let text = node.text("url", found)?;
    let (what, right) = match address::url(text) {
        Ok(url) if url.encrypted || url.loopback => return Some(url.text),
        Ok(_) => ("the password or token would go to another host in plain text", "https://, or a host that is this one"),
        Err(Wrong::NoUrl) => ("`url` is no URL", "https://, a host, and a port where it is not the usual one"),
        Err(Wrong::Credentials) => ("`url` holds a user or a password", "`user` and `password = { env = \"..\" }` beside a plain URL"),
        Err(Wrong::Query) => ("`url` holds a query or a fragment", "a URL that ends before `?` and `#`"),
    };
    found.problem(node.at, what, right);
    None
}

/// A desk and a webhook of one name would be one receiver.
pub(super) fn refuse_twins(desks: &[DeskSettings], webhooks: &[WebhookSettings], nodes: &[Node], found: &mut Findings) {
    for desk in desks.iter().filter(|desk| webhooks.iter().any(|webhook| webhook.name == desk.name)) {
        if let Some(node) = nodes.iter().find(|node| text_of(node, "name") == Some(desk.name.as_str()))
            && let Value::Table(_) = &node.value
        {
            found.problem(node.at, &format!("a webhook and a desk are named `{}`", desk.name), "a name of its own");
        }
    }
}
