//! Deeds as rows: what the ledger's entries about a deed add up to.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::fault::broken;
use super::head::Entry;
use super::owner::Owner;
use super::record::{about, canonical};
use super::write::Write;
use crate::model::deed::{Deed, DeedState, DeedStep, EntryKind, Facts};
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{PlanId, Target};
use crate::model::plan::{Plan, StepEffect};
use crate::model::silence::SilenceChange;
use crate::model::text::Text;
use crate::ports::ledger::{LedgerError, Outcome};

/// A deed's row.
pub struct DeedRow {
    /// The deed.
    pub deed: Deed,
    /// Its plan.
    pub plan: Plan,
    /// The process that carries it out or watches it.
    pub owner: String,
    /// Whether something of it is not settled: under way, watched, or unknown.
    pub open: bool,
}

impl DeedRow {
    /// A deed whose intent is being recorded.
    pub fn begin(plan: &Plan, owner: &str, at: DateTime<Utc>) -> Self {
        let step = |effect: &StepEffect| DeedStep {
            effect: effect.clone(),
            words: words(effect),
            state: DeedState::Intended,
            facts: Facts { intended: Some(at), ..Facts::default() },
            error: None,
            seen: None,
        };
        let deed = Deed {
            plan: plan.id,
            verb: plan.order.verb,
            target: plan.target().clone(),
            requester: plan.order.requester.clone(),
            reason: plan.intent.reason.clone(),
            ticket: plan.order.ticket.clone(),
            state: DeedState::Intended,
            facts: Facts { intended: Some(at), ..Facts::default() },
            held_due: None,
            steps: plan.order.effects.iter().map(step).collect(),
            words: plan.order.text.clone().unwrap_or_else(Text::empty),
            reasons: Vec::new(),
            is_settled: false,
            elsewhere: false,
        };
        Self { deed, plan: plan.clone(), owner: owner.to_owned(), open: true }
    }

    /// Reads one.
    pub async fn load(conn: &mut SqliteConnection, id: PlanId) -> Result<Option<Self>, LedgerError> {
        let row = sqlx::query("SELECT json, plan, owner, open FROM deed WHERE id = ?").bind(id.to_string()).fetch_optional(conn).await?;
        row.as_ref().map(Self::read).transpose()
    }

    /// Reads those on a target that are not settled, the oldest first.
    pub async fn load_open_on(conn: &mut SqliteConnection, target: &Target) -> Result<Vec<Self>, LedgerError> {
        let rows = sqlx::query("SELECT json, plan, owner, open FROM deed WHERE target = ? AND open = 1 ORDER BY n");
        rows.bind(target.to_string()).fetch_all(conn).await?.iter().map(Self::read).collect()
    }

    /// Reads all that are not settled, the oldest first.
    pub async fn load_open(conn: &mut SqliteConnection) -> Result<Vec<Self>, LedgerError> {
        let rows = sqlx::query("SELECT json, plan, owner, open FROM deed WHERE open = 1 ORDER BY n");
        rows.fetch_all(conn).await?.iter().map(Self::read).collect()
    }

    /// From the columns `json, plan, owner, open`.
    pub fn read(row: &SqliteRow) -> Result<Self, LedgerError> {
        Ok(Self {
            deed: serde_json::from_str(row.try_get(0)?).map_err(broken)?,
            plan: serde_json::from_str(row.try_get(1)?).map_err(broken)?,
            owner: row.try_get(2)?,
            open: row.try_get(3)?,
        })
    }

    /// Stores it; `n` is kept from the first time.
    pub async fn save(&self, conn: &mut SqliteConnection, n: u64) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO deed (id, n, target, owner, open, json, plan) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) \
             DO UPDATE SET owner = excluded.owner, open = excluded.open, json = excluded.json",
        )
        .bind(self.deed.plan.to_string())
        .bind(i64::try_from(n).map_err(broken)?)
        .bind(self.deed.target.to_string())
        .bind(&self.owner)
        .bind(self.open)
        .bind(serde_json::to_string(&self.deed).map_err(broken)?)
        .bind(serde_json::to_string(&self.plan).map_err(broken)?)
        .execute(conn)
        .await?;
        Ok(())
    }

    /// The body of an entry about it.
    pub fn body(&self, kind: EntryKind, step: Option<u32>, words: &Text, more: Map<String, Value>) -> Result<Vec<u8>, LedgerError> {
        if kind == EntryKind::Intent {
            return self.plan.order.canonical().map_err(broken);
        }
        let id = self.deed.plan.to_string();
        let mut body = about(&id, &self.plan.order.installation, kind, &self.deed.requester, step);
        // The Order alone is the intent's body, so the entry that follows it binds what the verdict saw.
        if kind == EntryKind::Sending || self.deed.steps.is_empty() {
            body.insert("evidence".to_owned(), Value::from(self.plan.evidence_digest().map_err(broken)?));
        }
        body.insert("target".to_owned(), Value::from(self.deed.target.to_string()));
        body.insert("verb".to_owned(), Value::from(self.deed.verb.word()));
        body.insert("words".to_owned(), Value::from(words.as_str()));
        body.extend(more);
        canonical(&body)
    }

    /// Appends an entry about it and stores it as it is now.
    pub async fn append(
        &self,
        write: &mut Write<'_>,
        kind: EntryKind,
        step: Option<u32>,
        words: &Text,
        more: Map<String, Value>,
    ) -> Result<(), LedgerError> {
        let body = self.body(kind, step, words, more)?;
        let n = write.next();
        let entry = Entry {
            kind,
            body,
            deed: Some(self.deed.plan),
            verb: Some(self.deed.verb.word()),
            target: Some(self.deed.target.to_string()),
            requester: Some(self.deed.requester.clone()),
            verdict: (kind == EntryKind::Intent).then_some("permit"),
            facts: self.deed.facts,
            words: words.as_str().to_owned(),
        };
        write.append(entry).await?;
        self.save(&mut write.tx, n).await
    }

    /// The deed as this process tells it.
    pub fn told(mut self, owner: &Owner) -> Deed {
        self.deed.elsewhere = self.open && self.owner != owner.name();
        self.deed
    }

    /// The step becomes sent.
    pub fn send(&mut self, step: u32, at: DateTime<Utc>) {
        if let Some(step) = self.step(Some(step)) {
            step.state = DeedState::Sent;
            step.facts.sent = Some(at);
            step.error = None;
        }
        self.deed.facts.sent.get_or_insert(at);
        self.derive(false);
    }

    /// An outcome becomes part of it.
    pub fn settle(&mut self, outcome: &Outcome, at: DateTime<Utc>) {
        if !outcome.words.is_empty() {
            self.deed.words = outcome.words.clone();
        }
        self.deed.is_settled = outcome.kind == EntryKind::Unknown && outcome.releases;
        if let Some(step) = self.step(outcome.step) {
            turn(step, outcome, at);
            self.expect_back(outcome, at);
            self.derive(outcome.releases);
            let stays = self.deed.steps.iter().all(|step| step.facts.accepted.is_some());
            if outcome.kind == EntryKind::Accepted && stays {
                self.deed.facts.accepted.get_or_insert(at);
            }
        }
        if outcome.step.is_none() {
            self.settle_whole(outcome, at);
        } else if outcome.releases && outcome.kind == EntryKind::NotBegun {
            self.deed.state = DeedState::Failed;
        }
        let watched = self.deed.state == DeedState::Effective && self.deed.held_due.is_some();
        self.open = self.deed.state.is_under_way() || self.deed.state == DeedState::Unknown || watched;
    }

    /// Whether everything was sent and accepted and its effect alone is awaited, so that nothing more will be sent of it.
    pub fn only_awaits_effect(&self) -> bool {
        let is_whole = self.deed.steps.len() == self.plan.order.effects.len();
        self.deed.state == DeedState::Accepted && is_whole && self.deed.steps.iter().all(|step| step.facts.accepted.is_some())
    }

    /// A step surely did not come about and the deed goes on: what was moved before it is taken back, each by a step of its own.
    fn expect_back(&mut self, outcome: &Outcome, at: DateTime<Utc>) {
        let order = &self.plan.order;
        let step = outcome.step.and_then(|step| usize::try_from(step).ok()).filter(|step| !order.is_back(*step));
        let (false, EntryKind::Failed, Some(step)) = (outcome.releases, outcome.kind, step) else { return };
        if self.deed.steps.len() > order.effects.len() {
            return;
        }
        self.deed.steps.extend(order.taken_back(step).iter().map(|effect| DeedStep {
            effect: effect.clone(),
            words: Text::clean(&format!("take back: {}", words(effect))),
            state: DeedState::Intended,
            facts: Facts { intended: Some(at), ..Facts::default() },
            error: None,
            seen: None,
        }));
    }

    fn settle_whole(&mut self, outcome: &Outcome, at: DateTime<Utc>) {
        // What is said of the whole is said of each step that was not told apart.
        if matches!(outcome.kind, EntryKind::Effective | EntryKind::Held) {
            let open = |step: &&mut DeedStep| outcome.kind == EntryKind::Held || step.facts.effective.is_none();
            self.deed.steps.iter_mut().filter(open).for_each(|step| turn(step, outcome, at));
        }
        let facts = &mut self.deed.facts;
        self.deed.state = match outcome.kind {
            EntryKind::Accepted => {
                facts.accepted.get_or_insert(at);
                DeedState::Accepted
            }
            EntryKind::Effective => {
                facts.effective.get_or_insert(at);
                self.deed.held_due = outcome.held_due;
                DeedState::Effective
            }
            EntryKind::Held => {
                facts.held.get_or_insert(at);
                DeedState::Held
            }
            EntryKind::Slipped => DeedState::Slipped,
            EntryKind::Unwatched => DeedState::Unwatched,
            EntryKind::Superseded => DeedState::Superseded,
            EntryKind::Unknown => DeedState::Unknown,
            EntryKind::Failed | EntryKind::NotBegun => DeedState::Failed,
            EntryKind::Signers
            | EntryKind::Intent
            | EntryKind::Denied
            | EntryKind::Approval
            | EntryKind::Rejection
            | EntryKind::Withdrawal
            | EntryKind::Sending
            | EntryKind::Hold
            | EntryKind::Resume
            | EntryKind::Note
            | EntryKind::Policy
            | EntryKind::BreakGlass
            | EntryKind::Imported => self.deed.state,
        };
    }

    fn step(&mut self, step: Option<u32>) -> Option<&mut DeedStep> {
        self.deed.steps.get_mut(usize::try_from(step?).ok()?)
    }

    /// The state of the whole follows from the steps until an outcome of the whole is recorded. With a failed step it is over once the
    /// lease is given back.
    fn derive(&mut self, is_over: bool) {
        if !(self.deed.state.is_under_way() || self.deed.state == DeedState::Unknown || self.deed.state == DeedState::Failed) {
            return;
        }
        let any = |state: DeedState| self.deed.steps.iter().any(|step| step.state == state);
        let all = |states: &[DeedState]| self.deed.steps.iter().all(|step| states.contains(&step.state));
        self.deed.state = if any(DeedState::Failed) && is_over {
            DeedState::Failed
        } else if any(DeedState::Unknown) {
            DeedState::Unknown
        } else if all(&[DeedState::Accepted, DeedState::Effective]) {
            DeedState::Accepted
        } else if all(&[DeedState::Intended]) {
            DeedState::Intended
        } else {
            DeedState::Sent
        };
    }
}

/// One step takes an outcome.
fn turn(step: &mut DeedStep, outcome: &Outcome, at: DateTime<Utc>) {
    // What was not told by a backend is told by the words alone.
    let failure = |kind| {
        let words = || PortError::new(kind, step.effect.backend(), "carry out the step", outcome.words.as_str());
        outcome.error.clone().unwrap_or_else(words)
    };
    match outcome.kind {
        EntryKind::Accepted => {
            step.state = DeedState::Accepted;
            step.facts.accepted.get_or_insert(at);
            step.error = None;
        }
        EntryKind::Effective => {
            step.state = DeedState::Effective;
            step.facts.effective.get_or_insert(at);
            step.seen = Some(outcome.words.clone());
            step.error = None;
        }
        EntryKind::Held => {
            step.state = DeedState::Held;
            step.facts.held.get_or_insert(at);
        }
        EntryKind::Failed => {
            step.error = Some(SendError::NotDone(failure(PortErrorKind::Refused)));
            step.state = DeedState::Failed;
        }
        EntryKind::Unknown => {
            step.error = Some(SendError::Unknown(failure(PortErrorKind::TimedOut)));
            step.state = DeedState::Unknown;
        }
        EntryKind::NotBegun => {
            step.state = DeedState::Intended;
            step.facts.sent = None;
        }
        EntryKind::Slipped => step.state = DeedState::Slipped,
        EntryKind::Unwatched => step.state = DeedState::Unwatched,
        EntryKind::Superseded => step.state = DeedState::Superseded,
        EntryKind::Signers
        | EntryKind::Intent
        | EntryKind::Denied
        | EntryKind::Approval
        | EntryKind::Rejection
        | EntryKind::Withdrawal
        | EntryKind::Sending
        | EntryKind::Hold
        | EntryKind::Resume
        | EntryKind::Note
        | EntryKind::Policy
        | EntryKind::BreakGlass
        | EntryKind::Imported => {}
    }
}

/// An effect in words.
fn words(effect: &StepEffect) -> Text {
    Text::clean(&match effect {
        StepEffect::Weights { backend, pool, weights } => {
            let weights: Vec<String> = weights.iter().map(|(server, weight)| format!("{server} {weight}")).collect();
            format!("set weights of {pool} at {backend}: {}", weights.join(", "))
        }
        StepEffect::Flag { backend, flag, on, percent, .. } => {
            let to = percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
            format!("flag {} {}{to} at {backend}", flag.name, if *on { "on" } else { "off" })
        }
        StepEffect::Drain { backend, pool, server, drains, .. } => {
            format!("{} {server} of {pool} at {backend}", if *drains { "drain" } else { "make ready" })
        }
        StepEffect::Silence { backend, alert, change, .. } => match change {
            SilenceChange::Until { ends, .. } => format!("silence {alert} at {backend} until {ends}"),
            SilenceChange::Over { .. } => format!("end the silence of {alert} at {backend}"),
        },
        StepEffect::Start { backend, builder, .. } => format!("start {builder} at {backend}"),
        StepEffect::Retry { backend, builder, run } => format!("run {builder} {run} again at {backend}"),
        StepEffect::Repeat { backend, builder, run, attempt, .. } => {
            format!("run {builder} {run} again at {backend}, after attempt {attempt}")
        }
        StepEffect::Answer { backend, builder, run, gates, opens, .. } => {
            let gates: Vec<_> = gates.iter().map(|gate| gate.name.as_str()).collect();
            let does = if *opens { "approve" } else { "reject" };
            format!("{does} {builder} {run} for {} at {backend}", gates.join(", "))
        }
        StepEffect::Workload { backend, change } => format!("set {} at {backend}: {}", change.workload, change.wish),
        StepEffect::Cancel { backend, builder, run } => format!("stop {builder} {run} at {backend}"),
    })
}
