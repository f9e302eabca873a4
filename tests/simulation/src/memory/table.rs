//! [`SessionStore`] and [`TokenStore`] in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use shared::{
    domain::{
        ids::RecordingId,
        notification::SessionFacts,
        session::{Learned, RecordingResult, Schedule, SessionKey, SessionRow},
    },
    ports::{
        session_store::{Finish, Finished, Recorded, SessionStore, StoreError},
        token_store::{StoredToken, TokenStore},
    },
};

use super::{
    leases::Lease,
    sessions::{Sessions, StoredRow},
};

/// The table. Every call happens whole and at once.
#[derive(Debug, Clone, Default)]
pub struct MemoryTable {
    sessions: Rc<RefCell<Sessions>>,
    drain: Rc<RefCell<Lease>>,
    tokens: Rc<RefCell<HashMap<String, MemoryTokenRow>>>,
}

/// The token row of one client id.
#[derive(Debug, Clone, Default)]
pub struct MemoryTokenRow {
    token: Rc<RefCell<Option<StoredToken>>>,
    lock: Rc<RefCell<Lease>>,
}

impl MemoryTable {
    /// The token row of `client_id`.
    pub fn token_row(&self, client_id: &str) -> MemoryTokenRow {
        self.tokens.borrow_mut().entry(client_id.to_owned()).or_default().clone()
    }

    /// Reads all session rows where they stand. The table cannot be written meanwhile.
    pub fn with_rows<T>(&self, read: impl FnOnce(&BTreeMap<SessionKey, StoredRow>) -> T) -> T {
        read(self.sessions.borrow().rows())
    }

    /// One session row.
    pub fn row(&self, key: &SessionKey) -> Option<StoredRow> {
        self.with_rows(|rows| rows.get(key).cloned())
    }

    /// Keys of the session rows written since this was last asked, each once.
    pub fn changed(&self) -> Vec<SessionKey> {
        self.sessions.borrow_mut().take_changed()
    }

    /// When the next session is due, epoch milliseconds; nothing if all are settled.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.sessions.borrow().next_due_ms()
    }
}

impl SessionStore for MemoryTable {
    async fn record(&self, facts: &SessionFacts, schedule: &Schedule, now_ms: u64) -> Result<Recorded, StoreError> {
        Ok(self.sessions.borrow_mut().record(Learned::of(facts, schedule, now_ms)))
    }

    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<SessionKey>, StoreError> {
        Ok(self.sessions.borrow().due(now_ms, limit))
    }

    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError> {
        Ok(self.sessions.borrow_mut().claim(key, now_ms, until_ms))
    }

    async fn note(
        &self,
        key: &SessionKey,
        recording: &RecordingId,
        result: &RecordingResult,
    ) -> Result<SessionRow, StoreError> {
        self.sessions.borrow_mut().note(key, recording, result)
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        self.sessions.borrow_mut().finish(key, rev, finish)
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        Ok(self.drain.borrow_mut().acquire(holder, now_ms, until_ms))
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        self.drain.borrow_mut().release(holder);
        Ok(())
    }
}

impl TokenStore for MemoryTokenRow {
    async fn token(&self) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.token.borrow().clone())
    }

    async fn lock(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<bool, StoreError> {
        Ok(self.lock.borrow_mut().acquire(holder, now_ms, until_ms))
    }

    async fn put(&self, token: &StoredToken) -> Result<(), StoreError> {
        *self.token.borrow_mut() = Some(token.clone());
        self.lock.borrow_mut().clear();
        Ok(())
    }
}
