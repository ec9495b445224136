//! The diary as the world shows it: bookings, plans in each other's way, departures of trains. `control::diary` writes it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::name::{EnvironmentName, PlanId, ServiceName, Target};
use crate::model::text::Text;
use crate::model::timetable::Span;
use crate::policy::calendar::{Departure, Manifest};

/// Two plans in each other's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The plans.
    pub plans: [PlanId; 2],
    /// Their targets, in the same order.
    pub targets: [Target; 2],
    /// The time that they share.
    pub overlap: Span,
    /// In words, with both plans named.
    pub text: Text,
}

/// One departure of a train, with whoever leaves with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainView {
    /// The train.
    pub name: String,
    /// Where it goes.
    pub environment: EnvironmentName,
    /// The departure.
    pub departure: Departure,
    /// Whether it has left, and whoever is aboard may be carried out.
    pub departed: bool,
    /// Who leaves with it, and who does not and why.
    pub manifest: Manifest,
    /// The plans of those who are booked on it.
    pub plans: BTreeMap<ServiceName, PlanId>,
}

/// What is scheduled, as the world stood when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diary {
    /// Plans that are scheduled, by the beginning of their booking.
    pub booked: Vec<(Span, PlanId)>,
    /// Plans in each other's way, in order of time.
    pub clashes: Vec<Clash>,
    /// Trains, each with the departure that is under way and the next ones, in order of time.
    pub trains: Vec<TrainView>,
}

impl Diary {
    /// The clashes of a plan, each with the other plan and its target.
    pub fn clashes_of(&self, plan: PlanId) -> impl Iterator<Item = (&Clash, PlanId, &Target)> {
        self.clashes.iter().filter_map(move |clash| {
            let [one, other] = &clash.targets;
            match clash.plans {
                [first, second] if first == plan => Some((clash, second, other)),
                [first, second] if second == plan => Some((clash, first, one)),
                _ => None,
            }
        })
    }

    /// The next instant at which a train reaches its cut-off, leaves, or its window shuts.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let of = |train: &TrainView| [train.departure.cut_off, train.departure.at, train.departure.shuts];
        self.trains.iter().flat_map(of).filter(|at| *at > after).min()
    }
}
