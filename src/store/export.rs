//! The exported ledger: header, entries and a closing checkpoint as JSON Lines, written and checked as plain bytes.

use std::io::BufRead as _;

use base64ct::{Base64, Encoding as _};
use serde::{Deserialize, Serialize};

use super::check::{Checked, Fault};
use super::form::is_line;
use super::proof;
use super::record::to_line;
use super::sign::{CHECKPOINT, ProcessKey};
use super::tree::Hash;
use crate::ports::ledger::{LedgerError, Verification};

/// What an entry's line begins with.
const ENTRY: &[u8] = b"{\"n\":";
/// What the closing line begins with.
const CLOSING: &[u8] = b"{\"checkpoint\":";

/// The last line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    /// A C2SP signed note.
    checkpoint: String,
    /// The SSHSIG blob over the note whole, in base64.
    sshsig: String,
}

/// Writes an export of lines that are given without their newlines.
///
/// # Errors
/// When the key cannot sign.
pub fn write(header: &[u8], lines: &[Vec<u8>], note: &str, key: &ProcessKey) -> Result<Vec<u8>, LedgerError> {
    let closing = Closing { checkpoint: note.to_owned(), sshsig: key.sshsig(CHECKPOINT, note.as_bytes())? };
    let closing = to_line(&closing)?;
    let mut file = Vec::new();
    for line in [header].into_iter().chain(lines.iter().map(Vec::as_slice)).chain([closing.as_slice()]) {
        file.extend_from_slice(line);
        file.push(b'\n');
    }
    Ok(file)
}

/// An export taken apart and checked.
pub struct Export<'a> {
    header: &'a [u8],
    lines: Vec<&'a [u8]>,
    checked: Checked,
    note: Option<String>,
}

impl<'a> Export<'a> {
    /// Takes a file apart at its newlines and checks its entries and its closing line.
    pub fn read(file: &'a [u8]) -> Self {
        let (whole, text) = file.strip_suffix(b"\n").map_or((false, file), |text| (true, text));
        let (header, mut lines) = apart(text);
        // What was cut off has no closing line: then the last one is still an entry.
        let ends = lines.iter().position(|line| line.starts_with(CLOSING));
        let ends = ends.or_else(|| lines.len().checked_sub(usize::from(!lines.last()?.starts_with(ENTRY))));
        let closing = lines.split_off(ends.unwrap_or(lines.len()));
        let checked = Checked::of(header, &lines);
        let note = match closing.as_slice() {
            [closing] if whole => closed(&checked, closing),
            _ => None,
        };
        Self { header, lines, checked, note }
    }

    /// A ledger as it lies in its store, with the checkpoint beside it, which may be behind by a commit.
    pub fn beside(header: &'a [u8], lines: &'a [Vec<u8>], note: Option<String>) -> Self {
        let checked = Checked::of(header, lines);
        let note = note.filter(|note| checked.at(note).is_some());
        Self { header, lines: lines.iter().map(Vec::as_slice).collect(), checked, note }
    }

    /// Whether it holds together, also with a checkpoint that was kept and with another copy.
    pub fn verify(&self, kept: Option<&str>, other: Option<&Export<'_>>) -> Verification {
        let closed = || self.note.as_ref().map(drop).ok_or_else(|| (None, "checkpoint".to_owned()));
        let kept = || match kept {
            Some(note) if self.checked.at(note).is_none() => Err((None, "checkpoint".to_owned())),
            Some(_) | None => Ok(()),
        };
        let compared = || other.map_or(Ok(()), |other| compare(self, other));
        self.checked.verification(self.checked.verdict().and_then(|()| closed()).and_then(|()| kept()).and_then(|()| compared()))
    }

    /// The leaf hashes of its entries, in order.
    fn leaves(&self) -> Vec<Hash> {
        self.checked.told().iter().map(|told| told.leaf).collect()
    }

    /// The C2SP tlog-proof that entry `n` is in this ledger; none when there is no such entry or the export is not closed.
    pub fn prove_entry(&self, n: u64) -> Option<String> {
        proof::of_entry(&self.leaves(), n, self.note.as_deref()?)
    }

    /// The proof that the ledger of `from` entries is the beginning of this one; none when it is longer than this one.
    pub fn prove_growth(&self, from: u64) -> Option<String> {
        proof::of_growth(&self.leaves(), from, self.note.as_deref()?)
    }
}

/// The first line, and those under it, each without its newline.
fn apart(text: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (mut left, mut lines, mut header) = (text, Vec::new(), None);
    loop {
        let from = left;
        // Reading from bytes that are here cannot fail.
        let length = left.skip_until(b'\n').unwrap_or(from.len());
        let line = from.get(..length).unwrap_or(from);
        let (line, ends) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
        if header.is_none() {
            header = Some(line);
        } else {
            lines.push(line);
        }
        if !ends {
            return (header.unwrap_or_default(), lines);
        }
    }
}

/// The note of a closing line that is of the one form, signed, and speaks for exactly these entries.
fn closed(checked: &Checked, bytes: &[u8]) -> Option<String> {
    let closing: Closing = serde_json::from_slice(bytes).ok()?;
    let sig = Base64::decode_vec(&closing.sshsig).ok()?;
    let same = is_line(&closing, bytes);
    let all = checked.at(&closing.checkpoint).and_then(|size| usize::try_from(size).ok()) == Some(checked.told().len());
    (same && all && checked.signed_by_process(CHECKPOINT, closing.checkpoint.as_bytes(), &sig)).then_some(closing.checkpoint)
}

/// Whether two copies are of one history: the shorter is the beginning of the longer.
fn compare(one: &Export<'_>, other: &Export<'_>) -> Result<(), Fault> {
    let against = |why: &str| Err((None, format!("against: {why}")));
    let theirs = other.verify(None, None);
    if !theirs.intact {
        let place = theirs.first_bad.map(|n| format!(" at entry {n}")).unwrap_or_default();
        return against(&format!("the other copy is not intact{place}: {}", theirs.reason.map(|why| why.to_string()).unwrap_or_default()));
    }
    if one.header != other.header {
        return against("the other copy is of another installation");
    }
    match (0_u64..).zip(one.lines.iter().zip(&other.lines)).find(|(_, (ours, theirs))| ours != theirs) {
        Some((n, _)) => Err((Some(n), "fork: the other copy has another entry here, and both are signed".to_owned())),
        None => Ok(()),
    }
}
