//! Every file in `events/`, and what comes of it in a fresh world: the reply, the rows it makes, and what a run of the
//! archiver makes of them.

use insta::assert_snapshot;
use local_cloud::lambda::InvokeError;
use ringvault::{
    replay::{EventFile, Kind},
    stack::key_of,
};
use serde_json::{Map, Value};
use tests::{World, workspace, world};

/// Attributes that tell the time of the test.
const TIMES: [&str; 4] = ["seen_at", "due_at", "ttl", "rev"];

fn facts(row: &Map<String, Value>) -> String {
    let mut facts = format!("row {}\n", key_of(row));
    for (name, value) in row.iter().filter(|(name, _)| *name != "pk" && !TIMES.contains(&name.as_str())) {
        facts += &match name.strip_prefix("r#") {
            Some(id) => format!("  {id} {} {} {}\n", value["state"], value["way"], value["key"]).replace('"', ""),
            None => format!("  {name} {value}\n"),
        };
    }
    facts
}

async fn send(world: &World, file: &EventFile) -> Result<Value, InvokeError> {
    match file.kind {
        Kind::Http => world.webhook.invoke(&file.json).await,
        Kind::RingCentral => world.webhook.invoke(&file.as_http()).await,
        Kind::Schedule | Kind::Stream => world.archiver.invoke(&file.json).await,
    }
}

/// What comes of one file.
async fn outcome(name: &str) -> String {
    let world = world().await;
    let file = EventFile::read(&workspace().join("events").join(name)).unwrap();
    if let Some(notification) = file.notification() {
        world.vendor.learn(&notification);
    }
    let reply = send(&world, &file).await.unwrap();
    let mut outcome = match file.kind {
        Kind::Http | Kind::RingCentral => {
            format!("{} {}\n", reply["statusCode"], reply["body"].as_str().unwrap_or_default())
        }
        Kind::Schedule | Kind::Stream => format!("{reply}\n"),
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
    http_handshake_validation_token: "http.handshake.validation-token.json" => @"";
    http_base64: "http.telephony-session.base64.json" => @"";
    http_wrong_secret: "http.telephony-session.wrong-secret.json" => @"";
    subscription_renewal_reminder: "ringcentral.subscription.renewal-reminder.json" => @"";
    body_level_account: "ringcentral.telephony-session.body-level-account.json" => @"";
    disconnected: "ringcentral.telephony-session.disconnected.json" => @"";
    extension_subscription: "ringcentral.telephony-session.extension-subscription.json" => @"";
    gone_conference: "ringcentral.telephony-session.gone-conference.json" => @"";
    missed: "ringcentral.telephony-session.missed.json" => @"";
    on_demand: "ringcentral.telephony-session.on-demand.json" => @"";
    recording_paused: "ringcentral.telephony-session.recording-paused.json" => @"";
    transfer_first_agent_leaves: "ringcentral.telephony-session.transfer-first-agent-leaves.json" => @"";
    transfer_second_agent_hangs_up: "ringcentral.telephony-session.transfer-second-agent-hangs-up.json" => @"";
    unknown_values: "ringcentral.telephony-session.unknown-values.json" => @"";
    voicemail: "ringcentral.telephony-session.voicemail.json" => @"";
    schedule_eventbridge_rule_tick: "schedule.eventbridge-rule.tick.json" => @"";
    schedule_eventbridge_scheduler_tick: "schedule.eventbridge-scheduler.tick.json" => @"";
    stream_dynamodb_new_session: "stream.dynamodb.new-session.json" => @"";
}
