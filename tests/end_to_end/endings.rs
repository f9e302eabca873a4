//! Recordings that come late, and those that never come.

use ringcentral_sim::{Outage, OutageAnswer, world::Direct};
use ringvault::stack::TABLE;
use serde_json::json;
use shared::{clients::system::System, ports::clock::Clock};
use tests::{
    World,
    events::{hang_up, transition},
    world, world_with,
};

#[tokio::test]
async fn a_recording_that_is_not_ready_is_waited_for() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.ready_after_ms = None);
    for attempt in 1..=3 {
        assert_eq!(world.run().await["waiting"], 1);
        assert_eq!(world.only_session()["attempts"], attempt);
    }
    assert_eq!(world.result("9001")["state"], "waiting");
    assert_eq!(world.keys(), Vec::<String>::new());
    world.recording("9001", |recording| recording.ready_after_ms = Some(0));
    assert_eq!(world.run().await["archived"], 1);
    assert!(world.holds_exactly("9001"));
}

#[tokio::test]
async fn the_ladder_decides_when_to_look_again() {
    let world = world_with(|config| {
        config.env.insert("RETRY_LADDER_SECONDS".into(), "3600".into());
    })
    .await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.ready_after_ms = None);
    assert_eq!(world.run().await["sessions"], 1);
    assert_eq!(world.run().await["sessions"], 0, "not due for an hour");
    world.let_time_pass();
    assert_eq!(world.run().await["sessions"], 1);
}

#[tokio::test]
async fn too_short_is_an_ending_with_its_evidence() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.too_short = true);
    let summary = world.run().await;
    assert_eq!((&summary["too_short"], &summary["archived"]), (&json!(1), &json!(0)));
    assert_eq!(
        world.result("9001")["reason"],
        "direct: the vendor answered 404 CMN-102; call log: marked shortRecording (1 records)"
    );
    assert_eq!(world.next_due_ms().unwrap(), None);
}

#[tokio::test]
async fn silence_of_the_log_ends_a_recording_only_after_its_time() {
    let silent = |hours: &'static str| async move {
        let world = world_with(|config| {
            config.env.insert("UNLISTED_AFTER_HOURS".into(), hours.into());
        })
        .await;
        world.happen(&hang_up("s-1", &["9001"])).await;
        world.vendor.with(|vendor| vendor.call_mut("s-1").unwrap().recordings.clear());
        world.run().await;
        world
    };
    assert_eq!(silent("72").await.result("9001")["state"], "waiting");
    let ended = silent("0").await;
    assert_eq!(ended.result("9001")["state"], "unavailable");
    let reason = "direct: the vendor answered 404 CMN-102; call log: not offered (1 records)";
    assert_eq!(ended.result("9001")["reason"], reason);
}

#[tokio::test]
async fn the_silence_of_an_extensions_log_ends_nothing() {
    let world = world_with(|config| {
        config.env.insert("UNLISTED_AFTER_HOURS".into(), "0".into());
        config.vendor.company_call_log_allowed = false;
    })
    .await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.direct = Direct::Status(404));
    assert_eq!(world.run().await["waiting"], 1, "another extension took the call");
    assert_eq!(world.vendor_statuses("/extension/~/call-log?telephonySessionId"), [200]);
}

#[tokio::test]
async fn silence_is_counted_from_the_first_silent_answer() {
    let world = world_with(|config| {
        config.env.insert("UNLISTED_AFTER_HOURS".into(), "1".into());
    })
    .await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.dynamodb.set_number(TABLE, "session#800000001#s-1", "seen_at", 0).unwrap();
    world.vendor.with(|vendor| vendor.call_mut("s-1").unwrap().recordings.clear());
    assert_eq!(world.run().await["waiting"], 1, "known for decades, but silent only since now");
}

#[tokio::test]
async fn a_log_that_fails_ends_nothing_however_old_the_recording_is() {
    let world = world_with(|config| {
        config.env.insert("UNLISTED_AFTER_HOURS".into(), "0".into());
        config.vendor.scope = "ReadCallRecording".into();
    })
    .await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.ready_after_ms = None);
    assert_eq!(world.run().await["waiting"], 1);
    assert_eq!(
        world.result("9001")["reason"],
        "direct: the vendor answered 404 CMN-102; call log: the vendor answered 403 CMN-401"
    );
}

#[tokio::test]
async fn a_party_still_talking_is_not_asked_for_until_the_quiet_period_is_over() {
    let world = world_with(|config| {
        config.env.insert("QUIET_PERIOD_SECONDS".into(), "3600".into());
    })
    .await;
    world.happen(&transition("s-1", 2, "Disconnected", &["9001"])).await;
    world.happen(&transition("s-1", 3, "Answered", &["9002"])).await;
    let summary = world.run().await;
    assert_eq!((&summary["archived"], &summary["waiting"]), (&json!(1), &json!(1)), "{summary}");
    assert_eq!(world.vendor_statuses("recording/9002"), Vec::<u16>::new());
    world.happen(&transition("s-1", 3, "Disconnected", &[])).await;
    assert_eq!(world.run().await["archived"], 2);
    assert!(world.holds_exactly("9002"));
}

async fn throttled() -> World {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.happen(&hang_up("s-2", &["9002"])).await;
    for id in ["9001", "9002"] {
        world.recording(id, |recording| recording.direct = Direct::Status(429));
    }
    world
}

#[tokio::test]
async fn the_vendors_limit_is_learned_and_not_passed() {
    let world = world_with(|config| config.vendor.heavy_limit = 3).await;
    for n in 1..=5 {
        world.happen(&hang_up(&format!("s-{n}"), &[&format!("900{n}")])).await;
    }
    let summary = world.run().await;
    assert_eq!((&summary["direct"], &summary["stopped"]), (&json!(3), &json!("throttled")));
    assert_eq!(world.vendor_statuses("/content"), [200, 200, 200], "no request is sent to be refused");
}

#[tokio::test]
async fn a_429_of_the_token_endpoint_keeps_everybody_silent_too() {
    let world = world_with(|config| config.vendor.auth_limit = 1).await;
    world.mint_token().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    assert_eq!(world.run().await["stopped"], "throttled");
    assert_eq!(world.run().await["stopped"], "throttled");
    assert_eq!(world.vendor_statuses("/oauth/token"), [200, 429]);
}

#[tokio::test]
async fn a_429_ends_the_run_and_costs_no_attempt() {
    let world = throttled().await;
    let summary = world.run().await;
    assert_eq!(summary["stopped"], "throttled");
    assert_eq!(world.vendor_statuses("/content"), [429], "nothing is sent after a 429");
    let attempts: Vec<_> = world.rows().iter().map(|row| row.get("attempts").cloned().unwrap_or(json!(0))).collect();
    assert_eq!(attempts, [json!(0), json!(0)]);
    assert_eq!(world.run().await["stopped"], "throttled", "the freeze is in the table");
    assert_eq!(world.vendor_statuses("/content"), [429], "the next run sends nothing either");
    for id in ["9001", "9002"] {
        world.recording(id, |recording| recording.direct = Direct::Served);
    }
    world.let_time_pass();
    // The process that saw the 429 remembers it.
    world.archiver.kill().await;
    world.archiver.restart().await.unwrap();
    assert_eq!(world.run().await["archived"], 2);
}

#[tokio::test]
async fn a_missing_permission_stops_the_run_costs_no_attempt_and_raises_a_metric() {
    let world = world_with(|config| config.vendor.scope = "ReadCallLog".into()).await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    assert_eq!(world.run().await["stopped"], "permission_missing");
    assert_eq!(world.vendor_statuses("/content"), [403]);
    assert_eq!(world.vendor_statuses("call-log"), Vec::<u16>::new(), "the log cannot help");
    assert_eq!(world.only_session()["attempts"], 0);
    assert!(world.archiver.logs().iter().any(|line| line.contains(r#""AccessRefused":1"#)));
    world.vendor.with(|vendor| vendor.settings_mut().scope = "ReadCallLog ReadCallRecording".into());
    assert_eq!(world.run().await["archived"], 1, "it goes on by itself");
}

#[tokio::test]
async fn what_the_user_may_not_have_is_asked_for_once_a_day_and_raises_a_metric() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.direct = Direct::Status(404));
    let forbidden = Outage {
        from_ms: 0,
        until_ms: u64::MAX,
        share: 1.0,
        path_part: "/account/800000001/recording/".into(),
        answer: OutageAnswer::Error(403),
    };
    world.vendor.with(|vendor| vendor.settings_mut().outages = vec![forbidden]);
    for look in 1..=2 {
        let now_ms = System.now_ms();
        assert_eq!(world.run().await["forbidden"], 1, "look {look}");
        assert!(world.next_due_ms().unwrap() >= Some(now_ms + 86_400_000), "look {look}");
        world.let_time_pass();
    }
    assert!(world.archiver.logs().iter().any(|line| line.contains(r#""Blocked":1"#)));
    world.vendor.with(|vendor| vendor.settings_mut().outages.clear());
    assert_eq!(world.run().await["archived"], 1);
}

#[tokio::test]
async fn a_limit_of_recordings_own_is_told_from_that_of_the_log() {
    let world = world_with(|config| {
        config.vendor.media_limit = Some(4);
        config.vendor.heavy_limit = 20;
    })
    .await;
    for n in 1..=6 {
        world.happen(&hang_up(&format!("s-{n}"), &[&format!("900{n}")])).await;
    }
    assert_eq!(world.run().await["stopped"], "throttled");
    assert_eq!(world.vendor_statuses("/content"), [200; 4], "the limit of group media, and no request more");
}
