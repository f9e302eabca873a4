//! What each function may do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Function, Template, listed, referred};

/// The statements of a function's policies. Only those written out here can be judged.
fn statements(function: &Function) -> Vec<Value> {
    let policies = listed(&function.properties["Policies"]);
    policies.iter().flat_map(|policy| listed(&policy["Statement"])).collect()
}

fn complaints(template: &Template) -> Vec<String> {
    let functions = template.functions();
    let of_functions = functions
        .iter()
        .flat_map(|function| [of_all(template, function), of_webhook(function), of_readers(function)].concat());
    of_functions.chain(from_elsewhere(template)).collect()
}

/// Resources that give rights past the functions' own policies.
fn from_elsewhere(template: &Template) -> Vec<String> {
    let gives = |kind: &str| kind.starts_with("AWS::IAM::") || kind == "AWS::Serverless::Connector";
    let resources = template.0["Resources"].as_object().unwrap().iter();
    let found = resources.filter(|(_, it)| it["Type"].as_str().is_some_and(gives));
    found.map(|(name, _)| format!("{name} gives rights past the functions' policies")).collect()
}

fn of_all(template: &Template, function: &Function) -> Vec<String> {
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
        for action in listed(&statement["Action"]) {
            let action = action.as_str().unwrap_or_default();
            if action.contains('*') || action.contains("Delete") || !action.contains(':') {
                found.push(format!("{binary} may {action}"));
            }
        }
        if listed(&statement["Resource"]).iter().any(|resource| referred(resource).is_empty()) {
            found.push(format!("{binary} may act on what is not of this stack"));
        }
    }
    let secrets: BTreeSet<String> = variables_for_secrets(function).iter().flat_map(referred).collect();
    if readable_secrets(function) != secrets || !secrets.iter().all(|name| is_secret(template, name)) {
        found.push(format!("{binary} may not read exactly the secrets it is told of"));
    }
    found
}

fn variables_for_secrets(function: &Function) -> Vec<Value> {
    function.variables().into_iter().filter(|(name, _)| name.ends_with("_SECRET_ID")).map(|(_, value)| value).collect()
}

fn readable_secrets(function: &Function) -> BTreeSet<String> {
    let reads = |statement: &&Value| listed(&statement["Action"]).contains(&json!("secretsmanager:GetSecretValue"));
    statements(function).iter().filter(reads).flat_map(|statement| referred(&statement["Resource"])).collect()
}

fn is_secret(template: &Template, name: &str) -> bool {
    template.0["Resources"][name]["Type"] == "AWS::SecretsManager::Secret"
}

/// The webhook can be reached by anybody: it gets at sessions and reminders only, not at the access token under
/// `vendor#`.
fn of_webhook(function: &Function) -> Vec<String> {
    if function.binary != "webhook" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for statement in statements(function) {
        let on =
            |service: &str| listed(&statement["Action"]).iter().any(|it| it.as_str().unwrap().starts_with(service));
        if on("dynamodb:") && statement["Condition"] != rows(&["session#*", "signal#*"]) {
            found.push("webhook may reach other rows than sessions and reminders".to_owned());
        }
        if on("dynamodb:") && statement["Action"] != "dynamodb:UpdateItem" {
            found.push("webhook may do more than its one update".to_owned());
        }
        if on("s3:") {
            found.push("webhook may reach the archive".to_owned());
        }
    }
    let all = [&function.properties["Policies"], &function.properties["Environment"]];
    if all.into_iter().flat_map(referred).any(|name| name == "RingCentralSecret" || name == "Bucket") {
        found.push("webhook is told of the RingCentral secret or the bucket".to_owned());
    }
    found
}

/// Which rows may be read, by function and action. The archiver knows sessions from the index and from what updates reply.
const READERS: &[(&str, &str, &[&str])] = &[
    ("archiver", "dynamodb:GetItem", &["vendor#token#*", "vendor#permits#*"]),
    ("reconciler", "dynamodb:GetItem", &["vendor#token#*", "vendor#permits#*", "vendor#cursor#*"]),
    ("reconciler", "dynamodb:BatchGetItem", &["session#*"]),
];

fn of_readers(function: &Function) -> Vec<String> {
    let mut found = Vec::new();
    for action in ["dynamodb:GetItem", "dynamodb:BatchGetItem"] {
        let named = READERS.iter().find(|(binary, named, _)| *binary == function.binary && *named == action);
        let reads = |statement: &Value| listed(&statement["Action"]).contains(&json!(action));
        let given: Vec<_> = statements(function).into_iter().filter(reads).map(|it| it["Condition"].clone()).collect();
        if given != named.map(|(.., keys)| rows(keys)).into_iter().collect::<Vec<_>>() {
            found.push(format!("{} has other rows for {action} than it is meant to", function.binary));
        }
    }
    found
}

/// The condition that lets nobody at other rows.
fn rows(keys: &[&str]) -> Value {
    json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } })
}

#[test]
fn functions_may_do_what_they_must_and_no_more() {
    assert_eq!(complaints(&Template::read()), [""; 0]);
}

#[test]
fn the_names_the_rules_use_are_the_template_s() {
    let template = Template::read();
    assert!(is_secret(&template, "RingCentralSecret"));
    assert_eq!(template.resources("AWS::S3::Bucket")[0].0, "Bucket");
    assert_eq!(
        template.function("archiver").variables()["RINGCENTRAL_SECRET_ID"],
        json!({ "Ref": "RingCentralSecret" })
    );
    for function in template.functions() {
        assert!(!statements(&function).is_empty(), "{}", function.binary);
    }
}

#[test]
fn rights_that_are_too_wide_are_found() {
    let template = Template::read();
    let webhook = "/Resources/WebhookFunction/Properties/Policies/0/Statement";
    let archiver = "/Resources/ArchiverFunction/Properties/Policies/0/Statement";
    let reconciler = "/Resources/ReconcilerFunction/Properties/Policies/0/Statement";
    for (pointer, value, complaint) in [
        (format!("{webhook}/0/Condition"), rows(&["*"]), "webhook may reach other rows than sessions and reminders"),
        (
            format!("{webhook}/0/Condition"),
            rows(&["vendor#*"]),
            "webhook may reach other rows than sessions and reminders",
        ),
        (format!("{webhook}/0/Condition"), json!(null), "webhook may reach other rows than sessions and reminders"),
        (format!("{webhook}/0/Action"), json!(["dynamodb:DeleteItem"]), "webhook may dynamodb:DeleteItem"),
        (format!("{webhook}/0/Action"), json!("dynamodb:*"), "webhook may dynamodb:*"),
        (format!("{webhook}/0/Action"), json!("dynamodb:Query"), "webhook may do more than its one update"),
        (format!("{webhook}/1/Resource"), json!("*"), "webhook may act on what is not of this stack"),
        (
            format!("{webhook}/1/Resource"),
            json!([{ "Ref": "VerificationSecret" }, { "Fn::Sub": "${RingCentralSecret}*" }]),
            "webhook may not read exactly the secrets it is told of",
        ),
        (
            "/Resources/WebhookFunction/Properties/Environment/Variables".to_owned(),
            json!({ "VERIFICATION_SECRET_ID": { "Ref": "RingCentralSecret" } }),
            "webhook is told of the RingCentral secret or the bucket",
        ),
        (format!("{archiver}/0/Action"), json!("s3:DeleteObjectVersion"), "archiver may s3:DeleteObjectVersion"),
        (
            format!("{archiver}/1/Condition"),
            rows(&["vendor#token#*"]),
            "archiver has other rows for dynamodb:GetItem than it is meant to",
        ),
        (
            format!("{archiver}/1/Condition"),
            json!(null),
            "archiver has other rows for dynamodb:GetItem than it is meant to",
        ),
        (
            format!("{reconciler}/2/Condition"),
            rows(&["*"]),
            "reconciler has other rows for dynamodb:BatchGetItem than it is meant to",
        ),
        (
            format!("{archiver}/2/Action"),
            json!(["dynamodb:Query", "dynamodb:BatchGetItem"]),
            "archiver has other rows for dynamodb:BatchGetItem than it is meant to",
        ),
        (format!("{archiver}/0/Effect"), json!("Deny"), "archiver has a statement that does not plainly allow"),
        (
            "/Resources/WebhookLogs".to_owned(),
            json!({ "Type": "AWS::IAM::ManagedPolicy" }),
            "WebhookLogs gives rights past the functions' policies",
        ),
        (
            "/Resources/ArchiverFunction/Properties/Policies".to_owned(),
            json!(["AmazonS3FullAccess"]),
            "archiver has a policy that is not written out",
        ),
    ] {
        let found = complaints(&template.with(&pointer, value));
        assert!(found.iter().any(|line| line == complaint), "{pointer}: {found:?}");
    }
}
