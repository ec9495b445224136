//! The own steps of an orchestrator that walks a change by itself: where it stands, why it pauses, and what its own analysis says.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// How far an orchestrator has come with its own steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The step under way, from 0; as great as `steps` after the last.
    pub step: u32,
    /// How many there are.
    pub steps: u32,
    /// What it sets of the share of the new version, in per cent; none where it says nothing.
    pub weight: Option<u32>,
    /// Why it pauses by itself, by its own words; empty when it does not.
    pub pauses: Vec<Text>,
    /// Whether it was told to go on and has not taken that up yet.
    pub released: bool,
    /// Whether it gave the change up: the old version takes everything, and the new one is still wished.
    pub aborted: bool,
    /// Whether what is wished is the stable version, or is to become it without further steps; only where its newest form was observed.
    pub full: bool,
    /// Its analyses of the change.
    pub analyses: Vec<Analysis>,
    /// Where it is by its own word, of an orchestrator that has one: Flagger's phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Text>,
    /// Its checks that failed, where it counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// Failed checks of an orchestrator's analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// How many failed since the change began.
    pub checks: u32,
    /// With so many it gives the change up.
    pub most: u32,
}

/// An analysis that the orchestrator runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// Its name.
    pub name: Text,
    /// How it stands, by its own word: `Pending`, `Running`, `Successful`, `Failed`, `Error`, `Inconclusive`.
    pub phase: Text,
    /// What it says.
    pub message: Text,
}

impl Walk {
    /// The step that it is at or on its way to: one that it was released from is behind it.
    pub fn reached(&self) -> u32 {
        self.step.saturating_add(u32::from(self.released)).min(self.steps)
    }

    /// Whether it stands at a pause of its own.
    pub fn pauses(&self) -> bool {
        !self.pauses.is_empty()
    }

    /// `step 2 of 4`, or none where it has no steps.
    pub fn told(&self) -> Option<String> {
        (self.steps > 0).then(|| match self.step {
            step if step < self.steps => format!("step {} of {}", step.saturating_add(1), self.steps),
            _ => format!("all {} steps walked", self.steps),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_it_was_released_from_is_behind_it() {
        let walk = |step, released| Walk {
            step,
            steps: 3,
            weight: None,
            pauses: Vec::new(),
            released,
            aborted: false,
            full: false,
            analyses: Vec::new(),
            phase: None,
            failed: None,
        };
        assert_eq!([walk(1, false), walk(1, true), walk(3, true)].map(|walk| walk.reached()), [1, 2, 3]);
        assert_eq!(walk(1, false).told().unwrap(), "step 2 of 3");
        assert_eq!(walk(3, false).told().unwrap(), "all 3 steps walked");
    }
}
