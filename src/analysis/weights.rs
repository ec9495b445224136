//! From a wished share to whole weights for every server of both slots, and from weights back to the share that they give.

use std::collections::BTreeSet;

use crate::model::name::ServerName;
use crate::model::reason::Reason;
use crate::model::share::{Percent, Share};
use crate::model::traffic::{Pool, Server, ServerState, Weights};

/// The greatest distance between the wished and the reached share: half a percentage point.
pub const GREATEST_ERROR: f64 = 0.005;

/// The weight that is full when nothing says otherwise, and the sum that is sought when several are as good.
const FULL: u32 = 100;

/// Whole weights that reach a share.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Absolute weights of every server of both slots.
    pub weights: Weights,
    /// The share of the slot that these weights give while all its servers are up.
    pub share: Share,
    /// The share that they give with the servers that are up now; none when none of them is.
    pub up: Option<Share>,
}

/// Weights that give the servers `of` the share `wished`, and the servers `others` the rest.
///
/// Within a slot the proportions of the configured weights are kept (equal ones when all are 0; a server at 0 beside others
/// that are not stays at 0). At 0 and 100 per cent the slot that gets nothing is all 0 and the other one is full: at its
/// greatest of 100, the configured and the present weight.
///
/// # Errors
/// The reason `unreachable-share` with the nearest share when whole weights miss by more than [`GREATEST_ERROR`];
/// `slots` when a slot is empty, the slots share a server, or the pool lacks one.
pub fn reach(pool: &Pool, of: &[ServerName], others: &[ServerName], wished: Percent) -> Result<Reached, Reason> {
    let (of, others) = (side(pool, of)?, side(pool, others)?);
    if let Some(twice) = of.names().intersection(&others.names()).next() {
        let text = format!("server {twice} of pool {} is in both slots", pool.name);
        return Err(Reason::new("slots", &text, "give each slot servers of its own in the configuration"));
    }
    let (ours, theirs) = match wished {
        Percent::NONE => (of.nothing(), others.full()),
        Percent::ALL => (of.full(), others.nothing()),
        between => search(&of, &others, between).map_err(|nearest| unreachable(pool, between, nearest))?,
    };
    let share = Share::of(sum(&ours), sum(&ours) + sum(&theirs)).unwrap_or(Share::NONE);
    let (given_up, rest_up) = (of.up(&ours), others.up(&theirs));
    let weights = of.named(&ours).chain(others.named(&theirs)).collect();
    Ok(Reached { weights, share, up: Share::of(given_up, given_up + rest_up) })
}

/// The configured share: set weights of `of` over those of both. None when all are 0 or a server is missing.
pub fn share(pool: &Pool, of: &[ServerName], others: &[ServerName]) -> Option<Share> {
    weigh(pool, of, others, |server| server.weight)
}

/// The share by the weights that balancing uses now: a server that is down counts nothing, one that starts slowly counts
/// less. None when nobody takes traffic or a server is missing.
pub fn effective_share(pool: &Pool, of: &[ServerName], others: &[ServerName]) -> Option<Share> {
    weigh(pool, of, others, |server| match server.state {
        ServerState::Up | ServerState::Starting => server.effective_weight,
        ServerState::Draining | ServerState::Maintenance | ServerState::Down => 0,
    })
}

fn weigh(pool: &Pool, of: &[ServerName], others: &[ServerName], weight: impl Fn(&Server) -> u32) -> Option<Share> {
    let total =
        |names: &[ServerName]| -> Option<u64> { names.iter().map(|name| pool.server(name).map(|server| u64::from(weight(server)))).sum() };
    let part = total(of)?;
    Share::of(part, part.checked_add(total(others)?)?)
}

/// The servers of one slot.
struct Side<'a> {
    servers: Vec<&'a Server>,
    /// What each should have beside the others.
    proportions: Vec<u32>,
    /// The greatest weight that all of them take.
    greatest: u32,
}

fn side<'a>(pool: &'a Pool, names: &[ServerName]) -> Result<Side<'a>, Reason> {
    let wrong = |text: String| Reason::new("slots", &text, "compare the servers in the configuration with the router's own");
    let names: BTreeSet<&ServerName> = names.iter().collect();
    let mut servers = Vec::with_capacity(names.len());
    for name in names {
        servers.push(pool.server(name).ok_or_else(|| wrong(format!("pool {} has no server {name}", pool.name)))?);
    }
    let greatest = servers.iter().map(|server| server.greatest_weight).min().unwrap_or(0);
    if greatest == 0 {
        return Err(wrong(format!("a slot of pool {} has no server that takes a weight", pool.name)));
    }
    let mut proportions: Vec<u32> = servers.iter().map(|server| server.initial_weight).collect();
    if proportions.iter().all(|proportion| *proportion == 0) {
        proportions.fill(1);
    }
    Ok(Side { servers, proportions, greatest })
}

impl Side<'_> {
    fn names(&self) -> BTreeSet<&ServerName> {
        self.servers.iter().map(|server| &server.name).collect()
    }

    fn nothing(&self) -> Vec<u32> {
        vec![0; self.servers.len()]
    }

    fn full(&self) -> Vec<u32> {
        let most = self.servers.iter().flat_map(|server| [server.initial_weight, server.weight]).max().unwrap_or(FULL);
        self.scaled(most.max(FULL).min(self.greatest))
    }

    /// Weights in proportion, the greatest of them `most`; a server that should have something has at least 1.
    fn scaled(&self, most: u32) -> Vec<u32> {
        let greatest = u64::from(self.proportions.iter().copied().max().unwrap_or(1).max(1));
        let weight = |proportion: &u32| {
            let exact = (u64::from(*proportion) * u64::from(most) * 2 + greatest) / (greatest * 2);
            u32::try_from(exact).unwrap_or(most).max(u32::from(*proportion > 0))
        };
        self.proportions.iter().map(weight).collect()
    }

    /// How far weights are from the proportions: the sum over servers of the difference of their fractions of the slot.
    fn distortion(&self, weights: &[u32]) -> f64 {
        let whole: u64 = self.proportions.iter().map(|proportion| u64::from(*proportion)).sum();
        let fraction = |part: u32, whole: u64| Share::of(u64::from(part), whole).map_or(0.0, Share::fraction);
        let pairs = weights.iter().zip(&self.proportions);
        pairs.map(|(weight, proportion)| (fraction(*weight, sum(weights)) - fraction(*proportion, whole)).abs()).sum()
    }

    fn up(&self, weights: &[u32]) -> u64 {
        let up = self.servers.iter().zip(weights).filter(|(server, _)| server.state == ServerState::Up);
        up.map(|(_, weight)| u64::from(*weight)).sum()
    }

    fn named(&self, weights: &[u32]) -> impl Iterator<Item = (ServerName, u32)> {
        self.servers.iter().zip(weights).map(|(server, weight)| (server.name.clone(), *weight))
    }

    /// Every scale: weights, their sum, their distortion.
    fn scales(&self) -> Vec<Scale> {
        let scale = |most| {
            let weights = self.scaled(most);
            Scale { sum: sum(&weights), distortion: self.distortion(&weights), weights }
        };
        (1..=self.greatest).map(scale).collect()
    }
}

struct Scale {
    weights: Vec<u32>,
    sum: u64,
    distortion: f64,
}

fn sum(weights: &[u32]) -> u64 {
    weights.iter().map(|weight| u64::from(*weight)).sum()
}

/// The weights of both sides that come nearest to the share and the proportions, or the nearest share when none comes near enough.
fn search(of: &Side, others: &Side, wished: Percent) -> Result<(Vec<u32>, Vec<u32>), Share> {
    let (ours, theirs) = (of.scales(), others.scales());
    let mut best: Option<((u64, u64, u64), &Scale, &Scale)> = None;
    let mut nearest = (f64::INFINITY, Share::NONE);
    for one in &ours {
        for other in &theirs {
            let total = one.sum + other.sum;
            let Some(share) = Share::of(one.sum, total) else { continue };
            let error = (share.fraction() - wished.share().fraction()).abs();
            if error < nearest.0 {
                nearest = (error, share);
            }
            let cost = (rounded(error + one.distortion + other.distortion), total.abs_diff(u64::from(FULL)), total);
            if error <= GREATEST_ERROR && best.as_ref().is_none_or(|(least, _, _)| cost < *least) {
                best = Some((cost, one, other));
            }
        }
    }
    best.map(|(_, one, other)| (one.weights.clone(), other.weights.clone())).ok_or(nearest.1)
}

/// A cost in billionths, so that what differs only by floating point counts as equal.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cost is between 0 and 5")]
fn rounded(cost: f64) -> u64 {
    (cost * 1e9).round() as u64
}

fn unreachable(pool: &Pool, wished: Percent, nearest: Share) -> Reason {
    let text = format!("whole weights of pool {} cannot reach {wished} %; the nearest share is {:.1} %", pool.name, nearest.percent());
    Reason::new("unreachable-share", &text, &format!("wish for {} %, or change the number of servers in a slot", nearest.nearest()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::PoolName;
    use proptest::prelude::*;

    fn server(name: &str, weight: u32, initial: u32) -> Server {
        Server {
            name: ServerName::new(name).unwrap(),
            weight,
            effective_weight: weight,
            initial_weight: initial,
            greatest_weight: 256,
            state: ServerState::Up,
            requests: Some(0),
            errors: None,
            current: 0,
        }
    }

    fn slot(letter: &str, initial: &[u32]) -> Vec<Server> {
        initial.iter().enumerate().map(|(n, initial)| server(&format!("{letter}{n}"), *initial, *initial)).collect()
    }

    fn names(servers: &[Server]) -> Vec<ServerName> {
        servers.iter().map(|server| server.name.clone()).collect()
    }

    fn reach_between(of: &[Server], others: &[Server], wished: u8) -> Result<Reached, Reason> {
        let pool =
            Pool { name: PoolName::new("be").unwrap(), servers: of.iter().chain(others).cloned().collect(), copies: false, ways: None };
        reach(&pool, &names(of), &names(others), Percent::new(wished).unwrap())
    }

    fn numbers(reached: &Reached) -> Vec<u32> {
        reached.weights.values().copied().collect()
    }

    #[test]
    fn one_server_each_gets_the_per_cent_themselves() {
        for wished in 0..=100 {
            let reached = reach_between(&slot("b", &[0]), &slot("a", &[100]), wished).unwrap();
            assert_eq!(numbers(&reached), [100 - u32::from(wished), u32::from(wished)]);
        }
    }

    #[test]
    fn a_lone_canary_among_three_is_exact() {
        let reached = reach_between(&slot("b", &[0]), &slot("a", &[100, 100, 100]), 20).unwrap();
        assert!((reached.share.percent() - 20.0).abs() < 1e-9);
        assert_eq!(numbers(&reached).iter().take(3).collect::<BTreeSet<_>>().len(), 1);
    }

    #[test]
    fn unequal_servers_stay_unequal() {
        let reached = reach_between(&slot("b", &[0]), &slot("a", &[100, 50]), 25).unwrap();
        let weights = numbers(&reached);
        assert_eq!(weights[0], weights[1] * 2, "{weights:?}");
        assert!((reached.share.percent() - 25.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_zero_and_the_other_side_is_full() {
        let reached = reach_between(&slot("b", &[0, 0]), &slot("a", &[10, 5]), 0).unwrap();
        assert_eq!(numbers(&reached), [100, 50, 0, 0]);
        let reached = reach_between(&slot("b", &[0, 0]), &slot("a", &[10, 5]), 100).unwrap();
        assert_eq!(numbers(&reached), [0, 0, 100, 100]);
    }

    #[test]
    fn the_way_back_never_lowers_the_side_that_gains() {
        let others = [server("a0", 80, 1)];
        let reached = reach_between(&[server("b0", 20, 0)], &others, 0).unwrap();
        assert_eq!(numbers(&reached), [100, 0]);
    }

    #[test]
    fn a_share_out_of_reach_is_refused_with_the_nearest() {
        let many: Vec<u32> = vec![100; 400];
        let reason = reach_between(&slot("b", &[100]), &slot("a", &many), 50).unwrap_err();
        assert_eq!(reason.rule, "unreachable-share");
        assert!(reason.text.as_str().contains("the nearest share is 39.0 %"), "{}", reason.text);
    }

    #[test]
    fn a_server_that_is_down_shows_in_the_share_of_those_that_are_up() {
        let mut of = slot("b", &[100, 100]);
        of[1].state = ServerState::Down;
        let reached = reach_between(&of, &slot("a", &[100]), 50).unwrap();
        assert!((reached.share.percent() - 50.0).abs() < 1e-9);
        assert!((reached.up.unwrap().percent() - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn slots_that_overlap_or_are_empty_are_refused() {
        let one = slot("a", &[100]);
        assert_eq!(reach_between(&one, &one, 50).unwrap_err().rule, "slots");
        assert_eq!(reach_between(&one, &[], 50).unwrap_err().rule, "slots");
    }

    #[test]
    fn shares_by_set_and_by_effective_weights_differ_while_a_server_is_down() {
        let (of, mut others) = (slot("b", &[20]), slot("a", &[40, 40]));
        others[0].state = ServerState::Down;
        others[0].effective_weight = 0;
        let pool =
            Pool { name: PoolName::new("be").unwrap(), servers: of.iter().chain(&others).cloned().collect(), copies: false, ways: None };
        let (of, others) = (names(&of), names(&others));
        assert_eq!(share(&pool, &of, &others).map(Share::nearest), Percent::new(20));
        assert_eq!(effective_share(&pool, &of, &others).map(Share::nearest), Percent::new(33));
        assert_eq!(share(&pool, &[ServerName::new("nobody").unwrap()], &others), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_reached_is_near_whole_and_never_all_zero(
            of in proptest::collection::vec(0_u32..=256, 1..6),
            others in proptest::collection::vec(0_u32..=256, 1..6),
            wished in 0_u8..=100,
        ) {
            let (of, others) = (slot("b", &of), slot("a", &others));
            if let Ok(reached) = reach_between(&of, &others, wished) {
                prop_assert_eq!(reached.weights.len(), of.len() + others.len());
                prop_assert!(reached.weights.values().all(|weight| *weight <= 256));
                prop_assert!(reached.weights.values().any(|weight| *weight > 0));
                prop_assert!((reached.share.fraction() - f64::from(wished) / 100.0).abs() <= GREATEST_ERROR);
                let given: u32 = of.iter().map(|server| reached.weights[&server.name]).sum();
                prop_assert_eq!(given == 0, wished == 0);
                let total: u32 = reached.weights.values().sum();
                prop_assert_eq!(given == total, wished == 100);
            }
        }

        #[test]
        fn equal_servers_get_equal_weights_and_reach_every_share(of in 1_usize..5, others in 1_usize..5, wished in 2_u8..=98) {
            let (of, others) = (slot("b", &vec![0; of]), slot("a", &vec![100; others]));
            let reached = reach_between(&of, &others, wished).unwrap();
            for side in [&of, &others] {
                let weights: BTreeSet<u32> = side.iter().map(|server| reached.weights[&server.name]).collect();
                prop_assert_eq!(weights.len(), 1);
            }
        }
    }
}
