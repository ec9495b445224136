//! What a room is opened with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::control::world::{ByHand, RulesView};
use crate::model::capability::Capability;
use crate::model::catalog::Catalog;
use crate::model::name::BackendName;
use crate::model::operator::Actor;
use crate::model::text::Text;

/// What a room is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What is configured.
    pub catalog: Arc<Catalog>,
    /// Who is at the keys.
    pub actor: Actor,
    /// Whether deeds are impossible.
    pub read_only: bool,
    /// The installation, part of every Order.
    pub installation: String,
    /// Why the store could not be opened for writing.
    pub record_trouble: Option<Text>,
    /// Whether break glass can be recorded in a second place when the store cannot be written.
    pub has_second_place: bool,
    /// What each backend can do and how a person would do it by hand.
    pub abilities: BTreeMap<BackendName, (&'static [Capability], ByHand)>,
    /// Spreads the polls.
    pub seed: u64,
    /// Whether this process settles what dead ones left, watches, and remembers rollouts; a verb that only reads does not.
    pub tends: bool,
    /// Whether rollouts go on by themselves in this process: a verb that ends soon begins nothing that it would leave behind.
    pub conducts: bool,
    /// What is known of the rules before the store was read: who is at the keys by what, and who wrote the files.
    pub rules: RulesView,
    /// Whether somebody sits before it: others are told who, and who that is may still have to be asked.
    pub seat: Seat,
}

/// Whether somebody sits before a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seat {
    /// Nobody: a verb, a rehearsal.
    #[default]
    None,
    /// Somebody who is known.
    Known,
    /// Somebody of whom the agent is asked: until it answers, nobody.
    Asked,
}

/// What a room is equipped with once its backends and its store were opened.
#[derive(Debug, Clone, Default)]
pub struct Equipment {
    /// The installation, part of every Order; never empty.
    pub installation: String,
    /// Why the store could not be opened for writing.
    pub record_trouble: Option<Text>,
    /// Whether break glass can be recorded in a second place when the store cannot be written.
    pub has_second_place: bool,
    /// What each backend can do and how a person would do it by hand.
    pub abilities: BTreeMap<BackendName, (&'static [Capability], ByHand)>,
}

impl Opening {
    /// The opening with its equipment at hand from the beginning.
    #[must_use]
    pub fn equipped(self, equipment: Equipment) -> Self {
        let Equipment { installation, record_trouble, has_second_place, abilities } = equipment;
        Self { installation, record_trouble, has_second_place, abilities, ..self }
    }
}
