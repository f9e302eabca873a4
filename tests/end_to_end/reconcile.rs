//! The call log held against the table, over the real binaries.

use std::process::Output;

use local_cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use ringcentral_sim::world::Direct;
use ringvault::stack::BUCKET;
use serde_json::{Value, json};
use shared::{
    clients::system::System,
    domain::day::{DAY_MS, parse_time},
    ports::clock::Clock,
};
use tests::{
    World,
    events::{delivery, hang_up},
    operator, world, world_with,
};

const DAY: &str = "2026-04-14";
/// When the calls began, as the call log says.
const BEGAN: &str = "2026-04-14T09:20:00Z";

fn began_ms() -> u64 {
    parse_time(BEGAN).unwrap()
}

/// Calls the vendor has, and no event told of.
fn unheard(world: &World, calls: &[(&str, &[&str])]) {
    for (session, recordings) in calls {
        world.vendor.learn(&hang_up(session, recordings));
        world.begin_call(session, began_ms());
    }
}

async fn reconcile(world: &World) -> Value {
    world.reconcile(began_ms() - DAY_MS / 2, began_ms() + DAY_MS / 2).await.unwrap()["reconciled"].clone()
}

#[tokio::test]
async fn what_no_event_told_of_is_archived_by_the_address_the_log_gives() {
    let world = world().await;
    unheard(&world, &[("s-1", &["9001"]), ("s-2", &["9002", "9003"])]);
    let found = reconcile(&world).await;
    assert_eq!((&found["calls"], &found["offered"], &found["unheard"]), (&json!(2), &json!(3), &json!(3)), "{found}");
    assert_eq!(found["stopped"], json!(null));

    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary["call_log"]), (&json!(3), &json!(3)), "{summary}");
    assert!(["9001", "9002", "9003"].iter().all(|recording| world.holds_exactly(recording)));
    assert_eq!(world.vendor_statuses("/call-log").len(), 1, "the archiver need not ask again");
    let manifest = world.manifest(DAY, "s-1").unwrap();
    assert_eq!(manifest["recordings"][0]["call_log"]["kind"], "Automatic", "{manifest}");

    let again = reconcile(&world).await;
    assert_eq!((&again["unheard"], &again["amended"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(world.next_due_ms().unwrap(), None);
}

#[tokio::test]
async fn what_the_events_did_not_tell_is_added_to_row_and_manifest() {
    let world = world().await;
    unheard(&world, &[("s-1", &["9001", "9002"])]);
    world.post(&delivery(&hang_up("s-1", &["9001"]))).await;
    assert_eq!(world.run().await["direct"], 1);
    assert_eq!(world.manifest(DAY, "s-1").unwrap()["recordings"][0]["call_log"], json!(null));

    let found = reconcile(&world).await;
    assert_eq!((&found["unheard"], &found["amended"]), (&json!(1), &json!(1)), "{found}");
    assert_eq!(world.run().await["archived"], 2);
    let recordings = world.manifest(DAY, "s-1").unwrap()["recordings"].clone();
    assert_eq!(recordings[0]["call_log"]["duration_s"], recordings[1]["call_log"]["duration_s"]);
    assert_eq!(world.vendor_statuses("/recording/9001/content"), [200], "it is not fetched again");
    assert!(world.holds_exactly("9001") && world.holds_exactly("9002"));
}

#[tokio::test]
async fn what_is_too_short_or_gone_ends_with_its_evidence() {
    let world = world_with(|config| {
        config.env.insert("UNLISTED_AFTER_HOURS".into(), "0".into());
        // The archiver does not come to its second look, which would find out by itself.
        config.env.insert("RETRY_LADDER_SECONDS".into(), "86400".into());
    })
    .await;
    for (session, recording) in [("s-1", "9001"), ("s-2", "9002")] {
        world.happen(&hang_up(session, &[recording])).await;
        world.begin_call(session, began_ms());
    }
    world.recording("9001", |recording| recording.too_short = true);
    world.recording("9002", |recording| recording.direct = Direct::Status(503));
    assert_eq!(reconcile(&world).await["too_short"], 1);
    world.run().await;
    assert_eq!(world.result("9001")["state"], "too_short");
    assert_eq!(world.result("9001")["reason"], "call log: marked shortRecording (1 records)");
    assert_eq!(world.result("9002")["state"], "archived");
    assert_eq!(world.manifest(DAY, "s-1").unwrap()["recordings"][0]["state"], "too_short");
}

#[tokio::test]
async fn an_ending_the_log_contradicts_is_left() {
    let world = world_with(|config| drop(config.env.insert("UNLISTED_AFTER_HOURS".into(), "0".into()))).await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.begin_call("s-1", began_ms());
    world.recording("9001", |recording| recording.ready_after_ms = None);
    world.vendor.with(|vendor| vendor.call_mut("s-1").unwrap().listed_after_ms = None);
    for _ in 0..3 {
        world.run().await;
    }
    assert_eq!(world.result("9001")["state"], "unavailable", "{}", world.result("9001"));
    world.recording("9001", |recording| recording.ready_after_ms = Some(0));
    world.vendor.with(|vendor| vendor.call_mut("s-1").unwrap().listed_after_ms = Some(0));
    let found = reconcile(&world).await;
    assert_eq!(found["reopened"], 1, "{found}");
    let reason = world.result("9001")["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("call log: offered; had ended as unavailable"), "{reason}");
    world.run().await;
    assert!(world.holds_exactly("9001"));
    assert_eq!(world.manifest(DAY, "s-1").unwrap()["recordings"][0]["state"], "archived");
}

#[tokio::test]
async fn a_tick_sweeps_the_last_hours_once_an_hour_and_the_older_ones_once() {
    let world = world_with(|config| {
        config.env.insert("VENDOR_RETENTION_DAYS".into(), "14".into());
        config.vendor.medium_limit = 1_000;
    })
    .await;
    let now_ms = System.now_ms();
    for (session, recording, ago_ms) in [("s-1", "9001", 3_600_000), ("s-2", "9002", 10 * DAY_MS)] {
        world.vendor.learn(&hang_up(session, &[recording]));
        world.begin_call(session, now_ms - ago_ms);
    }
    let summary = world.run_reconciler().await.unwrap();
    assert_eq!((&summary["subscription"], &summary["repaired"]), (&json!("created"), &json!(true)), "{summary}");
    assert_eq!(summary["backfilled"]["unheard"], 2, "what was before the stack is the backfill's: {summary}");
    world.let_time_pass();
    world.run().await;
    assert!(world.holds_exactly("9001") && world.holds_exactly("9002"));

    world.vendor.learn(&hang_up("s-3", &["9003"]));
    let summary = world.run_reconciler().await.unwrap();
    assert_eq!(summary["reconciled"]["unheard"], 0, "it is not an hour yet: {summary}");
    let id = world.vendor.with(|vendor| vendor.subscriptions(System.now_ms()).next().unwrap().id.clone());
    world.vendor.with(|vendor| vendor.blacklist(&id, "it was down", System.now_ms()));
    let summary = world.run_reconciler().await.unwrap();
    assert_eq!((&summary["repaired"], &summary["reconciled"]["unheard"]), (&json!(true), &json!(1)), "{summary}");
    let asked = world.vendor_statuses("/call-log").len();
    let summary = world.run_reconciler().await.unwrap();
    assert_eq!((&summary["subscription"], &summary["repaired"]), (&json!("healthy"), &json!(false)));
    assert_eq!(summary["backfilled"]["next_ms"], summary["backfilled"]["to_ms"], "{summary}");
    assert_eq!(world.vendor_statuses("/call-log").len(), asked, "there was nothing to ask");
}

/// `ringvault`, as a shell that has the stack's variables runs it.
async fn shell(world: &World, arguments: &[&str]) -> Output {
    let mut command = operator::ringvault(arguments);
    command.envs(&world.variables);
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)]);
    command.env("AWS_REGION", REGION);
    tokio::task::spawn_blocking(move || operator::run(&mut command)).await.unwrap()
}

#[tokio::test]
async fn a_shell_reconciles_and_backfills() {
    let world = world().await;
    unheard(&world, &[("s-1", &["9001"])]);
    let output = shell(&world, &["reconcile", "--from", "2026-04-14", "--to", "2026-04-15", "--json"]).await;
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert_eq!((&found["unheard"], &found["from"]), (&json!(1), &json!("2026-04-14T00:00:00.000Z")), "{found}");
    let day = &found["days"][0];
    assert_eq!((&day["offered"], &day["waiting"], &day["missing"]), (&json!(1), &json!(1), &json!([])), "{found}");
    assert!(shown.contains("1 recordings, 1 unheard of") && !shown.contains('\r'), "{shown}");

    unheard(&world, &[("s-2", &["9002"])]);
    let output = shell(&world, &["backfill", "--from", "2026-04-14", "--to", "2026-04-15"]).await;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && shown.contains("unheard of     1"), "{shown}");
    world.let_time_pass();
    world.run().await;
    assert!(world.holds_exactly("9001") && world.holds_exactly("9002"));

    let range = ["reconcile", "--from", "2026-04-14", "--to", "2026-04-15"];
    let output = shell(&world, &range).await;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && shown.contains("2026-04-14        2         2        0"), "{shown}");
    let key = world.keys().remove(0);
    world.s3.remove(BUCKET, &key).unwrap();
    let output = shell(&world, &range).await;
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && shown.contains("missing_object  9001"), "{shown}");
}

#[tokio::test]
async fn a_shell_without_what_it_needs_says_what_that_is() {
    let world = world().await;
    for (arguments, complaint) in [
        (&["reconcile", "--from", "2026-04-14"][..], "ringvault: --from needs a --to\n"),
        (&["backfill", "--from", "2026-04-15", "--to", "2026-04-14"], "ringvault: --to is not after --from\n"),
    ] {
        let output = shell(&world, arguments).await;
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(1), complaint));
    }
    let output = operator::run(operator::ringvault(&["reconcile"]).env_remove("TABLE_NAME"));
    let complaint = "ringvault: TABLE_NAME is not set: set it as the functions have it\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), complaint);

    world.vendor.with(|vendor| vendor.settings_mut().scope = "ReadCallRecording".into());
    let output = shell(&world, &["reconcile"]).await;
    let complaint = "ringvault: RingCentral refuses: the app lacks ReadCallLog\n";
    assert!(String::from_utf8_lossy(&output.stderr).ends_with(complaint), "{output:?}");
}

#[tokio::test]
async fn a_range_that_cannot_be_read_is_not_done() {
    let world = world().await;
    world.vendor.with(|vendor| vendor.settings_mut().scope = "ReadCallRecording".into());
    let found = reconcile(&world).await;
    assert_eq!(found["stopped"], "permission_missing", "{found}");
    assert_ne!(found["next_ms"], found["to_ms"]);

    world.vendor.with(|vendor| {
        let settings = vendor.settings_mut();
        (settings.scope, settings.company_call_log_allowed) = ("ReadCallLog".into(), false);
    });
    let found = reconcile(&world).await;
    assert_eq!(found["stopped"], "permission_missing", "an extension's log says nothing of the others': {found}");
    assert_ne!(found["next_ms"], found["to_ms"]);
}
