//! Dossiers read from the store one at a time, all of one moment: the memory they need does not grow with the ledger.

use base64ct::{Base64, Encoding as _};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection};
use tokio::sync::MutexGuard;

use super::deeds::DeedRow;
use super::fault::broken;
use super::head::Head;
use super::record::Line;
use super::sqlite::SqliteStore;
use super::tree::Hash;
use crate::model::deed::EntryKind;
use crate::model::dossier::{Dossier, Noted, Selection};
use crate::model::name::PlanId;
use crate::model::plan::{Order, Plan};
use crate::model::released::Released;
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

/// Plans that are looked up at once.
const AT_ONCE: i64 = 256;

/// A look at the ledger that shows one moment, whatever is written meanwhile.
pub struct Look<'a> {
    store: &'a SqliteStore,
    conn: MutexGuard<'a, SqliteConnection>,
    has_reviews: bool,
    /// Entries of that moment.
    pub size: u64,
    /// The time of the last commit.
    pub at: DateTime<Utc>,
    /// The root of its tree.
    pub root: Hash,
}

impl SqliteStore {
    /// Looks at the ledger as it is now.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when it cannot be read.
    pub async fn look_at(&self) -> Result<Look<'_>, LedgerError> {
        let mut conn = self.conn.lock().await;
        sqlx::query("BEGIN").execute(&mut *conn).await?;
        let head = Head::read(&mut conn).await?;
        // A store of an older schema that this process may only read has no such table.
        let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'review'").fetch_optional(&mut *conn).await?;
        let (size, root) = (head.tree.size(), head.tree.root());
        Ok(Look { store: self, conn, has_reviews: there.is_some(), size, at: head.at, root })
    }

    /// Signs bytes of a payload type for a DSSE envelope, by the process key. None: this user cannot read it.
    pub fn sign_envelope(&self, payload_type: &str, payload: &[u8]) -> Option<Vec<u8>> {
        self.key.as_ref()?.dsse(payload_type, payload)
    }

    /// The process's Ed25519 public key; none while the ledger was not read.
    pub fn public_key(&self) -> Option<[u8; 32]> {
        super::sign::verifier(&self.header.get()?.vkey)
    }
}

impl Look<'_> {
    /// The installation's name.
    pub fn installation(&self) -> &str {
        self.store.name()
    }

    /// Hands every dossier that is wanted to `visit`, by the order of their first entries, until it breaks off.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when one cannot be read, and what `visit` returns.
    pub async fn dossiers<E: From<LedgerError>>(
        &mut self,
        wanted: &Selection,
        mut visit: impl FnMut(Dossier) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut above = -1_i64;
        loop {
            let found = self.begun_after(above).await.map_err(E::from)?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            above = *last;
            for (_, plan) in found {
                let dossier = self.dossier(plan).await.map_err(E::from)?;
                if wanted.takes(&dossier) {
                    visit(dossier)?;
                }
            }
        }
    }

    /// The plans whose first entry stands after this one, the next few.
    async fn begun_after(&mut self, above: i64) -> Result<Vec<(i64, PlanId)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT n, deed FROM entry AS one WHERE n > ? AND deed IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM entry AS before WHERE before.deed = one.deed AND before.n < one.n) ORDER BY n LIMIT ?",
        );
        let rows = rows.bind(above).bind(AT_ONCE).fetch_all(&mut *self.conn).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<&str, _>(1)?.parse().map_err(broken)?))).collect()
    }

    /// Everything about one plan.
    async fn dossier(&mut self, plan: PlanId) -> Result<Dossier, LedgerError> {
        let rows = sqlx::query("SELECT n, line, leaf, at, words, evidence, verb, target, requester FROM entry WHERE deed = ? ORDER BY n");
        let rows = rows.bind(plan.to_string()).fetch_all(&mut *self.conn).await?;
        let entries = rows.iter().map(noted).collect::<Result<Vec<_>, _>>()?;
        let mut about = (None, None, String::new());
        if let Some(row) = rows.last() {
            let target: Option<String> = row.try_get(7)?;
            about = (row.try_get(6)?, target.and_then(|target| target.parse().ok()), row.try_get::<Option<_>, _>(8)?.unwrap_or_default());
        }
        let deed = DeedRow::load(&mut self.conn, plan).await?;
        let signed = entries.iter().find(|entry| entry.kind == EntryKind::Intent);
        let order = signed.and_then(|entry| serde_json::from_slice::<Order>(&entry.body).ok());
        let order = order.filter(|order| order.id().ok() == Some(plan));
        let stored = if signed.is_none() { self.stored(plan).await? } else { None };
        let reason = deed.as_ref().map(|row| &row.plan).or(stored.as_ref()).map(|plan| plan.intent.reason.clone());
        let mut dossier = Dossier {
            plan,
            verb: about.0,
            target: about.1,
            requester: about.2,
            order: order.or_else(|| stored.map(|plan| plan.order)),
            reason: reason.unwrap_or_else(Text::empty),
            released: Released::default(),
            deed: deed.map(|row| row.deed),
            review: None,
            entries,
        };
        if self.has_reviews {
            let row = sqlx::query("SELECT json FROM review WHERE plan = ?").bind(plan.to_string()).fetch_optional(&mut *self.conn).await?;
            dossier.review = row.map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).transpose()?;
        }
        if let Some(digest) = dossier.evidence() {
            let row = sqlx::query("SELECT json FROM evidence WHERE digest = ?").bind(digest).fetch_optional(&mut *self.conn).await?;
            let kept = row.map(|row| row.try_get::<Vec<u8>, _>(0)).transpose()?;
            // What is not what its digest says was turned round: nothing of it is told.
            let whole = kept.filter(|kept| hexadecimal(kept) == digest);
            dossier.released = whole.map(|kept| released(&kept)).unwrap_or_default();
        }
        Ok(dossier)
    }

    /// The stored plan of that identity, while it is kept.
    async fn stored(&mut self, plan: PlanId) -> Result<Option<Plan>, LedgerError> {
        let row = sqlx::query("SELECT json FROM plan WHERE id = ?").bind(plan.to_string()).fetch_optional(&mut *self.conn).await?;
        let stored: Option<Plan> = row.map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).transpose()?;
        Ok(stored.filter(|stored| stored.order.id().ok() == Some(plan)))
    }

    /// Ends the look.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the store is gone.
    pub async fn end(mut self) -> Result<(), LedgerError> {
        sqlx::query("ROLLBACK").execute(&mut *self.conn).await?;
        Ok(())
    }
}

fn noted(row: &sqlx::sqlite::SqliteRow) -> Result<Noted, LedgerError> {
    let line: Line = serde_json::from_slice(row.try_get(1)?).map_err(broken)?;
    let body = Base64::decode_vec(&line.body).map_err(broken)?;
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let word = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Noted {
        n: u64::try_from(row.try_get::<i64, _>(0)?).map_err(broken)?,
        at: DateTime::from_timestamp_millis(row.try_get(3)?).ok_or_else(|| broken("an entry's time is damaged"))?,
        kind: line.kind,
        signer: line.signer,
        leaf: Hash::try_from(row.try_get::<Vec<u8>, _>(2)?).map_err(|_| broken("a leaf is damaged"))?,
        sig: line.sig,
        words: Text::clean(row.try_get(4)?),
        evidence: row.try_get(5)?,
        person: word("person"),
        state: word("state"),
        body,
    })
}

/// SHA-256 in lower-case hexadecimal.
fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// What the evidence says was released, among what stands in it beside the checks and the readings.
fn released(kept: &[u8]) -> Released {
    let lists: Vec<Vec<Value>> = serde_json::from_slice(kept).unwrap_or_default();
    let named = lists.into_iter().flatten().find_map(|item| item.get("released").cloned());
    named.and_then(|released| serde_json::from_value(released).ok()).unwrap_or_default()
}
