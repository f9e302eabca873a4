//! The table: names of its attributes, and the adapters of the ports that live in it.

mod cursors;
mod error;
mod facts;
mod finish;
mod leases;
mod offer;
mod permits;
mod row;
mod rows;
mod sessions;
mod tokens;
mod told;

use aws_sdk_dynamodb::Client;

/// Names the template, the local cloud and the adapters agree on.
pub mod schema {
    /// Partition key of the table; there is no sort key.
    pub const KEY: &str = "pk";
    /// The sparse index that finds what is due.
    pub const DUE_INDEX: &str = "due";
    /// Partition key of the index, present while there is work.
    pub const QUEUE: &str = "queue";
    /// Sort key of the index, epoch milliseconds.
    pub const DUE_AT: &str = "due_at";
    /// The TTL attribute, epoch seconds.
    pub const TTL: &str = "ttl";
    /// What the stream tells of a change: it only wakes a function, which reads the table itself.
    pub const STREAM_VIEW: &str = "NEW_IMAGE";
    /// Keys of rows that tell somebody who listens to the stream begin so.
    pub const SIGNALS: &str = "signal#";
    /// The row that tells the reconciler to renew the subscription.
    pub const RENEWAL_SIGNAL: &str = "signal#renewal";
    /// The value of [`QUEUE`].
    pub const DUE: &str = "due";
}

/// Version of the rows this program writes.
const ROW_VERSION: u64 = 1;

/// The one table, as one credential's functions use it.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
}

/// The token row of one client id.
#[derive(Debug, Clone)]
pub struct TokenRow {
    table: Table,
    key: String,
}

/// The permit rows of one client id.
#[derive(Debug, Clone)]
pub struct PermitRows {
    table: Table,
    client_id: String,
}

impl Table {
    /// A table reached through `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// The token row of `client_id`.
    pub fn token_row(&self, client_id: &str) -> TokenRow {
        TokenRow { table: self.clone(), key: format!("vendor#token#{client_id}") }
    }

    /// The permit rows of `client_id`.
    pub fn permit_rows(&self, client_id: &str) -> PermitRows {
        PermitRows { table: self.clone(), client_id: client_id.to_owned() }
    }
}
