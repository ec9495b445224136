//! How long a share of a service's traffic takes to tell an effect.

use super::evidence::power;

/// How many times larger than the new version's the traffic of a baseline is taken to be that is a fixed number.
const FIXED: f64 = 1_000.0;

/// What must be told of one measure of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The share of events that is bad as it is usual, 0 to 1.
    pub usual: f64,
    /// By how much more of it is to be told, 0 to 1.
    pub margin: f64,
    /// The level of this measure.
    pub alpha: f64,
    /// How often it is to be found.
    pub power: f64,
}

impl Effect {
    /// How many requests the new version needs at a share (0 to 1, neither of them) beside the old one.
    ///
    /// Source: [`power::requests`], a guide for independent requests; what is dependent needs more.
    pub fn requests(&self, share: f64) -> Option<u64> {
        (share > 0.0 && share < 1.0).then(|| self.of(share / (1.0 - share))).flatten()
    }

    /// How many it needs with all of the traffic, when it is held against a number and not against the old version.
    pub fn alone(&self) -> Option<u64> {
        self.of(1.0 / FIXED)
    }

    /// How many seconds that takes at so many requests a second in all; none where it never ends.
    pub fn seconds(&self, rate: f64, share: f64) -> Option<f64> {
        passed(self.requests(share)?, rate * share)
    }

    /// The same with all of the traffic.
    pub fn seconds_alone(&self, rate: f64) -> Option<f64> {
        passed(self.alone()?, rate)
    }

    fn of(&self, ratio: f64) -> Option<u64> {
        power::requests(self.usual + self.margin, self.usual, ratio, self.alpha, self.power)
    }
}

#[expect(clippy::cast_precision_loss, reason = "requests stay far below 2^52")]
fn passed(requests: u64, rate: f64) -> Option<f64> {
    (rate > 0.0 && rate.is_finite()).then(|| requests as f64 / rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Effect = Effect { usual: 0.002, margin: 0.005, alpha: 0.025, power: 0.8 };

    #[test]
    fn a_twentieth_of_sixty_requests_a_second_takes_a_quarter_of_an_hour() {
        // The simulated checkout took 19 minutes of 3 requests a second to settle.
        assert_eq!(USUAL.requests(0.05), Some(2_994));
        assert_eq!(USUAL.seconds(60.0, 0.05).map(f64::round), Some(998.0));
        assert_eq!((USUAL.requests(0.0), USUAL.requests(1.0), USUAL.seconds(0.0, 0.05)), (None, None, None));
        assert!(USUAL.alone() < USUAL.requests(0.05), "what is held against a number needs fewer");
    }
}
