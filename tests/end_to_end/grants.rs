//! Granted is used: each function does all it can under its own role of the template, and what it asked for is held
//! against what it was granted. docs/decisions/granted-is-used.md says how.

mod loops;
mod refusals;
mod tours;

use std::collections::BTreeSet;

use local_cloud::iam::{Call, Grant, Recorded, Statement, Verdict};
use ringvault::template::{FunctionRole, TEXT, read};
use serde_json::Value;
use tests::{World, granted};
use tokio::sync::OnceCell;

/// What nobody asks for in a local stack, by roles and actions, and why. Each role has each of these once.
const NOT_SEEN_LOCALLY: &[(&[&str], &[&str], &str)] = &[
    (
        &["WebhookRole", "ArchiverRole", "ReconcilerRole"],
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        "Lambda itself delivers what a function prints",
    ),
    (
        &["ArchiverRole", "ReconcilerRole"],
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
        "Lambda's event source mapping reads the stream",
    ),
    (
        &["ArchiverRole", "ReconcilerRole"],
        &["kms:Decrypt", "kms:GenerateDataKey"],
        "S3 asks for the key in the caller's name; the local S3 does not encrypt",
    ),
];

fn template() -> Value {
    read(TEXT).unwrap()
}

/// Whether that one is on the list.
fn is_out_of_sight(role: &str, grant: &Grant) -> bool {
    NOT_SEEN_LOCALLY.iter().any(|(roles, actions, _)| roles.contains(&role) && actions.contains(&grant.action.as_str()))
}

/// What a role was granted and never asked for.
fn unused(role: &str, statements: &[Statement], calls: &[Call]) -> Vec<String> {
    let grants = statements.iter().flat_map(Statement::grants);
    let unused = grants.filter(|grant| !is_out_of_sight(role, grant) && !calls.iter().any(|call| grant.serves(call)));
    unused.map(|grant| format!("{role} never used {grant:?}")).collect()
}

/// The entries of the list that are not granted exactly once.
fn stale(granted: &[FunctionRole]) -> Vec<String> {
    let entries = NOT_SEEN_LOCALLY.iter().flat_map(|(roles, actions, _)| {
        roles.iter().flat_map(move |role| actions.iter().map(move |action| (*role, *action)))
    });
    let times = |role: &str, action: &str| {
        let of_role = granted.iter().filter(|it| it.role.name == role).flat_map(|it| &it.role.statements);
        of_role.flat_map(Statement::grants).filter(|grant| grant.action == action).count()
    };
    let stale = entries.filter(|(role, action)| times(role, action) != 1);
    stale.map(|(role, action)| format!("{role} is not granted {action} exactly once")).collect()
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
