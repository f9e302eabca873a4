//! How long to wait before looking at a session again.

use std::time::Duration;

/// Waits between attempts; the last one repeats for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder(Vec<Duration>);

/// A ladder needs at least one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a retry ladder needs at least one step")]
pub struct EmptyLadder;

impl Ladder {
    /// A ladder of these steps.
    ///
    /// # Errors
    /// Refuses an empty list: there would be no wait to repeat.
    pub fn new(steps: Vec<Duration>) -> Result<Self, EmptyLadder> {
        if steps.is_empty() { Err(EmptyLadder) } else { Ok(Self(steps)) }
    }

    /// The wait after the `attempts`-th look (counted from 1), spread by `chance` in `[0, 1)` over
    /// 90 % to 110 % of the step so that rows that failed together do not come back together.
    pub fn wait_ms(&self, attempts: u32, chance: f64) -> u64 {
        let last = self.0.len() - 1;
        let step = usize::try_from(attempts.saturating_sub(1)).map_or(last, |step| step.min(last));
        let spread = self.0[step].as_secs_f64() * 1000.0 * (0.9 + 0.2 * chance.clamp(0.0, 1.0));
        spread as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbs_and_repeats_the_last_step() {
        let ladder = Ladder::new([60, 120, 300].map(Duration::from_secs).to_vec()).unwrap();
        let waits = [0, 1, 2, 3, 4, u32::MAX].map(|attempts| ladder.wait_ms(attempts, 0.5));
        assert_eq!(waits, [60_000, 60_000, 120_000, 300_000, 300_000, 300_000]);
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let ladder = Ladder::new(vec![Duration::from_secs(100)]).unwrap();
        assert_eq!(ladder.wait_ms(1, 0.0), 90_000);
        assert_eq!(ladder.wait_ms(1, 1.0), 110_000);
    }

    #[test]
    fn needs_a_step() {
        assert_eq!(Ladder::new(Vec::new()), Err(EmptyLadder));
    }
}
