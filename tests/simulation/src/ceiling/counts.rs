//! What the vendor received, counted.

use ringcentral_sim::core::RateGroup;

use super::{Figure, stage::Played};
use crate::received::{Received, WINDOW_MS, fullest_window};

impl Played {
    /// Requests that were counted in a group.
    pub(super) fn counted_in(&self, group: RateGroup) -> impl Iterator<Item = &Received> {
        self.received.iter().filter(move |received| received.group == Some(group))
    }

    /// How many requests of group Heavy were let in between two times, epoch milliseconds, in parts of what `limit` a
    /// window would have let in.
    pub(super) fn share(&self, from_ms: u64, until_ms: u64, limit: usize) -> f64 {
        let most = limit as f64 * (until_ms - from_ms) as f64 / WINDOW_MS as f64;
        self.let_in(from_ms, until_ms).count() as f64 / most
    }

    /// The most requests of group Heavy that were let in within any window between two times, epoch milliseconds.
    pub(super) fn fullest_window(&self, from_ms: u64, until_ms: u64) -> usize {
        let times: Vec<u64> = self.let_in(from_ms, until_ms).collect();
        fullest_window(&times)
    }

    /// All requests of group Heavy, refused ones too, for each recording that was archived.
    pub(super) fn heavy_per_recording(&self) -> f64 {
        self.counted_in(RateGroup::Heavy).count() as f64 / self.archived() as f64
    }

    /// Refusals. Nobody but the program uses up the limit here, so each is its own fault.
    pub(super) fn self_caused_429(&self) -> Figure {
        Figure::never("self_caused_429", self.counted_in(RateGroup::Heavy).filter(|one| one.status == 429).count())
    }

    /// When requests of group Heavy were let in between two times, epoch milliseconds.
    fn let_in(&self, from_ms: u64, until_ms: u64) -> impl Iterator<Item = u64> {
        let let_in = self.received.iter().filter(|received| received.is_let_in());
        let_in.map(|received| received.at_ms).filter(move |at_ms| (from_ms..until_ms).contains(at_ms))
    }
}
