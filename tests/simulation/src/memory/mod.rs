//! The ports in memory: a table with its vendor rows and a bucket that keep the same contracts as DynamoDB and S3.
//!
//! They answer at once and never fail: delay and faults are put around them. Clones share one state.

mod bucket;
mod leases;
mod past;
mod permits;
mod sessions;
mod table;
mod tokens;

pub use bucket::{MemoryBucket, StoredObject};
pub(crate) use past::sha256;
pub use past::{Fate, PastCall, StoppedClock};
pub use permits::MemoryPermitRows;
pub use sessions::StoredRow;
pub use table::{Backup, MemoryTable};
pub use tokens::MemoryTokenRow;
