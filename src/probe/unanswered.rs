//! What tries come to that nobody answered: silence, or proof of it, by what is known of losses and of witnesses.

use super::{Prober, witness};
use crate::observation::{Attempt, AttemptResult, Observation, State};

/// Sets state and confidence of silence by what is known of losses and of witnesses now.
pub(super) fn judge_silence(prober: &Prober, seen: &mut Observation, earlier: usize) {
    let Some(address) = seen.address else { return };
    let counted = prober.measured().book.count(address, &seen.attempts, None);
    seen.witnessed = counted.map(|counted| u16::try_from(counted.tries).unwrap_or(u16::MAX));
    let tries = counted.map_or(silent(&seen.attempts), |counted| counted.tries);
    let apart = counted.is_none_or(|counted| earlier > 0 || counted.pieces >= witness::PIECES);
    judge_tries(prober, seen, earlier + tries, apart);
}

/// Sets state and confidence of the silence of datagrams, which have no witnesses.
pub(super) fn judge_datagrams(prober: &Prober, seen: &mut Observation) {
    let tries = silent(&seen.attempts);
    judge_tries(prober, seen, tries, true);
}

/// `apart`: no single outage explains the tries.
fn judge_tries(prober: &Prober, seen: &mut Observation, tries: usize, apart: bool) {
    let Some(address) = seen.address else { return };
    let (confidence, enough) = prober.measured().confidence(address, tries);
    let proof = enough && apart;
    seen.confidence = Some(confidence);
    seen.state = if proof {
        State::Filtered
    } else {
        State::Silent
    };
}

/// Tries that left this host and were not answered.
pub(super) fn silent(attempts: &[Attempt]) -> usize {
    attempts
        .iter()
        .filter(|attempt| attempt.result == AttemptResult::Silent)
        .count()
}
