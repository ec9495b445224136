//! What one line of the ledger tells by itself: its bytes, its members, its body. Pure.

use chrono::{DateTime, Utc};
use serde::Deserialize as _;
use serde_json::Value;

use super::base64;
use super::form::{is_canonical, is_line, is_whole};
use super::record::{Line, Piece};
use super::sign::{Signer, read_signers};
use super::tree::{Hash, leaf};
use crate::model::deed::EntryKind;
use crate::model::plan::Order;
use crate::model::time::rfc3339;

/// A line as far as it can be read.
pub struct Told {
    /// Its leaf hash.
    pub leaf: Hash,
    /// The leaf hash that it names for the line above, as far as it can be read at all.
    pub prev: Option<Hash>,
    /// Its entry, or why it is none.
    pub entry: Result<Entry, &'static str>,
}

/// A line whose bytes, number and body are those of an entry.
pub struct Entry {
    /// Its time.
    pub at: DateTime<Utc>,
    /// Its kind.
    pub kind: EntryKind,
    /// Who is said to have signed it.
    pub signer: String,
    /// The bytes that are signed.
    pub body: Vec<u8>,
    /// The SSHSIG blob.
    pub sig: Vec<u8>,
    /// For the kind `signers`: who may sign from here on.
    pub signers: Option<Vec<Signer>>,
}

/// Reads the line at place `n`. Without an installation, bodies of every installation are taken.
pub fn read(installation: Option<&str>, n: u64, bytes: &[u8]) -> Told {
    let line: Option<Line<Piece<'_>>> = serde_json::from_slice(bytes).ok();
    let prev = line.as_ref().and_then(|line| named(&line.prev.0));
    let entry = line.ok_or("bytes: no entry").and_then(|line| one(installation, n, bytes, line, prev.is_some()));
    Told { leaf: leaf(bytes), prev, entry }
}

fn named(prev: &str) -> Option<Hash> {
    Hash::try_from(base64::decode(prev)?).ok()
}

fn one(installation: Option<&str>, n: u64, bytes: &[u8], line: Line<Piece<'_>>, names_above: bool) -> Result<Entry, &'static str> {
    if !is_line(&line, bytes) {
        return Err("bytes: not in the one form of an entry");
    }
    if !names_above {
        return Err("bytes: prev is no hash");
    }
    // The decoder takes only the one padded form of the same bytes.
    let body = base64::decode(&line.body.0).ok_or("bytes: body is no base64")?;
    let sig = base64::decode(&line.sig.0).ok_or("bytes: sig is no base64")?;
    if line.n != n {
        return Err("n: not its place");
    }
    let at = DateTime::parse_from_rfc3339(&line.at.0).map_err(|_| "at: no time")?.to_utc();
    if rfc3339(&at) != line.at.0 {
        return Err("at: not in the one form of a time");
    }
    let signers = if line.kind == EntryKind::Signers {
        Some(read_signers(&body).ok_or("body: no allowed-signers file")?)
    } else if n == 0 {
        return Err("body: the first entry names no signers");
    } else {
        check_body(installation, line.kind, &body)?;
        None
    };
    Ok(Entry { at, kind: line.kind, signer: line.signer.0.into_owned(), body, sig, signers })
}

fn check_body(installation: Option<&str>, kind: EntryKind, body: &[u8]) -> Result<(), &'static str> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "body: no JSON")?;
    if !is_whole(&value) {
        return Err("body: a number is no integer");
    }
    if !is_canonical(&value, body) {
        return Err("body: not canonical");
    }
    if installation.is_some_and(|installation| value.get("installation").and_then(Value::as_str) != Some(installation)) {
        return Err("body: of another installation");
    }
    match kind {
        EntryKind::Intent => {
            let order = Order::deserialize(&value).map_err(|_| "body: no Order")?;
            // Equal values have one canonical form, and that of this one is the body.
            let same = serde_json::to_value(&order).is_ok_and(|order| order == value);
            if !same && order.canonical().map_err(|_| "body: no Order")? != body {
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
            if value.get("kind").and_then(Value::as_str) == Some(kind.word()) {
                Ok(())
            } else {
                Err("body: of another kind")
            }
        }
    }
}
