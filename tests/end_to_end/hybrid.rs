//! The hybrid strategy: direct, and every way to the call log.

use ringcentral_sim::world::{AudioFormat, BodyFault, Direct, ListedAt};
use serde_json::{Value, json};
use tests::{World, events::hang_up, world, world_with};

async fn one_call(world: &World) {
    assert_eq!(world.happen(&hang_up("s-1", &["9001"])).await.outcome, "recorded");
}

/// Runs the archiver once and holds it to one archived recording that came by `way`.
async fn assert_archived_by(world: &World, way: &str) {
    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary[way]), (&json!(1), &json!(1)), "{summary}; {}", world.result("9001"));
    assert!(world.holds_exactly("9001"));
    assert_eq!(world.result("9001")["way"], way);
    assert_eq!(world.next_due_ms().unwrap(), None);
}

#[tokio::test]
async fn direct_costs_one_request_and_asks_no_log() {
    let world = world().await;
    one_call(&world).await;
    assert_archived_by(&world, "direct").await;
    assert_eq!(world.vendor_statuses("/account/~/recording/9001/content"), [200]);
    assert_eq!(world.vendor_statuses("call-log"), Vec::<u16>::new());
}

#[tokio::test]
async fn whatever_the_direct_url_answers_but_a_recording_the_log_is_asked() {
    for (case, direct) in [
        ("404", Direct::Status(404)),
        ("500", Direct::Status(500)),
        ("503", Direct::Status(503)),
        ("403", Direct::Status(403)),
        ("400", Direct::Status(400)),
        ("a page of HTML with 200", Direct::Html),
    ] {
        let world = world().await;
        one_call(&world).await;
        world.recording("9001", |recording| recording.direct = direct);
        assert_archived_by(&world, "call_log").await;
        assert_eq!(world.vendor_statuses("call-log"), [200], "{case}");
    }
}

#[tokio::test]
async fn media_that_moved_is_found_through_the_log() {
    let world = world().await;
    one_call(&world).await;
    world.recording("9001", |recording| recording.listed_at = ListedAt::Platform);
    assert_archived_by(&world, "call_log").await;
    assert!(world.result("9001")["content_uri"].as_str().unwrap().starts_with(world.vendor.platform_url()));
}

#[tokio::test]
async fn a_dead_media_host_is_got_round() {
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", dead.local_addr().unwrap());
    drop(dead);
    let world = world_with(|config| {
        config.env.insert("RINGCENTRAL_MEDIA_URL".into(), address);
    })
    .await;
    one_call(&world).await;
    world.recording("9001", |recording| recording.listed_at = ListedAt::Platform);
    assert_archived_by(&world, "call_log").await;
}

#[tokio::test]
async fn where_the_companys_log_is_forbidden_the_extensions_is_asked() {
    let world = world_with(|config| config.vendor.company_call_log_allowed = false).await;
    // The token's own extension took the call.
    let mut event = hang_up("s-1", &["9001"]);
    event["body"]["parties"][0]["extensionId"] = json!("800000100");
    assert_eq!(world.happen(&event).await.outcome, "recorded");
    world.recording("9001", |recording| recording.direct = Direct::Status(404));
    assert_archived_by(&world, "call_log").await;
    assert_eq!(world.vendor_statuses("/account/~/call-log"), [403]);
    assert_eq!(world.vendor_statuses("/account/~/extension/~/call-log"), [200]);
}

#[tokio::test]
async fn a_log_that_does_not_know_the_telephony_session_is_asked_by_session_id() {
    let world = world().await;
    one_call(&world).await;
    world.recording("9001", |recording| recording.direct = Direct::Status(404));
    world.vendor.with(|vendor| vendor.call_mut("s-1").unwrap().telephony_session_id = "s-other".into());
    assert_archived_by(&world, "call_log").await;
    assert_eq!(world.vendor_statuses("call-log?telephonySessionId=s-1"), [200]);
    assert_eq!(world.vendor_statuses("call-log?sessionId=71000000001"), [200]);
}

#[tokio::test]
async fn every_recording_of_a_call_is_archived_and_one_look_up_serves_all() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001", "9002", "9003"])).await;
    for id in ["9001", "9002"] {
        world.recording(id, |recording| recording.direct = Direct::Status(404));
    }
    let summary = world.run().await;
    assert_eq!((&summary["direct"], &summary["call_log"]), (&json!(1), &json!(2)));
    assert!(["9001", "9002", "9003"].into_iter().all(|id| world.holds_exactly(id)));
    assert_eq!(world.vendor_statuses("call-log"), [200]);
}

#[tokio::test]
async fn a_call_with_more_recordings_than_one_window_allows_requests_still_gets_on() {
    let world = world_with(|config| config.vendor.heavy_limit = 10).await;
    let ids: Vec<String> = (1..=12).map(|n| format!("90{n:02}")).collect();
    world.happen(&hang_up("s-1", &ids.iter().map(String::as_str).collect::<Vec<_>>())).await;
    for id in &ids {
        world.recording(id, |recording| recording.direct = Direct::Status(404));
    }
    let summary = world.run().await;
    assert_eq!(summary["stopped"], "throttled", "nine by the media URL, then one question for all: {summary}");
    assert_eq!(world.vendor_statuses("call-log"), [200]);
    let row = world.only_session();
    assert!(ids.iter().all(|id| row[&format!("r#{id}")]["content_uri"].is_string()), "nobody need ask again: {row:?}");
    assert_eq!(row["attempts"], 0);
    assert_eq!(world.vendor_statuses("/").into_iter().filter(|status| *status == 429).count(), 0);
}

#[tokio::test]
async fn wav_and_mp3_are_named_typed_and_filed_by_the_day_of_the_call() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001", "9002"])).await;
    world.recording("9001", |recording| recording.format = AudioFormat::Mp3);
    world.recording("9002", |recording| {
        recording.format = AudioFormat::Wav;
        recording.served_content_type = Some("audio/x-wav;charset=binary".into());
    });
    world.run().await;
    let mut objects = world.s3.objects(ringvault::stack::BUCKET);
    objects.retain(|object| object.key.starts_with("recordings/"));
    let seen: Vec<_> =
        objects.iter().map(|object| (object.key.as_str(), object.content_type.as_deref().unwrap())).collect();
    assert_eq!(
        seen,
        [
            ("recordings/account=800000001/date=2026-04-14/9001.mp3", "audio/mpeg"),
            ("recordings/account=800000001/date=2026-04-14/9002.wav", "audio/wav"),
        ]
    );
    let metadata: Value = serde_json::to_value(&objects[0].metadata).unwrap();
    assert_eq!(metadata, json!({ "account-id": "800000001", "recording-id": "9001", "telephony-session-id": "s-1" }));
    assert_eq!(objects[0].checksum_sha256.as_deref(), world.result("9001")["sha256"].as_str());
}

#[tokio::test]
async fn what_is_no_recording_is_never_stored_as_one() {
    for (case, fault) in [("HTML", BodyFault::Html), ("cut short", BodyFault::CutShort), ("empty", BodyFault::Empty)] {
        let world = world().await;
        one_call(&world).await;
        world.recording("9001", |recording| recording.body_fault = fault);
        let summary = world.run().await;
        assert_eq!(summary["waiting"], 1, "{case}: {summary}");
        assert_eq!(world.keys(), Vec::<String>::new(), "{case}");
        world.recording("9001", |recording| recording.body_fault = BodyFault::None);
        assert_archived_by(&world, "call_log").await;
        assert_eq!(world.vendor_statuses("call-log"), [200], "its address is known by then");
    }
}
