//! Conflicts between scheduled changes, found when they are scheduled: one target, one dependency, one window; freezes and windows.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Asked, Calendars, standing};
use crate::model::catalog::Service;
use crate::model::change::ChangeType;
use crate::model::intent::Direction;
use crate::model::name::{PlanId, ServiceName, Target};
use crate::model::operator::Actor;
use crate::model::reason::Reason;
use crate::model::text::Text;
use crate::model::time::Moment;
use crate::model::timetable::Span;

/// A change that is scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Its whole plan, or its number elsewhere.
    pub id: String,
    /// Its target.
    pub target: Target,
    /// Its type.
    pub kind: ChangeType,
    /// When it is to be carried out.
    pub span: Span,
}

/// Why two scheduled changes are in each other's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clash {
    /// They have one target.
    Target,
    /// The first one's service depends on the other's, perhaps through others: the services on the way, both ends included.
    Depends(Vec<ServiceName>),
    /// Services of two teams depend on the same services.
    Shared(Vec<ServiceName>),
}

/// Two scheduled changes in each other's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// One of them; of two that depend, the one that depends on the other.
    pub one: String,
    /// The other.
    pub other: String,
    /// Why.
    pub clash: Clash,
    /// The time that they share.
    pub overlap: Span,
    /// In words.
    pub text: Text,
}

/// All conflicts between scheduled changes, in order of time. Changes in different environments, or at different times, have none.
pub fn conflicts(services: &BTreeMap<ServiceName, Service>, scheduled: &[Scheduled]) -> Vec<Conflict> {
    let mut order: Vec<&Scheduled> = scheduled.iter().filter(|change| change.span.begin < change.span.end).collect();
    order.sort_by(|one, other| (one.span, &one.id).cmp(&(other.span, &other.id)));
    let mut found = Vec::new();
    for (place, one) in order.iter().enumerate() {
        let later = order.iter().skip(place + 1).take_while(|other| other.span.begin < one.span.end);
        found.extend(later.filter_map(|other| conflict(services, one, other)));
    }
    found.sort_by(|one, other| (one.overlap, &one.one, &one.other).cmp(&(other.overlap, &other.one, &other.other)));
    found
}

/// The conflicts of one change with others, in order of time.
pub fn of_one(services: &BTreeMap<ServiceName, Service>, change: &Scheduled, others: &[Scheduled]) -> Vec<Conflict> {
    let met = others.iter().filter(|other| other.id != change.id && change.span.meets(&other.span));
    let mut found: Vec<Conflict> = met.filter_map(|other| conflict(services, change, other)).collect();
    found.sort_by(|one, other| (one.overlap, &one.one, &one.other).cmp(&(other.overlap, &other.one, &other.other)));
    found
}

/// How a change is called in words: a plan by its first digits.
fn called(id: &str) -> String {
    match id.get(..8) {
        Some(first) if id.len() == 64 => format!("plan {first}"),
        Some(_) | None => id.to_owned(),
    }
}

/// Whether two changes that share a time are in each other's way.
fn conflict(services: &BTreeMap<ServiceName, Service>, one: &Scheduled, other: &Scheduled) -> Option<Conflict> {
    if one.target.environment != other.target.environment {
        return None;
    }
    let overlap = Span { begin: one.span.begin.max(other.span.begin), end: one.span.end.min(other.span.end) };
    let make = |one: &Scheduled, other: &Scheduled, clash, text: &str| {
        Some(Conflict { one: one.id.clone(), other: other.id.clone(), clash, overlap, text: Text::clean(text) })
    };
    if one.target == other.target {
        return make(one, other, Clash::Target, &format!("{} and {} both change {}", called(&one.id), called(&other.id), one.target));
    }
    for (user, used) in [(one, other), (other, one)] {
        if let Some(way) = way(services, &user.target.service, &used.target.service) {
            let told: Vec<&str> = way.iter().map(ServiceName::as_str).collect();
            let (by, of) = (called(&used.id), called(&user.id));
            let text = format!("{by} changes {}, on which {} of {of} depends: {}", used.target, user.target, told.join(" -> "));
            return make(user, used, Clash::Depends(way), &text);
        }
    }
    let of = |change: &Scheduled| services.get(&change.target.service);
    let (first, second) = (of(one)?, of(other)?);
    let shared: Vec<ServiceName> = first.depends_on.iter().filter(|need| second.depends_on.contains(need)).cloned().collect();
    if shared.is_empty() || first.team == second.team {
        return None;
    }
    let told: Vec<&str> = shared.iter().map(ServiceName::as_str).collect();
    let team = |service: &Service| service.team.clone().unwrap_or_else(|| "no team".to_owned());
    let text = format!(
        "{} changes {} ({}) and {} changes {} ({}) at one time, and both depend on {}",
        called(&one.id),
        one.target,
        team(first),
        called(&other.id),
        other.target,
        team(second),
        told.join(", ")
    );
    make(one, other, Clash::Shared(shared), &text)
}

/// The shortest way of dependencies from one service to another.
fn way(services: &BTreeMap<ServiceName, Service>, from: &ServiceName, to: &ServiceName) -> Option<Vec<ServiceName>> {
    let mut seen = BTreeSet::from([from]);
    let mut ways = vec![vec![from]];
    while !ways.is_empty() {
        let mut further = Vec::new();
        for way in ways {
            let last = way.last().and_then(|last| services.get(*last));
            for need in last.into_iter().flat_map(|service| &service.depends_on) {
                if need == to {
                    return Some(way.into_iter().chain([need]).cloned().collect());
                }
                if seen.insert(need) {
                    further.push(way.iter().copied().chain([need]).collect());
                }
            }
        }
        ways = further;
    }
    None
}

/// What windows and freezes say against a scheduled change: at its beginning, and freezes that begin before its end.
pub fn against(calendars: &Calendars, change: &Scheduled, plan: Option<PlanId>, requester: &Actor, now: Moment) -> Vec<Reason> {
    let asked = Asked {
        target: &change.target,
        kind: change.kind,
        direction: Direction::Forward,
        at: change.span.begin,
        now,
        plan,
        requester,
        began: None,
    };
    let stands = standing(calendars, &asked);
    let mut reasons = stands.reasons;
    if let Some((freeze, begin)) = stands.next_freeze.filter(|(_, begin)| *begin < change.span.end) {
        // What is under way then may be let through by the freeze itself.
        let under_way = Asked { at: begin, began: Some(change.span.begin), ..asked };
        if standing(calendars, &under_way).frozen {
            let text = format!("the freeze {freeze} begins at {} before {} ends", begin.format("%Y-%m-%d %H:%MZ"), called(&change.id));
            reasons.push(Reason::new("freeze", &text, "an earlier or shorter time"));
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn services() -> BTreeMap<ServiceName, Service> {
        let service = |name: &str, team: &str, needs: &[&str]| Service {
            name: name.parse().unwrap(),
            team: Some(team.to_owned()),
            tier: None,
            repository: None,
            depends_on: needs.iter().map(|need| need.parse().unwrap()).collect(),
            alerts: None,
            pipeline: None,
            deploy: BTreeMap::new(),
            signals: Vec::new(),
            judge: crate::model::judging::ServiceJudge::default(),
            stateful: None,
        };
        let all = [
            service("checkout", "payments", &["ledger", "auth"]),
            service("cart", "shop", &["stock", "auth"]),
            service("refunds", "payments", &["auth"]),
            service("ledger", "payments", &["store"]),
            service("store", "platform", &[]),
            service("stock", "shop", &[]),
            service("auth", "platform", &[]),
        ];
        all.into_iter().map(|service| (service.name.clone(), service)).collect()
    }

    fn change(id: &str, target: &str, [begin, end]: [&str; 2]) -> Scheduled {
        let at = |time: &str| format!("2026-06-02T{time}:00Z").parse().unwrap();
        let span = Span { begin: at(begin), end: at(end) };
        Scheduled { id: id.to_owned(), target: target.parse().unwrap(), kind: ChangeType::Normal, span }
    }

    fn told(changes: &[Scheduled]) -> Vec<String> {
        conflicts(&services(), changes).iter().map(|conflict| conflict.text.to_string()).collect()
    }

    #[rstest]
    #[case("checkout@prod", "checkout@prod", &["A and B both change checkout@prod"])]
    #[case("checkout@prod", "checkout@dev", &[])]
    #[case("checkout@prod", "store@prod", &["B changes store@prod, on which checkout@prod of A depends: checkout -> ledger -> store"])]
    #[case("store@prod", "checkout@prod", &["A changes store@prod, on which checkout@prod of B depends: checkout -> ledger -> store"])]
    #[case("checkout@prod", "cart@prod", &["A changes checkout@prod (payments) and B changes cart@prod (shop) at one time, and both depend on auth"])]
    #[case("checkout@prod", "refunds@prod", &[])]
    #[case("stock@prod", "store@prod", &[])]
    fn two_changes_at_one_time(#[case] one: &str, #[case] other: &str, #[case] wanted: &[&str]) {
        assert_eq!(told(&[change("A", one, ["10:00", "11:00"]), change("B", other, ["10:30", "12:00"])]), wanted);
        assert_eq!(told(&[change("A", one, ["10:00", "11:00"]), change("B", other, ["11:00", "12:00"])]), Vec::<String>::new());
    }

    #[test]
    fn a_change_without_a_length_is_in_nobodys_way() {
        let changes = [change("A", "checkout@prod", ["10:00", "12:00"]), change("B", "checkout@prod", ["11:00", "11:00"])];
        assert_eq!(told(&changes), Vec::<String>::new());
    }

    #[test]
    fn a_long_change_conflicts_with_all_that_fall_into_it() {
        let changes = [
            change("C", "checkout@prod", ["12:00", "13:00"]),
            change("A", "checkout@prod", ["08:00", "18:00"]),
            change("B", "checkout@prod", ["09:00", "10:00"]),
        ];
        let found = conflicts(&services(), &changes);
        let pairs: Vec<_> = found.iter().map(|found| (found.one.as_str(), found.other.as_str())).collect();
        assert_eq!(pairs, [("A", "B"), ("A", "C")]);
        assert_eq!(found[1].overlap, changes[0].span);
    }
}
