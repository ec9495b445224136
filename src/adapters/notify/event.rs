//! Notices as CloudEvents 1.0: attributes, data, and both modes of the HTTP binding.

use serde_json::{Map, Value, json};

use crate::model::deed::EntryKind;
use crate::model::outbox::{Notice, NoticeKind, Severity};
use crate::model::time::rfc3339;

/// The number of the format of `data`.
const SCHEMA: u64 = 1;
/// Members of an entry that are told as they are, when it has them.
const TOLD: &[&str] = &["by", "cause", "decision", "due", "person", "reason", "step", "until"];

/// The attribute `type`.
pub fn kind(notice: &Notice) -> &'static str {
    let state = notice.state.as_deref().unwrap_or_default();
    match notice.kind {
        NoticeKind::Planned => "dev.gonogo.plan.stored.v1",
        NoticeKind::Waiting => "dev.gonogo.plan.waiting.v1",
        NoticeKind::WayBackFailed => "dev.gonogo.rollout.way-back-failed.v1",
        NoticeKind::Entry(kind) => match kind {
            EntryKind::Approval => "dev.gonogo.plan.approved.v1",
            EntryKind::Rejection => "dev.gonogo.plan.rejected.v1",
            EntryKind::Withdrawal => "dev.gonogo.plan.withdrawn.v1",
            EntryKind::Denied => "dev.gonogo.plan.denied.v1",
            EntryKind::Intent => "dev.gonogo.deed.intended.v1",
            EntryKind::Sending => "dev.gonogo.deed.sending.v1",
            EntryKind::Accepted => "dev.gonogo.deed.accepted.v1",
            EntryKind::Effective => "dev.gonogo.deed.effective.v1",
            EntryKind::Held => "dev.gonogo.deed.held.v1",
            EntryKind::Slipped => "dev.gonogo.deed.slipped.v1",
            EntryKind::Unwatched => "dev.gonogo.deed.unwatched.v1",
            EntryKind::Superseded => "dev.gonogo.deed.superseded.v1",
            EntryKind::Failed => "dev.gonogo.deed.failed.v1",
            EntryKind::Unknown => "dev.gonogo.deed.unknown.v1",
            EntryKind::NotBegun => "dev.gonogo.deed.not-begun.v1",
            EntryKind::Hold => "dev.gonogo.hold.set.v1",
            EntryKind::Resume => "dev.gonogo.hold.lifted.v1",
            EntryKind::Note => "dev.gonogo.note.written.v1",
            EntryKind::Policy => "dev.gonogo.policy.changed.v1",
            EntryKind::BreakGlass => match state {
                "box-ended" => "dev.gonogo.break-glass.ended.v1",
                "review-overdue" => "dev.gonogo.break-glass.review-overdue.v1",
                "reviewed" => "dev.gonogo.break-glass.reviewed.v1",
                "not-in-second-place" => "dev.gonogo.break-glass.not-in-second-place.v1",
                _ => "dev.gonogo.break-glass.broken.v1",
            },
            EntryKind::Signers => "dev.gonogo.signers.changed.v1",
            EntryKind::Imported => "dev.gonogo.deed.imported.v1",
        },
    }
}

/// The attributes in their order, without `datacontenttype`.
fn attributes(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("specversion", "1.0".to_owned()),
        ("id", notice.id.clone()),
        ("source", format!("gonogo/{}", notice.installation)),
        ("type", kind(notice).to_owned()),
        ("time", rfc3339(&notice.at)),
    ];
    all.extend(notice.target.as_ref().map(|target| ("subject", target.to_string())));
    // An attribute of our own, as the specification lets one have: what calls a person says so to whoever routes it.
    all.extend((notice.kind.severity() == Severity::Critical).then(|| ("severity", "critical".to_owned())));
    all
}

/// What happened, as the record says it. Every member is always there.
fn data(notice: &Notice) -> Value {
    let facts = &notice.facts;
    let mut data = Map::new();
    data.insert("schema".to_owned(), SCHEMA.into());
    data.insert("installation".to_owned(), notice.installation.as_str().into());
    data.insert("type".to_owned(), kind(notice).into());
    data.insert("kind".to_owned(), notice.kind.word().into());
    data.insert("state".to_owned(), notice.state.as_deref().into());
    data.insert("n".to_owned(), notice.n.into());
    data.insert("at".to_owned(), rfc3339(&notice.at).into());
    data.insert("deed".to_owned(), notice.deed.map(|deed| deed.to_string()).into());
    data.insert("verb".to_owned(), notice.verb.as_deref().into());
    data.insert("target".to_owned(), notice.target.as_ref().map(ToString::to_string).into());
    data.insert("requester".to_owned(), notice.requester.as_deref().into());
    data.insert("verdict".to_owned(), notice.verdict.as_deref().into());
    data.insert("words".to_owned(), notice.words.as_str().into());
    let fact = |at: &Option<chrono::DateTime<chrono::Utc>>| at.as_ref().map(rfc3339);
    data.insert(
        "facts".to_owned(),
        json!({
            "intended": fact(&facts.intended), "sent": fact(&facts.sent), "accepted": fact(&facts.accepted),
            "effective": fact(&facts.effective), "held": fact(&facts.held),
        }),
    );
    for member in TOLD {
        let value = match notice.body.get(*member) {
            Some(Value::String(text)) => Value::from(text.chars().take(500).collect::<String>()),
            Some(Value::Number(number)) => Value::from(number.clone()),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => Value::Null,
        };
        data.insert((*member).to_owned(), value);
    }
    Value::Object(data)
}

/// The whole event as one JSON object.
pub fn structured(notice: &Notice) -> Vec<u8> {
    let mut event: Map<String, Value> = attributes(notice).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    event.insert("datacontenttype".to_owned(), "application/json".into());
    event.insert("data".to_owned(), data(notice));
    Value::Object(event).to_string().into_bytes()
}

/// The attributes as heads, and the data as the body.
pub fn binary(notice: &Notice) -> (Vec<(String, String)>, Vec<u8>) {
    let heads = attributes(notice).into_iter().map(|(name, value)| (format!("ce-{name}"), encoded(&value))).collect();
    (heads, data(notice).to_string().into_bytes())
}

/// A head's value: everything but printable ASCII, the quote and the per cent sign is encoded.
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if (0x21..=0x7e).contains(&byte) && !matches!(byte, b'"' | b'%') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_holds_printable_ascii_alone() {
        assert_eq!(encoded("a b\"%é\n"), "a%20b%22%25%C3%A9%0A");
        assert_eq!(encoded("checkout@prod/eu-1"), "checkout@prod/eu-1");
    }
}
