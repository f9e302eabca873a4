//! Lets the simulator's own things happen at their time.

use super::{Shared, deliver, now_ms};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Longest sleep: a timer takes no ten years.
const MAX_SLEEP_MS: u64 = 60 * 60 * 1_000;

/// Drives until the other end of `stopped` is dropped.
pub(super) fn start(shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    tokio::spawn(async move {
        loop {
            let now_ms = now_ms();
            let (due, next_ms) = shared.quietly(|simulator| (simulator.due_deliveries(now_ms), simulator.next_ms()));
            for delivery in due {
                let shared = shared.clone();
                tokio::spawn(async move { deliver::one(&shared, delivery).await });
            }
            let sleep_ms = next_ms.map_or(MAX_SLEEP_MS, |next_ms| next_ms.saturating_sub(now_ms)).min(MAX_SLEEP_MS);
            tokio::select! {
                changed = stopped.changed() => if changed.is_err() { return },
                () = shared.touched.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(sleep_ms)) => {}
            }
        }
    });
}
