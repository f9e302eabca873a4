//! What is swept, and where it begins.

use std::ops::Range;

use crate::{domain::sweep::Sweep, ports::cursor_store::Job};

/// A trailing window is read anew when the last one ended so long ago, milliseconds: hourly, by a schedule that is not
/// punctual.
const HOURLY_MS: u64 = 55 * 60_000;

/// What is swept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// The last hours, at least so many milliseconds of them, and further back to where the last such sweep ended; once an
    /// hour, or `now` although the last one is not an hour old.
    Trailing {
        /// Length of the window, milliseconds.
        window_ms: u64,
        /// Whether it is done whenever the last one was.
        now: bool,
        /// It reaches no further back than this, epoch milliseconds, and the first one just so far.
        since_ms: Option<u64>,
    },
    /// Calls that began in this stretch, epoch milliseconds.
    Range(Range<u64>),
    /// Calls that began in this stretch, or, where there is none, since so many milliseconds before the first run; below
    /// all other work.
    Backfill {
        /// The stretch, epoch milliseconds.
        stretch: Option<Range<u64>>,
        /// How long the vendor keeps recordings, milliseconds.
        retention_ms: u64,
    },
}

impl Task {
    pub(super) fn job(&self) -> Job {
        match self {
            Self::Trailing { .. } => Job::new("reconcile"),
            Self::Range(stretch) => Job::new(format!("range#{}#{}", stretch.start, stretch.end)),
            Self::Backfill { stretch: Some(stretch), .. } => {
                Job::new(format!("backfill#{}#{}", stretch.start, stretch.end))
            }
            Self::Backfill { stretch: None, .. } => Job::new("backfill"),
        }
    }

    pub(super) fn is_backfill(&self) -> bool {
        matches!(self, Self::Backfill { .. })
    }

    /// Where to go on, or where to begin; the sweep of last time if there is nothing to do.
    pub(super) fn begin(&self, last: Option<Sweep>, now_ms: u64) -> Sweep {
        match (self, last) {
            (_, Some(last)) if !last.is_done() => last,
            (Self::Trailing { window_ms, now, since_ms }, Some(last)) => {
                let end_ms = last.stretch().end;
                if *now || now_ms >= end_ms.saturating_add(HOURLY_MS) {
                    let from_ms = end_ms.min(now_ms).saturating_sub(*window_ms).max(since_ms.unwrap_or_default());
                    last.again_over(from_ms..now_ms)
                } else {
                    last
                }
            }
            (Self::Trailing { window_ms, since_ms, .. }, None) => {
                Sweep::over(since_ms.unwrap_or(now_ms.saturating_sub(*window_ms))..now_ms)
            }
            (Self::Range(stretch), _) | (Self::Backfill { stretch: Some(stretch), .. }, _) => {
                Sweep::over(stretch.clone())
            }
            (Self::Backfill { stretch: None, .. }, Some(last)) => last,
            (Self::Backfill { stretch: None, retention_ms }, None) => {
                Sweep::over(now_ms.saturating_sub(*retention_ms)..now_ms)
            }
        }
    }
}

#[cfg(test)]
mod tests;
