//! The reconciler keeps within its share of the vendor's limit.

use super::Judge;
use crate::received::{Sender, WINDOW_MS, fullest_within};

impl Judge {
    /// In no window may the vendor have let in more of the reconciler's requests than its share of the limit: as far as its
    /// instances' clocks agree on a window, and as long as the ledger is there in which they count.
    pub(crate) fn look_at_share(&mut self) {
        let limit = self.vendor.core.borrow().settings().heavy_limit;
        let most = (limit * self.knobs.share_percent() / 100).max(1);
        let received = self.vendor.received.borrow();
        let its = received.iter().filter(|one| one.sender == Sender::Reconciler && one.is_let_in());
        let times: Vec<u64> = its.map(|one| one.at_ms).collect();
        drop(received);
        let window_ms = WINDOW_MS - self.knobs.too_far_apart_ms();
        let penalties = self.vendor.penalties.borrow();
        let losses = penalties.lost_at_ms().iter().chain(&[u64::MAX]);
        let (mut rest, mut fullest) = (&times[..], 0);
        for loss_ms in losses {
            let (before, after) = rest.split_at(rest.partition_point(|at_ms| at_ms < loss_ms));
            fullest = fullest.max(fullest_within(window_ms, before));
            rest = after;
        }
        drop(penalties);
        if fullest > most {
            self.complain(format!("the reconciler sent {fullest} requests within a window: its share is {most}"));
        }
    }
}
