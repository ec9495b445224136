//! The wealth of bets against a hypothesis: mixtures of bets that are fair or worse while it holds, in logarithms.

/// The logarithm of the mean of exponentials; minus infinity for none.
pub fn log_mean_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return top;
    }
    let (sum, count) = logs.fold((0.0, 0.0), |(sum, count), log| (sum + (log - top).exp(), count + 1.0));
    top + (sum / count).ln()
}

/// Shares of the wealth that the coin bets put on one side, each with the same part of the first wealth.
const STAKES: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9, 0.98];

/// The logarithm of what bets on heads are worth after `heads` of `tosses` when heads comes with probability `fair` or less.
///
/// A mixture over stakes of the likelihood ratio of a Bernoulli share above `fair` to `fair`, each to the power `temper` (from 0 to 1:
/// the part of an independent toss that a toss counts for). It rises with `heads`, and it is the lesser of the tempered and the
/// plain wealth, so that no choice of `temper` costs the level where the tosses are independent; plain where that is below `wanted`.
///
/// Source: betting with stake: I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024);
/// the mixture: S. R. Howard et al., "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021).
pub fn coin(heads: f64, tosses: f64, fair: f64, wanted: f64, temper: impl Fn() -> f64) -> f64 {
    let plain = coin_at(heads, tosses, fair, 1.0);
    if plain < wanted { plain } else { plain.min(coin_at(heads, tosses, fair, temper().clamp(0.0, 1.0))) }
}

fn coin_at(heads: f64, tosses: f64, fair: f64, temper: f64) -> f64 {
    let odds = (1.0 - fair) / fair;
    let worth = |stake: &f64| temper * (heads * (stake * odds).ln_1p() + (tosses - heads) * (-stake).ln_1p());
    log_mean_exp(STAKES.iter().map(worth))
}
