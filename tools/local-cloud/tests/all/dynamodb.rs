use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use local_cloud::dynamodb::{DynamoDb, IndexSpec, TableSpec};
use local_cloud::lambda::{Function, InvokeError};
use serde_json::{Value, json};

use crate::{clients, double};

const TABLE: &str = "sessions";

async fn start() -> (DynamoDb, Client) {
    let dynamodb = DynamoDb::start().await.unwrap();
    let index = IndexSpec { name: "due".into(), partition_key: "queue".into(), sort_key: "due_at".into() };
    let spec = TableSpec {
        name: TABLE.into(),
        partition_key: "pk".into(),
        index,
        ttl_attribute: "ttl".into(),
        stream_view: Some("NEW_AND_OLD_IMAGES".into()),
    };
    dynamodb.create_table(&spec).unwrap();
    let client = clients::dynamodb(&dynamodb.endpoint());
    (dynamodb, client)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Adds `fact` to the row, unless it is there; answers the error code.
async fn add(client: &Client, pk: &str, fact: &str, due_at: u64) -> Result<(), String> {
    client
        .update_item()
        .table_name(TABLE)
        .key("pk", text(pk))
        .update_expression("ADD heard :fact, rev :one SET queue = :due, due_at = if_not_exists(due_at, :at)")
        .condition_expression("NOT contains(heard, :plain)")
        .expression_attribute_values(":fact", AttributeValue::Ss(vec![fact.into()]))
        .expression_attribute_values(":plain", text(fact))
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .expression_attribute_values(":due", text("due"))
        .expression_attribute_values(":at", AttributeValue::N(due_at.to_string()))
        .send()
        .await
        .map(drop)
        .map_err(|error| error.code().unwrap_or("no answer").to_owned())
}

#[tokio::test]
async fn a_conditional_update_happens_once_and_rows_are_plain() {
    let (dynamodb, client) = start().await;
    add(&client, "b", "2", 20).await.unwrap();
    add(&client, "b", "1", 99).await.unwrap();
    add(&client, "a", "1", 30).await.unwrap();
    assert_eq!(add(&client, "b", "1", 99).await, Err("ConditionalCheckFailedException".to_owned()));
    let rows = dynamodb.rows(TABLE).unwrap();
    let expected = json!([
        { "pk": "a", "heard": ["1"], "rev": 1, "queue": "due", "due_at": 30 },
        { "pk": "b", "heard": ["1", "2"], "rev": 2, "queue": "due", "due_at": 20 },
    ]);
    assert_eq!(serde_json::to_value(rows).unwrap(), expected);
}

#[tokio::test]
async fn the_index_lists_what_is_due_in_order() {
    let (_dynamodb, client) = start().await;
    for (pk, due_at) in [("late", 300), ("first", 100), ("second", 200)] {
        add(&client, pk, "1", due_at).await.unwrap();
    }
    let due = client
        .query()
        .table_name(TABLE)
        .index_name("due")
        .key_condition_expression("queue = :due AND due_at <= :now")
        .expression_attribute_values(":due", text("due"))
        .expression_attribute_values(":now", AttributeValue::N("200".into()))
        .send()
        .await
        .unwrap();
    let keys: Vec<_> = due.items().iter().map(|item| item["pk"].as_s().unwrap().as_str()).collect();
    assert_eq!(keys, ["first", "second"]);
}

#[tokio::test]
async fn a_stream_batch_is_what_lambda_would_hand_over() {
    let (dynamodb, client) = start().await;
    assert_eq!(dynamodb.stream_batch(TABLE).unwrap(), json!({ "Records": [] }));
    add(&client, "a", "1", 30).await.unwrap();
    add(&client, "a", "2", 30).await.unwrap();
    let batch = dynamodb.stream_batch(TABLE).unwrap();
    let records = batch["Records"].as_array().unwrap();
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY"]);
    let record = &records[0];
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert!(record["eventID"].is_string() && record["eventVersion"].is_string());
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/sessions/stream/"), "{arn}");
    let change = &record["dynamodb"];
    assert_eq!(change["Keys"], json!({ "pk": { "S": "a" } }));
    assert_eq!(change["NewImage"]["due_at"], json!({ "N": "30" }));
    assert_eq!(change["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(change["SequenceNumber"].is_string());
    assert_eq!(records[1]["dynamodb"]["OldImage"]["heard"], json!({ "SS": ["1"] }));

    assert_eq!(dynamodb.stream_batch(TABLE).unwrap(), json!({ "Records": [] }));
    add(&client, "b", "1", 30).await.unwrap();
    assert_eq!(dynamodb.stream_batch(TABLE).unwrap()["Records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_held_request_has_not_reached_the_table() {
    let (dynamodb, client) = start().await;
    let of_a = |operation: &str, body: &Value| operation == "UpdateItem" && body["Key"]["pk"]["S"] == "a";
    let mut held = dynamodb.gate().hold(of_a);
    let sender = client.clone();
    let update = tokio::spawn(async move { add(&sender, "a", "1", 30).await });
    held.reached().await;
    held.reached().await;
    add(&client, "b", "1", 30).await.unwrap();
    assert_eq!(dynamodb.rows(TABLE).unwrap().len(), 1);
    drop(held);
    update.await.unwrap().unwrap();
    assert_eq!(dynamodb.rows(TABLE).unwrap().len(), 2);
}

#[tokio::test]
async fn a_held_request_dies_with_its_sender() {
    let (dynamodb, client) = start().await;
    let mut held = dynamodb.gate().hold(|_, _| true);
    let sender = clients::dynamodb(&dynamodb.endpoint());
    let update = tokio::spawn(async move { add(&sender, "a", "1", 30).await });
    held.reached().await;
    update.abort();
    assert!(update.await.unwrap_err().is_cancelled());
    // A round trip of another client: the server has seen the first one go.
    add(&client, "b", "1", 30).await.unwrap();
    drop(held);
    add(&client, "c", "1", 30).await.unwrap();
    let rows = dynamodb.rows(TABLE).unwrap();
    assert_eq!(rows.iter().map(|row| &row["pk"]).collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn a_function_killed_at_the_gate_has_not_written() {
    let (dynamodb, client) = start().await;
    let function = Arc::new(Function::start(double::config("ready")).await.unwrap());
    let mut held = dynamodb.gate().hold(|operation, _| operation == "PutItem");
    let event = json!({ "do": "write", "at": dynamodb.endpoint() });
    let invoked = Arc::clone(&function);
    let invocation = tokio::spawn(async move { invoked.invoke(&event).await });
    held.reached().await;
    function.kill().await;
    drop(held);
    assert!(matches!(invocation.await.unwrap(), Err(InvokeError::Exited { .. })));
    add(&client, "another", "1", 30).await.unwrap();
    let rows = dynamodb.rows(TABLE).unwrap();
    assert_eq!(rows.iter().map(|row| &row["pk"]).collect::<Vec<_>>(), ["another"]);
}

#[tokio::test]
async fn the_gate_refuses_while_told_to() {
    let (dynamodb, client) = start().await;
    dynamodb.gate().refuse_all(true);
    assert_eq!(add(&client, "a", "1", 30).await, Err("InternalServerError".to_owned()));
    dynamodb.gate().refuse_all(false);
    add(&client, "a", "1", 30).await.unwrap();
}

#[tokio::test]
async fn a_stopped_store_answers_nobody_and_keeps_its_rows() {
    let (dynamodb, client) = start().await;
    add(&client, "a", "1", 30).await.unwrap();
    dynamodb.stop();
    assert_eq!(add(&client, "b", "1", 30).await, Err("no answer".to_owned()));
    assert_eq!(dynamodb.rows(TABLE).unwrap().len(), 1);
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let (dynamodb, _client) = start().await;
    let unknown = dynamodb.rows("others").unwrap_err().to_string();
    assert_eq!(unknown, "there is no table others; create it first");
}
