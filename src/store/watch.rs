//! The watched store: what its witnesses saw before, what they are told, and what is noticed by looking.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::checkpoint::Checkpoint;
use super::fault::broken;
use super::head::Head;
use super::sign::verifier;
use super::sqlite::{SqliteStore, root_at};
use super::witness::{WITHIN, Witness, late};
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;

impl SqliteStore {
    /// Names the second places of this store's checkpoints, each a directory or a git repository with a work tree.
    ///
    /// What was kept there is compared with the ledger now: a ledger that lost entries or has others refuses every deed from here on.
    /// After each commit the new checkpoint is kept there; a place that cannot be written is told by
    /// [`crate::ports::ledger::Ledger::witnesses`] and stops nothing.
    #[must_use]
    pub async fn watched(self, places: &[PathBuf]) -> Self {
        let header = self.header.get().filter(|_| self.dir.is_some());
        let Some((header, public)) = header.and_then(|header| Some((header, verifier(&header.vkey)?))) else { return self };
        let witnesses: Vec<_> = places.iter().map(|place| Arc::new(Witness::new(place, header, public))).collect();
        for witness in &witnesses {
            let reader = Arc::clone(witness);
            let reading = tokio::task::spawn_blocking(move || reader.kept());
            let kept = match tokio::time::timeout(WITHIN, reading).await {
                Ok(Ok(kept)) => kept,
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(late()),
            };
            match kept {
                Ok(Some(note)) => match witness.read(&note) {
                    Ok(said) => self.hear(witness, &said).await,
                    Err(error) => witness.told(Some(error)),
                },
                Ok(None) => {}
                Err(error) => witness.told(Some(error)),
            }
        }
        let _first = self.witnesses.set(witnesses);
        if self.condition().is_none()
            && let Ok(Some(note)) = self.checkpoint()
        {
            self.tell_witnesses(&note).await;
        }
        self
    }

    /// Compares the ledger with what a witness kept.
    async fn hear(&self, witness: &Witness, said: &Checkpoint) {
        let place = witness.place().display();
        let found = {
            let mut conn = self.conn.lock().await;
            match Head::read(&mut conn).await {
                Ok(head) if head.tree.size() < said.size => Err(broken(format!(
                    "the ledger has {} entries but its witness {place} saw {}: the rest is lost; restore the store from a copy",
                    head.tree.size(),
                    said.size
                ))),
                Ok(_) => root_at(&mut conn, said.size).await.and_then(|root| {
                    let other = || broken(format!("the first {} entries are not those that the witness {place} saw", said.size));
                    if root == said.root { Ok(()) } else { Err(other()) }
                }),
                Err(error) => Err(error),
            }
        };
        if let Err(why) = found {
            witness.contradict();
            self.refuse(why);
        }
    }

    /// Keeps a checkpoint with every witness.
    pub(super) async fn tell_witnesses(&self, note: &str) {
        let Some(witnesses) = self.witnesses.get() else { return };
        futures_util::future::join_all(witnesses.iter().map(|witness| witness.tell(note))).await;
    }

    /// What is wrong with second places; empty when nothing is.
    pub(super) fn witness_troubles(&self) -> Vec<Text> {
        let witnesses = self.witnesses.get().map(Vec::as_slice).unwrap_or_default();
        witnesses.iter().filter_map(|witness| witness.trouble()).collect()
    }

    /// Whether what a witness kept speaks against the ledger.
    pub(super) fn is_contradicted(&self) -> bool {
        self.witnesses.get().is_some_and(|witnesses| witnesses.iter().any(|witness| witness.contradicts()))
    }

    /// Where the ledger stands; one that is shorter than this process saw it lost entries.
    pub(super) async fn head(&self, conn: &mut sqlx::SqliteConnection) -> Result<Head, LedgerError> {
        let head = Head::read(conn).await?;
        if head.tree.size() < self.seen.fetch_max(head.tree.size(), Ordering::SeqCst) {
            let lost = broken(format!("the ledger had more than {} entries; restore the store from a copy", head.tree.size()));
            self.refuse(lost.clone());
            return Err(lost);
        }
        Ok(head)
    }
}
