//! Granted is used: each function does all it can under its own role of the template, and what it asked for is held
//! against what it was granted. docs/decisions/granted-is-used.md says how.

mod loops;
mod refusals;
mod tours;

use std::collections::BTreeSet;

use local_cloud::{
    ACCOUNT_ID, REGION, arn,
    iam::{Call, Recorded, Statement, Verdict, statements},
};
use ringvault::{
    stack::TABLE,
    template::{FunctionRole, TEXT, read},
};
use serde_json::{Value, json};
use tests::{World, all_options, granted};
use tokio::sync::OnceCell;

/// The statements that nobody makes use of in a local stack, each with its role: to the word, because no call can tell
/// whether they name the right thing.
fn not_seen_locally() -> Vec<(&'static str, Statement)> {
    let table = arn::table(TABLE);
    let key = all_options()["KmsKeyArn"].clone();
    let logs = |function: &str| {
        // Lambda itself delivers what a function prints.
        json!({
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": format!("arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{function}:*"),
        })
    };
    // Lambda's event source mapping reads the stream.
    let stream = |sid: &str| {
        json!({
            "Sid": sid,
            "Effect": "Allow",
            "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            "Resource": format!("{table}/stream/local"),
        })
    };
    let streams = json!({
        "Sid": "FindTheStream",
        "Effect": "Allow",
        "Action": "dynamodb:ListStreams",
        "Resource": format!("{table}/stream/*"),
    });
    // S3 asks for the key in the caller's name; the local S3 does not encrypt.
    let encrypt = |sid: &str| {
        json!({
            "Sid": sid,
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key,
            "Condition": { "StringEquals": { "kms:ViaService": format!("s3.{REGION}.amazonaws.com") } },
        })
    };
    let of_archiver = [logs("archiver"), stream("BeStartedByTheStream"), streams.clone(), encrypt("EncryptTheArchive")];
    let of_reconciler = [logs("reconciler"), stream("BeStartedByReminders"), streams, encrypt("EncryptReports")];
    [
        ("WebhookRole", json!([logs("webhook")])),
        ("ArchiverRole", json!(of_archiver)),
        ("ReconcilerRole", json!(of_reconciler)),
    ]
    .into_iter()
    .flat_map(|(role, all)| statements(&all).unwrap().into_iter().map(move |statement| (role, statement)))
    .collect()
}

fn template() -> Value {
    read(TEXT).unwrap()
}

/// Whether that one is on the list.
fn is_out_of_sight(role: &str, statement: &Statement) -> bool {
    not_seen_locally().iter().any(|(its, unseen)| *its == role && unseen == statement)
}

/// What a role was granted and never asked for.
fn unused(role: &str, statements: &[Statement], calls: &[Call]) -> Vec<String> {
    let grants = statements.iter().filter(|it| !is_out_of_sight(role, it)).flat_map(Statement::grants);
    let unused = grants.filter(|grant| !calls.iter().any(|call| grant.serves(call)));
    unused.map(|grant| format!("{role} never used {grant:?}")).collect()
}

/// The entries of the list that are not granted exactly once.
fn stale(granted: &[FunctionRole]) -> Vec<String> {
    let times = |role: &str, unseen: &Statement| {
        let of_role = granted.iter().filter(|it| it.role.name == role).flat_map(|it| &it.role.statements);
        of_role.filter(|statement| *statement == unseen).count()
    };
    let stale = not_seen_locally().into_iter().filter(|(role, unseen)| times(role, unseen) != 1);
    stale.map(|(role, unseen)| format!("{role} is not granted this exactly once: {unseen:?}")).collect()
}

/// Everything every role asked for on the tours, each once, and what became of it. The tours are made once.
async fn record() -> &'static [Recorded] {
    static RECORD: OnceCell<Vec<Recorded>> = OnceCell::const_new();
    let made = RECORD.get_or_init(|| async {
        let mut all: Vec<Recorded> = Vec::new();
        for role in granted(&template()) {
            let world = tours::world(TEXT.to_owned()).await;
            tours::of(&role.binary, &world).await;
            all.extend(calls_of(&world).into_iter().filter(|it| !all.contains(it)).collect::<Vec<_>>());
        }
        all
    });
    made.await
}

fn calls_of(world: &World) -> Vec<Recorded> {
    let mut seen = BTreeSet::new();
    let mut calls = world.iam.calls();
    calls.retain(|it| seen.insert((it.role.clone(), it.call.clone())));
    calls
}

/// What a role asked for on the tours.
async fn asked(role: &str) -> Vec<Call> {
    record().await.iter().filter(|it| it.role == role).map(|it| it.call.clone()).collect()
}

#[tokio::test]
async fn nothing_that_a_function_needs_is_refused() {
    let refused: Vec<_> = record().await.iter().filter(|it| !matches!(it.verdict, Verdict::Allowed { .. })).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[tokio::test]
async fn nothing_is_granted_that_no_function_uses() {
    let granted = granted(&template());
    assert_eq!(granted.len(), 3);
    for FunctionRole { role, .. } in &granted {
        assert_eq!(unused(&role.name, &role.statements, &asked(&role.name).await), [""; 0]);
    }
    assert_eq!(stale(&granted), [""; 0]);
}
