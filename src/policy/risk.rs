//! The risk of a change as a sum whose parts are shown: a reading aid for people who decide, and no rule that stops anything.
//!
//! Each part has its own greatest number of points, 100 in all:
//!
//! | part | points |
//! |---|---|
//! | share moved | 1 for each 4 per cent of the traffic, 25 at most; 10 when no share is set |
//! | undo | 0 when a command undoes it, 15 when nothing does |
//! | way back | 0 when proven within 7 days, 8 within 30, 14 within 90, else 20 |
//! | tier | 15 in tier 1, 10 in tier 2, 5 in tier 3, 0 below; 10 when none is configured |
//! | dependants | 2 for each service that depends on it, 10 at most |
//! | last failures | 5 for each failed, slipped or taken back deed of the service in 30 days, 10 at most |
//! | conflicts | 5 when anything is in its way at its time |
//!
//! Under 30 it is low, from 60 on high, else medium.

use chrono::TimeDelta;

/// What the risk of a change is a fact about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How much of the traffic it moves, in per cent; none: it sets no share.
    pub moved: Option<u8>,
    /// Whether a command undoes it.
    pub undo: bool,
    /// How long ago a way back on its target was seen to work; none: never.
    pub proven: Option<TimeDelta>,
    /// The tier of its service.
    pub tier: Option<u32>,
    /// How many services depend on its service.
    pub dependants: usize,
    /// How many deeds of its service failed, slipped or were taken back lately.
    pub failures: usize,
    /// How many things are in its way at its time.
    pub conflicts: usize,
}

/// One part of the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Its points.
    pub points: u32,
    /// The most that it can have.
    pub most: u32,
    /// Why.
    pub why: String,
}

/// The risk of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risk {
    /// Its parts, always all of them, in one order.
    pub parts: Vec<Part>,
}

impl Risk {
    /// The sum.
    pub fn points(&self) -> u32 {
        self.parts.iter().map(|part| part.points).sum()
    }

    /// The most that the sum can be.
    pub fn most(&self) -> u32 {
        self.parts.iter().map(|part| part.most).sum()
    }

    /// In one word: low, medium, high.
    pub fn word(&self) -> &'static str {
        match self.points() {
            0..30 => "low",
            30..60 => "medium",
            _ => "high",
        }
    }
}

/// The risk that follows from the facts.
pub fn risk(facts: &Facts) -> Risk {
    let Facts { moved, undo, proven, tier, dependants, failures, conflicts } = *facts;
    let counted = |n: usize, each: u32, most: u32| u32::try_from(n).unwrap_or(most).saturating_mul(each).min(most);
    let part = |name, points, most, why| Part { name, points, most, why };
    let share = match moved {
        Some(percent) => part("share moved", u32::from(percent).div_ceil(4).min(25), 25, format!("{percent} % of the traffic")),
        None => part("share moved", 10, 25, "it sets no share".to_owned()),
    };
    let days = proven.map(|age| age.num_days());
    let (points, why) = match days {
        Some(days) if days <= 7 => (0, ago(days)),
        Some(days) if days <= 30 => (8, ago(days)),
        Some(days) if days <= 90 => (14, ago(days)),
        Some(days) => (20, ago(days)),
        None => (20, "never proven".to_owned()),
    };
    let way_back = part("way back", points, 20, why);
    let undone = if undo { "a command undoes it" } else { "nothing undoes it" };
    let tier = match tier {
        Some(tier) => part("tier", 20_u32.saturating_sub(tier.max(1).saturating_mul(5)), 15, format!("tier {tier}")),
        None => part("tier", 10, 15, "no tier is configured".to_owned()),
    };
    Risk {
        parts: vec![
            share,
            part("undo", if undo { 0 } else { 15 }, 15, undone.to_owned()),
            way_back,
            tier,
            part("dependants", counted(dependants, 2, 10), 10, format!("{dependants} depend on it")),
            part("last failures", counted(failures, 5, 10), 10, format!("{failures} in 30 days")),
            part("conflicts", counted(conflicts, 5, 5), 5, format!("{conflicts} in its way")),
        ],
    }
}

fn ago(days: i64) -> String {
    match days {
        ..=0 => "proven today".to_owned(),
        1 => "proven 1 day ago".to_owned(),
        days => format!("proven {days} days ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: Facts =
        Facts { moved: Some(4), undo: true, proven: Some(TimeDelta::days(2)), tier: Some(4), dependants: 0, failures: 0, conflicts: 0 };

    #[test]
    fn the_best_and_the_worst_change() {
        assert_eq!((risk(&SMALL).points(), risk(&SMALL).word()), (1, "low"));
        let worst = Facts { moved: Some(100), undo: false, proven: None, tier: Some(1), dependants: 9, failures: 9, conflicts: 9 };
        assert_eq!((risk(&worst).points(), risk(&worst).most(), risk(&worst).word()), (100, 100, "high"));
    }

    proptest! {
        #[test]
        fn what_is_worse_is_never_less_of_a_risk(
            moved in 0_u8..=100, more in 0_u8..=100, days in 0_i64..200, later in 0_i64..200,
            tier in 1_u32..6, n in 0_usize..12, m in 0_usize..12,
        ) {
            let facts = Facts { moved: Some(moved), proven: Some(TimeDelta::days(days)), tier: Some(tier), dependants: n, failures: n, conflicts: n, undo: true };
            let worse = [
                Facts { moved: Some(moved.max(more)), ..facts },
                Facts { proven: Some(TimeDelta::days(days.max(later))), ..facts },
                Facts { proven: None, ..facts },
                Facts { undo: false, ..facts },
                Facts { tier: Some(tier.saturating_sub(1).max(1)), ..facts },
                Facts { dependants: n.max(m), failures: n.max(m), conflicts: n.max(m), ..facts },
            ];
            for other in worse {
                prop_assert!(risk(&other).points() >= risk(&facts).points(), "{other:?}");
            }
            prop_assert!(risk(&facts).parts.iter().all(|part| part.points <= part.most));
            prop_assert_eq!(risk(&facts).most(), 100);
        }
    }
}
