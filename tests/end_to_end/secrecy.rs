//! Tokens go to RingCentral and nowhere else; secrets and people stay out of the logs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use local_cloud::s3::{Failure, Operation};
use ringcentral_sim::world::{Direct, ListedAt};
use ringvault::stack::{TABLE, VERIFICATION_TOKEN, key_of};
use serde_json::json;
use tests::{
    events::{hang_up, request},
    world, world_with,
};
use tokio::net::TcpListener;

/// A host that counts who connects to it.
async fn thief() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visits);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, visits)
}

#[tokio::test]
async fn a_content_uri_of_a_foreign_host_is_not_asked() {
    let (address, visits) = thief().await;
    let world = world().await;
    for (n, host) in
        [address.clone(), address.replace("127.0.0.1", "localhost"), "https://ringcentral.com.evil.example".into()]
            .into_iter()
            .enumerate()
    {
        let id = format!("900{n}");
        world.happen(&hang_up(&format!("s-{n}"), &[&id])).await;
        world.recording(&id, |recording| {
            recording.direct = Direct::Status(404);
            recording.listed_at = ListedAt::Other(host);
        });
    }
    let summary = world.run().await;
    assert_eq!((&summary["waiting"], &summary["foreign_hosts"]), (&json!(3), &json!(3)), "{summary}");
    assert!(world.archiver.logs().iter().any(|line| line.contains(r#""Blocked":3"#)), "a person must see to them");
    assert_eq!(visits.load(Ordering::SeqCst), 0);
    for n in 0..3 {
        let reason =
            "direct: the vendor answered 404 CMN-102; contentUri: cannot send a token to the host the call log names";
        assert_eq!(world.result(&format!("900{n}"))["reason"], reason);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (address, visits) = thief().await;
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.recording("9001", |recording| recording.direct = Direct::Redirect(format!("{address}/9001")));
    assert_eq!(world.run().await["call_log"], 1, "a redirect is an error like any other");
    assert_eq!(visits.load(Ordering::SeqCst), 0);
    assert!(world.holds_exactly("9001"));
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
    let world = world_with(|config| {
        config.env.insert("AWS_LAMBDA_LOG_LEVEL".into(), "trace".into());
    })
    .await;
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

    let rows = world.dynamodb.rows(TABLE).unwrap();
    let token_row = rows.iter().find(|row| key_of(row).starts_with("vendor#token#")).unwrap();
    let access_token = token_row["access_token"].as_str().unwrap().to_owned();
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
