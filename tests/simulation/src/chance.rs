//! Chance and time as the use cases are handed them: all drawn from one seed.

use std::{cell::RefCell, ops::RangeInclusive, rc::Rc, time::Duration};

use shared::ports::clock::{Chance, Clock};

use crate::executor::Time;

/// One sequence of random numbers for the whole world; clones draw from the same.
#[derive(Clone)]
pub(crate) struct Dice(Rc<RefCell<fastrand::Rng>>);

impl Dice {
    /// The sequence of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(fastrand::Rng::with_seed(seed))))
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn share(&self) -> f64 {
        self.0.borrow_mut().f64()
    }

    /// True with probability `share`.
    pub(crate) fn hits(&self, share: f64) -> bool {
        self.share() < share
    }

    /// Uniform in a range.
    pub(crate) fn between(&self, range: RangeInclusive<u64>) -> u64 {
        self.0.borrow_mut().u64(range)
    }

    /// `least` and an exponentially distributed time of mean `mean` on top.
    pub(crate) fn latency_ms(&self, least: u64, mean: u64) -> u64 {
        least + (-(1.0 - self.share()).ln() * mean as f64) as u64
    }
}

/// The world's time and chance, as the ports have them.
#[derive(Clone)]
pub(crate) struct SimulatedClock {
    /// The time.
    pub(crate) time: Time,
    /// The chance.
    pub(crate) dice: Dice,
    /// By how much it is ahead of the time, milliseconds; behind it, if that is negative.
    pub(crate) ahead_ms: i64,
}

impl Clock for SimulatedClock {
    fn now_ms(&self) -> u64 {
        self.time.now_ms().saturating_add_signed(self.ahead_ms)
    }

    async fn sleep(&self, duration: Duration) {
        self.time.sleep(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).await;
    }
}

impl Chance for SimulatedClock {
    fn next(&self) -> f64 {
        self.dice.share()
    }
}
