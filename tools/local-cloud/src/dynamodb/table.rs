//! The shape of a table, and its creation.

use dynoxide::Database;
use serde_json::{Value, json};

use super::TableError;

/// A table keyed by one string, with one index.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Its name, three characters or more.
    pub name: String,
    /// The attribute, a string, that is the whole primary key.
    pub partition_key: String,
    /// Its one index, which projects the keys alone.
    pub index: IndexSpec,
    /// The attribute, epoch seconds, after which a row may go. Nothing here deletes by itself.
    pub ttl_attribute: String,
    /// What [`DynamoDb::stream_batch`](super::DynamoDb::stream_batch) tells of a change, such as `NEW_IMAGE`; no stream
    /// if `None`.
    pub stream_view: Option<String>,
}

/// A global secondary index.
#[derive(Debug, Clone)]
pub struct IndexSpec {
    /// Its name.
    pub name: String,
    /// The attribute, a string, that partitions it.
    pub partition_key: String,
    /// The attribute, a number, that sorts it.
    pub sort_key: String,
}

pub(super) fn create(database: &Database, spec: &TableSpec) -> Result<(), TableError> {
    let malformed = |source| TableError::Malformed { action: "create", table: spec.name.clone(), source };
    let refused = |source| TableError::Refused { action: "create", table: spec.name.clone(), source };
    let table = serde_json::from_value(creation(spec)).map_err(malformed)?;
    database.create_table(table).map_err(refused)?;
    let time_to_live = serde_json::from_value(json!({
        "TableName": spec.name,
        "TimeToLiveSpecification": { "AttributeName": spec.ttl_attribute, "Enabled": true },
    }));
    database.update_time_to_live(time_to_live.map_err(malformed)?).map_err(refused)?;
    Ok(())
}

fn creation(spec: &TableSpec) -> Value {
    let index = &spec.index;
    let mut creation = json!({
        "TableName": spec.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": spec.partition_key, "AttributeType": "S" },
            { "AttributeName": index.partition_key, "AttributeType": "S" },
            { "AttributeName": index.sort_key, "AttributeType": "N" },
        ],
        "KeySchema": [{ "AttributeName": spec.partition_key, "KeyType": "HASH" }],
        "GlobalSecondaryIndexes": [{
            "IndexName": index.name,
            "KeySchema": [
                { "AttributeName": index.partition_key, "KeyType": "HASH" },
                { "AttributeName": index.sort_key, "KeyType": "RANGE" },
            ],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    if let Some(view) = &spec.stream_view {
        creation["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
    }
    creation
}

/// Sets one attribute of a row; `value` has DynamoDB's form.
pub(super) fn set(
    database: &Database,
    table: &str,
    key: Value,
    attribute: &str,
    value: Value,
) -> Result<(), TableError> {
    let action = "change a row of";
    let update = serde_json::from_value(json!({
        "TableName": table,
        "Key": key,
        "UpdateExpression": "SET #attribute = :value",
        "ExpressionAttributeNames": { "#attribute": attribute },
        "ExpressionAttributeValues": { ":value": value },
    }));
    let update = update.map_err(|source| TableError::Malformed { action, table: table.to_owned(), source })?;
    let updated = database.update_item(update);
    updated.map(|_| ()).map_err(|source| TableError::Refused { action, table: table.to_owned(), source })
}
