//! `[[webhook]]`: who is told what happened, in which form, and signed with what.

use std::time::Duration;

use super::super::address::{self, Wrong};
use super::super::file::Fields;
use super::super::nearest::instead;
use super::super::node::{Node, Value};
use super::super::problem::Findings;
use super::super::settings::{Format, WebhookAddress, WebhookSettings};
use super::backend::secret;
use super::known::Known;
use super::label;
use crate::model::name::BackendName;
use crate::model::outbox::{NoticeKind, Wants};

pub(super) const KEYS: &[&str] =
    &["name", "url", "events", "environments", "format", "member", "secret", "token", "ca_file", "insecure", "deadline"];
pub(super) const FORMATS: &[&str] = &["structured", "binary", "text", "grafana", "otlp", "pushgateway"];
/// The longest wait that still ends before the right to deliver does.
const LONGEST: Duration = Duration::from_secs(15);

/// All webhooks.
pub(super) fn webhooks(nodes: &[Node], known: &Known<'_>, found: &mut Findings) -> Vec<WebhookSettings> {
    nodes.iter().filter_map(|node| webhook(node, known, found)).collect()
}

fn webhook(node: &Node, known: &Known<'_>, found: &mut Findings) -> Option<WebhookSettings> {
    let what = label("webhook", node);
    let fields = Fields::open(node, &what, KEYS, found)?;
    let name = fields.name(BackendName::new, found);
    let insecure = fields.flag("insecure", found).unwrap_or(false);
    let address = address(&fields, insecure, found);
    let wants = wants(&fields, known, found);
    let format = format(&fields, found);
    let secret_of = |key: &str, found: &mut Findings| fields.get(key).and_then(|node| secret(key, node, found));
    if let (Format::Grafana | Format::Otlp | Format::Pushgateway, Some(node)) = (&format, fields.get("secret")) {
        found.problem(
            node.at,
            "`secret` signs CloudEvents and text; this receiver knows no signature",
            "`token = { env = \"..\" }`, or nothing",
        );
    }
    let (signing, token) = (secret_of("secret", found), secret_of("token", found));
    let deadline = fields.duration("deadline", Duration::from_millis(100), found).unwrap_or(Duration::from_secs(10));
    if let (true, Some(node)) = (deadline > LONGEST, fields.get("deadline")) {
        found.problem(node.at, "`deadline` is too long: an announcement must end while the right to make it lasts", "at most 15s");
    }
    let ca_file = fields.path("ca_file", found);
    Some(WebhookSettings { name: name?, address: address?, wants, format, secret: signing, token, ca_file, insecure, deadline })
}

fn address(fields: &Fields<'_>, insecure: bool, found: &mut Findings) -> Option<WebhookAddress> {
    const FORM: &str = "`url = \"https://..\"`, or a reference such as { env = \"..\" } where the address is a secret";
    let node = fields.required("url", FORM, found)?;
    if let Value::Table(_) = &node.value {
        return secret("url", node, found).map(WebhookAddress::Secret);
    }
    let text = node.text("url", found)?;
    let (what, right) = match address::url(text) {
        Ok(url) if url.encrypted || url.loopback || insecure => {
            if !url.encrypted && !url.loopback && fields.get("token").is_some() {
                found.problem(node.at, "the token would go to another host in plain text", "https://, or a host that is this one");
            }
            return Some(WebhookAddress::Plain(url.text));
        }
        Ok(_) => ("plain http to a host that is not this one", "https://, or `insecure = true`"),
        Err(Wrong::NoUrl) => ("`url` is no URL", "http:// or https://, a host, and a port where it is not the usual one"),
        Err(Wrong::Credentials) => ("`url` holds a user or a password", "`token = { env = \"..\" }` beside a plain URL"),
        Err(Wrong::Query) => ("`url` holds a query, which is mostly a secret", "`url = { env = \"..\" }` or { file = \"..\" }"),
    };
    found.problem(node.at, what, right);
    None
}

/// `events` and `environments`, which a desk has too.
pub(super) fn wants(fields: &Fields<'_>, known: &Known<'_>, found: &mut Findings) -> Wants {
    let mut wants = Wants::default();
    for (at, word) in fields.texts("events", found) {
        if let Some(kind) = NoticeKind::of_word(word) {
            wants.kinds.push(kind);
        } else {
            let right = instead(word, NoticeKind::ALL.map(NoticeKind::word));
            found.problem(at, &format!("no event is called `{word}`"), &right);
        }
    }
    if let Some(Node { at, value: Value::List(items) }) = fields.get("events")
        && items.is_empty()
    {
        found.problem(*at, "`events` is empty: nothing would ever be told", "words such as \"break-glass\", or no `events` for all");
    }
    let names = fields.texts("environments", found);
    wants.environments = names.into_iter().filter_map(|(at, text)| known.environment(at, text, found)).collect();
    wants
}

fn format(fields: &Fields<'_>, found: &mut Findings) -> Format {
    let word = fields.get("format").and_then(|node| Some((node.at, node.text("format", found)?)));
    let member = fields.text("member", found).map(str::to_owned);
    let format = match word {
        None | Some((_, "structured")) => Format::Structured,
        Some((_, "binary")) => Format::Binary,
        Some((_, "grafana")) => Format::Grafana,
        Some((_, "otlp")) => Format::Otlp,
        Some((_, "pushgateway")) => Format::Pushgateway,
        Some((_, "text")) => return Format::Text { member: member.unwrap_or_else(|| "text".to_owned()) },
        Some((at, other)) => {
            found.problem(at, &format!("`format` cannot be `{other}`"), &instead(other, FORMATS.iter().copied()));
            return Format::default();
        }
    };
    if let Some(node) = fields.get("member") {
        found.problem(node.at, "`member` has a use for text alone", "`format = \"text\"` beside it");
    }
    format
}
