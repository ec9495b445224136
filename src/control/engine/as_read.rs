//! How a reading shows what an effect is about.

/// What a reading that was asked for since shows of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AsRead {
    /// What it is about, as in "shows the flag as set".
    pub(super) what: &'static str,
    /// It, as it stands.
    pub(super) stands: String,
    /// Whether it stands as it was set.
    pub(super) as_set: bool,
    /// Whether it stands as it did before.
    pub(super) as_before: bool,
    /// What else there is to know where it stands as set.
    pub(super) then: &'static str,
}
