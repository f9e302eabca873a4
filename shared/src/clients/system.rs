//! The system's clock and chance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ports::clock::{Chance, Clock};

/// The machine's clock and its random numbers. Only `main.rs` makes one.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Clock for System {
    fn now_ms(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Chance for System {
    fn next(&self) -> f64 {
        fastrand::f64()
    }
}
