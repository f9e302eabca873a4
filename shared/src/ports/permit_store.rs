//! The ledger of requests that all functions of one credential share.

use super::session_store::StoreError;
use crate::domain::permits::{Group, Ledger};

/// A ledger as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLedger {
    /// What it says.
    pub ledger: Ledger,
    /// Counts its writes; zero before the first.
    pub rev: u64,
}

/// How a write of a ledger ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It is written.
    Done,
    /// Somebody else has written since, and nothing was written: decide anew on this.
    Changed(KeptLedger),
}

/// The permit rows of one credential, one for each group.
pub trait PermitStore {
    /// The ledger of a group, read consistently; an empty one where there is none yet.
    ///
    /// # Errors
    /// The store's.
    async fn ledger(&self, group: &Group) -> Result<KeptLedger, StoreError>;

    /// Writes a ledger over the one read as `rev`, on condition that it is still the one there.
    ///
    /// # Errors
    /// The store's; after an indeterminate one the same call may simply be made again.
    async fn replace(&self, group: &Group, rev: u64, ledger: &Ledger) -> Result<Replaced, StoreError>;
}
