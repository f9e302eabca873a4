//! How far long jobs have come, so that a run that is killed is gone on with by the next.

use super::session_store::StoreError;

/// A job that goes on over many runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Job(String);

impl Job {
    /// The job of this name: letters, digits and `-_:#.` only.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A job's state as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Counts its writes; zero before the first.
    pub rev: u64,
    /// What the job wrote of itself last: JSON of its own. None before the first write.
    pub state: Option<String>,
}

/// The cursor rows.
pub trait CursorStore {
    /// The state of a job, read consistently.
    ///
    /// # Errors
    /// The store's.
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError>;

    /// Writes a job's state over the one read as `rev`; false, and nothing is written, if somebody else has written since.
    ///
    /// # Errors
    /// The store's; after an indeterminate one it may have been written: read it again.
    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError>;
}
