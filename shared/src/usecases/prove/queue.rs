//! What is not settled: the queue, by the days whose reports tell of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        completeness::{Backlog, day_of},
        day::Day,
        ids::AccountId,
        session::SessionKey,
    },
    ports::session_store::{SessionStore, StoreError},
};

/// Rows that are in memory at once while the queue is gone through.
const ROWS_AT_ONCE: usize = 1_000;

/// The queue of one account as it stood.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) sessions: BTreeSet<SessionKey>,
    pub(super) days: BTreeMap<Day, BTreeSet<SessionKey>>,
    pub(super) backlog: Backlog,
}

impl Queue {
    pub(super) async fn read<S: SessionStore>(sessions: &S, account: &AccountId) -> Result<Self, StoreError> {
        let due = sessions.queued().await?.into_iter().map(|due| due.key);
        let keys: Vec<_> = due.filter(|key| key.account == *account).collect();
        let mut queue = Self::default();
        for keys in keys.chunks(ROWS_AT_ONCE) {
            for (key, row) in sessions.rows(keys).await?.known {
                let unfinished = row.unfinished().len();
                if unfinished > 0 {
                    queue.backlog.add(unfinished as u64, row.happened_ms);
                }
                queue.days.entry(day_of(&row)).or_default().insert(key);
            }
        }
        queue.sessions = keys.into_iter().collect();
        Ok(queue)
    }
}
