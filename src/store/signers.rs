//! Whose signatures count: the allowed-signers file that the newest entry of kind `signers` holds.

use std::sync::PoisonError;

use base64ct::{Base64, Encoding as _};
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::Entry;
use super::record::Line;
use super::sign::{check_sshsig, person_signers, read_signers};
use super::sqlite::SqliteStore;
use super::write::Write;
use crate::model::deed::{EntryKind, Facts};
use crate::model::operator::Person;
use crate::model::text::Text;
use crate::ports::ledger::LedgerError;
use crate::ports::signer::Signed;

impl SqliteStore {
    /// A key that cannot be read is left out: it signs nothing.
    pub(super) fn set_people(&self, people: &[Person]) {
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = person_signers(people);
    }
}

impl Write<'_> {
    /// Appends an entry of kind `signers` when the people changed since the newest one.
    pub async fn name_signers(&mut self) -> Result<(), LedgerError> {
        let people = self.person_signers().await?;
        let wanted = format!("{}{people}", self.key.allowed_signers()?);
        if newest(&mut self.tx).await?.as_deref() == Some(wanted.as_bytes()) {
            return Ok(());
        }
        self.put(Entry::signers(wanted)).await
    }
}

impl Write<'_> {
    /// Takes a person's own signatures over bodies to come; each must hold by the newest signers.
    ///
    /// # Errors
    /// [`LedgerError::Denied`] when one does not, or their number is not that of the bodies.
    pub async fn take_signatures(&mut self, person: &str, bodies: Vec<(EntryKind, Vec<u8>)>, signed: &[Signed]) -> Result<(), LedgerError> {
        let denied = |why: &str| LedgerError::Denied(Text::clean(&format!("{person}'s signature does not hold: {why}")));
        if bodies.len() != signed.len() {
            return Err(denied("it is not over everything that is recorded"));
        }
        self.name_signers().await?;
        let named = newest(&mut self.tx).await?.and_then(|file| read_signers(&file)).unwrap_or_default();
        for ((kind, body), signed) in bodies.into_iter().zip(signed) {
            check_sshsig(&named, person, kind.namespace(), &body, &signed.blob).map_err(denied)?;
            self.personal.push((kind, body, person.to_owned(), signed.blob.clone()));
        }
        Ok(())
    }
}

impl Entry {
    /// The entry that names the signers.
    pub fn signers(file: String) -> Self {
        Self {
            kind: EntryKind::Signers,
            body: file.into_bytes(),
            deed: None,
            verb: None,
            target: None,
            requester: None,
            verdict: None,
            facts: Facts::default(),
            words: String::new(),
        }
    }
}

/// The body of the newest `signers` entry.
pub async fn newest(conn: &mut SqliteConnection) -> Result<Option<Vec<u8>>, LedgerError> {
    let row = sqlx::query("SELECT line FROM entry WHERE kind = 'signers' ORDER BY n DESC LIMIT 1").fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let line: Line = serde_json::from_slice(row.try_get(0)?).map_err(broken)?;
    Base64::decode_vec(&line.body).map(Some).map_err(broken)
}
