//! What the vendor received of the program, and how much of it within one of its windows.

use std::{collections::BTreeMap, ops::Range, rc::Rc};

use ringcentral_sim::core::RateGroup;

/// The vendor's window, and its penalty, milliseconds (API.md §3).
pub(crate) const WINDOW_MS: u64 = 60_000;

/// How long nobody sends who is refused by another limiter than the one that counts, which says no time, milliseconds
/// (API.md §3).
const PAUSE_MS: u64 = 30_000;

/// Whoever hears of a penalty has told the others through the ledger after this, and what they had reserved before is
/// sent or given back, milliseconds.
const TOLD_WITHIN_MS: u64 = 25_000;

/// Which function sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sender {
    /// The archiver.
    Archiver,
    /// The reconciler.
    Reconciler,
}

/// A request that reached the vendor.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// When, epoch milliseconds.
    pub(crate) at_ms: u64,
    /// Whose it was.
    pub(crate) sender: Sender,
    /// What was asked for.
    pub(crate) target: String,
    /// The bucket it was counted in; none if it was refused before that.
    pub(crate) group: Option<RateGroup>,
    /// Status of the reply.
    pub(crate) status: u16,
    /// Whether the vendor was to throttle it, whatever it had received before.
    pub(crate) out_of_turn: bool,
}

/// The times in which nothing may be sent, epoch milliseconds, by the instance that heard so.
#[derive(Debug, Default)]
pub(crate) struct Penalties {
    heard: BTreeMap<Rc<str>, Range<u64>>,
    /// How much sooner an instance may think that one is over, of which it did not hear itself, milliseconds.
    too_far_apart_ms: u64,
    /// When the ledger was lost by which the functions tell each other, epoch milliseconds.
    lost_at_ms: Vec<u64>,
}

impl Sender {
    /// A word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Archiver => "archiver",
            Self::Reconciler => "reconciler",
        }
    }
}

impl Received {
    /// Whether it was counted in group Heavy and let in.
    pub(crate) fn is_let_in(&self) -> bool {
        self.group == Some(RateGroup::Heavy) && self.status != 429
    }
}

impl Penalties {
    /// None yet, among instances whose clocks differ by so much more than the design allows for, milliseconds.
    pub(crate) fn among(too_far_apart_ms: u64) -> Self {
        Self { too_far_apart_ms, ..Self::default() }
    }

    /// One begins now, and `holder` hears so; `counted` says whether it is the limit's own.
    pub(crate) fn begin(&mut self, holder: &Rc<str>, counted: bool, now_ms: u64) {
        let lasts_ms = if counted { WINDOW_MS } else { PAUSE_MS };
        // A short one does not end the long one that it falls into.
        let known_until_ms = self.heard.get(holder).map_or(0, |known| known.end);
        self.heard.insert(holder.clone(), now_ms..known_until_ms.max(now_ms + lasts_ms));
    }

    /// When the one that `holder` heard of ends, epoch milliseconds; zero if it heard of none.
    pub(crate) fn heard_until_ms(&self, holder: &str) -> u64 {
        self.heard.get(holder).map_or(0, |known| known.end)
    }

    /// What `holder` heard of one is lost with it.
    pub(crate) fn forget(&mut self, holder: &str) {
        self.heard.remove(holder);
    }

    /// The ledger has vanished now: nobody need know of one any more, nor of what was sent.
    pub(crate) fn lose(&mut self, now_ms: u64) {
        self.heard.clear();
        self.lost_at_ms.push(now_ms);
    }

    /// When the ledger vanished, epoch milliseconds, in order.
    pub(crate) fn lost_at_ms(&self) -> &[u64] {
        &self.lost_at_ms
    }

    /// Whether `holder` must know that nothing may be sent now.
    pub(crate) fn forbid(&self, holder: &str, now_ms: u64) -> bool {
        self.heard.iter().any(|(heard_by, during)| {
            let known_ms = if **heard_by == *holder { 0 } else { TOLD_WITHIN_MS };
            (during.start + known_ms..during.end.saturating_sub(self.too_far_apart_ms)).contains(&now_ms)
        })
    }
}

/// The most of these times, in order, that lie within one of the vendor's windows.
pub(crate) fn fullest_window(times: &[u64]) -> usize {
    fullest_within(WINDOW_MS, times)
}

/// The most of these times, in order, that lie within so many milliseconds.
pub(crate) fn fullest_within(window_ms: u64, times: &[u64]) -> usize {
    let in_window = |(place, end_ms): (usize, &u64)| {
        place + 1 - times[..=place].partition_point(|at_ms| at_ms + window_ms <= *end_ms)
    };
    times.iter().enumerate().map(in_window).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_window_is_open_at_one_end() {
        assert_eq!(fullest_window(&[]), 0);
        assert_eq!(fullest_window(&[5, 5 + WINDOW_MS]), 1);
        assert_eq!(fullest_window(&[5, 6, 4 + WINDOW_MS, 5 + WINDOW_MS, 7 + WINDOW_MS]), 3);
    }

    #[test]
    fn who_did_not_hear_of_a_penalty_itself_is_told() {
        let mut penalties = Penalties::default();
        let (one, other) = (Rc::from("one"), "other");
        penalties.begin(&one, true, 1_000);
        let forbidden = |holder: &str, after_ms| penalties.forbid(holder, 1_000 + after_ms);
        assert!(forbidden(&one, 0) && forbidden(&one, WINDOW_MS - 1));
        assert!(!forbidden(other, TOLD_WITHIN_MS - 1) && forbidden(other, TOLD_WITHIN_MS));
        assert!(!forbidden(&one, WINDOW_MS) && !forbidden(other, WINDOW_MS));
        penalties.begin(&one, false, 2_000);
        assert!(penalties.forbid(&one, 1_000 + WINDOW_MS - 1), "the longer one is not over");
        penalties.forget(&one);
        assert!(!penalties.forbid(&one, 1_000));
        penalties.begin(&one, false, 1_000);
        assert!(penalties.forbid(&one, PAUSE_MS) && !penalties.forbid(&one, 1_000 + PAUSE_MS));
    }
}
