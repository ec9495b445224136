//! Setting weights: compare, raise, read back, lower, read back; and what is left to say when that ends in the middle.

use crate::model::deed::Effect;
use crate::model::error::{PortErrorKind, SendError};
use crate::model::name::{PoolName, ServerName};
use crate::model::plan::StepEffect;
use crate::model::traffic::{Pool, ServerState, Weights};

use super::answer::{self, Stand};
use super::{GREATEST_WEIGHT, Haproxy, LONGEST_LINE};

/// Absolute weights to set, in order.
type Sets = Vec<(ServerName, u32)>;

/// The command that sets one weight.
pub(super) fn command(pool: &PoolName, server: &ServerName, weight: u32) -> String {
    format!("set server {pool}/{server} weight {weight}")
}

/// What rises and what falls, each so ordered that no slot passes the share that it has before and gets after: of those that
/// rise, the one that grows least by factor is first; of those that fall, it is last. A weight that is not known counts as
/// smaller than any wish, and what becomes 0 as greater, so that never all weights are 0 on the way.
pub(super) fn order(now: &Weights, wished: &Weights) -> (Sets, Sets) {
    let mut raises: Vec<(f64, &ServerName, u32)> = Vec::new();
    let mut lowers: Vec<(f64, &ServerName, u32)> = Vec::new();
    for (server, wish) in wished {
        match now.get(server) {
            Some(weight) if weight == wish => {}
            Some(weight) if weight < wish => raises.push((f64::from(*wish) / f64::from(*weight), server, *wish)),
            Some(weight) => lowers.push((-f64::from(*wish) / f64::from(*weight), server, *wish)),
            None if *wish > 0 => raises.push((f64::from(*wish), server, *wish)),
            None => lowers.push((0.0, server, *wish)),
        }
    }
    let sorted = |mut sets: Vec<(f64, &ServerName, u32)>| {
        sets.sort_by(|one, other| one.0.total_cmp(&other.0));
        sets.into_iter().map(|(_, server, weight)| (server.clone(), weight)).collect()
    };
    (sorted(raises), sorted(lowers))
}

/// Carries out a weights effect as [`crate::ports::traffic::Traffic::set_weights`] says.
pub(super) async fn set_weights(router: &Haproxy, effect: &Effect) -> Result<(), SendError> {
    let (pool, wished) = match effect.what() {
        StepEffect::Weights { backend, pool, weights } if backend == &router.name => (pool, weights),
        StepEffect::Weights { backend, .. } => {
            let detail = format!("the effect is for {backend}");
            return Err(SendError::NotDone(router.error(PortErrorKind::Unsupported, "set weights", &detail)));
        }
        StepEffect::Start { .. }
        | StepEffect::Retry { .. }
        | StepEffect::Repeat { .. }
        | StepEffect::Answer { .. }
        | StepEffect::Cancel { .. } => {
            return Err(SendError::NotDone(router.error(PortErrorKind::Unsupported, "carry out an effect", "it only sets weights")));
        }
    };
    let doing = format!("set weights of pool {pool}");
    let not_done = |kind, detail: &str| SendError::NotDone(router.error(kind, &doing, detail));
    let reading = router.read_pools(std::slice::from_ref(pool), &doing).await.map_err(SendError::NotDone)?;
    let found = reading.pools.get(pool).ok_or_else(|| not_done(PortErrorKind::NotFound, "there is no such pool"))?;
    let before = compare(found, wished, effect.expect()).map_err(|(kind, detail)| not_done(kind, &detail))?;
    let (raises, lowers) = order(&before, wished);
    if raises.is_empty() && lowers.is_empty() {
        return Ok(());
    }
    admissible(found, wished, &raises).map_err(|detail| not_done(PortErrorKind::Refused, &detail))?;
    let mut shift = Shift { router, pool, doing, wished, before: &before, now: before.clone() };
    shift.phase(&raises).await?;
    shift.phase(&lowers).await
}

/// The present weights of the servers that the effect names, when they are as the plan expected them.
fn compare(pool: &Pool, wished: &Weights, expect: Option<&Weights>) -> Result<Weights, (PortErrorKind, String)> {
    let mut before = Weights::new();
    for server in wished.keys().chain(expect.into_iter().flat_map(Weights::keys)) {
        let found = pool.server(server).ok_or_else(|| (PortErrorKind::NotFound, format!("there is no server {server}")))?;
        before.insert(server.clone(), found.weight);
    }
    for (server, planned) in expect.into_iter().flatten() {
        if let Some(weight) = before.get(server).filter(|weight| *weight != planned) {
            return Err((PortErrorKind::Conflict, format!("weight of {server} is {weight}, was {planned} when it was planned")));
        }
    }
    before.retain(|server, _| wished.contains_key(server));
    Ok(before)
}

/// Whether the wish leaves the pool served.
fn admissible(pool: &Pool, wished: &Weights, raises: &Sets) -> Result<(), String> {
    if let Some((server, weight)) = wished.iter().find(|(_, weight)| **weight > GREATEST_WEIGHT) {
        return Err(format!("weight {weight} of {server} is over {GREATEST_WEIGHT}"));
    }
    if wished.values().all(|weight| *weight == 0) {
        return Err("all weights would be 0".to_owned());
    }
    let up = |server: &ServerName| pool.server(server).is_some_and(|server| server.state == ServerState::Up);
    if !raises.is_empty() && !raises.iter().any(|(server, _)| up(server)) {
        return Err(format!("no server that gains is up: {}", states(pool, raises.iter().map(|(server, _)| server))));
    }
    let kept = wished.iter().filter(|(_, weight)| **weight > 0).map(|(server, _)| server);
    if !kept.clone().any(up) {
        return Err(format!("no server that keeps a weight is up: {}", states(pool, kept)));
    }
    Ok(())
}

fn states<'a>(pool: &Pool, servers: impl Iterator<Item = &'a ServerName>) -> String {
    let words = servers.filter_map(|name| pool.server(name)).map(|server| {
        let word = match server.state {
            ServerState::Up => "up",
            ServerState::Draining => "draining",
            ServerState::Maintenance => "in maintenance",
            ServerState::Down => "down",
            ServerState::Starting => "starting",
        };
        format!("{} is {word}", server.name)
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A shift under way.
struct Shift<'a> {
    router: &'a Haproxy,
    pool: &'a PoolName,
    doing: String,
    wished: &'a Weights,
    before: &'a Weights,
    now: Weights,
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
        self.judge(sets, &stands, trouble)
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
    fn judge(&mut self, sets: &Sets, stands: &[Stand], trouble: Option<Trouble>) -> Result<(), SendError> {
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
        if sets.iter().any(|(server, weight)| self.now.get(server) != Some(weight)) {
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

    /// Where each weight stands, in words.
    fn standing(&self) -> String {
        let words = self.wished.iter().map(|(server, wish)| match self.now.get(server) {
            Some(now) if now == wish => format!("{server} {now} as wished"),
            Some(now) => format!("{server} {now}, wished {wish}"),
            None => format!("{server} not known, wished {wish}"),
        });
        format!("now {}", words.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weights(numbers: &[u32]) -> Weights {
        numbers.iter().enumerate().map(|(n, weight)| (ServerName::new(&format!("v{n}")).unwrap(), *weight)).collect()
    }

    fn steps(now: &[u32], wished: &[u32]) -> Vec<(String, u32)> {
        let (raises, lowers) = order(&weights(now), &weights(wished));
        raises.into_iter().chain(lowers).map(|(server, weight)| (server.as_str().to_owned(), weight)).collect()
    }

    #[test]
    fn who_gains_is_raised_before_who_loses_is_lowered() {
        assert_eq!(steps(&[100, 0], &[80, 20]), [("v1".to_owned(), 20), ("v0".to_owned(), 80)]);
        assert_eq!(steps(&[80, 20], &[100, 0]), [("v0".to_owned(), 100), ("v1".to_owned(), 0)]);
    }

    #[test]
    fn when_both_rise_the_slot_that_gains_comes_last() {
        assert_eq!(steps(&[1, 0], &[80, 20]), [("v0".to_owned(), 80), ("v1".to_owned(), 20)]);
    }

    #[test]
    fn when_both_fall_the_slot_that_loses_comes_last() {
        assert_eq!(steps(&[200, 200], &[80, 20]), [("v0".to_owned(), 80), ("v1".to_owned(), 20)]);
    }

    #[test]
    fn what_is_as_wished_is_not_written() {
        assert_eq!(steps(&[80, 20], &[80, 20]), []);
    }

    proptest! {
        /// Each server is a slot: while the first one gains, its share never passes the greater of before and after.
        #[test]
        fn no_step_overshoots_and_none_leaves_all_at_zero(now in (0_u32..=256, 0_u32..=256), wished in (0_u32..=256, 0_u32..=256)) {
            prop_assume!(now.0 + now.1 > 0 && wished.0 + wished.1 > 0);
            let share = |one: u32, two: u32| f64::from(one) / f64::from(one + two);
            let most = share(now.0, now.1).max(share(wished.0, wished.1));
            // The same share at another scale moves through others whatever the order; a shift has no such plan.
            let gains = share(wished.0, wished.1) > share(now.0, now.1) + 1e-9;
            let mut at = [now.0, now.1];
            for (server, weight) in steps(&[now.0, now.1], &[wished.0, wished.1]) {
                at[usize::from(server == "v1")] = weight;
                prop_assert!(at[0] + at[1] > 0, "{at:?}");
                prop_assert!(!gains || share(at[0], at[1]) <= most + 1e-9, "{at:?}");
            }
        }

        #[test]
        fn without_a_reading_what_serves_is_set_before_what_no_longer_does(wished in proptest::collection::vec(0_u32..=256, 1..6)) {
            let unread = order(&Weights::new(), &weights(&wished));
            prop_assert!(unread.0.iter().all(|(_, weight)| *weight > 0));
            prop_assert!(unread.1.iter().all(|(_, weight)| *weight == 0));
            prop_assert_eq!(unread.0.len() + unread.1.len(), wished.len());
        }
    }
}
