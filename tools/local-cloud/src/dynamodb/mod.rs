//! DynamoDB: dynoxide in memory, with a gate of ours in front of it.

mod calls;
mod gate;
mod rows;
mod stream;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dynoxide::{Database, DynoxideError};
use serde_json::{Map, Value, json};
use tokio::task::AbortHandle;

pub use self::gate::{Gate, Held};
use self::stream::Position;
pub use self::table::{IndexSpec, TableSpec};
use crate::StartError;
use crate::iam::Iam;
use crate::server::{self, Server};
use crate::sync::lock;

/// DynamoDB on loopback.
pub struct DynamoDb {
    database: Database,
    tables: Arc<Tables>,
    gate: Arc<Gate>,
    server: Server,
    engine: AbortHandle,
}

type Tables = Mutex<BTreeMap<String, Table>>;

/// What we must remember of a table to read it, and to tell who may.
struct Table {
    partition_key: String,
    index: IndexSpec,
    position: Position,
}

/// Why a table was not made or not read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// No such table.
    #[error("there is no table {table}; create it first")]
    Unknown {
        /// The name asked for.
        table: String,
    },
    /// The table has no stream.
    #[error("the table {table} has no stream; create it with a `stream_view`")]
    NoStream {
        /// The table.
        table: String,
    },
    /// The database refused.
    #[error("cannot {action} the table {table}")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: String,
        /// The database's own words.
        source: DynoxideError,
    },
    /// What came from the database, or was to go there, is not in its form.
    #[error("cannot {action} the table {table}: its JSON has an unexpected form")]
    Malformed {
        /// What was tried.
        action: &'static str,
        /// The table.
        table: String,
        /// Where it differs.
        source: serde_json::Error,
    },
}

impl DynamoDb {
    /// Starts with no tables, for the administrator alone.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(Arc::default()).await
    }

    /// Starts with no tables, for the roles of `iam` too.
    pub async fn start_with(iam: Arc<Iam>) -> Result<Self, StartError> {
        let database = Database::memory().map_err(StartError::Database)?;
        let (listener, address) = server::listen("the database behind the gate").await?;
        let gate = Arc::new(Gate::default());
        let tables = Arc::<Tables>::default();
        let router = gate::router(Arc::clone(&gate), iam, Arc::clone(&tables), format!("http://{address}/"))?;
        let server = Server::start("DynamoDB", router).await?;
        let engine = tokio::spawn(dynoxide::server::serve_on(listener, database.clone())).abort_handle();
        Ok(Self { database, tables, gate, server, engine })
    }

    /// Where a client finds it.
    pub fn endpoint(&self) -> String {
        self.server.url()
    }

    /// Creates an empty table.
    pub fn create_table(&self, spec: &TableSpec) -> Result<(), TableError> {
        table::create(&self.database, spec)?;
        let (partition_key, index) = (spec.partition_key.clone(), spec.index.clone());
        let table = Table { partition_key, index, position: Position::default() };
        lock(&self.tables).insert(spec.name.clone(), table);
        Ok(())
    }

    /// Every row of `table` as plain JSON, by key: numbers as numbers, sets as sorted arrays. For people and tests;
    /// neither the gate nor [`DynamoDb::stop`] stands in the way.
    pub fn rows(&self, table: &str) -> Result<Vec<Map<String, Value>>, TableError> {
        rows::read(&self.database, table, &self.partition_key(table)?)
    }

    /// Sets one numeric attribute of a row, as if time had moved it: leases and due times live in numbers.
    pub fn set_number(&self, table: &str, key: &str, attribute: &str, value: u64) -> Result<(), TableError> {
        let partition_key = self.partition_key(table)?;
        let value = json!({ "N": value.to_string() });
        table::set(&self.database, table, json!({ partition_key: { "S": key } }), attribute, value)
    }

    /// Sets one text attribute of a row, as if time had moved it: what a job has done is kept in texts.
    pub fn set_text(&self, table: &str, key: &str, attribute: &str, value: &str) -> Result<(), TableError> {
        let partition_key = self.partition_key(table)?;
        let value = json!({ "S": value });
        table::set(&self.database, table, json!({ partition_key: { "S": key } }), attribute, value)
    }

    /// What the table's stream says since the last call, as the event Lambda would get: `{"Records": […]}`, with
    /// no records when nothing was written.
    pub fn stream_batch(&self, table: &str) -> Result<Value, TableError> {
        let mut tables = lock(&self.tables);
        let known = tables.get_mut(table).ok_or_else(|| TableError::Unknown { table: table.to_owned() })?;
        stream::read(&self.database, table, &mut known.position)
    }

    /// The gate that can hold or refuse requests.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    fn partition_key(&self, table: &str) -> Result<String, TableError> {
        let tables = lock(&self.tables);
        let known = tables.get(table).ok_or_else(|| TableError::Unknown { table: table.to_owned() })?;
        Ok(known.partition_key.clone())
    }

    /// Takes the store down: every connection is cut, further ones are refused. The rows stay readable here.
    pub fn stop(&self) {
        self.server.stop();
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        self.engine.abort();
    }
}
