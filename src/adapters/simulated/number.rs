//! Counts as fractions and back, and the dice of the world: each throw belongs to a seed and a place, not to an order of calls.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A count as a number with a fraction.
#[expect(clippy::cast_precision_loss, reason = "counts of a simulation stay far below 2^52")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// The whole part of a number, 0 when it is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "negative and huge numbers saturate, which is what is wanted")]
pub(super) fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

/// Seconds as a fraction.
#[expect(clippy::cast_precision_loss, reason = "seconds of a simulation stay far below 2^52")]
pub(super) fn seconds(count: i64) -> f64 {
    count as f64
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// Dice that were thrown for one place.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of one second of the world.
    pub(super) fn of_tick(seed: u64, tick: i64) -> Self {
        Self::of(seed, 1 << 62, tick.cast_unsigned() & (u64::MAX >> 2))
    }

    /// The dice of one run.
    pub(super) fn of_run(seed: u64, run: u64) -> Self {
        Self::of(seed, 2 << 62, run & (u64::MAX >> 2))
    }

    fn of(seed: u64, family: u64, place: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        dice.set_stream(family | place);
        Self(dice)
    }

    /// The next throw, from 0 to less than 1.
    pub(super) fn throw(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// The next throw as a place in a list of `length`.
    pub(super) fn place(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(0);
        usize::try_from(whole(self.throw() * real(length))).unwrap_or(0)
    }
}
