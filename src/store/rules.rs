//! The rules that verdicts are judged by: which were accepted, which are changed, and who stands for them.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::Entry;
use super::record::{BODY_FORMAT, canonical};
use super::sign::person_signers;
use super::sqlite::SqliteStore;
use super::write::Write;
use crate::model::catalog::Catalog;
use crate::model::deed::{EntryKind, Facts};
use crate::model::reason::Reason;
use crate::model::rules::{Naming, RuleSet, RuleStanding};
use crate::ports::ledger::{LedgerError, MayName};
use crate::ports::signer::Signed;

/// What a row remembers beside the digest.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Row {
    /// Who stands for these rules, in order.
    names: Vec<String>,
}

/// The state of the rules that were accepted last; there is one.
const ACCEPTED: &str = "accepted";
/// The state of rules that were seen.
const SEEN: &str = "seen";

impl SqliteStore {
    pub(super) fn set_rules(&self, catalog: &Catalog) {
        let set = RuleSet::of(catalog);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new((set.digest(), set)));
    }

    pub(super) fn named(&self) -> Option<Arc<(String, RuleSet)>> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether these rules were the accepted ones at this number of commits.
    pub(super) fn are_accepted(&self, rules: Option<&(String, RuleSet)>, generation: i64) -> bool {
        let known = self.accepted_at.lock().unwrap_or_else(PoisonError::into_inner);
        matches!((rules, known.as_ref()), (Some((digest, _)), Some((at, accepted))) if *at == generation && accepted == digest)
    }

    /// Remembers after a commit that these rules are the accepted ones.
    pub(super) fn settle_rules(&self, rules: Option<&(String, RuleSet)>, generation: i64) {
        let known = rules.map(|(digest, _)| (generation, digest.clone()));
        *self.accepted_at.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    pub(super) async fn rules_standing(&self) -> Result<RuleStanding, LedgerError> {
        let mut conn = self.conn.lock().await;
        // A store of an older schema that this process may only read has no such table.
        let there = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'rules'").fetch_optional(&mut *conn).await?;
        if there.is_none() { Ok(RuleStanding::default()) } else { standing(self.named().as_deref(), &mut conn).await }
    }

    pub(super) async fn put_name(&self, naming: &Naming, signed: Option<&Signed>, may: MayName<'_>) -> Result<RuleStanding, LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        write.name_rules().await?;
        let stands = write.rules_standing().await?;
        let body = naming.body(self.name()).map_err(broken)?;
        if let Some(signed) = signed {
            write.take_signatures(&naming.person, vec![(EntryKind::Policy, body.clone())], std::slice::from_ref(signed)).await?;
        }
        let changed =
            || vec![Reason::new("changed", "the rules changed meanwhile", "look at them with `gonogo policy show`, then accept them")];
        let same = naming.digest == stands.current && stands.accepted.as_ref() == Some(&naming.from);
        let accepts = match if same { may(&stands, signed.is_some()) } else { Err(changed()) } {
            Ok(accepts) => accepts,
            Err(reasons) => {
                let told = |reason: &Reason| json!({"fix": reason.fix, "rule": reason.rule, "text": reason.text});
                let mut body = about(self.name(), EntryKind::Denied, &naming.person, "policy-refused");
                body.insert("digest".to_owned(), Value::from(naming.digest.as_str()));
                body.insert("reasons".to_owned(), reasons.iter().map(told).collect());
                let why: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
                let words = format!("policy accept by {}: {}", naming.person, why.join("; "));
                write.append(Entry { verdict: Some("deny"), ..entry(EntryKind::Denied, &naming.person, &body, words)? }).await?;
                write.commit().await?;
                return Err(LedgerError::Refused(reasons));
            }
        };
        let said = if naming.words.is_empty() { String::new() } else { format!(": {}", naming.words) };
        let words = format!("{} stands for the rules {}{said}", naming.person, short(&naming.digest));
        write.append(Entry { body, ..entry(EntryKind::Policy, &naming.person, &Map::new(), words)? }).await?;
        let mut names = stands.names;
        names.push(naming.person.clone());
        save(&mut write.tx, &naming.digest, SEEN, &Row { names: names.clone() }).await?;
        if accepts {
            let mut body = about(self.name(), EntryKind::Policy, &naming.person, ACCEPTED);
            body.insert("digest".to_owned(), Value::from(naming.digest.as_str()));
            body.insert("from".to_owned(), Value::from(naming.from.as_str()));
            body.insert("names".to_owned(), json!(names));
            let words = format!("the rules {} are accepted by {}", short(&naming.digest), naming.person);
            write.append(entry(EntryKind::Policy, &naming.person, &body, words)?).await?;
            accept(&mut write.tx, &naming.digest).await?;
        }
        let after = standing(write.rules.as_deref(), &mut write.tx).await?;
        write.commit().await?;
        Ok(after)
    }
}

impl Write<'_> {
    /// How the rules of this process stand to those that were accepted.
    pub async fn rules_standing(&mut self) -> Result<RuleStanding, LedgerError> {
        match self.rules.as_ref().filter(|_| self.is_settled) {
            Some(named) => Ok(RuleStanding { current: named.0.clone(), accepted: Some(named.0.clone()), ..RuleStanding::default() }),
            None => standing(self.rules.as_deref(), &mut self.tx).await,
        }
    }

    /// Appends an entry when the rules of this process are others than those before; where nobody guards the old ones they count at once.
    pub async fn name_rules(&mut self) -> Result<(), LedgerError> {
        let Some(named) = self.rules.clone().filter(|_| !self.is_settled) else { return Ok(()) };
        let (digest, set) = named.as_ref();
        let accepted = accepted(&mut self.tx).await?;
        if accepted.as_ref() == Some(digest) {
            self.is_settled = true;
            return Ok(());
        }
        let seen = sqlx::query("SELECT 1 FROM rules WHERE digest = ?").bind(digest).fetch_optional(&mut *self.tx).await?;
        let old = match &accepted {
            Some(old) => kept(&mut self.tx, old).await?,
            None => None,
        };
        let guarded = old.as_ref().is_some_and(RuleSet::is_guarded);
        if guarded && seen.is_some() {
            return Ok(());
        }
        let state = if accepted.is_none() { "baseline" } else { "changed" };
        let mut body = about(self.store.name(), EntryKind::Policy, &self.key.principal(), state);
        body.insert("digest".to_owned(), Value::from(digest.as_str()));
        body.insert("from".to_owned(), json!(accepted));
        body.insert("guarded".to_owned(), Value::from(guarded));
        let differs = old.as_ref().map(|old| old.differences(set)).unwrap_or_default();
        let differs: Vec<String> = differs.iter().map(|one| format!("{} {} {}", one.what.word(), one.name, one.how.word())).collect();
        body.insert("differences".to_owned(), json!(differs));
        let words = match (state, guarded) {
            ("baseline", _) => format!("the first rules {} count", short(digest)),
            (_, true) => format!("changed rules {} wait for a policy-owner: {}", short(digest), differs.join(", ")),
            (_, false) => format!("changed rules {} count at once, nobody guards them: {}", short(digest), differs.join(", ")),
        };
        let principal = self.key.principal();
        let later = self.seen.replace((EntryKind::Policy, digest.clone(), canonical(set)?));
        self.put(entry(EntryKind::Policy, &principal, &body, words)?).await?;
        self.seen = later;
        if seen.is_none() {
            save(&mut self.tx, digest, SEEN, &Row::default()).await?;
        }
        if !guarded {
            accept(&mut self.tx, digest).await?;
        }
        Ok(())
    }
}

impl Write<'_> {
    /// The persons' part of the allowed-signers file: while changed rules wait, a key counts only where old and new rules give it to
    /// the same person.
    pub(super) async fn person_signers(&mut self) -> Result<String, LedgerError> {
        let older = self.rules_standing().await?.older;
        Ok(match (older, &self.rules) {
            (Some(older), Some(named)) => person_signers(&older.shared_keys(&named.1)),
            (None, _) | (_, None) => self.store.people.read().unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }
}

/// How the rules of this process stand to those that were accepted.
async fn standing(named: Option<&(String, RuleSet)>, conn: &mut SqliteConnection) -> Result<RuleStanding, LedgerError> {
    let Some((current, _)) = named else { return Ok(RuleStanding::default()) };
    let row = sqlx::query("SELECT json FROM rules WHERE digest = ?").bind(current).fetch_optional(&mut *conn).await?;
    let row: Row = row.map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).transpose()?.unwrap_or_default();
    let accepted = accepted(conn).await?;
    let older = match accepted.as_ref().filter(|digest| *digest != current) {
        Some(digest) => {
            let old =
                kept(conn, digest).await?.ok_or_else(|| broken("the rules that were accepted are not kept; run `gonogo ledger verify`"))?;
            old.is_guarded().then(|| Arc::new(old))
        }
        None => None,
    };
    Ok(RuleStanding { current: current.clone(), accepted, names: row.names, older })
}

async fn accepted(conn: &mut SqliteConnection) -> Result<Option<String>, LedgerError> {
    let row = sqlx::query("SELECT digest FROM rules WHERE state = ?").bind(ACCEPTED).fetch_optional(conn).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// The rules of a digest; none when they are not kept, or are not those of the digest.
async fn kept(conn: &mut SqliteConnection, digest: &str) -> Result<Option<RuleSet>, LedgerError> {
    let row = sqlx::query("SELECT json FROM evidence WHERE digest = ?").bind(digest).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };
    let set: Option<RuleSet> = serde_json::from_slice(row.try_get(0)?).ok();
    Ok(set.filter(|set| set.digest() == digest))
}

async fn save(conn: &mut SqliteConnection, digest: &str, state: &str, row: &Row) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO rules (digest, state, json) VALUES (?, ?, ?) \
         ON CONFLICT (digest) DO UPDATE SET json = excluded.json",
    )
    .bind(digest)
    .bind(state)
    .bind(serde_json::to_string(row).map_err(broken)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// These rules are the accepted ones from now on. What was said for others is forgotten: they may come back, and then need new names.
async fn accept(conn: &mut SqliteConnection, digest: &str) -> Result<(), LedgerError> {
    sqlx::query("DELETE FROM rules WHERE digest <> ?").bind(digest).execute(&mut *conn).await?;
    sqlx::query("UPDATE rules SET state = ? WHERE digest = ?").bind(ACCEPTED).bind(digest).execute(conn).await?;
    Ok(())
}

fn about(installation: &str, kind: EntryKind, requester: &str, state: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("deed".to_owned(), Value::Null);
    body.insert("format".to_owned(), Value::from(BODY_FORMAT));
    body.insert("installation".to_owned(), Value::from(installation));
    body.insert("kind".to_owned(), Value::from(kind.word()));
    body.insert("requester".to_owned(), Value::from(requester));
    body.insert("state".to_owned(), Value::from(state));
    body.insert("step".to_owned(), Value::Null);
    body
}

fn entry(kind: EntryKind, requester: &str, body: &Map<String, Value>, words: String) -> Result<Entry, LedgerError> {
    Ok(Entry {
        kind,
        body: canonical(body)?,
        deed: None,
        verb: None,
        target: None,
        requester: Some(requester.to_owned()),
        verdict: None,
        facts: Facts::default(),
        words,
    })
}

fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}
