//! How many tries make silence proof.
//!
//! The bound is for the whole run: the chance that any open port of the run is called filtered stays below 1 in 1,000.
//! So each of n silent flows is held to 0.001/n. Loss counts per try, both directions together, with a prior of Beta(1,
//! 19); its upper 95 % bound is used. The number holds under that rate and for independent tries.

/// The chance that a run may call any open port filtered.
const RUN_BOUND: f64 = 0.001;
/// Never fewer tries than this, whatever the loss seems to be. Each leaves from a source port of its own, and one of
/// two paths may be open.
const FEWEST: u8 = 6;
/// Never fewer where nothing of the host ever answered: nothing is known of the way there but the prior.
pub(super) const FEWEST_OF_A_SILENT_HOST: u8 = 8;
/// Never more: three of four tries that are lost still let silence be proved of a thousand flows. What is lost oftener
/// stays unproved.
pub const MOST: u8 = 64;

/// What is known of loss: how often a try was answered or not on flows that answered in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) answered: u32,
    pub(super) lost: u32,
}

impl Loss {
    /// Takes in tries that were answered and tries that were lost.
    pub(super) fn add(&mut self, answered: u32, lost: u32) {
        self.answered = self.answered.saturating_add(answered);
        self.lost = self.lost.saturating_add(lost);
    }

    /// The upper 95 % bound of the loss of one try.
    pub(super) fn bound(self) -> f64 {
        beta_quantile(
            0.95,
            1.0 + f64::from(self.lost),
            19.0 + f64::from(self.answered),
        )
    }

    /// Tries after which silence is proof, when `flows` flows of the run may be silent.
    pub(super) fn tries(self, flows: usize) -> u8 {
        let wanted = (RUN_BOUND / flows.max(1) as f64).ln() / self.bound().ln();
        (wanted.ceil().clamp(f64::from(FEWEST), f64::from(MOST))) as u8
    }

    /// How sure silence is after some tries, and whether that meets the bound.
    pub(super) fn confidence(self, tries: u8, flows: usize) -> (f64, bool) {
        let doubt = self.bound().powi(i32::from(tries));
        (1.0 - doubt, doubt <= RUN_BOUND / flows.max(1) as f64)
    }
}

/// The quantile of a beta distribution, by bisection.
fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beta_cdf(middle, a, b) < probability {
            low = middle
        } else {
            high = middle
        }
    }
    (low + high) / 2.0
}

/// The regularised incomplete beta function (continued fraction by Lentz's method).
fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        (a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..300 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / guard(1.0 + term * d);
            c = guard(1.0 + term / c);
            result *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function: Stirling's series after shifting the argument up.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_alone_has_the_bound_that_can_be_written_down() {
        let expected = 1.0 - 0.05_f64.powf(1.0 / 19.0);
        assert!((Loss::default().bound() - expected).abs() < 1e-9);
    }

    #[test]
    fn more_silent_flows_need_more_tries() {
        let loss = Loss::default();
        assert_eq!(loss.tries(1), FEWEST);
        assert_eq!(loss.tries(1_000), 8);
        assert!(loss.tries(65_535) > loss.tries(100));
    }

    #[test]
    fn answers_at_the_first_try_make_silence_prove_sooner_and_losses_later() {
        let good = Loss {
            answered: 200,
            lost: 0,
        };
        let bad = Loss {
            answered: 70,
            lost: 30,
        };
        assert!(good.tries(10_000) < Loss::default().tries(10_000));
        assert!(bad.tries(100) > Loss::default().tries(100));
    }

    #[test]
    fn where_half_of_all_tries_are_lost_silence_is_still_proved() {
        let half = Loss {
            answered: 98,
            lost: 102,
        };
        for flows in [1, 100, 65_535] {
            let tries = half.tries(flows);
            assert!(
                half.confidence(tries, flows).1,
                "{flows} flows, {tries} tries"
            );
        }
        assert!(half.tries(65_535) > 20);
    }

    #[test]
    fn too_few_tries_are_no_proof() {
        let loss = Loss::default();
        assert!(!loss.confidence(1, 1).1);
        assert!(loss.confidence(loss.tries(50), 50).1);
    }
}
