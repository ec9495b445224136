//! The check of a ledger: a pure function of its lines, so that a copy anywhere can be checked without its store.

use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::checkpoint::Checkpoint;
use super::record::{Header, Line, canonical, to_line};
use super::sign::{Signer, check_sshsig, origin, read_signers, verifier};
use super::tree::{Hash, Range, leaf};
use crate::model::deed::EntryKind;
use crate::model::name;
use crate::model::plan::Order;
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::ports::ledger::Verification;

/// Checks a header, the lines under it (each without its newline) and, when one is given, a checkpoint.
///
/// `first_bad` is the lowest entry that fails by itself or whose leaf hash is not the next line's `prev`; when only the header or
/// the checkpoint fails it is none and the reason is `header` or `checkpoint`. A checkpoint of fewer entries than there are is
/// compared with the tree of that size.
pub fn verify_lines(header: &[u8], lines: &[Vec<u8>], checkpoint: Option<&str>) -> Verification {
    let entries = u64::try_from(lines.len()).unwrap_or(u64::MAX);
    let bad = |first_bad: Option<u64>, reason: &str| Verification {
        intact: false,
        entries,
        first_bad,
        reason: Some(Text::clean_within(reason, 200)),
    };
    let leaves: Vec<Hash> = lines.iter().map(|line| leaf(line)).collect();
    let head = read_header(header);
    let checked = walk(head.as_ref(), lines, &leaves);
    if let Some((n, why)) = checked.bad {
        return bad(Some(n), why);
    }
    let Some((head, public)) = head.filter(|(head, public)| checked.founded(header, head, public, lines)) else {
        return bad(None, "header");
    };
    if let Some(note) = checkpoint {
        let said = Checkpoint::read(note, &head.origin, &public);
        let holds = said.is_some_and(|said| {
            let size = usize::try_from(said.size).ok();
            size.and_then(|size| leaves.get(..size)).is_some_and(|leaves| leaves.iter().copied().collect::<Range>().root() == said.root)
        });
        if !holds {
            return bad(None, "checkpoint");
        }
    }
    Verification { intact: true, entries, first_bad: None, reason: None }
}

struct Walked {
    bad: Option<(u64, &'static str)>,
    first: Option<Vec<Signer>>,
    first_prev: Option<Hash>,
}

impl Walked {
    /// Whether the header stands above these lines: the first line names it, and the process key is the first signer.
    fn founded(&self, header: &[u8], head: &Header, public: &[u8; 32], lines: &[Vec<u8>]) -> bool {
        let principal = format!("process:{}", head.installation);
        let signs = self.first.as_ref().is_some_and(|signers| signers.iter().any(|signer| signer.is(&principal, public)));
        lines.is_empty() || (signs && self.first_prev == Some(leaf(header)))
    }
}

fn read_header(bytes: &[u8]) -> Option<(Header, [u8; 32])> {
    let header: Header = serde_json::from_slice(bytes).ok()?;
    let public = verifier(&header.vkey)?;
    let named = header.vkey.strip_prefix(&header.origin)?.starts_with('+');
    let same = to_line(&header).ok()? == bytes;
    let right = header.gonogo == "ledger/1" && name::check(&header.installation).is_ok() && header.origin == origin(&header.installation);
    (named && same && right).then_some((header, public))
}

fn walk(head: Option<&(Header, [u8; 32])>, lines: &[Vec<u8>], leaves: &[Hash]) -> Walked {
    let mut walked = Walked { bad: None, first: None, first_prev: None };
    let mut signers: Vec<Signer> = Vec::new();
    let mut time: Option<DateTime<Utc>> = None;
    let mut above: Option<&Hash> = None;
    for ((n, bytes), own) in (0_u64..).zip(lines).zip(leaves) {
        // The lower number counts, so the line above is judged by this line's word before this line is judged itself.
        if let (Some(above), Some(before), Some(named)) = (above, n.checked_sub(1), prev(bytes))
            && *above != named
        {
            walked.bad = Some((before, "chain: the next line names another one above it"));
            return walked;
        }
        let line = match one(head, n, bytes, time, &mut signers) {
            Ok(line) => line,
            Err(why) => {
                walked.bad = Some((n, why));
                return walked;
            }
        };
        if n == 0 {
            walked.first = Some(signers.clone());
            walked.first_prev = Some(line.prev);
        }
        time = Some(line.at);
        above = Some(own);
    }
    walked
}

/// The hash that a line names, as far as it can be read at all.
fn prev(bytes: &[u8]) -> Option<Hash> {
    let line: Line = serde_json::from_slice(bytes).ok()?;
    Hash::try_from(Base64::decode_vec(&line.prev).ok()?).ok()
}

struct Good {
    prev: Hash,
    at: DateTime<Utc>,
}

/// Checks what a line tells by itself, and takes its signers when it is of that kind.
fn one(
    head: Option<&(Header, [u8; 32])>,
    n: u64,
    bytes: &[u8],
    time: Option<DateTime<Utc>>,
    signers: &mut Vec<Signer>,
) -> Result<Good, &'static str> {
    let line: Line = serde_json::from_slice(bytes).map_err(|_| "bytes: no entry")?;
    if to_line(&line).map_err(|_| "bytes: no entry")? != bytes {
        return Err("bytes: not in the one form of an entry");
    }
    let decode = |text: &str| Base64::decode_vec(text).ok().filter(|bytes| Base64::encode_string(bytes) == text);
    let prev = decode(&line.prev).and_then(|prev| Hash::try_from(prev).ok()).ok_or("bytes: prev is no hash")?;
    let body = decode(&line.body).ok_or("bytes: body is no base64")?;
    let sig = decode(&line.sig).ok_or("bytes: sig is no base64")?;
    if line.n != n {
        return Err("n: not its place");
    }
    let at = DateTime::parse_from_rfc3339(&line.at).map_err(|_| "at: no time")?.to_utc();
    if rfc3339(&at) != line.at {
        return Err("at: not in the one form of a time");
    }
    if time.is_some_and(|time| at < time) {
        return Err("at: before the entry above");
    }
    if n == 0 && line.kind != EntryKind::Signers {
        return Err("body: the first entry names no signers");
    }
    if line.kind == EntryKind::Signers {
        let named = read_signers(&body).ok_or("body: no allowed-signers file")?;
        if n == 0 {
            signers.clone_from(&named);
        }
        check_sshsig(signers, &line.signer, line.kind.namespace(), &body, &sig)?;
        *signers = named;
    } else {
        check_body(head, line.kind, &body)?;
        check_sshsig(signers, &line.signer, line.kind.namespace(), &body, &sig)?;
    }
    Ok(Good { prev, at })
}

fn check_body(head: Option<&(Header, [u8; 32])>, kind: EntryKind, body: &[u8]) -> Result<(), &'static str> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "body: no JSON")?;
    if !whole(&value) {
        return Err("body: a number is no integer");
    }
    if canonical(&value).map_err(|_| "body: no JSON")? != body {
        return Err("body: not canonical");
    }
    if head.is_some_and(|(head, _)| value.get("installation") != Some(&Value::from(head.installation.as_str()))) {
        return Err("body: of another installation");
    }
    match kind {
        EntryKind::Intent => {
            let order: Order = serde_json::from_value(value).map_err(|_| "body: no Order")?;
            if order.canonical().map_err(|_| "body: no Order")? != body {
                return Err("body: no Order of this format");
            }
            Ok(())
        }
        EntryKind::Approval | EntryKind::Rejection | EntryKind::Withdrawal => Ok(()),
        EntryKind::Signers
        | EntryKind::Denied
        | EntryKind::Sending
        | EntryKind::Accepted
        | EntryKind::Effective
        | EntryKind::Held
        | EntryKind::Slipped
        | EntryKind::Unwatched
        | EntryKind::Superseded
        | EntryKind::Failed
        | EntryKind::Unknown
        | EntryKind::NotBegun
        | EntryKind::Hold
        | EntryKind::Resume
        | EntryKind::Note
        | EntryKind::Policy
        | EntryKind::BreakGlass
        | EntryKind::Imported => {
            if value.get("kind") == Some(&Value::from(kind.word())) {
                Ok(())
            } else {
                Err("body: of another kind")
            }
        }
    }
}

fn whole(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Array(values) => values.iter().all(whole),
        Value::Object(members) => members.values().all(whole),
    }
}
