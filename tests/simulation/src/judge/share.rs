//! The reconciler keeps within its share of the vendor's limit.

use super::Judge;
use crate::{
    received::{Sender, fullest_window},
    world::RECONCILER_PERCENT,
};

impl Judge {
    /// In no window may the vendor have let in more of the reconciler's requests than its share of the limit.
    pub(crate) fn look_at_share(&mut self) {
        let limit = self.vendor.core.borrow().settings().heavy_limit;
        let most = limit * RECONCILER_PERCENT as usize / 100;
        let received = self.vendor.received.borrow();
        let its = received.iter().filter(|one| one.sender == Sender::Reconciler && one.is_let_in());
        let times: Vec<u64> = its.map(|one| one.at_ms).collect();
        drop(received);
        let fullest = fullest_window(&times);
        if fullest > most {
            self.complain(format!("the reconciler sent {fullest} requests within a window: its share is {most}"));
        }
    }
}
