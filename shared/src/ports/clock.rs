//! Time and chance, handed in.

use std::time::Duration;

/// The time of day, and waiting for it.
pub trait Clock {
    /// Now, in epoch milliseconds.
    fn now_ms(&self) -> u64;

    /// Returns when `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// Jitter.
pub trait Chance {
    /// The next number, uniform in `[0, 1)`.
    fn next(&self) -> f64;
}
