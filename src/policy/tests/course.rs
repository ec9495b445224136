//! The course of a change: every edge of the table, and that no history goes backwards but by what was taken back.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::model::change::ChangeType::{Emergency, Normal, Standard};
use crate::model::course::ChangeState;
use crate::model::deed::{Deed, DeedState, Facts as DeedFacts};
use crate::model::review::{Cause, Closed, Review};
use crate::policy::course::{Course, may_follow, state};
use ChangeState::{Approved, Assessed, Closed as Over, Draft, Failed, Implementing, Reviewed, Scheduled, Withdrawn};

/// What can happen to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Judged,
    Agreed,
    AgreementEnds,
    TakenBack,
    Ended,
    Begins,
    Denied,
    Accepted,
    Seen,
    NobodyKnows,
    WatchEnds,
    Slips,
    Fails,
    Reviewed,
}

impl Event {
    const ALL: [Self; 14] = [
        Self::Judged,
        Self::Agreed,
        Self::AgreementEnds,
        Self::TakenBack,
        Self::Ended,
        Self::Begins,
        Self::Denied,
        Self::Accepted,
        Self::Seen,
        Self::NobodyKnows,
        Self::WatchEnds,
        Self::Slips,
        Self::Fails,
        Self::Reviewed,
    ];
}

/// A change on its way, as the store would let it go.
#[derive(Debug, Clone)]
struct Way {
    change: ChangeType,
    scheduled: bool,
    listed: bool,
    agreed: bool,
    back: bool,
    ended: bool,
    deed: Option<Deed>,
    review: Option<Review>,
}

impl Way {
    fn new(change: ChangeType, scheduled: bool) -> Self {
        Self { change, scheduled, listed: false, agreed: false, back: false, ended: false, deed: None, review: None }
    }

    fn begun(&self) -> Option<DeedState> {
        self.deed.as_ref().filter(|deed| deed.facts.intended.is_some()).map(|deed| deed.state)
    }

    /// Lets it happen where it can.
    fn on(&mut self, event: Event) {
        let over = self.back || self.ended;
        let begun = self.begun();
        let under_way = matches!(begun, Some(DeedState::Intended | DeedState::Accepted | DeedState::Unknown));
        let mut to = |state: DeedState| {
            if let Some(deed) = &mut self.deed {
                deed.state = state;
            }
        };
        match event {
            Event::Judged if begun.is_none() && !over => self.listed = true,
            Event::Agreed if begun.is_none() && self.listed && !over => self.agreed = true,
            Event::AgreementEnds if begun.is_none() => self.agreed = false,
            Event::TakenBack if begun.is_none() && !over => self.back = true,
            Event::Ended if begun.is_none() && !over => self.ended = true,
            Event::Denied if begun.is_none() && !over => self.deed = Some(deed(DeedState::Denied, false)),
            Event::Begins if begun.is_none() && !over => {
                self.deed = Some(deed(DeedState::Intended, true));
                self.review = (self.change == Emergency).then(review);
            }
            Event::Accepted if begun == Some(DeedState::Intended) => to(DeedState::Accepted),
            Event::Seen if under_way => to(DeedState::Effective),
            Event::NobodyKnows if under_way => to(DeedState::Unknown),
            Event::WatchEnds if begun == Some(DeedState::Effective) => to(DeedState::Held),
            Event::Slips if begun == Some(DeedState::Effective) => to(DeedState::Slipped),
            Event::Fails if under_way => to(DeedState::Failed),
            Event::Reviewed if matches!(begun, Some(DeedState::Effective | DeedState::Held)) => {
                if let Some(review) = &mut self.review {
                    review.closed = Some(Closed { by: "cy".to_owned(), at: noon(), words: Text::empty() });
                }
            }
            Event::Judged
            | Event::Agreed
            | Event::AgreementEnds
            | Event::TakenBack
            | Event::Ended
            | Event::Begins
            | Event::Denied
            | Event::Accepted
            | Event::Seen
            | Event::NobodyKnows
            | Event::WatchEnds
            | Event::Slips
            | Event::Fails
            | Event::Reviewed => {}
        }
    }

    fn state(&self) -> ChangeState {
        let expires = noon() + TimeDelta::hours(1);
        state(&Course {
            change: self.change,
            is_scheduled: self.scheduled,
            is_listed: self.listed,
            is_agreed: self.agreed,
            is_taken_back: self.back,
            expires,
            deed: self.deed.as_ref(),
            review: self.review.as_ref(),
            at: if self.ended { expires } else { noon() },
        })
    }

    fn after(change: ChangeType, scheduled: bool, events: &[Event]) -> ChangeState {
        let mut way = Self::new(change, scheduled);
        for event in events {
            way.on(*event);
        }
        way.state()
    }
}

fn deed(state: DeedState, begun: bool) -> Deed {
    Deed {
        plan: crate::model::name::PlanId([1; 32]),
        verb: Verb::Shift,
        target: "checkout@prod".parse().unwrap(),
        requester: "ana".to_owned(),
        reason: Text::empty(),
        ticket: None,
        state,
        facts: DeedFacts { intended: begun.then(noon), ..DeedFacts::default() },
        held_due: Some(noon() + TimeDelta::minutes(5)),
        steps: Vec::new(),
        words: Text::empty(),
        reasons: Vec::new(),
        is_settled: false,
        elsewhere: false,
    }
}

fn review() -> Review {
    Review {
        plan: crate::model::name::PlanId([1; 32]),
        target: "checkout@prod".parse().unwrap(),
        verb: Verb::Shift,
        by: "ana".to_owned(),
        reason: Text::empty(),
        cause: Cause::Emergency,
        at: noon(),
        within: std::time::Duration::from_hours(72),
        due: Some(noon() + TimeDelta::days(3)),
        closed: None,
        trouble: None,
    }
}

use Event::{Accepted, Agreed, AgreementEnds, Begins, Denied, Ended, Fails, Judged, NobodyKnows, Seen, Slips, TakenBack, WatchEnds};

#[rstest]
#[case(Normal, false, &[], Draft)]
#[case(Normal, false, &[Judged], Assessed)]
#[case(Normal, false, &[Judged, Agreed], Approved)]
#[case(Normal, false, &[Judged, Agreed, AgreementEnds], Assessed)]
#[case(Normal, false, &[Judged, Agreed, Denied], Approved)]
#[case(Normal, false, &[Judged, TakenBack], Withdrawn)]
#[case(Normal, false, &[Judged, Agreed, Ended], Withdrawn)]
#[case(Normal, false, &[Judged, Agreed, Begins], Implementing)]
#[case(Normal, true, &[], Draft)]
#[case(Normal, true, &[Judged], Scheduled)]
#[case(Normal, true, &[Judged, Agreed], Approved)]
#[case(Normal, true, &[Judged, Agreed, AgreementEnds], Scheduled)]
#[case(Normal, true, &[Judged, Agreed, Ended], Withdrawn)]
#[case(Normal, true, &[Judged, Agreed, Begins, Ended], Implementing)]
#[case(Normal, false, &[Judged, Begins, Accepted, Seen], Implementing)]
#[case(Normal, false, &[Judged, Begins, NobodyKnows], Implementing)]
#[case(Normal, false, &[Judged, Begins, Seen, WatchEnds], Over)]
#[case(Normal, false, &[Judged, Begins, Fails], Failed)]
#[case(Normal, false, &[Judged, Begins, Seen, Slips], Failed)]
#[case(Standard, false, &[Judged, Agreed], Draft)]
#[case(Standard, true, &[Judged, Agreed], Scheduled)]
#[case(Standard, true, &[Judged, Begins], Implementing)]
#[case(Standard, false, &[Begins, Seen, WatchEnds], Over)]
#[case(Emergency, false, &[Judged], Draft)]
#[case(Emergency, false, &[Judged, Agreed], Approved)]
#[case(Emergency, true, &[Judged], Scheduled)]
#[case(Emergency, false, &[Judged, Agreed, Begins, Seen, WatchEnds], Implementing)]
#[case(Emergency, false, &[Judged, Agreed, Begins, Seen, Event::Reviewed], Reviewed)]
#[case(Emergency, false, &[Judged, Agreed, Begins, Seen, Event::Reviewed, Slips], Failed)]
#[case(Emergency, false, &[Judged, Agreed, Begins, Seen, Event::Reviewed, WatchEnds], Over)]
#[case(Emergency, false, &[Judged, Agreed, Begins, Seen, WatchEnds, Event::Reviewed], Over)]
fn a_history_leads_to_its_state(
    #[case] change: ChangeType,
    #[case] scheduled: bool,
    #[case] events: &[Event],
    #[case] wanted: ChangeState,
) {
    assert_eq!(Way::after(change, scheduled, events), wanted, "{change:?} {scheduled} {events:?}");
}

#[test]
fn the_table_has_the_edges_that_the_issue_asks_for_and_no_other() {
    let edges = |change| -> Vec<(ChangeState, ChangeState)> {
        let all = ChangeState::ALL.into_iter().flat_map(|from| ChangeState::ALL.map(|to| (from, to)));
        all.filter(|(from, to)| from != to && may_follow(change, *from, *to)).collect()
    };
    let begun = [(Implementing, Reviewed), (Implementing, Over), (Implementing, Failed), (Reviewed, Over), (Reviewed, Failed)];
    let standard = [(Draft, Scheduled), (Draft, Implementing), (Draft, Withdrawn), (Scheduled, Implementing), (Scheduled, Withdrawn)];
    assert_eq!(edges(Standard), [&standard[..], &begun[..]].concat());
    let emergency = [
        (Draft, Scheduled),
        (Draft, Approved),
        (Draft, Implementing),
        (Draft, Withdrawn),
        (Scheduled, Approved),
        (Scheduled, Implementing),
        (Scheduled, Withdrawn),
        (Approved, Draft),
        (Approved, Scheduled),
        (Approved, Implementing),
        (Approved, Withdrawn),
    ];
    assert_eq!(edges(Emergency), [&emergency[..], &begun[..]].concat());
    let normal = [
        (Draft, Assessed),
        (Draft, Scheduled),
        (Draft, Approved),
        (Draft, Implementing),
        (Draft, Withdrawn),
        (Assessed, Approved),
        (Assessed, Implementing),
        (Assessed, Withdrawn),
        (Scheduled, Approved),
        (Scheduled, Implementing),
        (Scheduled, Withdrawn),
        (Approved, Assessed),
        (Approved, Scheduled),
        (Approved, Implementing),
        (Approved, Withdrawn),
    ];
    assert_eq!(edges(Normal), [&normal[..], &begun[..]].concat());
}

proptest! {
    #[test]
    fn no_history_goes_backwards_but_by_what_was_taken_back(
        change in 0..3_usize,
        scheduled: bool,
        history in proptest::collection::vec(0..Event::ALL.len(), 0..40),
    ) {
        let change = ChangeType::ALL[change];
        let mut way = Way::new(change, scheduled);
        let mut last = way.state();
        for event in history.into_iter().map(|place| Event::ALL[place]) {
            way.on(event);
            let next = way.state();
            prop_assert!(may_follow(change, last, next), "{change:?}: {last:?} to {next:?} by {event:?}");
            if next < last && next != last {
                prop_assert_eq!(event, Event::AgreementEnds, "{:?} to {:?}", last, next);
            }
            if next == ChangeState::Closed {
                prop_assert!(way.review.as_ref().is_none_or(|review| review.closed.is_some()), "closed without its review");
            }
            last = next;
        }
    }
}
