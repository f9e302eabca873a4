//! Every file in `events/`, and what comes of it in a fresh world: the reply, the rows it makes, and what a run of the
//! archiver makes of them.

use insta::assert_snapshot;
use local_cloud::lambda::InvokeError;
use ringvault::{
    replay::{EventFile, Kind},
    stack::key_of,
};
use serde_json::{Map, Value};
use tests::{World, events::hang_up, workspace, world};

/// Attributes that tell the time of the test.
const TIMES: [&str; 5] = ["happened_at", "seen_at", "due_at", "ttl", "rev"];

/// Attributes that begin so tell its port.
const OFFER: &str = "o#";

fn facts(row: &Map<String, Value>) -> String {
    let mut facts = format!("row {}\n", key_of(row));
    for (name, value) in
        row.iter().filter(|(name, _)| *name != "pk" && !TIMES.contains(&name.as_str()) && !name.starts_with(OFFER))
    {
        facts += &match (name.as_str(), name.strip_prefix("r#")) {
            ("manifest", _) => format!("  {name} {}\n", value["key"]),
            (_, Some(id)) => format!("  {id} {} {} {}\n", value["state"], value["way"], value["key"]).replace('"', ""),
            (_, None) => format!("  {name} {value}\n"),
        };
    }
    facts
}

async fn send(world: &World, file: &EventFile) -> Result<Value, InvokeError> {
    match file.kind {
        Kind::Http => world.webhook.invoke(&file.json).await,
        Kind::RingCentral => world.webhook.invoke(&file.as_http()).await,
        Kind::Schedule | Kind::Stream => world.archiver.invoke(&file.json).await,
        Kind::Range => world.reconciler.invoke(&file.json).await,
    }
}

/// What comes of one file.
async fn outcome(name: &str) -> String {
    let world = world().await;
    let file = EventFile::read(&workspace().join("events").join(name)).unwrap();
    if let Some(notification) = file.notification() {
        world.vendor.learn(&notification);
    }
    match file.kind {
        Kind::Http | Kind::RingCentral => {}
        Kind::Schedule | Kind::Stream => drop(world.happen(&hang_up("s-due", &["9001"])).await),
        // A call that no event told of.
        Kind::Range => {
            world.vendor.learn(&hang_up("s-unheard", &["9001"]));
            let begun = world.vendor.with(|vendor| vendor.begin_call("s-unheard", 1_776_170_000_000));
            assert!(begun, "on the day the sample names");
        }
    }
    let reply = send(&world, &file).await.unwrap();
    let mut outcome = match file.kind {
        Kind::Http | Kind::RingCentral => {
            format!("{} {}\n", reply["statusCode"], reply["body"].as_str().unwrap_or_default())
        }
        Kind::Schedule | Kind::Range | Kind::Stream => {
            let mut summary = reply.as_object().unwrap().clone();
            summary.retain(|name, _| !name.ends_with("_seconds"));
            format!("{}\n", Value::Object(summary))
        }
    };
    world.run().await;
    for row in world.rows() {
        outcome += &facts(&row);
    }
    outcome
}

macro_rules! event_files {
    ($($test:ident: $file:literal => @$snapshot:literal;)*) => {
        /// Every file that has a test here.
        const TESTED: &[&str] = &[$($file),*];

        $(
            #[tokio::test]
            async fn $test() {
                assert_snapshot!(outcome($file).await, @$snapshot);
            }
        )*
    };
}

#[test]
fn every_file_has_a_test() {
    let files = std::fs::read_dir(workspace().join("events")).unwrap();
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.retain(|name| name.ends_with(".json"));
    files.sort();
    let mut tested = TESTED.to_vec();
    tested.sort_unstable();
    assert_eq!(files, tested);
}

event_files! {
    operator_range: "operator.range.one-day.json" => @r##"
        {"reconciled":{"amended":0,"calls":1,"from_ms":1776124800000,"next_ms":1776211200000,"offered":1,"pages":1,"reopened":0,"silent":0,"to_ms":1776211200000,"too_short":0,"unheard":1,"unreadable":0},"repaired":false}
        row session#800000001#s-unheard
          attempts 1
          day "2026-04-14"
          ended ["p-s-unheard-2"]
          heard ["9001|p-s-unheard-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-unheard.json"
          p#p-s-unheard-2 {"direction":"Inbound","extension":"800000102","from":"+16505550172","to":"+16505550171"}
          9001 archived call_log recordings/account=800000001/date=2026-04-14/9001.wav
          session_id "71000000001"
          v 1
    "##;
    http_handshake_validation_token: "http.handshake.validation-token.json" => @r#"200 {"outcome":"validated"}"#;
    http_base64: "http.telephony-session.base64.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000009z1a2b3c4d509z1c090000
          attempts 1
          day "2026-04-20"
          ended ["p-a0f1000000009z1a2b3c4d509z1c090000-2"]
          heard ["90000001008|p-a0f1000000009z1a2b3c4d509z1c090000-2"]
          manifest "sessions/account=800000001/date=2026-04-20/s-a0f1000000009z1a2b3c4d509z1c090000.json"
          p#p-a0f1000000009z1a2b3c4d509z1c090000-2 {"direction":"Inbound","extension":"800000103","from":"+16505550163","to":"+16505550113"}
          90000001008 archived direct recordings/account=800000001/date=2026-04-20/90000001008.wav
          session_id "70000000109"
          v 1
    "##;
    http_api: "http.telephony-session.http-api.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000010z1a2b3c4d510z1c0a0000
          attempts 1
          day "2026-04-14"
          ended ["p-a0f1000000010z1a2b3c4d510z1c0a0000-2"]
          heard ["90000001010|p-a0f1000000010z1a2b3c4d510z1c0a0000-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-a0f1000000010z1a2b3c4d510z1c0a0000.json"
          p#p-a0f1000000010z1a2b3c4d510z1c0a0000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          90000001010 archived direct recordings/account=800000001/date=2026-04-14/90000001010.wav
          session_id "70000000110"
          v 1
    "##;
    http_wrong_secret: "http.telephony-session.wrong-secret.json" => @r#"401 {"outcome":"forged"}"#;
    subscription_renewal_reminder: "ringcentral.subscription.renewal-reminder.json" => @r#"200 {"outcome":"renewal_reminder"}"#;
    body_level_account: "ringcentral.telephony-session.body-level-account.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#Y3MxNzAwMDAwMDAwMDAwMTA2+QDEwLjAuMC4yMQ==
          attempts 1
          day "2026-04-16"
          ended ["cs17000000000106-2"]
          heard ["90000001006|cs17000000000106-2"]
          manifest "sessions/account=800000001/date=2026-04-16/Y3MxNzAwMDAwMDAwMDAwMTA2+QDEwLjAuMC4yMQ==.json"
          p#cs17000000000106-2 {"direction":"Inbound","extension":"800000102","from":"+16505550158","to":"+16505550112"}
          90000001006 archived direct recordings/account=800000001/date=2026-04-16/90000001006.mp3
          session_id "70000000106"
          v 1
    "##;
    disconnected: "ringcentral.telephony-session.disconnected.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000001z1a2b3c4d501z1c010000
          attempts 1
          day "2026-04-14"
          ended ["p-a0f1000000001z1a2b3c4d501z1c010000-2"]
          heard ["90000001001|p-a0f1000000001z1a2b3c4d501z1c010000-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-a0f1000000001z1a2b3c4d501z1c010000.json"
          p#p-a0f1000000001z1a2b3c4d501z1c010000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          90000001001 archived direct recordings/account=800000001/date=2026-04-14/90000001001.wav
          session_id "70000000101"
          v 1
    "##;
    extension_subscription: "ringcentral.telephony-session.extension-subscription.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000001z1a2b3c4d501z1c010000
          attempts 1
          day "2026-04-14"
          ended ["p-a0f1000000001z1a2b3c4d501z1c010000-2"]
          heard ["90000001001|p-a0f1000000001z1a2b3c4d501z1c010000-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-a0f1000000001z1a2b3c4d501z1c010000.json"
          p#p-a0f1000000001z1a2b3c4d501z1c010000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          90000001001 archived direct recordings/account=800000001/date=2026-04-14/90000001001.wav
          session_id "70000000101"
          v 1
    "##;
    gone_conference: "ringcentral.telephony-session.gone-conference.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000007z1a2b3c4d507z1c070000
          attempts 1
          day "2026-04-17"
          ended ["p-a0f1000000007z1a2b3c4d507z1c070000-2"]
          heard ["90000001007|p-a0f1000000007z1a2b3c4d507z1c070000-2"]
          manifest "sessions/account=800000001/date=2026-04-17/s-a0f1000000007z1a2b3c4d507z1c070000.json"
          p#p-a0f1000000007z1a2b3c4d507z1c070000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          90000001007 archived direct recordings/account=800000001/date=2026-04-17/90000001007.mp3
          session_id "70000000107"
          v 1
    "##;
    missed: "ringcentral.telephony-session.missed.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000005z1a2b3c4d505z1c050000
          day "2026-04-16"
          ended ["p-a0f1000000005z1a2b3c4d505z1c050000-2"]
          p#p-a0f1000000005z1a2b3c4d505z1c050000-2 {"direction":"Inbound","extension":"800000102","from":"+16505550142","to":"+16505550112"}
          session_id "70000000105"
          v 1
    "##;
    on_demand: "ringcentral.telephony-session.on-demand.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000003z1a2b3c4d503z1c030000
          attempts 1
          day "2026-04-15"
          ended ["p-a0f1000000003z1a2b3c4d503z1c030000-1"]
          heard ["90000001004|p-a0f1000000003z1a2b3c4d503z1c030000-1","90000001005|p-a0f1000000003z1a2b3c4d503z1c030000-1"]
          manifest "sessions/account=800000001/date=2026-04-15/s-a0f1000000003z1a2b3c4d503z1c030000.json"
          p#p-a0f1000000003z1a2b3c4d503z1c030000-1 {"direction":"Outbound","extension":"800000103","from":"+16505550113","to":"+16505550177"}
          90000001004 archived direct recordings/account=800000001/date=2026-04-15/90000001004.wav
          90000001005 archived direct recordings/account=800000001/date=2026-04-15/90000001005.wav
          session_id "70000000103"
          v 1
    "##;
    answered_recording_paused: "ringcentral.telephony-session.answered-recording-paused.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000001z1a2b3c4d501z1c010000
          attempts 0
          day "2026-04-14"
          heard ["90000001001|p-a0f1000000001z1a2b3c4d501z1c010000-2"]
          p#p-a0f1000000001z1a2b3c4d501z1c010000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          queue "due"
          session_id "70000000101"
          v 1
    "##;
    transfer_first_agent_leaves: "ringcentral.telephony-session.transfer-first-agent-leaves.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000002z1a2b3c4d502z1c020000
          attempts 1
          day "2026-04-14"
          ended ["p-a0f1000000002z1a2b3c4d502z1c020000-2"]
          heard ["90000001002|p-a0f1000000002z1a2b3c4d502z1c020000-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-a0f1000000002z1a2b3c4d502z1c020000.json"
          p#p-a0f1000000002z1a2b3c4d502z1c020000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          90000001002 archived direct recordings/account=800000001/date=2026-04-14/90000001002.wav
          session_id "70000000102"
          v 1
    "##;
    transfer_second_agent_hangs_up: "ringcentral.telephony-session.transfer-second-agent-hangs-up.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000002z1a2b3c4d502z1c020000
          attempts 1
          day "2026-04-14"
          ended ["p-a0f1000000002z1a2b3c4d502z1c020000-3"]
          heard ["90000001003|p-a0f1000000002z1a2b3c4d502z1c020000-3"]
          manifest "sessions/account=800000001/date=2026-04-14/s-a0f1000000002z1a2b3c4d502z1c020000.json"
          p#p-a0f1000000002z1a2b3c4d502z1c020000-3 {"direction":"Inbound","extension":"800000102","from":"+16505550142","to":"+16505550112"}
          90000001003 archived direct recordings/account=800000001/date=2026-04-14/90000001003.wav
          session_id "70000000102"
          v 1
    "##;
    unknown_values: "ringcentral.telephony-session.unknown-values.json" => @r#"200 {"outcome":"not_of_interest"}"#;
    voicemail: "ringcentral.telephony-session.voicemail.json" => @r##"
        200 {"outcome":"recorded"}
        row session#800000001#s-a0f1000000004z1a2b3c4d504z1c040000
          day "2026-04-15"
          ended ["p-a0f1000000004z1a2b3c4d504z1c040000-2"]
          p#p-a0f1000000004z1a2b3c4d504z1c040000-2 {"direction":"Inbound","extension":"800000101","from":"+16505550142","to":"+16505550111"}
          session_id "70000000104"
          v 1
    "##;
    schedule_eventbridge_rule_tick: "schedule.eventbridge-rule.tick.json" => @r##"
        {"adopted":0,"archived":1,"backlog":1,"call_log":0,"conflicts":0,"deleted":0,"direct":1,"durations_differ":0,"forbidden":0,"foreign_hosts":0,"sessions":1,"too_short":0,"unavailable":0,"undescribed":0,"unreadable":0,"waiting":0}
        row session#800000001#s-due
          attempts 1
          day "2026-04-14"
          ended ["p-s-due-2"]
          heard ["9001|p-s-due-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-due.json"
          p#p-s-due-2 {"direction":"Inbound","extension":"800000102","from":"+16505550172","to":"+16505550171"}
          9001 archived direct recordings/account=800000001/date=2026-04-14/9001.wav
          session_id "71000000001"
          v 1
    "##;
    schedule_eventbridge_scheduler_tick: "schedule.eventbridge-scheduler.tick.json" => @r##"
        {"adopted":0,"archived":1,"backlog":1,"call_log":0,"conflicts":0,"deleted":0,"direct":1,"durations_differ":0,"forbidden":0,"foreign_hosts":0,"sessions":1,"too_short":0,"unavailable":0,"undescribed":0,"unreadable":0,"waiting":0}
        row session#800000001#s-due
          attempts 1
          day "2026-04-14"
          ended ["p-s-due-2"]
          heard ["9001|p-s-due-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-due.json"
          p#p-s-due-2 {"direction":"Inbound","extension":"800000102","from":"+16505550172","to":"+16505550171"}
          9001 archived direct recordings/account=800000001/date=2026-04-14/9001.wav
          session_id "71000000001"
          v 1
    "##;
    stream_dynamodb_new_session: "stream.dynamodb.new-session.json" => @r##"
        {"adopted":0,"archived":1,"backlog":1,"call_log":0,"conflicts":0,"deleted":0,"direct":1,"durations_differ":0,"forbidden":0,"foreign_hosts":0,"sessions":1,"too_short":0,"unavailable":0,"undescribed":0,"unreadable":0,"waiting":0}
        row session#800000001#s-due
          attempts 1
          day "2026-04-14"
          ended ["p-s-due-2"]
          heard ["9001|p-s-due-2"]
          manifest "sessions/account=800000001/date=2026-04-14/s-due.json"
          p#p-s-due-2 {"direction":"Inbound","extension":"800000102","from":"+16505550172","to":"+16505550171"}
          9001 archived direct recordings/account=800000001/date=2026-04-14/9001.wav
          session_id "71000000001"
          v 1
    "##;
}
