//! [`SessionStore`] in memory, and the way to the vendor rows.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use shared::{
    domain::{
        call_log::Offers,
        permits::Group,
        session::{Learned, SessionKey, SessionRow},
    },
    ports::{
        cursor_store::{Cursor, CursorStore, Job},
        permit_store::KeptLedger,
        session_store::{Drain, Due, Finish, Finished, Order, Recorded, Rows, SessionStore, StoreError},
    },
};

use super::{
    leases::Lease,
    permits::MemoryPermitRows,
    sessions::{Sessions, StoredRow},
    tokens::{MemoryTokenRow, TokenRow},
};

/// The table. Every call happens whole and at once.
#[derive(Debug, Clone)]
pub struct MemoryTable {
    sessions: Rc<RefCell<Sessions>>,
    /// None: whoever asks for the drain lease gets it.
    drain: Option<Rc<RefCell<Lease>>>,
    tokens: Rc<RefCell<BTreeMap<String, MemoryTokenRow>>>,
    permits: Rc<RefCell<BTreeMap<String, MemoryPermitRows>>>,
    cursors: Rc<RefCell<BTreeMap<Job, Cursor>>>,
    reminded_at_ms: Rc<Cell<Option<u64>>>,
    restores: Rc<Cell<u32>>,
}

/// All rows as they were once.
#[derive(Debug, Clone)]
pub struct Backup {
    sessions: Sessions,
    drain: Lease,
    tokens: BTreeMap<String, TokenRow>,
    permits: BTreeMap<String, BTreeMap<Group, KeptLedger>>,
    cursors: BTreeMap<Job, Cursor>,
    reminded_at_ms: Option<u64>,
}

impl Default for MemoryTable {
    fn default() -> Self {
        Self {
            sessions: Rc::default(),
            drain: Some(Rc::default()),
            tokens: Rc::default(),
            permits: Rc::default(),
            cursors: Rc::default(),
            reminded_at_ms: Rc::default(),
            restores: Rc::default(),
        }
    }
}

impl MemoryTable {
    /// The same rows for somebody who does not mind the drain lease: it is his whenever he asks, and stays others'.
    pub fn without_lease(&self) -> Self {
        Self { drain: None, ..self.clone() }
    }

    /// The token row of `client_id`.
    pub fn token_row(&self, client_id: &str) -> MemoryTokenRow {
        self.tokens.borrow_mut().entry(client_id.to_owned()).or_default().clone()
    }

    /// The permit rows of `client_id`.
    pub fn permit_rows(&self, client_id: &str) -> MemoryPermitRows {
        self.permits.borrow_mut().entry(client_id.to_owned()).or_default().clone()
    }

    /// Reads all session rows where they stand. The table cannot be written meanwhile.
    pub fn with_rows<T>(&self, read: impl FnOnce(&BTreeMap<SessionKey, StoredRow>) -> T) -> T {
        read(self.sessions.borrow().rows())
    }

    /// One session row.
    pub fn row(&self, key: &SessionKey) -> Option<StoredRow> {
        self.with_rows(|rows| rows.get(key).cloned())
    }

    /// Changes a session row behind the port's back, or removes it where nothing is left; `rev` stays.
    pub fn tamper(&self, key: &SessionKey, change: impl FnOnce(SessionRow) -> Option<SessionRow>) {
        self.sessions.borrow_mut().tamper(key, change);
    }

    /// Makes a session row one that cannot be read together with others.
    pub fn spoil(&self, key: &SessionKey) {
        self.sessions.borrow_mut().spoil(key);
    }

    /// Makes that row readable again.
    pub fn mend(&self, key: &SessionKey) {
        self.sessions.borrow_mut().mend(key);
    }

    /// All rows as they are now.
    pub fn backup(&self) -> Backup {
        let drain = self.drain.as_ref().map(|drain| drain.borrow().clone());
        let tokens = self.tokens.borrow();
        let permits = self.permits.borrow();
        Backup {
            sessions: self.sessions.borrow().clone(),
            drain: drain.unwrap_or_default(),
            tokens: tokens.iter().map(|(client, row)| (client.clone(), row.copied())).collect(),
            permits: permits.iter().map(|(client, rows)| (client.clone(), rows.copied())).collect(),
            cursors: self.cursors.borrow().clone(),
            reminded_at_ms: self.reminded_at_ms.get(),
        }
    }

    /// Makes all rows what they were.
    pub fn restore(&self, backup: Backup) {
        self.sessions.replace(backup.sessions);
        self.sessions.borrow_mut().take_changed();
        if let Some(drain) = &self.drain {
            drain.replace(backup.drain);
        }
        for (client, row) in &*self.tokens.borrow() {
            row.restore(backup.tokens.get(client).cloned().unwrap_or_default());
        }
        for (client, rows) in &*self.permits.borrow() {
            rows.restore(backup.permits.get(client).cloned().unwrap_or_default());
        }
        self.cursors.replace(backup.cursors);
        self.reminded_at_ms.set(backup.reminded_at_ms);
        self.restores.set(self.restores.get() + 1);
    }

    /// How often the rows were made what they had been.
    pub fn restores(&self) -> u32 {
        self.restores.get()
    }

    /// Keys of the session rows written since this was last asked, each once.
    pub fn changed(&self) -> Vec<SessionKey> {
        self.sessions.borrow_mut().take_changed()
    }

    /// When the vendor last reminded us to renew the subscription, epoch milliseconds.
    pub fn reminded_at_ms(&self) -> Option<u64> {
        self.reminded_at_ms.get()
    }

    /// When the next session is due, epoch milliseconds; nothing if all are settled.
    pub fn next_due_ms(&self) -> Option<u64> {
        self.sessions.borrow().next_due_ms()
    }
}

impl SessionStore for MemoryTable {
    async fn record(&self, learned: &Learned) -> Result<Recorded, StoreError> {
        Ok(self.sessions.borrow_mut().record(learned))
    }

    async fn rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError> {
        Ok(self.sessions.borrow().read(keys))
    }

    async fn queued(&self) -> Result<Vec<Due>, StoreError> {
        Ok(self.sessions.borrow().queued())
    }

    async fn due(&self, now_ms: u64, order: Order, limit: usize) -> Result<Vec<Due>, StoreError> {
        Ok(self.sessions.borrow().due(now_ms, order, limit))
    }

    async fn count_due(&self, now_ms: u64) -> Result<usize, StoreError> {
        Ok(self.sessions.borrow().count_due(now_ms))
    }

    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError> {
        self.sessions.borrow_mut().claim(key, now_ms, until_ms)
    }

    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError> {
        self.sessions.borrow_mut().finish(key, rev, finish)
    }

    async fn offer(&self, key: &SessionKey, offers: &Offers) -> Result<bool, StoreError> {
        Ok(self.sessions.borrow_mut().offer(key, offers))
    }

    async fn remind(&self, now_ms: u64) -> Result<(), StoreError> {
        self.reminded_at_ms.set(Some(now_ms));
        Ok(())
    }

    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<Drain, StoreError> {
        Ok(self.drain.as_ref().map_or(Drain::Ours, |drain| drain.borrow_mut().acquire(holder, now_ms, until_ms)))
    }

    async fn release_drain(&self, holder: &str) -> Result<(), StoreError> {
        if let Some(drain) = &self.drain {
            drain.borrow_mut().release(holder);
        }
        Ok(())
    }
}

impl CursorStore for MemoryTable {
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError> {
        Ok(self.cursors.borrow().get(job).cloned().unwrap_or_default())
    }

    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        let mut cursors = self.cursors.borrow_mut();
        let kept = cursors.entry(job.clone()).or_default();
        let ours = kept.rev == rev;
        if ours {
            *kept = Cursor { rev: rev + 1, state: Some(state.to_owned()) };
        }
        Ok(ours)
    }
}
