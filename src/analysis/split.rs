//! The measured split: how requests really went between two readings of the same router process, and whether that is as wished.

use crate::model::name::{PoolName, ServerName};
use crate::model::share::Share;
use crate::model::traffic::TrafficReading;

/// How far a measured share may be from the wished one before chance is allowed for: two percentage points.
pub const TOLERANCE: f64 = 0.02;

/// Standard errors that are allowed for beside [`TOLERANCE`].
pub const STANDARD_ERRORS: f64 = 2.0;

/// What two readings say about a slot.
#[derive(Debug, Clone, PartialEq)]
pub enum Split {
    /// They can be compared.
    Measured(Measured),
    /// They cannot: measuring begins anew with the later one.
    NotComparable(Why),
}

/// Requests between two readings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Requests given to both slots.
    pub requests: u64,
    /// Those given to the slot in question.
    pub of_slot: u64,
    /// The slot's share; none without a request.
    pub share: Option<Share>,
    /// Whether the router counts requests at all; where it does not, nothing is known of them, and both numbers are 0.
    pub counted: bool,
}

impl Measured {
    /// `of_slot` of `requests`; a slot cannot have had more than both.
    pub fn new(requests: u64, of_slot: u64) -> Self {
        let requests = requests.max(of_slot);
        Self { requests, of_slot, share: Share::of(of_slot, requests), counted: true }
    }

    /// What a router that does not count lets measure: nothing.
    fn uncounted() -> Self {
        Self { counted: false, ..Self::new(0, 0) }
    }

    /// Both together: the same slot behind two routers, or two spans of time.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sum = Self::new(self.requests.saturating_add(other.requests), self.of_slot.saturating_add(other.of_slot));
        Self { counted: self.counted && other.counted, ..sum }
    }
}

/// Why two readings cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Another process answered: the router was reloaded or restarted.
    OtherProcess,
    /// A reading lacks the pool.
    PoolMissing,
    /// A reading lacks a server of a slot.
    ServerMissing(ServerName),
    /// A server's counter is smaller than before: it was reset, or the readings are in the wrong order.
    CounterFell(ServerName),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherProcess => f.write_str("the router was reloaded in between"),
            Self::PoolMissing => f.write_str("the pool is missing"),
            Self::ServerMissing(server) => write!(f, "server {server} is missing"),
            Self::CounterFell(server) => write!(f, "the counter of server {server} was reset in between"),
        }
    }
}

/// Whether a measurement says that a shift took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The share is as wished.
    Effective,
    /// It is not.
    NotEffective,
    /// Too few requests to say: effective by configuration at most.
    NotMeasured {
        /// How many there were.
        requests: u64,
    },
}

/// The split between the servers `of` and `others` of a pool between two readings. `earlier` is the first reading after the weights
/// were confirmed.
pub fn measure(earlier: &TrafficReading, later: &TrafficReading, pool: &PoolName, of: &[ServerName], others: &[ServerName]) -> Split {
    counted(earlier, later, pool, of, others).map_or_else(Split::NotComparable, Split::Measured)
}

fn counted(
    earlier: &TrafficReading,
    later: &TrafficReading,
    pool: &PoolName,
    of: &[ServerName],
    others: &[ServerName],
) -> Result<Measured, Why> {
    if (earlier.process.pid, earlier.process.start_mark) != (later.process.pid, later.process.start_mark) {
        return Err(Why::OtherProcess);
    }
    let (earlier, later) = (earlier.pools.get(pool).ok_or(Why::PoolMissing)?, later.pools.get(pool).ok_or(Why::PoolMissing)?);
    // None as soon as one server is not counted: a share of the others would be one of an unknown whole.
    let grown = |names: &[ServerName]| -> Result<Option<u64>, Why> {
        names.iter().try_fold(Some(0_u64), |sum, name| {
            let missing = || Why::ServerMissing(name.clone());
            let before = earlier.server(name).ok_or_else(missing)?.requests;
            let after = later.server(name).ok_or_else(missing)?.requests;
            let (Some(sum), Some(before), Some(after)) = (sum, before, after) else { return Ok(None) };
            let more = after.checked_sub(before).ok_or_else(|| Why::CounterFell(name.clone()))?;
            Ok(Some(sum.saturating_add(more)))
        })
    };
    let (of_slot, rest) = (grown(of)?, grown(others)?);
    let both = of_slot.zip(rest).map(|(of_slot, rest)| Measured::new(of_slot.saturating_add(rest), of_slot));
    Ok(both.unwrap_or_else(Measured::uncounted))
}

/// Whether a measured split is the wished one: within [`TOLERANCE`] plus [`STANDARD_ERRORS`] of the wished share, and with no
/// single request on a slot that should get none, however few there were.
pub fn is_effective(wished: Share, measured: &Measured, min_requests: u64) -> Seen {
    let wished = wished.fraction();
    let strayed = (wished <= 0.0 && measured.of_slot > 0) || (wished >= 1.0 && measured.of_slot < measured.requests);
    if strayed {
        return Seen::NotEffective;
    }
    let Some(share) = measured.share.filter(|_| measured.requests >= min_requests) else {
        return Seen::NotMeasured { requests: measured.requests };
    };
    #[expect(clippy::cast_precision_loss, reason = "request counts stay far below 2^52")]
    let chance = (wished * (1.0 - wished) / measured.requests as f64).sqrt();
    let far = (share.fraction() - wished).abs();
    // A billionth more, so that a share on the very limit does not depend on rounding.
    if far <= TOLERANCE + STANDARD_ERRORS * chance + 1e-9 { Seen::Effective } else { Seen::NotEffective }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::share::Percent;
    use crate::model::text::Text;
    use crate::model::traffic::{Pool, RouterProcess, Server, ServerState};
    use proptest::prelude::*;

    fn reading(pid: u32, start_mark: u64, one: u64, two: u64) -> TrafficReading {
        let server = |name: &str, requests| Server {
            name: ServerName::new(name).unwrap(),
            weight: 50,
            effective_weight: 50,
            initial_weight: 50,
            greatest_weight: 256,
            state: ServerState::Up,
            requests: Some(requests),
            errors: None,
            current: 0,
        };
        let pool = Pool { name: pool(), servers: vec![server("v1", one), server("v2", two)], copies: false, ways: None };
        TrafficReading {
            process: RouterProcess { version: Text::empty(), pid: Some(pid), started: None, start_mark },
            pools: [(pool.name.clone(), pool)].into(),
            missing: Vec::new(),
        }
    }

    fn pool() -> PoolName {
        PoolName::new("be").unwrap()
    }

    fn names(name: &str) -> Vec<ServerName> {
        vec![ServerName::new(name).unwrap()]
    }

    fn measured(earlier: &TrafficReading, later: &TrafficReading) -> Split {
        measure(earlier, later, &pool(), &names("v2"), &names("v1"))
    }

    fn share(percent: u8) -> Share {
        Percent::new(percent).unwrap().share()
    }

    #[test]
    fn only_what_came_in_between_counts() {
        let Split::Measured(measured) = measured(&reading(7, 1, 1000, 1000), &reading(7, 1, 1080, 1020)) else { panic!("comparable") };
        assert_eq!((measured.requests, measured.of_slot), (100, 20));
        assert_eq!(measured.share.unwrap().nearest(), Percent::new(20).unwrap());
    }

    #[test]
    fn a_reload_is_noticed_by_pid_or_start_or_counter() {
        let earlier = reading(7, 1, 10, 10);
        assert_eq!(measured(&earlier, &reading(8, 1, 20, 20)), Split::NotComparable(Why::OtherProcess));
        assert_eq!(measured(&earlier, &reading(7, 2, 20, 20)), Split::NotComparable(Why::OtherProcess));
        let fell = Why::CounterFell(ServerName::new("v2").unwrap());
        assert_eq!(measured(&earlier, &reading(7, 1, 20, 9)), Split::NotComparable(fell));
    }

    #[test]
    fn a_server_that_is_not_counted_leaves_nothing_measured() {
        let (earlier, mut later) = (reading(7, 1, 1000, 1000), reading(7, 1, 1080, 1020));
        later.pools.values_mut().for_each(|pool| pool.servers[0].requests = None);
        let Split::Measured(measured) = measured(&earlier, &later) else { panic!("comparable") };
        assert_eq!((measured.counted, measured.requests, measured.share), (false, 0, None));
        assert_eq!(is_effective(share(20), &measured, 0), Seen::NotMeasured { requests: 0 });
        assert!(!measured.and(Measured::new(100, 20)).counted);
    }

    #[test]
    fn what_is_missing_is_named() {
        let both = (reading(7, 1, 0, 0), reading(7, 1, 1, 1));
        let nobody = Why::ServerMissing(ServerName::new("v3").unwrap());
        assert_eq!(measure(&both.0, &both.1, &pool(), &names("v3"), &names("v1")), Split::NotComparable(nobody));
        let elsewhere = PoolName::new("be2").unwrap();
        assert_eq!(measure(&both.0, &both.1, &elsewhere, &names("v2"), &names("v1")), Split::NotComparable(Why::PoolMissing));
    }

    #[test]
    fn two_points_and_two_standard_errors_are_allowed() {
        // The standard error of 20 % over 400 requests is 2 points: 14 % to 26 %.
        assert_eq!(is_effective(share(20), &Measured::new(400, 104), 50), Seen::Effective);
        assert_eq!(is_effective(share(20), &Measured::new(400, 105), 50), Seen::NotEffective);
        assert_eq!(is_effective(share(20), &Measured::new(400, 56), 50), Seen::Effective);
        assert_eq!(is_effective(share(20), &Measured::new(400, 55), 50), Seen::NotEffective);
    }

    #[test]
    fn one_request_too_many_is_enough_at_zero_and_at_a_hundred() {
        assert_eq!(is_effective(share(0), &Measured::new(10_000, 0), 50), Seen::Effective);
        assert_eq!(is_effective(share(0), &Measured::new(10_000, 1), 50), Seen::NotEffective);
        assert_eq!(is_effective(share(0), &Measured::new(1, 1), 50), Seen::NotEffective);
        assert_eq!(is_effective(share(100), &Measured::new(10_000, 9_999), 50), Seen::NotEffective);
        assert_eq!(is_effective(share(100), &Measured::new(10_000, 10_000), 50), Seen::Effective);
    }

    #[test]
    fn too_few_requests_say_nothing() {
        assert_eq!(is_effective(share(20), &Measured::new(49, 10), 50), Seen::NotMeasured { requests: 49 });
        assert_eq!(is_effective(share(0), &Measured::new(0, 0), 0), Seen::NotMeasured { requests: 0 });
    }

    proptest! {
        #[test]
        fn a_split_adds_up(before in (0_u64..1 << 40, 0_u64..1 << 40), more in (0_u64..1 << 20, 0_u64..1 << 20)) {
            let split = measured(&reading(7, 1, before.0, before.1), &reading(7, 1, before.0 + more.0, before.1 + more.1));
            prop_assert_eq!(split, Split::Measured(Measured::new(more.0 + more.1, more.1)));
        }

        #[test]
        fn an_exact_split_is_always_effective(wished in 0_u8..=100, hundreds in 1_u64..1000) {
            let exact = Measured::new(hundreds * 100, hundreds * u64::from(wished));
            prop_assert_eq!(is_effective(share(wished), &exact, 50), Seen::Effective);
        }

        #[test]
        fn ten_points_off_is_never_effective_with_many_requests(wished in 0_u8..=90, hundreds in 30_u64..1000) {
            let off = Measured::new(hundreds * 100, hundreds * u64::from(wished + 10));
            prop_assert_eq!(is_effective(share(wished), &off, 50), Seen::NotEffective);
        }
    }
}
