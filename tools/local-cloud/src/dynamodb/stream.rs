//! The table's stream, as Lambda hands it to a function.

use dynoxide::Database;
use dynoxide::actions::get_records::{GetRecordsRequest, Record};
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::streams::{shard_id, stream_arn};
use serde_json::{Value, json};

use super::TableError;
use crate::{REGION, arn};

/// Where the next batch begins: a shard iterator, or the stream's beginning.
#[derive(Default)]
pub(super) struct Position(Option<String>);

/// Every record after `position`, which moves past them.
pub(super) fn read(database: &Database, table: &str, position: &mut Position) -> Result<Value, TableError> {
    let refused = |source| TableError::Refused { action: "read the stream of", table: table.to_owned(), source };
    let label = database
        .get_table_metadata(table)
        .map_err(refused)?
        .filter(|metadata| metadata.stream_enabled)
        .and_then(|metadata| metadata.stream_label)
        .ok_or_else(|| TableError::NoStream { table: table.to_owned() })?;
    let mut iterator = match position.0.take() {
        Some(iterator) => Some(iterator),
        None => database.get_shard_iterator(beginning(table, &label)).map_err(refused)?.shard_iterator,
    };
    let mut records = Vec::new();
    while let Some(shard_iterator) = iterator.take() {
        let request = GetRecordsRequest { shard_iterator, limit: None };
        let page = database.get_records(request).map_err(refused)?;
        if page.records.is_empty() {
            position.0 = page.next_shard_iterator;
        } else {
            iterator = page.next_shard_iterator;
            records.extend(page.records);
        }
    }
    let arn = format!("{}/stream/{label}", arn::table(table));
    let records: Result<Vec<Value>, _> = records.iter().map(|record| as_lambda_sees(record, &arn)).collect();
    let records = records.map_err(|source| TableError::Malformed {
        action: "read the stream of",
        table: table.to_owned(),
        source,
    })?;
    Ok(json!({ "Records": records }))
}

fn beginning(table: &str, label: &str) -> GetShardIteratorRequest {
    GetShardIteratorRequest {
        stream_arn: stream_arn(table, label),
        shard_id: shard_id(table),
        shard_iterator_type: "TRIM_HORIZON".to_owned(),
        sequence_number: None,
    }
}

/// Lambda adds the stream's ARN to what the stream itself says; the region is ours, not the emulator's.
fn as_lambda_sees(record: &Record, arn: &str) -> Result<Value, serde_json::Error> {
    let mut record = serde_json::to_value(record)?;
    record["awsRegion"] = json!(REGION);
    record["eventSourceARN"] = json!(arn);
    Ok(record)
}
