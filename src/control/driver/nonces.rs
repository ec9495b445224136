//! What makes equal wishes of a rehearsal different plans.

use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What makes equal wishes of a rehearsal different plans: the same seed gives the same ones.
#[derive(Debug)]
pub struct Nonces(ChaCha8Rng);

impl Nonces {
    /// The nonces of a seed.
    pub fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed ^ 0x006e_6f6e_6365))
    }

    /// The next one: 32 hexadecimal digits.
    #[expect(clippy::should_implement_trait, reason = "there is always a next one")]
    pub fn next(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }
}
