//! The bucket as the archive's memory: manifests, writes that fail, and a table that is lost.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use local_cloud::s3::{Failure, Operation};
use ringcentral_sim::world::{AudioFormat, BodyFault, Direct, Recording};
use ringvault::stack::{BUCKET, TABLE, key_of};
use serde_json::{Map, Value, json};
use shared::{
    clients::dynamodb::schema,
    domain::{
        day::{DAY_MS, parse_time},
        manifest::Manifest,
    },
};
use tests::{
    World, clients,
    events::{ACCOUNT, hang_up, transition},
    world, world_with,
};

const DAY: &str = "2026-04-14";
/// When the calls of the events' day began, as the call log says.
const BEGAN: &str = "2026-04-14T09:20:00Z";

/// More than one part of an upload, and nobody says how long it is.
fn long_and_undeclared(recording: &mut Recording) {
    recording.format = AudioFormat::Wav;
    recording.duration_s = 400;
    recording.body_fault = BodyFault::Undeclared;
}

#[tokio::test]
async fn the_run_that_settles_a_session_writes_its_manifest() {
    let world = where_silence_ends_at_once().await;
    world.happen(&hang_up("s-1", &["9001", "9002"])).await;
    world.recording("9001", |recording| recording.direct = Direct::Status(404));
    world.recording("9002", |recording| recording.deleted_after_ms = Some(0));
    world.s3.fail(Operation::Put, 1, Failure::Conflict);
    assert_eq!(world.run().await["archived"], 0, "the bucket does not take it yet");
    assert_eq!(world.manifest(DAY, "s-1"), None, "one recording still waits");

    settle(&world).await;
    let manifest = world.manifest(DAY, "s-1").unwrap();
    let [archived, unavailable] = [&manifest["recordings"][0], &manifest["recordings"][1]];
    let result = world.result("9001");
    for name in ["key", "sha256", "size_bytes", "etag", "content_type", "way"] {
        assert_eq!(archived["object"][name], result[name], "{name}");
    }
    assert_eq!((&archived["state"], &archived["call_log"]["kind"]), (&json!("archived"), &json!("Automatic")));
    assert_eq!((&unavailable["state"], &unavailable["object"]), (&json!("unavailable"), &json!(null)));
    assert_eq!(manifest["parties"][0]["event"]["from"], "+16505550172");
    let object = world.s3.objects(BUCKET).into_iter().find(|object| object.key.starts_with("sessions/")).unwrap();
    let facts = (object.content_type.as_deref(), object.storage_class.as_str(), object.checksum_sha256);
    let sha256 = world.only_session()["manifest"]["sha256"].as_str().map(str::to_owned);
    assert_eq!(facts, (Some("application/json"), "STANDARD", sha256));
    assert!(Manifest::parse(manifest.to_string().as_bytes()).is_ok());
}

#[tokio::test]
async fn what_is_heard_later_is_added_to_the_manifest() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.run().await;
    let first = world.manifest(DAY, "s-1").unwrap();
    world.happen(&transition("s-1", 3, "Disconnected", &["9002"])).await;
    assert_eq!(world.run().await["archived"], 2);
    let second = world.manifest(DAY, "s-1").unwrap();
    assert_eq!(second["recordings"][0], first["recordings"][0]);
    assert_eq!(second["recordings"].as_array().unwrap().len(), 2);
    assert_eq!(second["parties"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_manifest_of_ours_is_a_conflict_and_is_not_overwritten() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    let key = format!("sessions/account={ACCOUNT}/date={DAY}/s-1.json");
    world.put_foreign_object(&key).await;
    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary["conflicts"]), (&json!(1), &json!(1)), "{summary}");
    let object = world.s3.objects(BUCKET).into_iter().find(|object| object.key == key).unwrap();
    assert_eq!(std::fs::read(object.path).unwrap(), b"foreign");
    assert!(world.next_due_ms().unwrap().is_some(), "it stays due until somebody has looked");
    world.s3.remove(BUCKET, &key).unwrap();
    world.run().await;
    assert!(world.manifest(DAY, "s-1").is_some() && world.next_due_ms().unwrap().is_none());
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_found_in_the_same_run() {
    for (change, operation) in [
        ((|_: &mut Recording| ()) as fn(&mut Recording), Operation::Put),
        (long_and_undeclared as fn(&mut Recording), Operation::CompleteUpload),
    ] {
        let world = world().await;
        world.happen(&hang_up("s-1", &["9001"])).await;
        world.recording("9001", change);
        world.s3.fail(operation, 1, Failure::Unanswered);
        let summary = world.run().await;
        assert_eq!((&summary["archived"], &summary["direct"]), (&json!(1), &json!(1)), "{operation:?}: {summary}");
        assert!(world.holds_exactly("9001"), "{operation:?}");
        assert_eq!(world.vendor_statuses("/content"), [200], "{operation:?}");
        assert_eq!(world.s3.open_uploads(BUCKET), [""; 0], "{operation:?}");
    }
}

#[tokio::test]
async fn a_write_that_meets_another_is_made_again_later() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.s3.fail(Operation::Put, 1, Failure::Conflict);
    assert_eq!(world.run().await["waiting"], 1);
    assert_eq!(world.result("9001")["reason"], "the bucket does not hold the object");
    assert_eq!(world.run().await["archived"], 1);
    assert!(world.holds_exactly("9001"));
}

#[tokio::test]
async fn a_long_body_of_undeclared_length_comes_in_parts_and_is_adopted_by_reading_it_back() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", long_and_undeclared);
    assert_eq!(world.run().await["direct"], 1);
    assert!(world.holds_exactly("9001"));
    let stored = world.result("9001");
    assert!(stored["crc64nvme"].is_string() && stored["etag"].as_str().unwrap().ends_with("-2\""), "{stored}");
    assert_eq!(stored["duration_ms"], 400_000);

    // The table forgets what became of it, but not where it lies.
    let waiting = HashMap::from([
        ("state".to_owned(), AttributeValue::S("waiting".into())),
        ("key".to_owned(), AttributeValue::S(stored["key"].as_str().unwrap().into())),
        ("at".to_owned(), AttributeValue::N("1".into())),
    ]);
    make_due(&world, "s-1", Some(("r#9001", AttributeValue::M(waiting)))).await;
    assert_eq!(world.run().await["adopted"], 1);
    let adopted = world.result("9001");
    for name in ["sha256", "crc64nvme", "etag", "size_bytes", "duration_ms", "key"] {
        assert_eq!(adopted[name], stored[name], "{name}");
    }
    assert_eq!(world.vendor_statuses("/content"), [200]);
}

#[tokio::test]
async fn a_second_run_over_a_settled_day_downloads_and_writes_nothing() {
    let world = settled_day().await;
    let before = (world.rows().len(), world.s3.writes(), world.vendor_statuses("/").len());
    let rows = world.rows();
    assert_eq!(world.run().await["sessions"], 0);
    assert_eq!(world.rows(), rows);

    for row in &rows {
        make_due(&world, session_of(row), None).await;
    }
    let summary = world.run().await;
    assert_eq!((&summary["sessions"], &summary["waiting"]), (&json!(rows.len()), &json!(0)), "{summary}");
    assert_eq!((world.rows().len(), world.s3.writes(), world.vendor_statuses("/").len()), before);
    assert_eq!(results(&world), results_of(&rows));
}

#[tokio::test]
async fn a_lost_table_is_rebuilt_from_the_call_log_and_the_bucket() {
    let world = settled_day().await;
    let rows = results(&world);
    let (writes, downloads) = (world.s3.writes(), world.vendor_statuses("/content").len());
    for row in world.rows() {
        let key = AttributeValue::S(key_of(&row).to_owned());
        let delete = clients::dynamodb(&world.dynamodb.endpoint()).delete_item().table_name(TABLE);
        delete.key(schema::KEY, key).send().await.unwrap();
    }
    // The call log may put a call on another day than its events did.
    world.begin_call("s-2", parse_time(BEGAN).unwrap() - DAY_MS);
    tell_from_the_log(&world).await;
    assert_eq!(world.rows().len(), rows.len());
    assert!(results(&world).iter().all(|(_, results)| results.is_empty()));

    world.run().await;
    assert_eq!(world.next_due_ms().unwrap(), None);
    assert_eq!(results(&world), rows, "the same rows");
    assert_eq!(world.vendor_statuses("/content").len(), downloads, "0 downloads");
    assert_eq!(world.s3.writes(), writes, "0 writes");
}

#[tokio::test]
async fn where_there_is_no_manifest_yet_a_lost_table_adopts_the_objects() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001", "9002"])).await;
    world.recording("9001", long_and_undeclared);
    world.recording("9002", |recording| recording.ready_after_ms = None);
    world.run().await;
    let archived = world.result("9001");
    let delete = clients::dynamodb(&world.dynamodb.endpoint()).delete_item().table_name(TABLE);
    let key = AttributeValue::S(format!("session#{ACCOUNT}#s-1"));
    delete.key(schema::KEY, key).send().await.unwrap();
    let next_day_ms = parse_time(BEGAN).unwrap() + DAY_MS;
    world.begin_call("s-1", next_day_ms);
    tell_from_the_log(&world).await;
    let downloads = world.vendor_statuses("/recording/9001/content").len();
    assert_eq!(world.run().await["adopted"], 1);
    let adopted = world.result("9001");
    for name in ["key", "sha256", "crc64nvme", "etag", "size_bytes", "duration_ms"] {
        assert_eq!(adopted[name], archived[name], "{name}");
    }
    assert_eq!(world.vendor_statuses("/recording/9001/content").len(), downloads, "0 downloads");
}

/// A world in which the call log's first silence ends a recording.
async fn where_silence_ends_at_once() -> World {
    world_with(|config| {
        config.env.insert("UNLISTED_AFTER_HOURS".into(), "0".into());
    })
    .await
}

/// Calls of a day, each settled: archived both ways, in parts, and together with a recording that never came.
async fn settled_day() -> World {
    let world = where_silence_ends_at_once().await;
    for (session, recordings) in
        [("s-1", &["9001"][..]), ("s-2", &["9002"]), ("s-3", &["9003", "9004"]), ("s-4", &["9005"])]
    {
        world.happen(&hang_up(session, recordings)).await;
        world.begin_call(session, parse_time(BEGAN).unwrap());
    }
    world.recording("9002", |recording| recording.direct = Direct::Status(404));
    world.recording("9004", |recording| recording.deleted_after_ms = Some(0));
    world.recording("9005", long_and_undeclared);
    settle(&world).await;
    // What came by the media URL lacks what the call log says of it.
    tell_from_the_log(&world).await;
    settle(&world).await;
    assert_eq!((world.next_due_ms().unwrap(), world.keys().len()), (None, 4), "{:?}", world.rows());
    world
}

/// The silence of a page says nothing: it takes a look of its own.
async fn settle(world: &World) {
    for _ in 0..4 {
        if world.next_due_ms().unwrap().is_some() {
            world.run().await;
        }
    }
}

/// Brings a session back into the queue, with one attribute changed.
async fn make_due(world: &World, session: &str, change: Option<(&str, AttributeValue)>) {
    let client = clients::dynamodb(&world.dynamodb.endpoint());
    let key = AttributeValue::S(format!("session#{ACCOUNT}#{session}"));
    let update = client.update_item().table_name(TABLE).key(schema::KEY, key);
    let update = update
        .expression_attribute_names("#queue", schema::QUEUE)
        .expression_attribute_names("#due_at", schema::DUE_AT)
        .expression_attribute_values(":due", AttributeValue::S(schema::DUE.into()))
        .expression_attribute_values(":zero", AttributeValue::N("0".into()));
    let set = "SET #queue = :due, #due_at = :zero";
    let update = match change {
        None => update.update_expression(set),
        Some((name, value)) => update
            .update_expression(format!("{set}, #changed = :changed"))
            .expression_attribute_names("#changed", name)
            .expression_attribute_values(":changed", value),
    };
    update.send().await.unwrap();
}

/// Tells the table of every recording the call log offers.
async fn tell_from_the_log(world: &World) -> Value {
    let [from_ms, to_ms] = ["2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"].map(|time| parse_time(time).unwrap());
    world.reconcile(from_ms, to_ms).await.unwrap()["reconciled"].clone()
}

fn session_of(row: &Map<String, Value>) -> &str {
    key_of(row).rsplit('#').next().unwrap()
}

/// What the rows say became of each recording, by session, and of which manifest they know.
fn results(world: &World) -> Vec<(String, Map<String, Value>)> {
    results_of(&world.rows())
}

fn results_of(rows: &[Map<String, Value>]) -> Vec<(String, Map<String, Value>)> {
    let kept = |(name, _): &(&String, &Value)| name.starts_with("r#") || *name == "manifest";
    let of =
        |row: &Map<String, Value>| row.iter().filter(kept).map(|(name, value)| (name.clone(), value.clone())).collect();
    rows.iter().map(|row| (key_of(row).to_owned(), of(row))).collect()
}
