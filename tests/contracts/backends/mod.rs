//! What keeps the contracts.

mod embedded;
mod memory;
mod moto;
mod real;

use shared::{
    domain::{object_key::ObjectKey, session::SessionKey},
    ports::{
        archive_store::ArchiveStore, cursor_store::CursorStore, permit_store::PermitStore, session_store::SessionStore,
        token_store::TokenStore,
    },
};

pub(crate) use real::{Real, STORAGE_CLASS};

/// One table and one bucket, empty when a clause begins, and eyes for what no port shows.
pub(crate) trait Backend {
    type Sessions: SessionStore;
    type Cursors: CursorStore;
    type Tokens: TokenStore;
    type Permits: PermitStore;
    type Archive: ArchiveStore;

    fn sessions(&self) -> &Self::Sessions;

    fn cursors(&self) -> &Self::Cursors;

    fn token_row(&self, client_id: &str) -> Self::Tokens;

    fn permit_rows(&self, client_id: &str) -> Self::Permits;

    fn archive(&self) -> &Self::Archive;

    /// What the table keeps of a session beside the row.
    async fn kept(&self, key: &SessionKey) -> Option<Kept>;

    /// When the table was last told to have the subscription renewed, epoch milliseconds.
    async fn reminded_at_ms(&self) -> Option<u64>;

    /// The bytes of an object.
    async fn bytes_of(&self, key: &ObjectKey) -> Option<Vec<u8>>;

    /// How many uploads were begun and neither completed nor aborted.
    async fn unfinished(&self) -> usize;

    /// Stores an object as other hands would: without our ids and without a SHA-256.
    async fn put_foreign(&self, key: &ObjectKey, bytes: &'static [u8]);
}

/// What the table keeps of a session beside the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Whether it is in the queue.
    pub(crate) queued: bool,
    /// When it is due, epoch milliseconds.
    pub(crate) due_at_ms: Option<u64>,
    /// When it may vanish, epoch seconds.
    pub(crate) expires_s: u64,
}
