//! Roles that people take for a while: each taking, agreeing and taking back is an entry and a row.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::Entry;
use super::plans::bounds;
use super::record::{BODY_FORMAT, canonical};
use super::sqlite::SqliteStore;
use super::write::Write;
use crate::model::deed::{EntryKind, Facts};
use crate::model::name::{EnvironmentName, RoleName, ServiceName};
use crate::model::reason::Reason;
use crate::model::self_service::{Agreement, GrantWish, LONGEST, OnGrant, Place, Revocation, Saying, SelfGrant};
use crate::model::text::Text;
use crate::model::time::rfc3339;
use crate::ports::ledger::{GrantAt, LedgerError, MayGrant};
use crate::ports::signer::Signed;

/// Grants that are over and still told.
const OVER: i64 = 200;

impl SqliteStore {
    pub(super) async fn list_grants(&self) -> Result<Vec<SelfGrant>, LedgerError> {
        let mut conn = self.conn.lock().await;
        // A store of an older schema that this process may only read has no such table.
        if sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'self_grant'").fetch_optional(&mut *conn).await?.is_none() {
            return Ok(Vec::new());
        }
        let now = self.ledger_time(&mut conn).await?.timestamp_millis();
        let rows = sqlx::query(
            "SELECT json FROM self_grant WHERE until > ?1 UNION ALL \
             SELECT json FROM (SELECT json FROM self_grant WHERE until <= ?1 ORDER BY until DESC LIMIT ?2)",
        );
        read(&rows.bind(now).bind(OVER).fetch_all(&mut *conn).await?)
    }

    pub(super) async fn body_of(&self, saying: &Saying) -> Result<(EntryKind, Vec<u8>), LedgerError> {
        let body = match saying {
            Saying::Grant(wish) => self.taken(wish)?,
            Saying::Agree(on) | Saying::Revoke(on) => {
                let grant = found(&mut *self.conn.lock().await, &on.grant).await?;
                self.on_grant(&grant, on, state(saying))?
            }
            Saying::Review(finding) => return Ok((EntryKind::BreakGlass, self.review_body(finding).await?)),
        };
        Ok((EntryKind::Policy, body))
    }

    pub(super) async fn record_grant(&self, saying: &Saying, signed: Option<&Signed>, may: MayGrant<'_>) -> Result<SelfGrant, LedgerError> {
        let mut gate = self.lock().await?;
        let mut write = gate.begin().await?;
        let (before, place, body) = match saying {
            Saying::Grant(wish) => (None, wish.place.clone(), self.taken(wish)?),
            Saying::Agree(on) | Saying::Revoke(on) => {
                let grant = found(&mut write.tx, &on.grant).await?;
                let (place, body) = (grant.place.clone(), self.on_grant(&grant, on, state(saying))?);
                (Some(grant), place, body)
            }
            Saying::Review(_) => return Err(LedgerError::Denied(Text::clean("a review is no grant"))),
        };
        if let Some(signed) = signed {
            write.take_signatures(saying.person(), vec![(EntryKind::Policy, body.clone())], std::slice::from_ref(signed)).await?;
        }
        let id = Sha256::digest(&body).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let grants = lately(&mut write.tx, &place.environment, write.at).await?;
        write.name_rules().await?;
        let rules = write.rules_standing().await?;
        let found = GrantAt { grant: before.as_ref(), grants: &grants, rules: &rules, at: write.at, is_own_key: signed.is_some() };
        let mut reasons = may(&found);
        let now = grant_after(saying, before.clone(), id, write.at);
        // What a person signed counts once.
        if before.is_none() && now.as_ref().is_some_and(|now| grants.iter().any(|grant| grant.id == now.id)) {
            reasons.push(Reason::new("taken-already", "this very grant was recorded before", "take it again"));
        }
        let Some(now) = now.filter(|_| reasons.is_empty()) else {
            if reasons.is_empty() {
                reasons.push(Reason::new("role", &format!("{} is no configured person", saying.person()), "be a configured person"));
            }
            self.refuse_grant(&mut write, saying, (&place, before.as_ref()), &reasons).await?;
            write.commit().await?;
            return Err(LedgerError::Refused(reasons));
        };
        write.append(entry(saying, EntryKind::Policy, &now.place, body, words(saying, &now))).await?;
        sqlx::query(
            "INSERT INTO self_grant (id, environment, until, json) VALUES (?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET until = excluded.until, json = excluded.json",
        )
        .bind(&now.id)
        .bind(now.place.environment.as_str())
        .bind(now.end().timestamp_millis())
        .bind(serde_json::to_string(&now).map_err(broken)?)
        .execute(&mut *write.tx)
        .await?;
        write.commit().await?;
        Ok(now)
    }

    /// A saying that policy refused: who tried what, and why not.
    async fn refuse_grant(
        &self,
        write: &mut Write<'_>,
        saying: &Saying,
        (place, before): (&Place, Option<&SelfGrant>),
        reasons: &[Reason],
    ) -> Result<(), LedgerError> {
        let mut body = self.about(EntryKind::Denied, saying.person(), "grant-refused", place);
        let told = |reason: &Reason| json!({"fix": reason.fix, "rule": reason.rule, "text": reason.text});
        body.insert("decision".to_owned(), Value::from(saying.word()));
        body.insert("grant".to_owned(), Value::from(before.map(|grant| grant.id.as_str())));
        body.insert("reasons".to_owned(), Value::Array(reasons.iter().map(told).collect()));
        let role = match (saying, before) {
            (Saying::Grant(wish), _) => Some(&wish.role),
            (Saying::Agree(_) | Saying::Revoke(_) | Saying::Review(_), before) => before.map(|grant| &grant.role),
        };
        body.insert("role".to_owned(), Value::from(role.map(RoleName::as_str)));
        let words: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
        let words =
            format!("{} {} by {}: {}", saying.word(), role.map(ToString::to_string).unwrap_or_default(), saying.person(), words.join("; "));
        let denied = entry(saying, EntryKind::Denied, place, canonical(&body)?, words);
        write.append(Entry { verdict: Some("deny"), ..denied }).await
    }

    /// The body of the entry that a role was taken, or is asked for.
    fn taken(&self, wish: &GrantWish) -> Result<Vec<u8>, LedgerError> {
        let state = if wish.needs == 0 { "granted" } else { "asked" };
        let mut body = self.about(EntryKind::Policy, &wish.person, state, &wish.place);
        body.insert("needs".to_owned(), Value::from(wish.needs));
        body.insert("nonce".to_owned(), Value::from(wish.nonce.as_str()));
        body.insert("reason".to_owned(), Value::from(wish.reason.as_str()));
        body.insert("role".to_owned(), Value::from(wish.role.as_str()));
        body.insert("until".to_owned(), Value::from(rfc3339(&wish.until)));
        canonical(&body)
    }

    /// The body of the entry that somebody agreed to a grant, or took it back.
    fn on_grant(&self, grant: &SelfGrant, on: &OnGrant, state: &str) -> Result<Vec<u8>, LedgerError> {
        let mut body = self.about(EntryKind::Policy, &on.person, state, &grant.place);
        body.insert("grant".to_owned(), Value::from(grant.id.as_str()));
        body.insert("holder".to_owned(), Value::from(grant.person.as_str()));
        body.insert("role".to_owned(), Value::from(grant.role.as_str()));
        body.insert("until".to_owned(), Value::from(rfc3339(&grant.until)));
        body.insert("words".to_owned(), Value::from(on.words.as_str()));
        canonical(&body)
    }

    fn about(&self, kind: EntryKind, person: &str, state: &str, place: &Place) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("deed".to_owned(), Value::Null);
        body.insert("environment".to_owned(), Value::from(place.environment.as_str()));
        body.insert("format".to_owned(), Value::from(BODY_FORMAT));
        body.insert("installation".to_owned(), Value::from(self.name()));
        body.insert("kind".to_owned(), Value::from(kind.word()));
        body.insert("requester".to_owned(), Value::from(person));
        body.insert("service".to_owned(), Value::from(place.service.as_ref().map(ServiceName::as_str)));
        body.insert("state".to_owned(), Value::from(state));
        body.insert("step".to_owned(), Value::Null);
        body
    }
}

/// The state of the entry about a grant that there is.
fn state(saying: &Saying) -> &'static str {
    match saying {
        Saying::Agree(_) => "agreed",
        Saying::Grant(_) | Saying::Revoke(_) | Saying::Review(_) => "revoked",
    }
}

/// The grant as it is once a saying is recorded; none when a name is no person's.
fn grant_after(saying: &Saying, before: Option<SelfGrant>, id: String, at: DateTime<Utc>) -> Option<SelfGrant> {
    match (saying, before) {
        (Saying::Grant(wish), _) => Some(SelfGrant {
            id,
            person: wish.person.parse().ok()?,
            role: wish.role.clone(),
            place: wish.place.clone(),
            reason: wish.reason.clone(),
            at,
            until: wish.until,
            needs: wish.needs,
            agreed: Vec::new(),
            revoked: None,
        }),
        (Saying::Agree(on), Some(mut grant)) => {
            grant.agreed.push(Agreement { person: on.person.clone(), at });
            Some(grant)
        }
        (Saying::Revoke(on), Some(mut grant)) => {
            grant.revoked = Some(Revocation { person: on.person.clone(), at, words: on.words.clone() });
            Some(grant)
        }
        (Saying::Agree(_) | Saying::Revoke(_) | Saying::Review(_), _) => None,
    }
}

/// Grants in an environment that are not over at `at`, or were over so lately that they count for a pause.
pub async fn lately(conn: &mut SqliteConnection, environment: &EnvironmentName, at: DateTime<Utc>) -> Result<Vec<SelfGrant>, LedgerError> {
    // Without a pause a person has a role for LONGEST at most, and the pause itself is no longer.
    let since = TimeDelta::from_std(LONGEST * 2).ok().and_then(|span| at.checked_sub_signed(span)).unwrap_or(at);
    let rows = sqlx::query("SELECT json FROM self_grant WHERE environment = ? AND until > ?");
    read(&rows.bind(environment.as_str()).bind(since.timestamp_millis()).fetch_all(conn).await?)
}

fn read(rows: &[sqlx::sqlite::SqliteRow]) -> Result<Vec<SelfGrant>, LedgerError> {
    let mut all: Vec<SelfGrant> =
        rows.iter().map(|row| serde_json::from_str(row.try_get(0)?).map_err(broken)).collect::<Result<_, LedgerError>>()?;
    all.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(all)
}

/// The one grant that begins with these digits.
async fn found(conn: &mut SqliteConnection, digits: &str) -> Result<SelfGrant, LedgerError> {
    let none = || LedgerError::NoGrant(Text::clean_within(digits, 80));
    let (low, high) = bounds(digits).map_err(|_| none())?;
    let rows = sqlx::query("SELECT json FROM self_grant WHERE id >= ? AND id < ? LIMIT 2").bind(low).bind(high).fetch_all(conn).await?;
    let [row] = rows.as_slice() else { return Err(none()) };
    serde_json::from_str(row.try_get(0)?).map_err(broken)
}

fn words(saying: &Saying, grant: &SelfGrant) -> String {
    let SelfGrant { role, place, person, .. } = grant;
    let said = |words: &Text| if words.is_empty() { String::new() } else { format!(": {words}") };
    match saying {
        Saying::Grant(wish) => {
            let does = if grant.needs == 0 { "takes" } else { "asks for" };
            format!("{person} {does} {role} {place} until {}{}", grant.until.format("%Y-%m-%d %H:%M:%SZ"), said(&wish.reason))
        }
        Saying::Agree(on) => format!("{} agrees that {person} takes {role} {place}{}", on.person, said(&on.words)),
        Saying::Revoke(on) => format!("{} takes {role} {place} of {person} back{}", on.person, said(&on.words)),
        Saying::Review(_) => String::new(),
    }
}

fn entry(saying: &Saying, kind: EntryKind, place: &Place, body: Vec<u8>, words: String) -> Entry {
    Entry {
        kind,
        body,
        deed: None,
        verb: Some(saying.word()),
        target: Some(place.to_string()),
        requester: Some(saying.person().to_owned()),
        verdict: None,
        facts: Facts::default(),
        words,
    }
}
