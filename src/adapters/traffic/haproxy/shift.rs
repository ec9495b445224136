//! Setting weights: compare, raise, read back, lower, read back; and what is left to say when that ends in the middle.

use crate::adapters::traffic::rules::{self, Sets};
use crate::model::deed::Effect;
use crate::model::error::{PortErrorKind, SendError};
use crate::model::name::{PoolName, ServerName};
use crate::model::traffic::{ServerState, Weights};

use super::answer::{self, Stand};
use super::{GREATEST_WEIGHT, Haproxy, LONGEST_LINE};

/// The command that sets one weight.
pub(super) fn command(pool: &PoolName, server: &ServerName, weight: u32) -> String {
    format!("set server {pool}/{server} weight {weight}")
}

/// Carries out a weights effect as [`crate::ports::traffic::Traffic::set_weights`] says.
pub(super) async fn set_weights(router: &Haproxy, effect: &Effect) -> Result<(), SendError> {
    let (pool, wished) = rules::asked(effect.what(), &router.name)
        .map_err(|(doing, detail)| SendError::NotDone(router.error(PortErrorKind::Unsupported, doing, &detail)))?;
    let doing = format!("set weights of pool {pool}");
    let not_done = |kind, detail: &str| SendError::NotDone(router.error(kind, &doing, detail));
    let reading = router.read_pools(std::slice::from_ref(pool), &doing).await.map_err(SendError::NotDone)?;
    let found = reading.pools.get(pool).ok_or_else(|| not_done(PortErrorKind::NotFound, "there is no such pool"))?;
    let before = rules::compare(found, wished, effect.expect()).map_err(|(kind, detail)| not_done(kind, &detail))?;
    let (raises, lowers) = rules::order(&before, wished);
    if raises.is_empty() && lowers.is_empty() {
        return Ok(());
    }
    rules::admissible(found, wished, &raises, GREATEST_WEIGHT).map_err(|detail| not_done(PortErrorKind::Refused, &detail))?;
    let mut shift = Shift { router, pool, doing, wished, before: &before, now: before.clone(), set: Weights::new() };
    shift.phase(&raises).await?;
    shift.phase(&lowers).await
}

/// A shift under way.
struct Shift<'a> {
    router: &'a Haproxy,
    pool: &'a PoolName,
    doing: String,
    wished: &'a Weights,
    before: &'a Weights,
    now: Weights,
    /// What was set so far.
    set: Weights,
}

/// Why a write was not simply followed by the weights that it set.
struct Trouble {
    kind: PortErrorKind,
    detail: String,
}

impl Shift<'_> {
    /// Writes one phase, in lines that HAProxy's buffer takes, each read back before the next.
    async fn phase(&mut self, sets: &Sets) -> Result<(), SendError> {
        let mut line: Sets = Vec::new();
        let mut length = 0;
        for (server, weight) in sets {
            length += command(self.pool, server, *weight).len() + 1;
            line.push((server.clone(), *weight));
            if length > LONGEST_LINE / 2 {
                self.write(&std::mem::take(&mut line)).await?;
                length = 0;
            }
        }
        if line.is_empty() { Ok(()) } else { self.write(&line).await }
    }

    async fn write(&mut self, sets: &Sets) -> Result<(), SendError> {
        let mut commands = vec!["show info".to_owned()];
        commands.extend(sets.iter().map(|(server, weight)| command(self.pool, server, *weight)));
        commands.push(format!("show servers state {}", self.pool));
        let (trouble, stands) = match self.router.exchange(&commands).await {
            Err(failure) if !failure.sent => {
                return Err(self.ended(Trouble { kind: failure.kind, detail: failure.detail }));
            }
            Err(failure) => (Some(Trouble { kind: failure.kind, detail: failure.detail }), None),
            Ok(answers) => self.answered(&answers),
        };
        let stands = match stands {
            Some(stands) => stands,
            None => self.read_back(trouble.as_ref()).await?,
        };
        self.set.extend(sets.iter().cloned());
        self.judge(&stands, trouble)
    }

    /// The first refusal among the answers, and the servers when they were read back by a process that stays.
    fn answered(&self, answers: &[String]) -> (Option<Trouble>, Option<Vec<Stand>>) {
        let [info, refusals @ .., state] = answers else { return (None, None) };
        let refused = refusals.iter().find(|words| !words.is_empty());
        let trouble = refused.map(|words| Trouble { kind: answer::refusal(words), detail: format!("it answers `{}`", words.trim_end()) });
        let stays = answer::process(info).is_ok();
        (trouble, stays.then(|| answer::stands_of(self.pool, state).ok().flatten()).flatten())
    }

    /// Reads the pool on a new connection after a write whose outcome the first one did not tell.
    async fn read_back(&self, trouble: Option<&Trouble>) -> Result<Vec<Stand>, SendError> {
        let commands = ["show info".to_owned(), format!("show servers state {}", self.pool)];
        let first = trouble.map_or("its answer could not be understood", |trouble| trouble.detail.as_str());
        let unknown = |kind: PortErrorKind, detail: &str| {
            let kind = trouble.map_or(kind, |trouble| trouble.kind.clone());
            SendError::Unknown(self.router.error(kind, &self.doing, &format!("{first}; reading back: {detail}")))
        };
        let answers = self.router.exchange(&commands).await.map_err(|failure| unknown(failure.kind, &failure.detail))?;
        let [info, state] = answers.as_slice() else { return Err(unknown(PortErrorKind::Malformed, "not two answers")) };
        answer::process(info).map_err(|wrong| unknown(wrong.kind(), &wrong.to_string()))?;
        let stands = answer::stands_of(self.pool, state).map_err(|wrong| unknown(wrong.kind(), &wrong.to_string()))?;
        stands.ok_or_else(|| unknown(PortErrorKind::NotFound, "the pool is gone"))
    }

    /// Decides by what was read back.
    fn judge(&mut self, stands: &[Stand], trouble: Option<Trouble>) -> Result<(), SendError> {
        let mut foreign = Vec::new();
        for (server, wish) in self.wished {
            let read = stands.iter().find(|stand| &stand.name == server).map(|stand| stand.weight);
            let ours = read.is_some_and(|read| read == *wish || self.before.get(server) == Some(&read));
            match read {
                Some(read) => {
                    self.now.insert(server.clone(), read);
                    if !ours {
                        foreign.push(format!("weight of {server} is {read}"));
                    }
                }
                None => foreign.push(format!("server {server} is gone")),
            }
        }
        if !foreign.is_empty() {
            let detail = format!("another hand was there: {}; {}", foreign.join(", "), self.standing());
            return Err(SendError::Unknown(self.router.error(PortErrorKind::Conflict, &self.doing, &detail)));
        }
        if self.set.iter().any(|(server, weight)| self.now.get(server) != Some(weight)) {
            let silent = || Trouble {
                kind: PortErrorKind::Refused,
                detail: "it said nothing against it, and the weights did not change".to_owned(),
            };
            return Err(self.ended(trouble.unwrap_or_else(silent)));
        }
        let served = |stand: &Stand| stand.state == ServerState::Up && self.wished.get(&stand.name).is_some_and(|weight| *weight > 0);
        if &self.now != self.wished && !stands.iter().any(served) {
            let detail = "the servers that gain went down on the way".to_owned();
            return Err(self.ended(Trouble { kind: PortErrorKind::Refused, detail }));
        }
        Ok(())
    }

    /// The end in the middle: surely without effect when all weights are as before, else only an observation can settle it.
    fn ended(&self, trouble: Trouble) -> SendError {
        if &self.now == self.before {
            return SendError::NotDone(self.router.error(trouble.kind, &self.doing, &trouble.detail));
        }
        let detail = format!("{}; {}", trouble.detail, self.standing());
        SendError::Unknown(self.router.error(trouble.kind, &self.doing, &detail))
    }

    fn standing(&self) -> String {
        rules::standing(self.wished, &self.now)
    }
}
