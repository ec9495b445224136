//! The timetable: windows, freezes, trains and exceptions as they are configured, before any of them is a span of time.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

use super::change::ChangeType;
use super::name::{BackendName, EnvironmentName, PersonName, PlanId, ServiceName, Target};

/// A span of time: it begins with `begin` and is over at `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// Its first instant.
    pub begin: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Whether an instant lies in it.
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.begin <= at && at < self.end
    }

    /// Whether two spans share an instant.
    pub fn meets(&self, other: &Self) -> bool {
        self.begin < other.end && other.begin < self.end
    }
}

/// A moment as a person or a calendar writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stamp {
    /// An instant.
    Utc(DateTime<Utc>),
    /// What the clock shows in a zone that is named beside it: an IANA name, or one that the calendar defines.
    Zoned(NaiveDateTime, String),
    /// What the clock shows wherever the reader is; here, in the zone of the window or freeze.
    Floating(NaiveDateTime),
    /// A whole day, in the zone of the window or freeze.
    Day(NaiveDate),
}

/// Minutes after midnight, 0 to 1440.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockTime(u16);

impl ClockTime {
    /// Makes a time from `HH:MM`, up to `24:00`. None when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |digits: &str| (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok());
        let (hours, minutes): (u16, u16) = (number(hours)??, number(minutes)??);
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= 1440).then_some(Self(total))
    }

    /// Minutes after midnight.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// What a window or a freeze applies to. An empty list stands for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Environments.
    pub environments: Vec<EnvironmentName>,
    /// Services; a service is also meant when its team is.
    pub services: Vec<ServiceName>,
    /// Teams.
    pub teams: Vec<String>,
    /// Types of change.
    pub types: Vec<ChangeType>,
}

impl Scope {
    /// Whether it says anything about an environment.
    pub fn in_environment(&self, environment: &EnvironmentName) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    /// Whether it applies to a change of a target, which a team may own.
    pub fn covers(&self, target: &Target, team: Option<&str>, kind: ChangeType) -> bool {
        let everyone = self.services.is_empty() && self.teams.is_empty();
        let theirs = || self.services.contains(&target.service) || team.is_some_and(|team| self.teams.iter().any(|other| other == team));
        self.in_environment(&target.environment) && (self.types.is_empty() || self.types.contains(&kind)) && (everyone || theirs())
    }
}

/// When a window is open, or a freeze holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// On days of the week, by the clock. `to` is not after `from` when it lies on the day after.
    Weekly {
        /// The days on which it begins.
        days: Vec<Weekday>,
        /// Its beginning.
        from: ClockTime,
        /// Its end.
        to: ClockTime,
    },
    /// Once.
    Once {
        /// Its beginning.
        begin: Stamp,
        /// Its end.
        end: Stamp,
    },
    /// Whenever an iCalendar says so.
    Calendar(CalendarTimes),
}

/// Which events of an iCalendar count, and what is done without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarTimes {
    /// The calendar, one of [`Timetable::feeds`].
    pub feed: BackendName,
    /// Only events whose summary holds this text, upper and lower case alike.
    pub summary: Option<String>,
    /// Only events of this category, upper and lower case alike.
    pub category: Option<String>,
    /// The greatest age of a copy that still counts as the calendar.
    pub stale_after: Duration,
    /// What a freeze does while its calendar cannot be believed. A window is then shut, whatever stands here.
    pub unreadable: Unreadable,
}

/// What happens to forward deeds while the calendar of a freeze cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// They stop.
    #[default]
    Stop,
    /// They go on, and the plan warns.
    Warn,
}

/// A span of time, once or again and again, in which changes may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// What it admits.
    pub scope: Scope,
    /// The IANA name of the zone in which its times are meant.
    pub timezone: String,
    /// When it is open.
    pub times: Times,
}

/// Whether a freeze also stops the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayBack {
    /// The way back stays open.
    #[default]
    Exempt,
    /// The way back stops too.
    Frozen,
}

/// What becomes of a rollout that is under way when a freeze begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Running {
    /// It may go on to its end.
    #[default]
    Finish,
    /// It stays where it stands.
    Hold,
}

/// A span of time in which changes may not begin. It beats every window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Its name.
    pub name: String,
    /// What it stops.
    pub scope: Scope,
    /// The IANA name of the zone in which its times are meant.
    pub timezone: String,
    /// When it holds.
    pub times: Times,
    /// Why, in the words of whoever set it.
    pub reason: String,
    /// Whether the way back stops too.
    pub way_back: WayBack,
    /// What becomes of what is under way.
    pub running: Running,
}

/// What an exception lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excepted {
    /// One plan.
    Plan(PlanId),
    /// All plans of a target on one day, in the zone of the freeze.
    Day {
        /// The target.
        target: Target,
        /// The day.
        date: NaiveDate,
    },
}

/// A named exception from one freeze. It does not hold for whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The freeze.
    pub freeze: String,
    /// What it lets through.
    pub lets: Excepted,
    /// Who gave it.
    pub by: PersonName,
    /// Why.
    pub reason: String,
}

/// A train: a departure in a window, which takes along whoever is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Train {
    /// Its name.
    pub name: String,
    /// The environment to which it goes.
    pub environment: EnvironmentName,
    /// The services that may come along.
    pub services: Vec<ServiceName>,
    /// The window in whose every occurrence it leaves.
    pub window: String,
    /// The time of its departure by the clock of the window's zone; none: when the window opens.
    pub departs: Option<ClockTime>,
    /// How long before the departure one must be ready.
    pub cut_off: Duration,
}

/// An iCalendar that windows or freezes are read from, without its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name in messages, made from its address.
    pub name: BackendName,
    /// Time between two reads.
    pub every: Duration,
}

/// All windows, freezes, exceptions and trains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timetable {
    /// Windows by their order in the files.
    pub windows: Vec<Window>,
    /// Freezes.
    pub freezes: Vec<Freeze>,
    /// Exceptions from freezes.
    pub exceptions: Vec<Exception>,
    /// Trains.
    pub trains: Vec<Train>,
    /// The calendars that they are read from.
    pub feeds: Vec<Feed>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("00:00", Some(0))]
    #[case("02:30", Some(150))]
    #[case("24:00", Some(1440))]
    #[case("24:01", None)]
    #[case("2:30", None)]
    #[case("02:60", None)]
    #[case("+1:30", None)]
    #[case("99:99", None)]
    #[case("0230", None)]
    fn a_clock_time_is_two_digits_twice(#[case] text: &str, #[case] minutes: Option<u16>) {
        assert_eq!(ClockTime::read(text).map(ClockTime::minutes), minutes);
    }

    #[test]
    fn a_scope_asks_for_the_service_or_its_team() {
        let scope = Scope {
            environments: vec!["prod".parse().unwrap()],
            services: vec!["mail".parse().unwrap()],
            teams: vec!["payments".to_owned()],
            types: vec![ChangeType::Normal],
        };
        let covers = |target: &str, team, kind| scope.covers(&target.parse().unwrap(), team, kind);
        assert!(covers("mail@prod", None, ChangeType::Normal));
        assert!(covers("checkout@prod", Some("payments"), ChangeType::Normal));
        assert!(!covers("checkout@prod", Some("search"), ChangeType::Normal));
        assert!(!covers("mail@dev", None, ChangeType::Normal));
        assert!(!covers("mail@prod", None, ChangeType::Emergency));
        assert!(Scope::default().covers(&"a@b".parse().unwrap(), None, ChangeType::Standard));
    }
}
