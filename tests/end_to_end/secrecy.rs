//! Tokens go to RingCentral and nowhere else; secrets and people stay out of the logs.

mod addresses;
mod canaries;
mod forged;
mod redirects;

use local_cloud::s3::{Failure, Operation};
use ringcentral_sim::world::{Direct, ListedAt};
use ringvault::stack::{TABLE, VERIFICATION_TOKEN, key_of};
use serde_json::json;
use tests::{
    World,
    events::{hang_up, request},
    world,
};

/// The one access token of a world, from its table.
fn access_token(world: &World) -> String {
    let rows = world.dynamodb.rows(TABLE).unwrap();
    let row = rows.iter().find(|row| key_of(row).starts_with("vendor#token#")).unwrap();
    row["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_token_the_vendor_saw_was_its_own_and_fresh() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001", "9002"])).await;
    world.recording("9001", |recording| recording.listed_at = ListedAt::Platform);
    world.run().await;
    let bearers: Vec<_> =
        world.vendor.with(|vendor| vendor.requests().iter().map(|served| served.bearer.clone()).collect());
    let sent: std::collections::BTreeSet<_> = bearers.iter().flatten().collect();
    assert_eq!(sent.len(), 1, "one token");
    assert_eq!(bearers.iter().filter(|bearer| bearer.is_none()).count(), 1, "the token request itself has none");
}

#[tokio::test]
async fn logs_hold_no_secret_and_nobodys_name_or_number() {
    let world = world().await;
    let mut event = hang_up("s-1", &["9001", "9002", "9003"]);
    world.happen(&event).await;
    world.recording("9001", |recording| recording.direct = Direct::Status(500));
    world.recording("9002", |recording| recording.ready_after_ms = None);
    world.recording("9003", |recording| recording.listed_at = ListedAt::Other("https://evil.example".into()));
    world.run().await;
    event["body"]["parties"] = json!("+16505550171");
    world.post(&request(&[("verification-token", VERIFICATION_TOKEN)], event.to_string().as_bytes())).await;
    world.post(&request(&[("verification-token", "forged-token")], event.to_string().as_bytes())).await;
    world.s3.fail(Operation::Put, usize::MAX, Failure::Unavailable);
    world.happen(&hang_up("s-2", &["9004"])).await;
    world.run().await;

    let access_token = access_token(&world);
    let logs = [world.webhook.logs(), world.archiver.logs()].concat().join("\n");
    assert!(logs.contains("archived") && logs.contains("9001"), "the logs are there: {logs}");
    for canary in [
        access_token.as_str(),
        VERIFICATION_TOKEN,
        "forged-token",
        "sim-secret",
        "sim.jwt.assertion",
        "+16505550171",
        "16505550172",
        "Test Agent",
        "Test Caller",
    ] {
        assert!(!logs.contains(canary), "{canary} is in the logs");
    }
}
