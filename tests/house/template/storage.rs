//! Table and bucket.

use ringvault::stack::table_spec;
use serde_json::{Value, json};
use shared::clients::dynamodb::schema;

use super::Template;

const TABLE: &str = "AWS::DynamoDB::Table";
const BUCKET: &str = "AWS::S3::Bucket";

#[test]
fn the_table_is_the_one_the_code_works_with() {
    let template = Template::read();
    let table = &template.resource(TABLE)["Properties"];
    let key = |name, kind| json!({ "AttributeName": name, "KeyType": kind });
    assert_eq!(table["KeySchema"], json!([key(schema::KEY, "HASH")]));
    // Runs find sessions by the index and read them by claiming, so the index need not copy the rows.
    let index = json!([{
        "IndexName": schema::DUE_INDEX,
        "KeySchema": [key(schema::QUEUE, "HASH"), key(schema::DUE_AT, "RANGE")],
        "Projection": { "ProjectionType": "KEYS_ONLY" },
    }]);
    assert_eq!(table["GlobalSecondaryIndexes"], index);
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": schema::TTL, "Enabled": true }));
    assert_eq!(table["StreamSpecification"], json!({ "StreamViewType": schema::STREAM_VIEW }));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table.get("LocalSecondaryIndexes"), None);
}

#[test]
fn keys_have_the_types_the_code_writes() {
    let template = Template::read();
    let mut types = template.resource(TABLE)["Properties"]["AttributeDefinitions"].as_array().unwrap().clone();
    types.sort_by_key(|it| it["AttributeName"].to_string());
    let expected = [(schema::DUE_AT, "N"), (schema::KEY, "S"), (schema::QUEUE, "S")]
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
    assert_eq!(types, expected);
}

#[test]
fn the_local_table_is_the_template_s() {
    let template = Template::read();
    let table = &template.resource(TABLE)["Properties"];
    let local = table_spec();
    let text = |pointer: &str| table.pointer(pointer).and_then(Value::as_str).unwrap();
    assert_eq!(text("/KeySchema/0/AttributeName"), local.partition_key);
    assert_eq!(text("/GlobalSecondaryIndexes/0/IndexName"), local.index.name);
    assert_eq!(text("/GlobalSecondaryIndexes/0/KeySchema/0/AttributeName"), local.index.partition_key);
    assert_eq!(text("/GlobalSecondaryIndexes/0/KeySchema/1/AttributeName"), local.index.sort_key);
    assert_eq!(text("/TimeToLiveSpecification/AttributeName"), local.ttl_attribute);
    assert_eq!(Some(text("/StreamSpecification/StreamViewType")), local.stream_view.as_deref());
}

#[test]
fn what_is_archived_outlives_the_stack() {
    let template = Template::read();
    assert_eq!(losses(&template), [""; 0]);
    let lost = template.with("/Resources/Table/DeletionPolicy", json!("Delete"));
    assert_eq!(losses(&lost), ["AWS::DynamoDB::Table: DeletionPolicy"]);
}

fn losses(template: &Template) -> Vec<String> {
    let kept = |kind: &str, policy: &str| template.resource(kind)[policy] == "Retain";
    let policies = [TABLE, BUCKET]
        .into_iter()
        .flat_map(|kind| ["DeletionPolicy", "UpdateReplacePolicy"].into_iter().map(move |policy| (kind, policy)));
    policies.filter(|(kind, policy)| !kept(kind, policy)).map(|(kind, policy)| format!("{kind}: {policy}")).collect()
}

/// What guards table and bucket, by where it stands in their properties.
const GUARDS: &[(&str, &str, &str)] = &[
    (TABLE, "/SSESpecification/SSEEnabled", "true"),
    (TABLE, "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", "true"),
    (TABLE, "/DeletionProtectionEnabled", "true"),
    (BUCKET, "/PublicAccessBlockConfiguration/BlockPublicAcls", "true"),
    (BUCKET, "/PublicAccessBlockConfiguration/BlockPublicPolicy", "true"),
    (BUCKET, "/PublicAccessBlockConfiguration/IgnorePublicAcls", "true"),
    (BUCKET, "/PublicAccessBlockConfiguration/RestrictPublicBuckets", "true"),
    (BUCKET, "/OwnershipControls/Rules/0/ObjectOwnership", "\"BucketOwnerEnforced\""),
    (BUCKET, "/VersioningConfiguration/Status", "\"Enabled\""),
    (
        BUCKET,
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/SSEAlgorithm",
        r#"{"Fn::If":["HasKmsKey","aws:kms","AES256"]}"#,
    ),
];

fn unguarded(template: &Template) -> Vec<&'static str> {
    let holds = |kind: &str, pointer: &str, value: &str| {
        let expected: Value = serde_json::from_str(value).unwrap();
        template.resource(kind)["Properties"].pointer(pointer) == Some(&expected)
    };
    GUARDS
        .iter()
        .filter(|(kind, pointer, value)| !holds(kind, pointer, value))
        .map(|(_, pointer, _)| *pointer)
        .collect()
}

#[test]
fn table_and_bucket_are_guarded() {
    let template = Template::read();
    assert_eq!(unguarded(&template), [""; 0]);
    for (kind, pointer, _) in GUARDS {
        let (name, _) = template.resources(kind)[0];
        let without = template.with(&format!("/Resources/{name}/Properties{pointer}"), json!(null));
        assert_eq!(unguarded(&without), [*pointer]);
    }
}

#[test]
fn the_bucket_takes_no_request_in_the_clear() {
    let template = Template::read();
    let policy = &template.resource("AWS::S3::BucketPolicy")["Properties"];
    assert_eq!(policy["Bucket"], json!({ "Ref": "Bucket" }));
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!("s3:*")));
    assert_eq!(statement["Principal"], "*");
    let whole = json!([{ "Fn::GetAtt": "Bucket.Arn" }, { "Fn::Sub": "${Bucket.Arn}/*" }]);
    assert_eq!(statement["Resource"], whole);
    assert_eq!(statement["Condition"], json!({ "Bool": { "aws:SecureTransport": "false" } }));
}
