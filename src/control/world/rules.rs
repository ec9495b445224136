//! The rules as the room sees them: its own, and while changed ones are not accepted, the older ones beside them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::World;
use crate::control::calendar::CalendarView;
use crate::model::catalog::Catalog;
use crate::model::name::Target;
use crate::model::operator::Presented;
use crate::model::rules::{Naming, RuleSet, RuleStanding, joined};
use crate::model::time::Moment;
use crate::ports::ledger::LedgerError;

/// The rules as the room sees them.
#[derive(Debug, Clone, Default)]
pub struct RulesView {
    /// How the room's own rules stand to those that were accepted.
    pub standing: RuleStanding,
    /// The accepted rules, while others wait to be accepted.
    pub older: Option<Arc<Older>>,
    /// What the room was shown by whoever is at the keys; none on the simulated train.
    pub presented: Option<Arc<Presented>>,
    /// System users each of whom alone could have written a file of the configuration.
    pub writers: Vec<String>,
    /// What this process last said about changed rules, and what became of it.
    pub named: Option<Arc<Named>>,
}

/// The accepted rules beside the changed ones.
#[derive(Debug)]
pub struct Older {
    /// Their digest.
    pub digest: String,
    /// They themselves.
    pub rules: Arc<RuleSet>,
    /// The changed ones.
    pub newer: RuleSet,
    /// The room's catalog with the accepted rules in it.
    pub catalog: Arc<Catalog>,
    /// The windows and freezes of the accepted rules.
    pub calendars: CalendarView,
}

/// What this process said about changed rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// What was said.
    pub naming: Naming,
    /// How the rules stand now, or why it was refused.
    pub result: Result<RuleStanding, LedgerError>,
    /// When this process learned of it.
    pub at: DateTime<Utc>,
}

impl World {
    /// The digest of the rules that a plan of a target is judged by, which its Order bears: of the room's own, and while they are not
    /// accepted and differ for the target, of both.
    pub fn rules_in_force(&self, target: &Target) -> String {
        let newer = self.catalog.rules_for(target);
        let Some(older) = &self.rules.older else { return newer };
        let old = older.rules.digest_for(target);
        if old == newer { newer } else { joined(&old, &newer) }
    }

    /// Puts the accepted rules beside the room's own, or takes them away; also when catalog or calendars changed.
    pub fn compare_rules(&mut self, now: &Moment) {
        let standing = &self.rules.standing;
        self.rules.older = standing.older.as_ref().map(|rules| {
            let catalog = Arc::new(rules.over(&self.catalog));
            let calendars = self.calendars.again(&catalog, now);
            let newer = RuleSet::of(&self.catalog);
            Arc::new(Older { digest: standing.accepted.clone().unwrap_or_default(), rules: rules.clone(), newer, catalog, calendars })
        });
    }
}
