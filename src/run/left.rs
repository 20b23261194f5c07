//! The arithmetic of what is left of a run. It knows no clock and no socket: moments are counted from the run's beginning.

use std::time::Duration;

/// Packets a second where no rate is kept, until some have left.
const WITHOUT_LIMIT: f64 = 1_000.0;
/// So long, and so many packets, are waited for before the speed of a stage is believed.
const SETTLED: Duration = Duration::from_secs(3);
const ENOUGH: u64 = 20;
/// A stage that takes longer than foreseen takes this part of its time yet.
const OVERDUE: u32 = 8;
/// The least that is said to be left while anything is.
const LEAST: Duration = Duration::from_secs(1);
/// Thousandths of the bar that a run which has not ended may fill.
const MOST: u16 = 990;

/// What a stage takes, as far as it can be foreseen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) takes: Duration,
    /// The moment before which it does not end.
    pub(super) until: Duration,
}

impl Span {
    /// What is left of it after some time.
    pub(super) fn after(self, passed: Duration) -> Self {
        let takes = self.takes.saturating_sub(passed).max(passed / OVERDUE);
        Self { takes, ..self }
    }
}

/// How long stages one after another take from now on.
pub(super) fn left(now: Duration, stages: impl IntoIterator<Item = Span>) -> Duration {
    let end = stages.into_iter().fold(now, |at, stage| {
        at.saturating_add(stage.takes).max(stage.until)
    });
    end.saturating_sub(now)
}

/// Packets a second: as the rate allows, or fewer where fewer have left in the stage so far.
pub(super) fn speed(allowed: Option<f64>, sent: u64, passed: Duration) -> f64 {
    let allowed_or = allowed.unwrap_or(WITHOUT_LIMIT);
    if passed < SETTLED || sent < ENOUGH {
        return allowed_or;
    }
    let seen = sent as f64 / passed.as_secs_f64();
    allowed.map_or(seen, |allowed| seen.min(allowed)).max(1.0)
}

/// How long packets take.
pub(super) fn time(packets: f64, speed: f64) -> Duration {
    Duration::try_from_secs_f64(packets / speed).unwrap_or(Duration::MAX)
}

/// What is shown of a run: more and more of it is done, and what is left changes smoothly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    done: u16,
    left: Option<(Duration, Duration)>,
}

impl Shown {
    /// The thousandths that are done, and what is left. A better guess that is lower is shown at once. A higher one is
    /// come to step by step, and what is done never goes back.
    pub(super) fn at(&mut self, now: Duration, left: Duration) -> (u16, Duration) {
        let left = match self.left {
            None => left,
            Some((at, shown)) => {
                let passed = now.saturating_sub(at);
                // Each second, two seconds and a twentieth more.
                let rise = passed * 2 + passed.mul_f64(shown.as_secs_f64() / 20.0);
                left.min(shown.saturating_add(rise))
            }
        };
        let left = left.max(LEAST);
        self.left = Some((now, left));
        let share = now.as_secs_f64() / (now.as_secs_f64() + left.as_secs_f64());
        self.done = self.done.max((share * 1_000.0) as u16).min(MOST);
        (self.done, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn span(takes: u64, until: u64) -> Span {
        Span {
            takes: secs(takes),
            until: secs(until),
        }
    }

    #[test]
    fn stages_that_wait_for_a_moment_wait_only_once() {
        // A second look that has to end at 20 s, and a last one at 21 s.
        let stages = [span(3, 0), span(2, 20), span(1, 21), span(4, 0)];
        assert_eq!(left(secs(5), stages), secs(20));
        assert_eq!(left(secs(30), stages), secs(10), "both moments have passed");
        assert_eq!(left(secs(5), []), secs(0));
    }

    #[test]
    fn a_stage_that_takes_longer_than_foreseen_is_not_said_to_end_at_once() {
        assert_eq!(span(10, 0).after(secs(4)).takes, secs(6));
        assert_eq!(span(10, 0).after(secs(80)).takes, secs(10));
    }

    #[test]
    fn the_speed_is_what_leaves_and_never_more_than_the_rate() {
        assert_eq!(speed(Some(90.0), 10, secs(1)), 90.0, "too early to say");
        assert_eq!(speed(Some(90.0), 200, secs(10)), 20.0);
        assert_eq!(speed(Some(90.0), 5_000, secs(10)), 90.0);
        assert_eq!(speed(None, 50_000, secs(10)), 5_000.0);
        assert_eq!(time(180.0, 90.0), secs(2));
        assert_eq!(time(f64::MAX, 1e-9), Duration::MAX);
    }

    /// What is shown twice a second of a run of so many seconds, with a guess of what is left at each moment.
    fn shown(run: u64, guess: impl Fn(f64) -> f64) -> Vec<(u16, Duration)> {
        let mut shown = Shown::default();
        let moments = (0..run * 2).map(|half| half as f64 / 2.0);
        moments
            .map(|now| {
                let left = Duration::from_secs_f64(guess(now).max(0.0));
                shown.at(Duration::from_secs_f64(now), left)
            })
            .collect()
    }

    #[test]
    fn a_true_guess_is_shown_as_it_is() {
        let all = shown(40, |now| 40.0 - now);
        assert_eq!(all[0], (0, secs(40)));
        assert_eq!(all[20], (250, secs(30)));
        assert_eq!(all[60], (750, secs(10)));
    }

    #[test]
    fn nothing_is_full_and_nothing_is_zero_before_the_end() {
        let all = shown(100, |now| 5.0 - now);
        assert!(
            all.iter()
                .all(|(done, left)| *done < 1_000 && *left >= LEAST)
        );
        assert_eq!(all.last().map(|it| it.0), Some(MOST));
    }

    #[test]
    fn what_is_done_never_goes_back_and_what_is_left_rises_step_by_step() {
        // At 10 s it turns out that a minute is left, not five seconds.
        let all = shown(70, |now| if now < 10.0 { 15.0 - now } else { 70.0 - now });
        let rises = |both: &[(u16, Duration)]| both[1].1.saturating_sub(both[0].1);
        assert!(all.windows(2).all(|both| both[0].0 <= both[1].0), "{all:?}");
        let steepest = all.windows(2).map(rises).max();
        assert!(
            steepest <= Some(Duration::from_millis(2_600)),
            "{steepest:?}"
        );
        assert!(all[20].1 < secs(8) && all[60].1 == secs(40), "{all:?}");
    }
}
