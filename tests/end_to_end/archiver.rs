//! What starts a run, what two of them do to each other, and what a killed one leaves.

use local_cloud::{dynamodb::Held, lambda::InvokeError};
use ringvault::stack::{BUCKET, RINGCENTRAL_SECRET, TABLE};
use serde_json::{Value, json};
use tests::{World, events::hang_up, world, world_with};

/// Holds the write that tells the table of an archived recording: S3 has it by then.
fn hold_the_result(world: &World) -> Held {
    world.dynamodb.gate().hold(|operation, body| operation == "UpdateItem" && body.to_string().contains("archived"))
}

#[tokio::test]
async fn a_schedule_and_the_tables_stream_start_the_same_drain() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    let batch = world.dynamodb.stream_batch(TABLE).unwrap();
    assert_eq!(batch["Records"][0]["dynamodb"]["NewImage"]["pk"], json!({ "S": "session#800000001#s-1" }));
    assert_eq!(world.archiver.invoke(&batch).await.unwrap()["archived"], 1);
    world.happen(&hang_up("s-2", &["9002"])).await;
    assert_eq!(world.run().await["archived"], 1);
    assert!(world.holds_exactly("9001") && world.holds_exactly("9002"));
}

#[tokio::test]
async fn an_event_for_somebody_else_fails_the_run() {
    let world = world().await;
    let refused = world.archiver.invoke(&json!({ "Records": [{ "eventSource": "aws:s3", "s3": {} }] })).await;
    assert!(matches!(refused, Err(InvokeError::Function { .. })), "{refused:?}");
}

#[tokio::test]
async fn killed_between_s3_and_the_table_the_next_run_adopts_the_object() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    let mut held = hold_the_result(&world);
    let (run, ()) = tokio::join!(world.run_archiver(), async {
        held.reached().await;
        world.archiver.kill().await;
    });
    assert!(matches!(run, Err(InvokeError::Exited { .. })), "{run:?}");
    drop(held);
    assert_eq!(world.keys().len(), 1, "S3 has it");
    assert_eq!(world.result("9001")["state"], "waiting", "the table does not know yet");

    world.archiver.restart().await.unwrap();
    assert_eq!(world.run().await["stopped"], "another_run", "the dead run's lease holds until its deadline");
    world.let_time_pass();
    let summary = world.run().await;
    assert_eq!((&summary["adopted"], &summary["archived"]), (&json!(1), &json!(1)));
    assert!(world.holds_exactly("9001"));
    assert_eq!(world.result("9001")["state"], "archived");
    assert_eq!((world.s3.writes(), world.vendor_statuses("/content")), (2, vec![200]), "nothing was sent twice");
}

#[tokio::test]
async fn facts_that_come_while_a_run_works_are_planned_for_in_the_same_run() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    let mut held = hold_the_result(&world);
    let (run, ()) = tokio::join!(world.run(), async {
        held.reached().await;
        world.happen(&hang_up("s-1", &["9002"])).await;
        drop(held);
    });
    assert_eq!(run["archived"], 2, "{run}");
    assert!(world.holds_exactly("9001") && world.holds_exactly("9002"));
    assert_eq!(world.next_due_ms().unwrap(), None);
}

#[tokio::test]
async fn a_recording_two_sessions_tell_of_is_one_object() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.happen(&hang_up("s-2", &["9001"])).await;
    assert_eq!(world.run().await["archived"], 2);
    assert!(world.holds_exactly("9001"));
    assert_eq!(world.next_due_ms().unwrap(), None);
}

#[tokio::test]
async fn something_else_under_the_key_is_a_conflict_and_is_not_overwritten() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.put_foreign_object("recordings/account=800000001/date=2026-04-14/9001.wav").await;
    world.put_foreign_object("recordings/account=800000001/date=2026-04-14/9001.mp3").await;
    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary["conflicts"]), (&json!(0), &json!(1)), "{summary}");
    assert_eq!(world.vendor_statuses("call-log"), Vec::<u16>::new(), "another download would not help");
    assert!(world.s3.objects(BUCKET).iter().all(|object| std::fs::read(&object.path).unwrap() == b"foreign"));
    assert!(world.archiver.logs().iter().any(|line| line.contains(r#""Blocked":1"#)));
}

#[tokio::test]
async fn one_token_serves_all_runs_and_processes() {
    let world = world().await;
    for n in 1..=3 {
        world.happen(&hang_up(&format!("s-{n}"), &[&format!("900{n}")])).await;
        assert_eq!(world.run().await["archived"], 1);
        world.archiver.kill().await;
        world.archiver.restart().await.unwrap();
    }
    assert_eq!(world.vendor_statuses("/oauth/token"), [200]);
}

#[tokio::test]
async fn an_evicted_token_is_replaced_once_and_the_request_made_again() {
    let world = world_with(|config| config.vendor.auth_limit = 100).await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    assert_eq!(world.run().await["archived"], 1);
    for _ in 0..5 {
        world.mint_token().await;
    }
    world.happen(&hang_up("s-2", &["9002"])).await;
    assert_eq!(world.run().await["archived"], 1);
    assert_eq!(world.vendor_statuses("/content"), [200, 401, 200]);
    assert_eq!(world.vendor_statuses("/oauth/token").len(), 1 + 5 + 1);
}

#[tokio::test]
async fn refused_credentials_end_the_run_and_are_not_tried_again_within_it() {
    let world = world().await;
    let wrong: Value = json!({ "client_id": "sim-client", "client_secret": "wrong", "jwt": "sim.jwt.assertion" });
    world.secrets.put(RINGCENTRAL_SECRET, &wrong.to_string());
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.happen(&hang_up("s-2", &["9002"])).await;
    assert_eq!(world.run().await["stopped"], "credentials_refused");
    assert_eq!(world.vendor_statuses("/oauth/token").len(), 1);
    assert!(world.archiver.logs().iter().any(|line| line.contains(r#""AccessRefused":1"#)));
    assert!(world.next_due_ms().unwrap().is_some(), "the sessions stay due");
}
