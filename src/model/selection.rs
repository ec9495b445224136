//! Which targets are meant by one expression: `*@prod`, `pay*@prod`, `checkout@*`, `team:payments@prod`; where one only looks, also
//! `checkout` and `@prod`.

use std::fmt;
use std::str::FromStr;

use super::name::Target;
use super::text::Text;

/// What stands before the `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// Services by name.
    Service(String),
    /// The services of teams by name.
    Team(String),
}

/// Many targets by one expression; in each part `*` stands for any characters, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    who: Who,
    environment: String,
}

/// That an expression means one target at most where many are wanted, or none that could be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` selects nothing; expected SERVICE@ENVIRONMENT with `*` for any characters, or team:TEAM@ENVIRONMENT")]
pub struct NoSelection(Text);

impl Selection {
    /// Whether an expression is meant as one of many targets.
    pub fn is_meant(typed: &str) -> bool {
        typed.contains('*') || typed.starts_with("team:")
    }

    /// What is looked at: the same, and a service in every environment, or an environment whole.
    ///
    /// # Errors
    /// It is none of them.
    pub fn looked_at(typed: &str) -> Result<Self, NoSelection> {
        match typed.split_once('@') {
            None => Self::parts(typed, "*"),
            Some(("", environment)) => Self::parts("*", environment),
            Some((who, environment)) => Self::parts(who, environment),
        }
        .ok_or_else(|| NoSelection(Text::clean_within(typed, 80)))
    }

    fn parts(who: &str, environment: &str) -> Option<Self> {
        let may_stand = |part: &str| {
            !part.is_empty() && part.len() <= 128 && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '*'))
        };
        let (who, name) = match who.strip_prefix("team:") {
            Some(team) => (Who::Team(team.to_owned()), team),
            None => (Who::Service(who.to_owned()), who),
        };
        (may_stand(name) && may_stand(environment)).then(|| Self { who, environment: environment.to_owned() })
    }

    /// Whether it selects a target of that team.
    pub fn selects(&self, target: &Target, team: Option<&str>) -> bool {
        matches(&self.environment, target.environment.as_str())
            && match &self.who {
                Who::Service(name) => matches(name, target.service.as_str()),
                Who::Team(name) => team.is_some_and(|team| matches(name, team)),
            }
    }
}

impl FromStr for Selection {
    type Err = NoSelection;

    fn from_str(typed: &str) -> Result<Self, NoSelection> {
        let parts = typed.split_once('@').filter(|_| Self::is_meant(typed));
        parts.and_then(|(who, environment)| Self::parts(who, environment)).ok_or_else(|| NoSelection(Text::clean_within(typed, 80)))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.who {
            Who::Service(name) => f.pad(&format!("{name}@{}", self.environment)),
            Who::Team(name) => f.pad(&format!("team:{name}@{}", self.environment)),
        }
    }
}

/// Whether a name is as a pattern says. Both are read once, with one place to return to: no pattern takes longer than the product of both lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match (pattern.get(at), star) {
            (Some(b'*'), _) => {
                star = Some((at, read));
                at += 1;
            }
            (Some(expected), _) if name.get(read) == Some(expected) => (at, read) = (at + 1, read + 1),
            (_, Some((place, taken))) => {
                star = Some((place, taken + 1));
                (at, read) = (place + 1, taken + 1);
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selects(typed: &str, target: &str, team: Option<&str>) -> bool {
        typed.parse::<Selection>().unwrap().selects(&target.parse().unwrap(), team)
    }

    #[test]
    fn stars_stand_for_any_characters_of_their_part() {
        assert!(selects("*@prod", "checkout@prod", None));
        assert!(!selects("*@prod", "checkout@staging", None));
        assert!(!selects("*@prod", "checkout@prod-eu", None));
        assert!(selects("*@prod*", "checkout@prod-eu", None));
        assert!(selects("pay*@prod", "payments@prod", None));
        assert!(!selects("pay*@prod", "repay@prod", None));
        assert!(selects("*pay*@*", "repay@prod", None));
        assert!(selects("checkout@*", "checkout@staging", None));
    }

    #[test]
    fn a_team_selects_its_services_and_no_service_of_its_name() {
        assert!(selects("team:payments@prod", "ledger@prod", Some("payments")));
        assert!(!selects("team:payments@prod", "ledger@prod", Some("search")));
        assert!(!selects("team:payments@prod", "payments@prod", None));
    }

    #[test]
    fn who_only_looks_may_name_a_service_or_an_environment_alone() {
        let looks = |typed: &str, target: &str| Selection::looked_at(typed).unwrap().selects(&target.parse().unwrap(), Some("payments"));
        assert!(looks("checkout", "checkout@prod") && looks("checkout", "checkout@dev") && !looks("checkout", "checkout2@dev"));
        assert!(looks("@prod", "checkout@prod") && !looks("@prod", "checkout@prod2"));
        assert!(looks("checkout@prod", "checkout@prod") && !looks("checkout@prod", "checkout@dev"));
        assert!(looks("team:pay*", "ledger@dev"));
        for typed in ["", "@", "checkout@", "a b", "x@y@z"] {
            assert!(Selection::looked_at(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn what_means_one_target_or_none_is_no_selection() {
        for typed in ["checkout@prod", "*", "@prod", "*@", "team:@prod", "a b*@prod", "*@prod@prod", "\u{1b}[2J*@prod"] {
            assert!(typed.parse::<Selection>().is_err(), "{typed:?}");
        }
    }

    /// The same by all ways in which a star can be read.
    fn by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => (0..=name.len()).any(|taken| by_definition(rest, name.get(taken..).unwrap_or_default())),
            (Some((expected, rest)), Some((first, name))) => expected == first && by_definition(rest, name),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(pattern in "[ab*]{0,8}", name in "[ab]{0,10}") {
            prop_assert_eq!(matches(&pattern, &name), by_definition(pattern.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn what_was_read_is_shown_as_it_was_typed(typed in "(team:)?[a-z*]{1,6}@[a-z*]{1,6}") {
            if let Ok(selection) = typed.parse::<Selection>() {
                prop_assert_eq!(selection.to_string(), typed);
            }
        }
    }
}
