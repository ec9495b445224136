//! How long a person may take a role for: `at_most` without a pause, over all the grants before.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::name::{EnvironmentName, Target};
use crate::model::operator::Person;
use crate::model::self_service::{SelfGrant, SelfService, USUAL};

/// Since when a person has had a role in an environment without a pause; `at` when the last time was long enough ago.
pub fn since(rule: &SelfService, person: &str, environment: &str, grants: &[SelfGrant], at: &DateTime<Utc>) -> DateTime<Utc> {
    let of =
        |grant: &&SelfGrant| grant.person.as_str() == person && grant.role == rule.role && grant.place.environment.as_str() == environment;
    let mut spans: Vec<_> =
        grants.iter().filter(of).filter_map(|grant| Some((grant.began()?, grant.end()))).filter(|(from, to)| from < to).collect();
    spans.sort_by_key(|(_, to)| std::cmp::Reverse(*to));
    let pause = TimeDelta::from_std(rule.pause).unwrap_or(TimeDelta::MAX);
    spans.into_iter().fold(*at, |since, (from, to)| if since - to < pause { since.min(from) } else { since })
}

/// The last moment until which a person may have a role now.
pub fn latest(rule: &SelfService, person: &str, environment: &str, grants: &[SelfGrant], at: &DateTime<Utc>) -> DateTime<Utc> {
    since(rule, person, environment, grants, at) + TimeDelta::from_std(rule.at_most).unwrap_or(TimeDelta::zero())
}

/// How long a person may still take a role for now, in whole minutes; zero when a pause comes first.
pub fn left(rule: &SelfService, person: &Person, environment: &EnvironmentName, grants: &[SelfGrant], at: &DateTime<Utc>) -> Duration {
    let latest = latest(rule, person.name.as_str(), environment.as_str(), grants, at);
    let minutes = u64::try_from((latest - *at).num_minutes()).unwrap_or(0);
    Duration::from_secs(minutes.saturating_mul(60))
}

/// How long a person may take a role for now, in the form of the command line; none when a pause comes first.
pub fn allowance(rule: &SelfService, person: &Person, target: &Target, grants: &[SelfGrant], at: &DateTime<Utc>) -> Option<String> {
    let minutes = left(rule, person, &target.environment, grants, at).min(USUAL).as_secs() / 60;
    (minutes >= 1).then(|| if minutes.is_multiple_of(60) { format!("{}h", minutes / 60) } else { format!("{minutes}m") })
}

/// A duration as the command line takes it.
pub fn span(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}
