//! The simulation's table and bucket.

use bytes::Bytes;
use shared::domain::{object_key::ObjectKey, session::SessionKey};
use simulation::memory::{MemoryBucket, MemoryPermitRows, MemoryTable, MemoryTokenRow};

use super::{Backend, Kept};

every_clause!(super::run);

#[derive(Default)]
struct Memory {
    table: MemoryTable,
    bucket: MemoryBucket,
}

async fn run(_clause: &str, holds: impl AsyncFnOnce(&Memory)) {
    holds(&Memory::default()).await;
}

impl Backend for Memory {
    type Sessions = MemoryTable;
    type Cursors = MemoryTable;
    type Tokens = MemoryTokenRow;
    type Permits = MemoryPermitRows;
    type Archive = MemoryBucket;

    fn sessions(&self) -> &MemoryTable {
        &self.table
    }

    fn cursors(&self) -> &MemoryTable {
        &self.table
    }

    fn token_row(&self, client_id: &str) -> MemoryTokenRow {
        self.table.token_row(client_id)
    }

    fn permit_rows(&self, client_id: &str) -> MemoryPermitRows {
        self.table.permit_rows(client_id)
    }

    fn archive(&self) -> &MemoryBucket {
        &self.bucket
    }

    async fn kept(&self, key: &SessionKey) -> Option<Kept> {
        let stored = self.table.row(key)?;
        Some(Kept { queued: stored.queued, due_at_ms: stored.due_at_ms, expires_s: stored.expires_s })
    }

    async fn reminded_at_ms(&self) -> Option<u64> {
        self.table.reminded_at_ms()
    }

    async fn bytes_of(&self, key: &ObjectKey) -> Option<Vec<u8>> {
        self.bucket.object(key).map(|object| object.bytes.to_vec())
    }

    async fn unfinished(&self) -> usize {
        0
    }

    async fn put_foreign(&self, key: &ObjectKey, bytes: &'static [u8]) {
        self.bucket.put_foreign(key.clone(), Bytes::from_static(bytes));
    }
}
