//! Every run and every delivery leaves one line, and the metrics in it are those of the table.

use std::collections::BTreeSet;

use ringcentral_sim::{Outage, OutageAnswer};
use ringvault::stack::{TABLE, VERIFICATION_TOKEN, key_of};
use serde_json::{Value, json};
use shared::{
    clients::system::System,
    domain::day::DAY_MS,
    ports::clock::Clock,
    telemetry::{NAMESPACE, metrics::Metric},
};
use tests::{
    World,
    events::{delivery, hang_up, request},
    world_with,
};

/// The records of a function, in the order of its work.
fn records(logs: &[String], message: &str) -> Vec<Value> {
    let lines = logs.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == message).collect()
}

fn runs_of_archiver(world: &World) -> Vec<Value> {
    records(&world.archiver.logs(), "run")
}

fn runs_of_reconciler(world: &World) -> Vec<Value> {
    records(&world.reconciler.logs(), "run")
}

fn deliveries(world: &World) -> Vec<Value> {
    records(&world.webhook.logs(), "delivery")
}

/// The metrics of a record; it must be of CloudWatch's format, and of our table.
fn measured(record: &Value) -> BTreeSet<Metric> {
    let metric = |name: &Value| Metric::ALL.into_iter().find(|metric| name == metric.name());
    let Some(embedded) = record.get("_aws") else {
        assert!(Metric::ALL.iter().all(|metric| record.get(metric.name()).is_none()), "{record}");
        return BTreeSet::new();
    };
    let [set] = embedded["CloudWatchMetrics"].as_array().unwrap().as_slice() else { panic!("one set: {record}") };
    assert_eq!((&set["Namespace"], &set["Dimensions"]), (&json!(NAMESPACE), &json!([["Table"]])), "{record}");
    assert_eq!(record["Table"], TABLE);
    assert!(embedded["Timestamp"].as_u64().is_some_and(|at_ms| at_ms > 1_700_000_000_000), "{record}");
    let named = set["Metrics"].as_array().unwrap().iter().map(|named| {
        let metric = metric(&named["Name"]).unwrap_or_else(|| panic!("{named} is not in the table"));
        assert_eq!(named["Unit"], metric.unit().name());
        assert!(record[metric.name()].is_number(), "{record}");
        metric
    });
    let named: Vec<Metric> = named.collect();
    let all: BTreeSet<Metric> = named.iter().copied().collect();
    assert_eq!(all.len(), named.len(), "each once: {record}");
    all
}

/// From now on RingCentral answers 503 to requests whose path has this in it.
fn refuse(world: &World, path_part: &str) {
    let (path_part, answer) = (path_part.to_owned(), OutageAnswer::Error(503));
    let outage = Outage { from_ms: 0, until_ms: u64::MAX, share: 1.0, path_part, answer };
    world.vendor.with(|vendor| vendor.settings_mut().outages = vec![outage]);
}

/// A stack that has a call of three days ago before it, of which no event told.
async fn busy_world() -> World {
    let world = world_with(|config| {
        config.env.insert("VENDOR_RETENTION_DAYS".into(), "14".into());
        config.vendor.medium_limit = 1_000;
    })
    .await;
    world.vendor.learn(&hang_up("s-1", &["9001"]));
    world.begin_call("s-1", System.now_ms() - 3 * DAY_MS);
    world.vendor.learn(&hang_up("s-2", &[]));
    world
}

#[tokio::test]
async fn each_metric_of_the_table_is_emitted_and_no_other() {
    let world = busy_world().await;
    world.run_reconciler().await.unwrap();
    world.let_time_pass();
    world.run().await;
    world.post(&request(&[("verification-token", "guessed")], b"{}")).await;
    world.post(&request(&[("verification-token", VERIFICATION_TOKEN)], b"{}")).await;
    world.happen(&hang_up("s-3", &["9003"])).await;
    world.dynamodb.stop();
    world.post(&delivery(&hang_up("s-4", &["9004"]))).await;

    let (archiver, reconciler) = (runs_of_archiver(&world), runs_of_reconciler(&world));
    assert_eq!((archiver.len(), reconciler.len()), (1, 1), "one line a run");
    let all = [archiver, reconciler, deliveries(&world)].concat();
    let seen: BTreeSet<Metric> = all.iter().flat_map(measured).collect();
    assert_eq!(seen, Metric::ALL.into_iter().collect());
    let functions = [&*world.webhook, &world.archiver, &world.reconciler];
    let lines: usize =
        functions.iter().flat_map(|function| function.logs()).filter(|line| line.contains("_aws")).count();
    assert_eq!(lines, all.iter().filter(|record| record.get("_aws").is_some()).count(), "in records alone");
}

#[tokio::test]
async fn a_delivery_that_went_well_is_a_record_without_a_metric() {
    let world = busy_world().await;
    world.happen(&hang_up("s-3", &["9003"])).await;
    world.post(&request(&[("verification-token", "guessed")], b"{}")).await;
    let [well, forged] = deliveries(&world).try_into().unwrap();
    assert_eq!((&well["level"], &well["outcome"], measured(&well).len()), (&json!("INFO"), &json!("recorded"), 0));
    assert_eq!((&forged["level"], &forged["outcome"]), (&json!("WARN"), &json!("forged")));
    assert_eq!(measured(&forged), [Metric::DeliveriesForged].into());
    assert!(well["request_id"].is_string() && well["target"] == "webhook", "{well}");
}

#[tokio::test]
async fn a_run_that_fails_leaves_its_record_and_no_heartbeat() {
    let world = busy_world().await;
    world.dynamodb.stop();
    world.run_failing().await;
    world.run_reconciler().await.unwrap_err();
    for record in [runs_of_archiver(&world), runs_of_reconciler(&world)].concat() {
        assert_eq!(record["level"], "ERROR", "{record}");
        assert!(record["error"].as_str().is_some_and(|error| !error.is_empty()), "{record}");
        let heartbeats = BTreeSet::from([Metric::ArchiverHeartbeat, Metric::ReconcilerHeartbeat]);
        assert!(measured(&record).is_disjoint(&heartbeats), "{record}");
    }
    assert_eq!((runs_of_archiver(&world).len(), runs_of_reconciler(&world).len()), (1, 1));
}

#[tokio::test]
async fn a_stack_whose_call_log_never_answered_says_how_long_nothing_was_proved() {
    let world = busy_world().await;
    refuse(&world, "/call-log");
    world.run_reconciler().await.unwrap();
    let key = "vendor#cursor#backfill";
    let rows = world.dynamodb.rows(TABLE).unwrap();
    let row = rows.iter().find(|row| key_of(row) == key).unwrap();
    let mut state: Value = serde_json::from_str(row["state"].as_str().unwrap()).unwrap();
    for time in ["from_ms", "to_ms", "next_ms"] {
        state[time] = json!(state[time].as_u64().unwrap() - 2 * DAY_MS);
    }
    world.dynamodb.set_text(TABLE, key, "state", &state.to_string()).unwrap();
    world.run_reconciler().await.unwrap();
    let ages: Vec<u64> =
        runs_of_reconciler(&world).iter().map(|run| run["ProofAge"].as_f64().unwrap() as u64).collect();
    let [new, later] = ages.try_into().unwrap();
    assert!(new < 60 && (172_800..172_860).contains(&later), "{new}, two days later {later}");
}

#[tokio::test]
async fn what_a_run_has_archived_cannot_be_too_late() {
    let world = busy_world().await;
    world.run_reconciler().await.unwrap();
    world.let_time_pass();
    refuse(&world, "/content");
    let summary = world.run().await;
    let left_s = summary["slack_seconds"].as_i64().unwrap();
    assert!((11 * 86_400 - 60..=11 * 86_400).contains(&left_s), "a call of three days ago, kept for 14: {summary}");
    world.vendor.with(|vendor| vendor.settings_mut().outages.clear());
    world.let_time_pass();
    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary["backlog"]), (&json!(1), &json!(1)), "{summary}");
    assert_eq!(summary["slack_seconds"], json!(null), "{summary}");
}
