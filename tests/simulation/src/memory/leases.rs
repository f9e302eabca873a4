//! Leases, as `shared::clients::dynamodb` keeps them in rows under `vendor#`.

use shared::ports::session_store::Drain;

/// A right that one holder at a time has, until a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Lease {
    holder: String,
    held_until_ms: Option<u64>,
}

impl Lease {
    /// Takes it if nobody else's is running; whoever has it may take it anew.
    pub(super) fn acquire(&mut self, holder: &str, now_ms: u64, until_ms: u64) -> Drain {
        match self.held_until_ms {
            Some(held_until_ms) if held_until_ms > now_ms && self.holder != holder => {
                Drain::Held { until_ms: held_until_ms }
            }
            Some(_) | None => {
                *self = Self { holder: holder.to_owned(), held_until_ms: Some(until_ms) };
                Drain::Ours
            }
        }
    }

    /// Ends it if `holder` was the last to take it.
    pub(super) fn release(&mut self, holder: &str) {
        if self.holder == holder {
            self.held_until_ms = None;
        }
    }

    /// Ends it, whoever has it.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
