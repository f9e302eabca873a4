//! What happens by itself, in order of time.

use super::notify::Delivery;
use crate::world::Step;
use std::collections::BTreeMap;

/// Something that happens by itself.
#[derive(Debug)]
pub(super) enum Happening {
    /// A call goes on.
    Step(Step),
    /// Transitions of a call that were held together are told.
    Tell { telephony_session_id: String },
    /// A notification leaves, unless its subscription has gone.
    Send(Delivery),
    /// A renewal reminder is due, if the subscription still ends then.
    Remind { subscription_id: String, expires_at_ms: u64 },
    /// A blacklisted address is asked again.
    Recheck { subscription_id: String },
}

/// Whatever is due at one time happens in the order it was entered.
#[derive(Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(u64, u64), Happening>,
    entered: u64,
}

impl Agenda {
    pub(super) fn enter(&mut self, at_ms: u64, happening: Happening) {
        self.entered += 1;
        self.entries.insert((at_ms, self.entered), happening);
    }

    /// The first that is due by now, with its time.
    pub(super) fn take_due(&mut self, now_ms: u64) -> Option<(u64, Happening)> {
        let first = self.entries.first_entry().filter(|entry| entry.key().0 <= now_ms)?;
        let ((at_ms, _), happening) = first.remove_entry();
        Some((at_ms, happening))
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.entries.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }
}
