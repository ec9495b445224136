//! Evidence: what a verdict or an approver saw, kept under its digest as long as the ledger, whatever the backend forgets.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::fault::broken;
use super::record::Line;
use super::sqlite::SqliteStore;
use super::write::Write;
use crate::model::deed::EntryKind;
use crate::model::plan::Plan;
use crate::ports::ledger::{EntryRow, LedgerError};
use base64ct::{Base64, Encoding as _};

/// An entry in full.
pub struct Shown {
    /// Its row.
    pub row: EntryRow,
    /// The bytes that were signed: RFC 8785 JSON, for the kind `signers` an allowed-signers file.
    pub body: String,
    /// What was seen, when the entry has evidence.
    pub seen: Option<Seen>,
}

/// The evidence of an entry.
pub struct Seen {
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub digest: String,
    /// Whether the bytes that are kept are those of the digest, and the digest is the one in the body where the body names one.
    pub whole: bool,
    /// The gate's checks, then what was looked at besides.
    pub items: Vec<Value>,
}

impl Write<'_> {
    /// The next entry of that kind is about what the verdict over a plan saw.
    pub fn saw(&mut self, kind: EntryKind, plan: &Plan) -> Result<(), LedgerError> {
        let digest = plan.evidence_digest().map_err(broken)?;
        self.seen = Some((kind, digest, plan.evidence_bytes().map_err(broken)?));
        Ok(())
    }
}

impl SqliteStore {
    /// One entry in full; none when there is no such entry.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when it cannot be read.
    pub async fn show(&self, n: u64) -> Result<Option<Shown>, LedgerError> {
        let Some(row) = self.list_entries(n, 1).await?.into_iter().next().filter(|row| row.n == n) else { return Ok(None) };
        let mut conn = self.conn.lock().await;
        let found = sqlx::query(
            "SELECT entry.line, entry.evidence, evidence.json FROM entry LEFT JOIN evidence ON evidence.digest = entry.evidence WHERE n = ?",
        );
        let found = found.bind(i64::try_from(n).map_err(broken)?).fetch_one(&mut *conn).await?;
        let line: Line = serde_json::from_slice(found.try_get(0)?).map_err(broken)?;
        let body = Base64::decode_vec(&line.body).map_err(broken)?;
        let kept: Option<Vec<u8>> = found.try_get(2)?;
        let seen = found.try_get::<Option<String>, _>(1)?.map(|digest| seen(digest, kept.as_deref().unwrap_or_default(), &body));
        Ok(Some(Shown { row, body: String::from_utf8_lossy(&body).into_owned(), seen }))
    }
}

fn seen(digest: String, kept: &[u8], body: &[u8]) -> Seen {
    let real = Sha256::digest(kept).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let named = body.get("evidence").and_then(Value::as_str);
    // A plan's evidence is two lists; rules are one object.
    let lists = serde_json::from_slice::<Vec<Vec<Value>>>(kept);
    let lists = lists.unwrap_or_else(|_| serde_json::from_slice(kept).map(|one| vec![vec![one]]).unwrap_or_default());
    Seen { whole: real == digest && named.is_none_or(|named| named == digest), digest, items: lists.concat() }
}
