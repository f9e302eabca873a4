//! Each grant by itself: without it something is refused, and one more is found.

use futures_util::future::join_all;
use local_cloud::iam::{Condition, Effect, Statement, Verdict, decide};

use super::*;

/// How many stacks run at once.
const ABREAST: usize = 4;

/// Every way to make one statement of a role smaller, and what was taken.
fn smaller(all: &[Statement]) -> Vec<(String, Vec<Statement>)> {
    let mut ways = Vec::new();
    for (index, statement) in all.iter().enumerate() {
        let changed = |change: &dyn Fn(&mut Statement)| {
            let mut all = all.to_vec();
            change(&mut all[index]);
            all
        };
        let without: Vec<_> = all.iter().filter(|it| it.sid != statement.sid).cloned().collect();
        ways.push((statement.sid.clone(), without));
        for action in &statement.actions {
            let without = changed(&|it| it.actions.retain(|other| other != action));
            ways.push((format!("{action} of {}", statement.sid), without));
        }
        for resource in &statement.resources {
            let without = changed(&|it| it.resources.retain(|other| other != resource));
            ways.push((format!("{resource} of {}", statement.sid), without));
        }
        for pattern in statement.conditions.iter().flat_map(patterns) {
            let without = changed(&|it| {
                it.conditions.iter_mut().for_each(|condition| match condition {
                    Condition::LeadingKeys(all) => all.retain(|other| other != pattern),
                    Condition::ViaService(_) => {}
                });
            });
            ways.push((format!("{pattern} of {}", statement.sid), without));
        }
    }
    ways
}

fn patterns(condition: &Condition) -> &[String] {
    match condition {
        Condition::LeadingKeys(patterns) => patterns,
        Condition::ViaService(_) => &[],
    }
}

/// A role's statements without what nobody asks for in a local stack.
fn in_sight(role: &str, all: &[Statement]) -> Vec<Statement> {
    all.iter().filter(|statement| !is_out_of_sight(role, statement)).cloned().collect()
}

#[tokio::test]
async fn whatever_is_taken_from_a_role_is_missed() {
    for FunctionRole { role, .. } in granted(&template()) {
        let calls = asked(&role.name).await;
        let ways = smaller(&in_sight(&role.name, &role.statements));
        assert!(ways.len() >= 6, "{}: {ways:?}", role.name);
        for (taken, left) in ways {
            let refused = calls.iter().any(|call| !matches!(decide(&left, call), Verdict::Allowed { .. }));
            assert!(refused, "{} does not miss {taken}", role.name);
        }
    }
}

#[tokio::test]
async fn a_statement_out_of_sight_that_goes_is_missed_on_the_list() {
    let granted = granted(&template());
    let mut taken = 0;
    for (index, FunctionRole { role, .. }) in granted.iter().enumerate() {
        let seen = in_sight(&role.name, &role.statements);
        for statement in role.statements.iter().filter(|it| !seen.contains(it)) {
            let mut left = granted.clone();
            left[index].role.statements.retain(|it| it != statement);
            assert!(!stale(&left).is_empty(), "{} does not miss {}", role.name, statement.sid);
            taken += 1;
        }
    }
    assert_eq!(taken, 9, "logs of three, streams of two, keys of two");
}

/// Nothing local asks for these, so only the list can tell.
#[tokio::test]
async fn another_resource_or_condition_of_a_statement_out_of_sight_is_found() {
    let granted = granted(&template());
    let resources: BTreeSet<String> = not_seen_locally().into_iter().flat_map(|(_, it)| it.resources).collect();
    assert_eq!(resources.len(), 6, "three logs, the stream, its table's streams, the key: {resources:?}");
    let via = |service: &str| vec![Condition::ViaService(vec![format!("{service}.us-east-1.amazonaws.com")])];
    for (index, FunctionRole { role, .. }) in granted.iter().enumerate() {
        let calls = asked(&role.name).await;
        let unseen = role.statements.iter().enumerate().filter(|(_, it)| is_out_of_sight(&role.name, it));
        for (at, statement) in unseen {
            let found = |change: &dyn Fn(&mut Statement)| {
                let mut changed = granted.clone();
                change(&mut changed[index].role.statements[at]);
                let unused = unused(&role.name, &changed[index].role.statements, &calls);
                !unused.is_empty() && stale(&changed).len() == 1
            };
            for other in resources.iter().filter(|it| !statement.resources.contains(it)) {
                assert!(found(&|it| it.resources = vec![other.clone()]), "{} of {other}", statement.sid);
            }
            for conditions in [Vec::new(), via("sns"), via("s3"), [via("s3"), via("sns")].concat()] {
                if conditions != statement.conditions {
                    let found = found(&|it| it.conditions.clone_from(&conditions));
                    assert!(found, "{} on {conditions:?}", statement.sid);
                }
            }
        }
    }
}

#[tokio::test]
async fn one_action_resource_or_key_more_is_found_in_every_statement() {
    let granted = granted(&template());
    for (index, FunctionRole { role, .. }) in granted.iter().enumerate() {
        let calls = asked(&role.name).await;
        for (at, statement) in role.statements.iter().enumerate() {
            let found = |change: &dyn Fn(&mut Statement)| {
                let mut more = granted.clone();
                change(&mut more[index].role.statements[at]);
                let unused = unused(&role.name, &more[index].role.statements, &calls);
                !unused.is_empty() || !stale(&more).is_empty()
            };
            for action in ["s3:DeleteObject", "dynamodb:DeleteItem", "logs:DeleteLogGroup"] {
                assert!(found(&|it| it.actions.push(action.to_owned())), "{} {action}", statement.sid);
            }
            assert!(found(&|it| it.resources.push("arn:aws:s3:::another".to_owned())), "{}", statement.sid);
            let keys = |it: &mut Statement| {
                it.conditions.iter_mut().for_each(|condition| match condition {
                    Condition::LeadingKeys(all) => all.push("another#*".to_owned()),
                    Condition::ViaService(_) => {}
                });
            };
            let limited = statement.conditions.iter().any(|condition| !patterns(condition).is_empty());
            assert_eq!(found(&keys), limited, "{}", statement.sid);
        }
    }
}

#[tokio::test]
async fn a_function_without_any_of_its_statements_is_refused_something() {
    let template = template();
    let mut cases = Vec::new();
    for FunctionRole { binary, role } in granted(&template) {
        for statement in in_sight(&role.name, &role.statements) {
            let text = without(&template, &role.name, &statement.sid);
            cases.push((binary.clone(), role.name.clone(), statement.sid, text));
        }
    }
    assert!(cases.len() >= 15, "{}", cases.len());
    for some in cases.chunks(ABREAST) {
        join_all(some.iter().map(|(binary, role, sid, text)| async move {
            let world = tours::world(text.clone()).await;
            tours::of(binary, &world).await;
            let calls = world.iam.calls();
            let refused = calls.iter().any(|it| it.role == *role && it.verdict == Verdict::NotGranted);
            assert!(refused, "{role} without {sid} was refused nothing");
        }))
        .await;
    }
}

/// The template with one statement gone.
fn without(template: &Value, role: &str, sid: &str) -> String {
    let mut changed = template.clone();
    let policies = changed["Resources"][role]["Properties"]["Policies"].as_array_mut().unwrap();
    let mut gone = 0;
    for policy in policies {
        let all = policy["PolicyDocument"]["Statement"].as_array_mut().unwrap();
        let before = all.len();
        all.retain(|statement| statement["Sid"] != sid);
        gone += before - all.len();
    }
    assert_eq!(gone, 1, "{role} has {sid} once");
    changed.to_string()
}

#[test]
fn each_part_of_a_statement_can_be_taken() {
    let policy = statements(&json!({
        "Sid": "S", "Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": ["x", "y"],
        "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["k", "l"] } },
    }));
    let policy = policy.unwrap();
    assert_eq!(policy[0].effect, Effect::Allow);
    let taken: Vec<String> = smaller(&policy).into_iter().map(|(taken, _)| taken).collect();
    assert_eq!(taken, ["S", "a:B of S", "a:C of S", "x of S", "y of S", "k of S", "l of S"]);
}
