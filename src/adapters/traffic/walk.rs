//! Setting weights at a router behind HTTP: compare, raise, read back, lower, read back; or all at once where the product changes all at once.

use crate::adapters::traffic::rules::{self, Sets};
use crate::model::deed::Effect;
use crate::model::error::{PortError, PortErrorKind, SendError};
use crate::model::name::{BackendName, PoolName};
use crate::model::traffic::{Pool, RouterProcess, ServerState, Weights};
use crate::ports::Pending;

/// The greatest weight that is set where a product has no bound of its own, or none that is of use: as HAProxy's, which reaches every
/// whole per cent, and keeps the search for weights short.
pub(super) const GREATEST_WEIGHT: u32 = 256;

/// A pool as it was seen, and by what a write can say that it still is.
pub(super) struct Seen<M> {
    /// The pool.
    pub(super) pool: Pool,
    /// Who answered.
    pub(super) process: RouterProcess,
    /// What a compare-and-set compares.
    pub(super) mark: M,
}

/// How a router of one kind is looked at and written to.
pub(super) trait Hand: Sync {
    /// What a compare-and-set compares.
    type Mark: Send + Sync;
    /// Whether one exchange changes all weights.
    const AT_ONCE: bool;

    /// The router's configured name.
    fn name(&self) -> &BackendName;

    /// A failure at this router; `doing` finishes "failed to ..".
    fn fault(&self, kind: PortErrorKind, doing: &str, detail: &str) -> PortError;

    /// Looks at a pool before it is written.
    fn look<'a>(&'a self, pool: &'a PoolName, doing: &'a str) -> Pending<'a, Result<Option<Seen<Self::Mark>>, PortError>>;

    /// Why these weights cannot be had here, beyond what holds for every router.
    fn objection(&self, seen: &Seen<Self::Mark>, wished: &Weights) -> Option<String>;

    /// Writes `sets`, once; `all` is what the whole pool has afterwards.
    fn write<'a>(
        &'a self,
        seen: &'a Seen<Self::Mark>,
        sets: &'a Sets,
        all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<(), SendError>>;

    /// Looks again after a write. A router that takes a while is waited for until it reads as `all` says, within the deadline; then
    /// what it reads as is the answer.
    fn look_back<'a>(
        &'a self,
        pool: &'a PoolName,
        all: &'a Weights,
        doing: &'a str,
    ) -> Pending<'a, Result<Option<Seen<Self::Mark>>, PortError>>;
}

/// Carries out a weights effect as [`crate::ports::traffic::Traffic::set_weights`] says.
pub(super) async fn set_weights<H: Hand>(hand: &H, effect: &Effect) -> Result<(), SendError> {
    let (pool, wished) = rules::asked(effect.what(), hand.name())
        .map_err(|(doing, detail)| SendError::NotDone(hand.fault(PortErrorKind::Unsupported, doing, &detail)))?;
    let doing = format!("set weights of pool {pool}");
    let not_done = |kind, detail: &str| SendError::NotDone(hand.fault(kind, &doing, detail));
    let seen = hand.look(pool, &doing).await.map_err(SendError::NotDone)?;
    let seen = seen.ok_or_else(|| not_done(PortErrorKind::NotFound, "there is no such pool"))?;
    let before = rules::compare(&seen.pool, wished, effect.expect()).map_err(|(kind, detail)| not_done(kind, &detail))?;
    let (raises, lowers) = rules::order(&before, wished);
    if raises.is_empty() && lowers.is_empty() {
        return Ok(());
    }
    rules::admissible(&seen.pool, wished, &raises, GREATEST_WEIGHT).map_err(|detail| not_done(PortErrorKind::Refused, &detail))?;
    if let Some(detail) = hand.objection(&seen, wished) {
        return Err(not_done(PortErrorKind::Refused, &detail));
    }
    let all: Weights = seen.pool.servers.iter().map(|server| (server.name.clone(), server.weight)).collect();
    let process = (seen.process.pid, seen.process.start_mark);
    let mut shift = Shift { hand, pool, doing: &doing, wished, process, before: &before, now: before.clone(), all, seen };
    if H::AT_ONCE {
        let both: Sets = raises.into_iter().chain(lowers).collect();
        return shift.exchange(&both).await;
    }
    shift.exchange(&raises).await?;
    shift.exchange(&lowers).await
}

/// A shift under way.
struct Shift<'a, H: Hand> {
    hand: &'a H,
    pool: &'a PoolName,
    doing: &'a str,
    wished: &'a Weights,
    /// The process that was looked at first.
    process: (Option<u32>, u64),
    before: &'a Weights,
    /// The weights of the effect's servers as read last.
    now: Weights,
    /// The weights of the whole pool as they should read after the exchanges so far.
    all: Weights,
    seen: Seen<H::Mark>,
}

/// Why a write was not simply followed by the weights that it set.
struct Trouble {
    kind: PortErrorKind,
    detail: String,
}

impl Trouble {
    fn of(error: &PortError) -> Self {
        Self { kind: error.kind.clone(), detail: error.detail.as_str().to_owned() }
    }
}

impl<H: Hand> Shift<'_, H> {
    /// Writes once, reads back, and decides by what was read.
    async fn exchange(&mut self, sets: &Sets) -> Result<(), SendError> {
        if sets.is_empty() {
            return Ok(());
        }
        self.all.extend(sets.iter().cloned());
        let written = self.hand.write(&self.seen, sets, &self.all, self.doing).await;
        let trouble = match &written {
            Ok(()) => None,
            Err(error) => Some(Trouble::of(error.port())),
        };
        if let Err(SendError::NotDone(error)) = written {
            // What has its own remedy keeps it, where nothing came before it.
            return Err(if &self.now == self.before { SendError::NotDone(error) } else { self.ended(Trouble::of(&error)) });
        }
        let back = self.hand.look_back(self.pool, &self.all, self.doing).await;
        match back {
            Ok(Some(seen)) => self.judge(seen, trouble),
            Ok(None) => Err(self.unread(trouble, PortErrorKind::NotFound, "the pool is gone")),
            Err(error) => Err(self.unread(trouble, error.kind.clone(), error.detail.as_str())),
        }
    }

    /// A write whose effect cannot be read back.
    fn unread(&self, trouble: Option<Trouble>, kind: PortErrorKind, detail: &str) -> SendError {
        let (kind, detail) = match trouble {
            Some(Trouble { kind, detail: first }) => (kind, format!("{first}; reading back: {detail}")),
            None => (kind, format!("written; reading back: {detail}")),
        };
        SendError::Unknown(self.hand.fault(kind, self.doing, &detail))
    }

    /// Decides by what was read back.
    fn judge(&mut self, seen: Seen<H::Mark>, trouble: Option<Trouble>) -> Result<(), SendError> {
        let mut foreign = Vec::new();
        for (server, wish) in self.wished {
            match seen.pool.server(server).map(|server| server.weight) {
                Some(read) => {
                    if read != *wish && self.before.get(server) != Some(&read) {
                        foreign.push(format!("weight of {server} is {read}"));
                    }
                    self.now.insert(server.clone(), read);
                }
                None => foreign.push(format!("server {server} is gone")),
            }
        }
        let unknown = |detail: &str| {
            let detail = format!("{detail}; {}", rules::standing(self.wished, &self.now));
            SendError::Unknown(self.hand.fault(PortErrorKind::Conflict, self.doing, &detail))
        };
        if !foreign.is_empty() {
            return Err(unknown(&format!("another hand was there: {}", foreign.join(", "))));
        }
        if (seen.process.pid, seen.process.start_mark) != self.process {
            return Err(unknown("another process answers: the router was restarted in between"));
        }
        let set = |server| self.now.get(server) == self.all.get(server);
        if !self.wished.keys().all(set) {
            let silent = || Trouble {
                kind: PortErrorKind::Refused,
                detail: "it said nothing against it, and the weights did not change".to_owned(),
            };
            return Err(self.ended(trouble.unwrap_or_else(silent)));
        }
        let served = |name| seen.pool.server(name).is_some_and(|server| server.state == ServerState::Up);
        if &self.now != self.wished && !self.wished.iter().any(|(name, weight)| *weight > 0 && served(name)) {
            let detail = "the servers that gain went down on the way".to_owned();
            return Err(self.ended(Trouble { kind: PortErrorKind::Refused, detail }));
        }
        self.seen = seen;
        Ok(())
    }

    /// The end in the middle: surely without effect when all weights are as before, else only an observation can settle it.
    fn ended(&self, trouble: Trouble) -> SendError {
        if &self.now == self.before {
            return SendError::NotDone(self.hand.fault(trouble.kind, self.doing, &trouble.detail));
        }
        let detail = format!("{}; {}", trouble.detail, rules::standing(self.wished, &self.now));
        SendError::Unknown(self.hand.fault(trouble.kind, self.doing, &detail))
    }
}
