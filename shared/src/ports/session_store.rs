//! The table: session rows and the drain lease.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        call_log::Offers,
        ids::{PartyId, RecordingId},
        session::{Heard, KeptManifest, Learned, Next, RecordingResult, SessionKey, SessionRow},
    },
    failure::Class,
};

/// Whether a notification said something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The row has grown.
    New,
    /// Everything was known; nothing was written.
    Known,
}

/// How a finish ended. Losing the race is a value, not an error.
#[derive(Debug, Clone, PartialEq)]
pub enum Finished {
    /// Results and next time are written.
    Done,
    /// Facts came meanwhile and nothing was written: plan again on this row.
    Changed(Box<SessionRow>),
}

/// A session in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub key: SessionKey,
    /// Since when somebody should look, epoch milliseconds: its place in the queue.
    pub due_at_ms: u64,
}

/// Rows that were read together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Those that can be read.
    pub known: BTreeMap<SessionKey, SessionRow>,
    /// Those that are there and are not what this version writes.
    pub unreadable: BTreeSet<SessionKey>,
}

/// From which end the queue is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What has been due longest comes first.
    Oldest,
    /// What has become due last comes first.
    Latest,
}

/// How a wish for the drain lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// It is ours.
    Ours,
    /// Somebody else has it, at most until `until_ms`, epoch milliseconds.
    Held {
        /// When it runs out.
        until_ms: u64,
    },
}

/// Facts a look found out by itself: no event told of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Recordings the vendor offers.
    pub heard: BTreeSet<Heard>,
    /// Parties that ended.
    pub ended: BTreeSet<PartyId>,
}

/// What a look at a session writes back.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// Results that changed.
    pub results: BTreeMap<RecordingId, RecordingResult>,
    /// Facts to add.
    pub found: Found,
    /// The manifest, if this look wrote one.
    pub manifest: Option<KeptManifest>,
    /// When to look again: a settled session that is to be looked at comes back into the queue.
    pub next: Next,
    /// Looks taken, this one included if it counts.
    pub attempts: u32,
    /// When a settled row may vanish, epoch seconds.
    pub expires_s: u64,
}

/// Session rows. Every write counts `rev` up by one.
pub trait SessionStore {
    /// Adds facts in **one** conditional write without a read. Facts only grow, so any order and number of the same
    /// events gives the same facts; what says nothing new writes nothing.
    ///
    /// # Errors
    /// The store's; after an indeterminate one the same call may simply be made again.
    async fn record(&self, learned: &Learned) -> Result<Recorded, StoreError>;

    /// Reads many rows at once, consistently. Sessions that have no row are in neither part of the answer.
    ///
    /// # Errors
    /// The store's.
    async fn rows(&self, keys: &[SessionKey]) -> Result<Rows, StoreError>;

    /// Every session in the queue, due or not. It may lag behind writes of the last moment.
    ///
    /// # Errors
    /// The store's.
    async fn queued(&self) -> Result<Vec<Due>, StoreError>;

    /// Sessions due at `now_ms`, at most `limit`. It may lag behind writes of the last moment.
    ///
    /// # Errors
    /// The store's.
    async fn due(&self, now_ms: u64, order: Order, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// How many sessions are due at `now_ms`. It may lag behind writes of the last moment.
    ///
    /// # Errors
    /// The store's.
    async fn count_due(&self, now_ms: u64) -> Result<usize, StoreError>;

    /// Takes a due session: pushes it on to `until_ms` and counts the attempt, so that a run killed midway blocks it no
    /// longer than that. Nothing if it is not due any more.
    ///
    /// # Errors
    /// The store's; [`StoreError::Corrupt`] if the row cannot be read.
    async fn claim(&self, key: &SessionKey, now_ms: u64, until_ms: u64) -> Result<Option<SessionRow>, StoreError>;

    /// Writes results, facts and the next time, on condition that `rev` is still the row's.
    ///
    /// # Errors
    /// The store's.
    async fn finish(&self, key: &SessionKey, rev: u64, finish: &Finish) -> Result<Finished, StoreError>;

    /// Adds what the call log offers to a session in the queue, in **one** conditional write without a read: whoever looks
    /// at it next need not ask. False if there is no such session, or it knows all of this.
    ///
    /// # Errors
    /// The store's; after an indeterminate one the same call may simply be made again.
    async fn offer(&self, key: &SessionKey, offers: &Offers) -> Result<bool, StoreError>;

    /// Takes the drain lease until `until_ms`, unless another holder's has not run out.
    ///
    /// # Errors
    /// The store's.
    async fn acquire_drain(&self, holder: &str, now_ms: u64, until_ms: u64) -> Result<Drain, StoreError>;

    /// Gives the lease back if `holder` still has it.
    ///
    /// # Errors
    /// The store's; the lease then runs out by itself.
    async fn release_drain(&self, holder: &str) -> Result<(), StoreError>;
}

/// Why the table did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It refused for now, or could not be reached.
    #[error("could not reach the table: {0}")]
    Unavailable(String),
    /// No answer came: the write may have happened.
    #[error("the table did not answer: {0}")]
    Indeterminate(String),
    /// It will never do this: rights, names or the request itself are wrong.
    #[error("cannot use the table: {0}")]
    Rejected(String),
    /// A row is not what this version writes.
    #[error("cannot read a row of the table: {0}")]
    Corrupt(&'static str),
}

impl StoreError {
    /// What this means for the caller.
    pub fn class(&self) -> Class {
        match self {
            Self::Unavailable(_) => Class::Transient { retry_after: None },
            Self::Indeterminate(_) => Class::Indeterminate,
            Self::Rejected(_) | Self::Corrupt(_) => Class::Permanent,
        }
    }
}
