//! What a request does, as policies see it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Table;
use crate::arn;
use crate::iam::Call;

type Tables = BTreeMap<String, Table>;

/// The calls a request amounts to. A key that cannot be read counts as empty, which no pattern but `*` grants.
pub(super) fn of(operation: &str, body: &Value, tables: &Tables) -> Vec<Call> {
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let requests = body["RequestItems"].as_object().into_iter().flatten();
            requests.map(|(table, wanted)| call(operation, table, batch_keys(wanted, tables.get(table)))).collect()
        }
        "TransactGetItems" | "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            items.flat_map(|item| item.as_object().into_iter().flatten()).map(|part| part_of(part, tables)).collect()
        }
        "Query" => vec![query(body, tables)],
        "GetItem" | "UpdateItem" | "DeleteItem" | "PutItem" => vec![single(operation, body, tables)],
        _ => vec![call(operation, table_of(body), Vec::new())],
    }
}

fn call(operation: &str, table: &str, leading_keys: Vec<String>) -> Call {
    Call { action: format!("dynamodb:{operation}"), resource: arn::table(table), leading_keys }
}

fn table_of(body: &Value) -> &str {
    body["TableName"].as_str().unwrap_or_default()
}

fn single(operation: &str, body: &Value, tables: &Tables) -> Call {
    let table = table_of(body);
    call(operation, table, vec![key_of(body, tables.get(table))])
}

/// One part of a transaction: `{"Put": {…}}`.
fn part_of((kind, body): (&String, &Value), tables: &Tables) -> Call {
    let operation = if kind == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{kind}Item") };
    single(&operation, body, tables)
}

/// The keys a batch names in one table: `{"Keys": […]}` to read, `[{"PutRequest": {…}}, …]` to write.
fn batch_keys(wanted: &Value, known: Option<&Table>) -> Vec<String> {
    let written = wanted.as_array().into_iter().flatten().flat_map(|write| write.as_object().into_iter().flatten());
    let read = wanted["Keys"].as_array().into_iter().flatten();
    read.map(|key| value_of(key, known)).chain(written.map(|(_, write)| key_of(write, known))).collect()
}

fn key_of(body: &Value, known: Option<&Table>) -> String {
    value_of(if body["Key"].is_null() { &body["Item"] } else { &body["Key"] }, known)
}

fn value_of(attributes: &Value, known: Option<&Table>) -> String {
    known.map(|table| text(&attributes[&table.partition_key])).unwrap_or_default()
}

/// An attribute of one kind, `{"S": "…"}`, as text.
fn text(attribute: &Value) -> String {
    let value = attribute.as_object().and_then(|kinds| kinds.values().next());
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn query(body: &Value, tables: &Tables) -> Call {
    let (table, index) = (table_of(body), body["IndexName"].as_str());
    let partition_key = tables.get(table).and_then(|known| match index {
        None => Some(&known.partition_key),
        Some(name) => Some(&known.index.partition_key).filter(|_| name == known.index.name),
    });
    let value = partition_key.and_then(|key| equal_to(key, body)).unwrap_or_default();
    let mut call = call("Query", table, vec![value]);
    if let Some(name) = index {
        call.resource = format!("{}/index/{name}", call.resource);
    }
    call
}

/// What a key condition, `#key = :value AND …`, says that `key` equals.
fn equal_to(key: &str, body: &Value) -> Option<String> {
    let expression = body["KeyConditionExpression"].as_str()?;
    let words: Vec<&str> = expression.split_whitespace().collect();
    let named = |word: &str| body["ExpressionAttributeNames"][word].as_str().unwrap_or(word) == key;
    let [_, _, value] = words.windows(3).find(|words| named(words[0]) && words[1] == "=")? else { return None };
    Some(text(&body["ExpressionAttributeValues"][value]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dynamodb::IndexSpec;
    use crate::dynamodb::stream::Position;

    #[test]
    fn every_key_a_request_names_is_seen() {
        let index = IndexSpec { name: "due".into(), partition_key: "queue".into(), sort_key: "due_at".into() };
        let table = Table { partition_key: "pk".into(), index, position: Position::default() };
        let tables = BTreeMap::from([("t".to_owned(), table)]);
        let row = |key: &str| json!({ "pk": { "S": key }, "other": { "S": "x" } });
        let query = |index: Option<&str>, condition: &str| {
            json!({
                "TableName": "t", "IndexName": index, "KeyConditionExpression": condition,
                "ExpressionAttributeNames": { "#queue": "queue" },
                "ExpressionAttributeValues": { ":due": { "S": "due" }, ":now": { "N": "1" } },
            })
        };
        for (operation, body, expected) in [
            ("GetItem", json!({ "TableName": "t", "Key": row("a") }), &["dynamodb:GetItem t a"][..]),
            ("PutItem", json!({ "TableName": "t", "Item": row("a") }), &["dynamodb:PutItem t a"]),
            ("GetItem", json!({ "TableName": "unknown", "Key": row("a") }), &["dynamodb:GetItem unknown "]),
            (
                "BatchGetItem",
                json!({ "RequestItems": { "t": { "Keys": [row("a"), row("b")] } } }),
                &["dynamodb:BatchGetItem t a b"],
            ),
            (
                "BatchWriteItem",
                json!({ "RequestItems": { "t": [{ "PutRequest": { "Item": row("a") } }, { "DeleteRequest": { "Key": row("b") } }] } }),
                &["dynamodb:BatchWriteItem t a b"],
            ),
            (
                "TransactWriteItems",
                json!({ "TransactItems": [
                    { "Put": { "TableName": "t", "Item": row("a") } },
                    { "ConditionCheck": { "TableName": "t", "Key": row("b") } },
                ] }),
                &["dynamodb:PutItem t a", "dynamodb:ConditionCheckItem t b"],
            ),
            ("Query", query(Some("due"), "#queue = :due AND due_at <= :now"), &["dynamodb:Query t/index/due due"]),
            ("Query", query(Some("due"), "due_at <= :now and queue = :due"), &["dynamodb:Query t/index/due due"]),
            ("Query", query(Some("due"), "due_at = :now"), &["dynamodb:Query t/index/due "]),
            ("Query", query(None, "pk = :due"), &["dynamodb:Query t due"]),
            ("Scan", json!({ "TableName": "t" }), &["dynamodb:Scan t"]),
        ] {
            let shown = |call: Call| {
                let resource = call.resource.replace(&arn::table(""), "");
                [vec![call.action, resource], call.leading_keys].concat().join(" ")
            };
            let found: Vec<String> = of(operation, &body, &tables).into_iter().map(shown).collect();
            assert_eq!(found, expected, "{operation} {body}");
        }
    }
}
