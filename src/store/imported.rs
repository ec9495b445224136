//! Takes over what stands in the second place alone, once the store can be written again: each line once, as `imported`.

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::emergency::LINE_FORMAT;
use super::fault::{broken, file};
use super::head::Entry;
use super::record::{about, canonical};
use super::reviews::save;
use super::sqlite::SqliteStore;
use super::state;
use super::write::Write;
use crate::model::deed::{EntryKind, Facts};
use crate::model::intent::Verb;
use crate::model::name::PlanId;
use crate::model::review::Review;
use crate::model::rollout::StateChange;
use crate::ports::ledger::LedgerError;

/// What is needed of a line; the whole of it goes into the entry.
#[derive(Debug, Deserialize)]
struct Line {
    gonogo: String,
    kind: EntryKind,
    body: Body,
    changes: Vec<StateChange>,
    review: Option<Review>,
}

#[derive(Debug, Deserialize)]
struct Body {
    deed: PlanId,
    installation: String,
    requester: String,
    target: String,
    verb: Verb,
}

impl SqliteStore {
    /// Takes over the lines of the second place that this store has not seen, in one transaction, and tells how many those were.
    ///
    /// # Errors
    /// When the second place cannot be read, or the store cannot be written.
    pub async fn take_over(&self) -> Result<usize, LedgerError> {
        let Some(second) = self.second.get() else { return Ok(0) };
        let lines = second.lines().map_err(|error| file("second place", &error))?;
        let ours = |line: &Line| line.gonogo == LINE_FORMAT && (line.body.installation == self.name() || line.body.installation == "none");
        let lines: Vec<(String, Line)> = lines
            .into_iter()
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .filter_map(|text| serde_json::from_str(&text).ok().map(|line| (text, line)))
            .filter(|(_, line)| ours(line))
            .collect();
        if lines.is_empty() {
            return Ok(0);
        }
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let mut taken = 0;
        for (text, line) in &lines {
            let digest = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            let new = sqlx::query("INSERT OR IGNORE INTO taken_over (line) VALUES (?)").bind(digest).execute(&mut *write.tx).await?;
            if new.rows_affected() == 1 {
                self.import(&mut write, text, line).await?;
                taken += 1;
            }
        }
        if taken > 0 {
            write.commit().await?;
        }
        Ok(taken)
    }

    async fn import(&self, write: &mut Write<'_>, text: &str, line: &Line) -> Result<(), LedgerError> {
        let Body { deed, requester, target, verb, .. } = &line.body;
        let mut body: Map<String, Value> = about(&deed.to_string(), self.name(), EntryKind::Imported, requester, None);
        body.insert("line".to_owned(), Value::from(text));
        body.insert("target".to_owned(), Value::from(target.as_str()));
        body.insert("verb".to_owned(), Value::from(verb.word()));
        let entry = Entry {
            kind: EntryKind::Imported,
            body: canonical(&body)?,
            deed: Some(*deed),
            verb: Some(verb.word()),
            target: Some(target.clone()),
            requester: Some(requester.clone()),
            verdict: None,
            facts: Facts::default(),
            words: format!("{} from the second place", line.kind.word()),
        };
        write.append(entry).await?;
        sqlx::query("UPDATE plan SET spent = 'carried out' WHERE id = ? AND spent IS NULL")
            .bind(deed.to_string())
            .execute(&mut *write.tx)
            .await?;
        state::change(&mut write.tx, &line.changes).await?;
        match &line.review {
            Some(review) if review.plan == *deed => save(&mut write.tx, review).await,
            Some(_) => Err(broken("a line of the second place owes the review of another deed")),
            None => Ok(()),
        }
    }
}
