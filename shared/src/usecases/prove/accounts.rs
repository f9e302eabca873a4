//! Whose days are proved: an account whose calls were read once is remembered.

use std::collections::BTreeSet;

use super::{ProveError, Prover};
use crate::{
    domain::{
        completeness::{accounts_to_json, parse_accounts},
        ids::AccountId,
    },
    ports::{
        archive_store::ArchiveStore,
        clock::Clock,
        cursor_store::{CursorStore, Job},
        session_store::SessionStore,
    },
};

/// Others may remember accounts at the same time: so often it is tried.
const ROUNDS: u32 = 4;

impl<S: SessionStore, A: ArchiveStore, K: CursorStore, C: Clock> Prover<'_, S, A, K, C> {
    /// Remembers the accounts of calls that were `read`, and answers all that were ever remembered.
    ///
    /// # Errors
    /// The table's, and where its list cannot be read or others keep writing it.
    pub async fn accounts(&self, read: &BTreeSet<AccountId>) -> Result<BTreeSet<AccountId>, ProveError> {
        let job = Job::new("accounts");
        for _ in 0..ROUNDS {
            let cursor = self.cursors.cursor(&job).await?;
            let known = cursor.state.as_deref().map_or(Ok(BTreeSet::new()), parse_accounts)?;
            let all: BTreeSet<_> = known.union(read).cloned().collect();
            if all == known || self.cursors.advance(&job, cursor.rev, &accounts_to_json(&all)).await? {
                return Ok(all);
            }
        }
        Err(ProveError::Contended)
    }
}
