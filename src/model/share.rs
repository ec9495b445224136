//! Shares of traffic: wished in whole per cent, reached and measured as fractions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A wished share in whole per cent, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(100);

    /// A share of `value` per cent; none above 100.
    pub fn new(value: u8) -> Option<Self> {
        (value <= 100).then_some(Self(value))
    }

    /// The whole number, 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }

    /// As a fraction.
    pub fn share(self) -> Share {
        Share(f64::from(self.0) / 100.0)
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;
    fn try_from(value: u8) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is no share; expected 0 to 100 per cent"))
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

/// A reached or measured share, a finite fraction between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// No share of anything.
    pub const NONE: Self = Self(0.0);

    /// `part` of `whole`; none when the whole is 0.
    #[expect(clippy::cast_precision_loss, reason = "weights and request counts stay far below 2^52")]
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        (whole > 0 && part <= whole).then(|| Self(part as f64 / whole as f64))
    }

    /// A fraction between 0 and 1; none when it is not one.
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// What is left of the whole.
    #[must_use]
    pub fn rest(self) -> Self {
        Self(1.0 - self.0)
    }

    /// The fraction, 0 to 1.
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// In per cent, 0 to 100.
    pub fn percent(self) -> f64 {
        self.0 * 100.0
    }

    /// The nearest whole per cent.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction between 0 and 1 gives 0 to 100")]
    pub fn nearest(self) -> Percent {
        Percent((self.0 * 100.0).round() as u8)
    }
}
