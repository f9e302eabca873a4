//! The ports in memory: a table, a bucket and a token row that keep the same contracts as DynamoDB and S3.
//!
//! They answer at once and never fail: delay and faults are put around them. Clones share one state.

mod bucket;
mod leases;
mod sessions;
mod table;

pub use bucket::{MemoryBucket, StoredObject};
pub use sessions::StoredRow;
pub use table::{MemoryTable, MemoryTokenRow};
