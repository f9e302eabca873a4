//! What each function may do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Function, Template, listed, referred};

/// All a function may do, by its binary: an action, on what, and for rows under which keys.
///
/// - The webhook can be reached by anybody: it gets at sessions and reminders only, not at the access token under `vendor#`.
/// - The archiver knows sessions from the index and from what updates reply.
/// - The reconciler writes no recording and no manifest, and reads single rows of its own jobs only.
const RIGHTS: &[(&str, &[&str])] = &[
    (
        "webhook",
        &[
            "dynamodb:UpdateItem on Table.Arn for session#* signal#*",
            "secretsmanager:GetSecretValue on VerificationSecret",
        ],
    ),
    (
        "archiver",
        &[
            "dynamodb:GetItem on Table.Arn for vendor#permits#* vendor#token#*",
            "dynamodb:Query on Table.Arn/index/due",
            "dynamodb:UpdateItem on Table.Arn",
            "s3:AbortMultipartUpload on Bucket.Arn/recordings/*",
            "s3:GetObject on Bucket.Arn/recordings/*",
            "s3:GetObject on Bucket.Arn/sessions/*",
            "s3:ListBucket on Bucket.Arn",
            "s3:PutObject on Bucket.Arn/recordings/*",
            "s3:PutObject on Bucket.Arn/sessions/*",
            "secretsmanager:GetSecretValue on RingCentralSecret",
        ],
    ),
    (
        "reconciler",
        &[
            "dynamodb:BatchGetItem on Table.Arn for session#*",
            "dynamodb:GetItem on Table.Arn for vendor#cursor#* vendor#permits#* vendor#token#*",
            "dynamodb:Query on Table.Arn/index/due",
            "dynamodb:UpdateItem on Table.Arn for session#* vendor#cursor#* vendor#permits#* vendor#token#*",
            "s3:GetObject on Bucket.Arn/recordings/*",
            "s3:GetObject on Bucket.Arn/reports/*",
            "s3:GetObject on Bucket.Arn/sessions/*",
            "s3:GetObjectVersion on Bucket.Arn/reports/*",
            "s3:ListBucket on Bucket.Arn",
            "s3:ListBucketVersions on Bucket.Arn",
            "s3:PutObject on Bucket.Arn/reports/*",
            "secretsmanager:GetSecretValue on RingCentralSecret",
            "secretsmanager:GetSecretValue on VerificationSecret",
        ],
    ),
];

/// The statements of a function's policies. Only those written out here can be judged.
fn statements(function: &Function) -> Vec<Value> {
    let policies = listed(&function.properties["Policies"]);
    policies.iter().flat_map(|policy| listed(&policy["Statement"])).collect()
}

/// What a statement allows, as [`RIGHTS`] says it.
fn rights(statement: &Value) -> Vec<String> {
    let condition = condition(&statement["Condition"]);
    let resources = listed(&statement["Resource"]);
    let of_action = |action: &Value| -> Vec<String> {
        let action = action.as_str().unwrap_or_default();
        resources.iter().map(|resource| format!("{action} on {}{condition}", place(resource))).collect()
    };
    listed(&statement["Action"]).iter().flat_map(of_action).collect()
}

/// A resource of this stack; anything else as it is written.
fn place(resource: &Value) -> String {
    let text = |tag: &str| resource[tag].as_str();
    match (text("Ref"), text("Fn::GetAtt"), text("Fn::Sub")) {
        (Some(name), ..) | (_, Some(name), _) => name.to_owned(),
        (.., Some(text)) => text.replace("${", "").replace('}', ""),
        (None, None, None) => resource.to_string(),
    }
}

/// The condition that lets nobody at other rows; any other as it is written.
fn condition(condition: &Value) -> String {
    let keys = listed(&condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
    let mut keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
    if condition.is_null() {
        String::new()
    } else if *condition == rows(&keys) {
        keys.sort_unstable();
        format!(" for {}", keys.join(" "))
    } else {
        format!(" if {condition}")
    }
}

fn rows(keys: &[&str]) -> Value {
    json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } })
}

fn complaints(template: &Template) -> Vec<String> {
    let functions = template.functions();
    let of_functions = functions.iter().flat_map(|function| [of_form(function), of_list(function)].concat());
    let gone = RIGHTS.iter().filter(|(binary, _)| functions.iter().all(|function| function.binary != *binary));
    let gone = gone.map(|(binary, _)| format!("there is no {binary}"));
    of_functions.chain(gone).chain(from_elsewhere(template)).collect()
}

/// Resources that give rights past the functions' own policies.
fn from_elsewhere(template: &Template) -> Vec<String> {
    let gives = |kind: &str| kind.starts_with("AWS::IAM::") || kind == "AWS::Serverless::Connector";
    let resources = template.0["Resources"].as_object().unwrap().iter();
    let found = resources.filter(|(_, it)| it["Type"].as_str().is_some_and(gives));
    found.map(|(name, _)| format!("{name} gives rights past the functions' policies")).collect()
}

/// What would let rights pass unread, and whether the secrets a function is told of are the ones it may read.
fn of_form(function: &Function) -> Vec<String> {
    let mut found = Vec::new();
    let binary = &function.binary;
    if !listed(&function.properties["Policies"]).iter().all(|policy| policy["Statement"].is_array()) {
        found.push(format!("{binary} has a policy that is not written out"));
    }
    if function.properties.get("Role").is_some() {
        found.push(format!("{binary} has a role from elsewhere"));
    }
    for statement in statements(function) {
        if statement["Effect"] != "Allow" || !statement["NotAction"].is_null() || !statement["NotResource"].is_null() {
            found.push(format!("{binary} has a statement that does not plainly allow"));
        }
    }
    let reads = |statement: &&Value| listed(&statement["Action"]).contains(&json!("secretsmanager:GetSecretValue"));
    let readable: BTreeSet<_> =
        statements(function).iter().filter(reads).flat_map(|statement| referred(&statement["Resource"])).collect();
    let told = function.variables().into_iter().filter(|(name, _)| name.ends_with("_SECRET_ID"));
    if readable != told.flat_map(|(_, value)| referred(&value)).collect() {
        found.push(format!("{binary} may not read exactly the secrets it is told of"));
    }
    found
}

/// [`RIGHTS`] and the template, both ways.
fn of_list(function: &Function) -> Vec<String> {
    let binary = &function.binary;
    let meant = RIGHTS.iter().find(|(named, _)| named == binary).map_or(&[][..], |(_, meant)| meant);
    let meant: BTreeSet<String> = meant.iter().map(|right| (*right).to_owned()).collect();
    let given: BTreeSet<String> = statements(function).iter().flat_map(rights).collect();
    let more = given.difference(&meant).map(|right| format!("{binary} is not meant to {right}"));
    let missing = meant.difference(&given).map(|right| format!("{binary} cannot {right}"));
    more.chain(missing).collect()
}

#[test]
fn functions_may_do_what_they_must_and_no_more() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn the_names_the_rules_use_are_the_template_s() {
    let template = Template::read();
    for (name, kind) in [
        ("Bucket", "AWS::S3::Bucket"),
        ("Table", "AWS::DynamoDB::Table"),
        ("RingCentralSecret", "AWS::SecretsManager::Secret"),
        ("VerificationSecret", "AWS::SecretsManager::Secret"),
    ] {
        assert_eq!(template.0["Resources"][name]["Type"], kind, "{name}");
    }
}

#[test]
fn other_rights_than_those_meant_are_found() {
    let template = Template::read();
    let policies = |function: &str| format!("/Resources/{function}Function/Properties/Policies");
    for (function, statement, changed, value, complaint) in [
        ("Webhook", 0, "Condition", rows(&["*"]), "webhook is not meant to dynamodb:UpdateItem on Table.Arn for *"),
        ("Webhook", 0, "Condition", json!(null), "webhook is not meant to dynamodb:UpdateItem on Table.Arn"),
        (
            "Webhook",
            0,
            "Condition",
            rows(&["session#*", "signal#*", "vendor#*"]),
            "webhook is not meant to dynamodb:UpdateItem on Table.Arn for session#* signal#* vendor#*",
        ),
        (
            "Webhook",
            0,
            "Action",
            json!("dynamodb:*"),
            "webhook is not meant to dynamodb:* on Table.Arn for session#* signal#*",
        ),
        (
            "Webhook",
            0,
            "Action",
            json!("dynamodb:Query"),
            "webhook cannot dynamodb:UpdateItem on Table.Arn for session#* signal#*",
        ),
        ("Webhook", 1, "Resource", json!("*"), "webhook is not meant to secretsmanager:GetSecretValue on \"*\""),
        (
            "Webhook",
            1,
            "Resource",
            json!([{ "Ref": "VerificationSecret" }, { "Fn::Sub": "${RingCentralSecret}*" }]),
            "webhook may not read exactly the secrets it is told of",
        ),
        (
            "Archiver",
            1,
            "Condition",
            json!({ "StringLike": { "dynamodb:LeadingKeys": ["vendor#*"] } }),
            "archiver is not meant to dynamodb:GetItem on Table.Arn if {\"StringLike\":{\"dynamodb:LeadingKeys\":[\"vendor#*\"]}}",
        ),
        (
            "Archiver",
            3,
            "Action",
            json!(["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:DeleteObject"]),
            "archiver is not meant to s3:DeleteObject on Bucket.Arn/recordings/*",
        ),
        ("Archiver", 3, "Action", json!("s3:PutObject"), "archiver cannot s3:GetObject on Bucket.Arn/recordings/*"),
        ("Archiver", 0, "Effect", json!("Deny"), "archiver has a statement that does not plainly allow"),
        ("Reconciler", 0, "Condition", json!(null), "reconciler is not meant to dynamodb:UpdateItem on Table.Arn"),
        (
            "Reconciler",
            0,
            "Condition",
            rows(&["session#*", "vendor#*"]),
            "reconciler is not meant to dynamodb:UpdateItem on Table.Arn for session#* vendor#*",
        ),
        (
            "Reconciler",
            2,
            "Condition",
            rows(&["*"]),
            "reconciler is not meant to dynamodb:BatchGetItem on Table.Arn for *",
        ),
        (
            "Reconciler",
            4,
            "Action",
            json!(["s3:GetObject", "s3:PutObject"]),
            "reconciler is not meant to s3:PutObject on Bucket.Arn/recordings/*",
        ),
        (
            "Reconciler",
            5,
            "Resource",
            json!({ "Fn::Sub": "${Bucket.Arn}/*" }),
            "reconciler is not meant to s3:PutObject on Bucket.Arn/*",
        ),
        ("Reconciler", 6, "Action", json!("s3:ListBucket"), "reconciler cannot s3:ListBucketVersions on Bucket.Arn"),
    ] {
        let pointer = format!("{}/0/Statement/{statement}", policies(function));
        let mut whole = template.0.pointer(&pointer).unwrap().clone();
        whole[changed] = value;
        let found = complaints(&template.with(&pointer, whole));
        assert!(found.iter().any(|line| line == complaint), "{pointer}: {found:?}");
    }
    for (pointer, value, complaint) in [
        (
            "/Resources/WebhookFunction/Properties/Environment/Variables".to_owned(),
            json!({ "VERIFICATION_SECRET_ID": { "Ref": "RingCentralSecret" } }),
            "webhook may not read exactly the secrets it is told of",
        ),
        (
            "/Resources/WebhookLogs".to_owned(),
            json!({ "Type": "AWS::IAM::ManagedPolicy" }),
            "WebhookLogs gives rights past the functions' policies",
        ),
        (policies("Archiver"), json!(["AmazonS3FullAccess"]), "archiver has a policy that is not written out"),
        (
            "/Resources/ReconcilerFunction/Metadata/BuildProperties/Binary".to_owned(),
            json!("other"),
            "there is no reconciler",
        ),
    ] {
        let found = complaints(&template.with(&pointer, value));
        assert!(found.iter().any(|line| line == complaint), "{pointer}: {found:?}");
    }
}
