//! Feature flags: what a flag service says of one in one environment, and what can be wished of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::name::{BackendName, Target};
use super::share::Percent;
use super::text::Text;

/// Where a flag is found at its backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlagRef {
    /// Its name there.
    pub name: String,
    /// The project there; empty where the backend has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// The environment there; empty where the backend is one environment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub environment: String,
}

/// A flag of a service, as it is configured for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagEntry {
    /// The flag service.
    pub backend: BackendName,
    /// Where it is found there.
    pub flag: FlagRef,
}

impl FlagEntry {
    /// `service/flag@environment`: its name on screens and on the command line.
    pub fn title(&self, target: &Target) -> String {
        title(target, &self.flag.name)
    }
}

/// `service/flag@environment`.
pub fn title(target: &Target, flag: &str) -> String {
    format!("{}/{flag}@{}", target.service, target.environment)
}

/// What decides who gets a flag: what a plan is made on, and what must still be so when it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagMark {
    /// Whether it is on.
    pub on: bool,
    /// The share of users that get it while it is on; none where that is not one number.
    pub percent: Option<Percent>,
    /// SHA-256 in lower-case hexadecimal over everything else that decides.
    pub rest: String,
}

impl FlagMark {
    /// `on at 25 %`, `off`, `on`.
    pub fn words(&self) -> String {
        match (self.on, self.percent) {
            (true, Some(percent)) => format!("on at {percent} %"),
            (true, None) => "on".to_owned(),
            (false, Some(percent)) => format!("off ({percent} % when on)"),
            (false, None) => "off".to_owned(),
        }
    }

    /// Whether the same users get it as by another mark: of a flag that is off the percentage decides nothing.
    pub fn gives_as(&self, other: &Self) -> bool {
        self.on == other.on && self.rest == other.rest && (!self.on || self.percent == other.percent)
    }

    /// What brings it back: whether it is on, and its percentage, which comes back with it only when it is.
    pub fn before(&self) -> (bool, Option<Percent>) {
        (self.on, self.percent.filter(|_| self.on))
    }

    /// Whether it stands as it was wished: the rest is not part of a wish.
    pub fn is(&self, on: bool, percent: Option<Percent>) -> bool {
        self.on == on && percent.is_none_or(|percent| self.percent == Some(percent))
    }
}

/// The newest change of a flag, as its backend tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagChange {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, by the account there; empty where the backend does not tell.
    pub by: Text,
}

/// A flag in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagState {
    /// What decides who gets it.
    pub mark: FlagMark,
    /// Its strategies in the order in which they are asked, each in words.
    pub strategies: Vec<Text>,
    /// Why its percentage is not set from here; none when it is.
    pub fixed: Option<Text>,
    /// Whether its backend marks it as one to be taken out of the code.
    pub stale: bool,
    /// Its newest change; none where it is not told.
    pub changed: Option<FlagChange>,
}

/// What a backend says of one flag that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagSeen {
    /// The flag.
    pub flag: FlagRef,
    /// How it stands; none when it cannot be said.
    pub state: Option<FlagState>,
    /// Why it cannot: there is none, it is archived.
    pub missing: Option<Text>,
}

/// Flags as read from one backend.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlagReading {
    /// Those that were asked for, in that order.
    pub flags: Vec<FlagSeen>,
    /// The backend's clock, where it tells it.
    pub backend_clock: Option<DateTime<Utc>>,
}

impl FlagReading {
    /// What was seen of a flag.
    pub fn find(&self, flag: &FlagRef) -> Option<&FlagSeen> {
        self.flags.iter().find(|seen| &seen.flag == flag)
    }

    /// How a flag stands.
    pub fn state(&self, flag: &FlagRef) -> Option<&FlagState> {
        self.find(flag)?.state.as_ref()
    }
}

/// What a person wishes of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlagTo {
    /// On, at the percentage that stands.
    On,
    /// Off.
    Off,
    /// On, at this percentage.
    Percent(Percent),
}

impl FlagTo {
    /// What is typed for it.
    pub fn typed(self) -> String {
        match self {
            Self::On => "on".to_owned(),
            Self::Off => "off".to_owned(),
            Self::Percent(percent) => percent.to_string(),
        }
    }
}

impl std::str::FromStr for FlagTo {
    type Err = String;
    fn from_str(typed: &str) -> Result<Self, String> {
        match typed {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            other => other.strip_suffix('%').unwrap_or(other).trim_end().parse().ok().and_then(Percent::new).map(Self::Percent).ok_or_else(
                || format!("`{}` is no state of a flag; expected on, off, or a whole number from 0 to 100", Text::clean_within(other, 40)),
            ),
        }
    }
}

/// A flag and what is wished of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagWish {
    /// Its name.
    pub name: String,
    /// What.
    pub to: FlagTo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_typed_as_it_is_told() {
        for typed in ["on", "off", "0", "25", "100"] {
            assert_eq!(typed.parse::<FlagTo>().unwrap().typed(), typed);
        }
        assert_eq!("50%".parse(), Ok(FlagTo::Percent(Percent::new(50).unwrap())));
        for wrong in ["", "ON", "101", "-1", "12.5", "1e1", "% "] {
            assert!(wrong.parse::<FlagTo>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn off_is_off_whatever_the_percentage_is() {
        let mark = |on, percent| FlagMark { on, percent: Percent::new(percent), rest: String::new() };
        assert!(mark(false, 25).is(false, None));
        assert!(!mark(true, 25).is(false, None));
        assert!(mark(true, 25).is(true, Percent::new(25)));
        assert!(!mark(true, 26).is(true, Percent::new(25)));
        assert_eq!(mark(false, 25).words(), "off (25 % when on)");
    }
}
