//! The search that every site's end is: it sees every place, and a site that leaks fails its test.

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use ringcentral_sim::{Outage, OutageAnswer, calls::Day};
use ringvault::stack::{BUCKET, TABLE, VERIFICATION_TOKEN};
use serde_json::{Value, json};
use tests::{
    World,
    canaries::{Canaries, Kind, NAMES},
    clients,
    events::{hang_up, request},
    operator,
    scan::{self, Place},
    workspace, world, world_with,
};

/// A line of the archiver's output, as from the function itself.
fn log(world: &World, line: &str) {
    let path = world.archiver.config().log_file.as_ref().unwrap();
    writeln!(OpenOptions::new().append(true).open(path).unwrap(), "{line}").unwrap();
}

async fn put(world: &World, key: &str, body: &'static str, about: &str) {
    let put = clients::s3(&world.s3.endpoint()).put_object().bucket(BUCKET).key(key).metadata("about", about);
    put.body(ByteStream::from_static(body.as_bytes())).send().await.unwrap();
}

fn found(hits: Vec<scan::Hit>) -> Vec<(Place, Kind)> {
    hits.into_iter().map(|hit| (hit.place, hit.kind)).collect()
}

#[tokio::test]
async fn what_is_planted_is_found_in_the_place_where_it_was() {
    let world = world().await;
    log(&world, r#"{"level":"TRACE","target":"shared","to":"Test Caller"}"#);
    log(&world, r#"{"_aws":{},"Table":"+16505550171","Backlog":1}"#);
    world.invoke_webhook(&request(&[("validation-token", "16505550171")], b"")).await;
    put(&world, "recordings/16505550171.mp3", "audio", "nobody").await;
    put(&world, "recordings/1.mp3", "+16505550171", "tel:+16505550172").await;
    put(&world, "reports/1.json", r#"{"who":"Test Agent"}"#, "nobody").await;
    put(&world, "sessions/1.json", r#"{"who":"Test Agent"}"#, "nobody").await;
    let row = clients::dynamodb(&world.dynamodb.endpoint()).put_item().table_name(TABLE);
    row.item("pk", AttributeValue::S("session#sim-secret".into())).send().await.unwrap();
    assert_eq!(
        BTreeSet::from_iter(found(world.end())),
        BTreeSet::from([
            (Place::Log, Kind::Name),
            (Place::Metrics, Kind::Number),
            (Place::Answer, Kind::Number),
            (Place::ObjectKey, Kind::Number),
            (Place::ObjectMetadata, Kind::Number),
            (Place::Report, Kind::Name),
            (Place::RowKey, Kind::Secret),
        ]),
    );
}

#[tokio::test]
async fn every_token_and_every_secret_of_the_site_is_known_in_full_and_in_part() {
    let world = world().await;
    let token = world.mint_token().await;
    world.mint_token().await;
    world.secrets.put("another", &json!({ "client_id": "an-application", "jwt": ["a-secret-of-today"] }).to_string());
    world.secrets.put("another", "a-secret-that-is-no-JSON");
    for line in [&token[..15], &token[30..], "a-secret-of-today", "a-secret-that-is-no-JSON", "an-application"] {
        log(&world, &format!("thread 'main' panicked at {line}"));
    }
    let mut hits = found(world.end());
    hits.sort();
    let [secret, token] = [Kind::Secret, Kind::Token].map(|kind| (Place::Log, kind));
    assert_eq!(hits, [secret, secret, token, token], "each but the application's id");
}

#[test]
fn what_an_operator_is_shown_is_searched() {
    let output = operator::ringvault(&["reconcile", "--from", "Test Caller"]).output().unwrap();
    let hits = found(scan::hits(&Canaries::known(), &operator::shown(&output)));
    assert_eq!(hits, [(Place::Output, Kind::Name)], "the command line says what it cannot read: {output:?}");
}

#[tokio::test]
async fn a_test_whose_site_leaks_fails() {
    let world = world().await;
    log(&world, "Test Caller");
    assert!(catch_unwind(AssertUnwindSafe(|| drop(world))).is_err());
}

#[tokio::test]
async fn a_test_whose_site_keeps_to_itself_what_it_could_log_fails() {
    let world = world_with(|config| drop(config.env.insert(scan::LEVEL.into(), "info".into()))).await;
    assert!(catch_unwind(AssertUnwindSafe(|| drop(world))).is_err());
}

/// A site in which much goes well, and much does not.
async fn busy_world() -> World {
    let world = world_with(|config| config.vendor.medium_limit = 1_000).await;
    world.happen(&hang_up("s-1", &["9001", "9002"])).await;
    world.run_reconciler().await.unwrap();
    world.run().await;
    world.post(&request(&[("verification-token", "guessed")], b"{}")).await;
    world.post(&request(&[("verification-token", VERIFICATION_TOKEN)], b"Test Caller")).await;
    let outage = Outage {
        from_ms: 0,
        until_ms: u64::MAX,
        share: 1.0,
        path_part: "/telephony/sessions".into(),
        answer: OutageAnswer::Error(503),
    };
    world.vendor.with(|vendor| vendor.settings_mut().outages = vec![outage]);
    let mut running = hang_up("s-2", &["9003"]);
    running["body"]["parties"][0]["status"]["code"] = json!("Answered");
    world.happen(&running).await;
    world.run().await;
    world
}

#[tokio::test]
async fn a_busy_site_is_searched_wherever_it_writes_and_says_all_it_can() {
    let world = busy_world().await;
    let written = scan::written(&world);
    for (place, least) in [
        (Place::Log, 2_000),
        (Place::Metrics, 3_000),
        (Place::Answer, 1_000),
        (Place::ObjectKey, 2_000),
        (Place::ObjectMetadata, 200),
        (Place::RowKey, 1_000),
    ] {
        let bytes: usize = written.iter().filter(|it| it.place == place).map(|it| it.text.len()).sum();
        assert!(bytes >= least, "{place:?}: {bytes} bytes are searched");
    }
    let lines = [&*world.webhook, &world.archiver, &world.reconciler].map(|function| function.logs()).concat();
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let quiet = |line: &&Value| ["DEBUG", "TRACE"].iter().any(|level| line["level"] == *level);
    let quiet: Vec<_> = lines.iter().filter(quiet).collect();
    assert!(!quiet.is_empty(), "our own code says more than at `info`");
    for line in lines.iter().filter(|line| line["level"] != "WARN" && line["level"] != "ERROR") {
        let target = line["target"].as_str().unwrap().split("::").next().unwrap();
        assert!(["shared", "webhook", "archiver", "reconciler"].contains(&target), "a library's chatter: {line}");
    }
}

#[test]
fn everybody_in_the_tests_calls_is_known_by_name() {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(workspace().join("events")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            collect_names(&serde_json::from_reader(File::open(path).unwrap()).unwrap(), &mut names);
        }
    }
    for seed in 0..20 {
        for script in Day::new(seed, 1_776_124_800_000).scripts() {
            script.steps.iter().for_each(|step| collect_names(&step.event["body"]["parties"], &mut names));
        }
    }
    collect_names(&hang_up("s-1", &[]), &mut names);
    // A word that is nobody's name.
    names.remove("Conference");
    assert_eq!(names, NAMES.map(str::to_owned).into());
}

/// Every name in an event, also where its body is text.
fn collect_names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("name").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| collect_names(value, into));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_names(element, into)),
        Value::String(text) if text.starts_with('{') => {
            collect_names(&serde_json::from_str(text).unwrap_or_default(), into);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
