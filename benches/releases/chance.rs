//! Seeded chance: normal, gamma and binomial numbers from one generator.

use std::f64::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The generator of a seed, one of several under it.
    pub fn of(seed: u64, stream: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        chance.set_stream(stream);
        Self(chance)
    }

    /// A number from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// A number between two, each of its orders of magnitude as likely.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    /// A number of the standard normal distribution (G. E. P. Box, M. E. Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (TAU * self.unit()).cos()
    }

    /// A gamma number of scale 1 (G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = (1.0 - self.unit()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * power;
        }
        let size = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let cube = (1.0 + x / (9.0 * size).sqrt()).powi(3);
            if cube > 0.0 && (1.0 - self.unit()).ln() < 0.5 * x * x + size * (1.0 - cube + cube.ln()) {
                return size * cube;
            }
        }
    }

    /// How many of `count` with a chance each: exact by the gaps between them, by the normal distribution where they are many.
    pub fn binomial(&mut self, count: f64, chance: f64) -> f64 {
        if count < 1.0 || chance <= 0.0 {
            return 0.0;
        }
        if chance > 0.5 {
            return count - self.binomial(count, 1.0 - chance);
        }
        let mean = count * chance;
        if mean > 40.0 {
            return (mean + (mean * (1.0 - chance)).sqrt() * self.normal()).round().clamp(0.0, count);
        }
        let scale = (-chance).ln_1p();
        let (mut at, mut found) = (0.0, 0.0);
        loop {
            at += ((1.0 - self.unit()).ln() / scale).floor() + 1.0;
            if at > count {
                return found;
            }
            found += 1.0;
        }
    }
}
