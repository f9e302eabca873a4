//! Handshake and secrets.

use ringvault::stack::{VERIFICATION_SECRET, VERIFICATION_TOKEN};
use serde_json::json;
use tests::{
    Answer, World,
    canaries::Kind,
    events::{delivery, hang_up, request},
    scan::{Hit, Place},
    world, world_with,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const VALIDATION_TOKEN: &str = "4f1c2d3e-0000-11f0-8000-0a1b2c3d4e5f";

fn answer(status: u64, outcome: &str) -> Answer {
    Answer { status, outcome: outcome.to_owned() }
}

async fn subscribe(world: &World) -> reqwest::Response {
    let subscription = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "expiresIn": 315_360_000,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": world.webhook_url.url(),
            "verificationToken": VERIFICATION_TOKEN,
        },
    });
    reqwest::Client::new()
        .post(format!("{}/restapi/v1.0/subscription", world.vendor.platform_url()))
        .bearer_auth(world.mint_token().await)
        .header("content-type", "application/json")
        .body(subscription.to_string())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_vendor_subscribes_after_a_handshake_and_delivers() {
    let world = world().await;
    let reply = subscribe(&world).await;
    assert_eq!(reply.status(), 200, "the handshake holds all the vendor asks for (API.md §5.1)");
    let event = hang_up("s-1", &["9001"]);
    let deliveries = world.vendor.deliver(&event).await;
    assert_eq!(deliveries.iter().map(|delivery| delivery.status).collect::<Vec<_>>(), [Some(200)]);
    assert_eq!(world.only_session()["heard"], json!(["9001|p-s-1-2"]));
}

#[tokio::test]
async fn replies_stay_far_below_1024_bytes_with_all_headers() {
    let world = world().await;
    let address = world.webhook_url.url();
    let authority = address.trim_start_matches("http://").trim_end_matches('/');
    for (headers, body) in [
        (format!("Validation-Token: {}\r\n", "x".repeat(128)), String::new()),
        (format!("Verification-Token: {VERIFICATION_TOKEN}\r\n"), hang_up("s-1", &["9001"]).to_string()),
        ("Verification-Token: wrong\r\n".to_owned(), "{}".to_owned()),
    ] {
        let mut connection = TcpStream::connect(authority).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}");
        let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        connection.read_to_end(&mut reply).await.unwrap();
        let text = String::from_utf8_lossy(&reply);
        assert!(text.starts_with("HTTP/1.1 ") && text.contains("x-amzn-requestid"), "{text}");
        assert!(reply.len() < 640, "{} bytes: {text}", reply.len());
    }
}

#[tokio::test]
async fn a_handshake_is_echoed_and_needs_no_secret() {
    let world = world().await;
    let reply = world.invoke_webhook(&request(&[("validation-token", VALIDATION_TOKEN)], b"")).await;
    assert_eq!(reply["statusCode"], 200);
    assert_eq!(reply["headers"]["validation-token"], VALIDATION_TOKEN);
    assert_eq!(world.secrets.reads(VERIFICATION_SECRET), 0);
}

#[tokio::test]
async fn an_event_that_comes_with_a_handshake_is_both_echoed_and_recorded() {
    let world = world().await;
    let event = hang_up("s-1", &["9001"]).to_string();
    let headers = [("validation-token", VALIDATION_TOKEN), ("verification-token", VERIFICATION_TOKEN)];
    let reply = world.invoke_webhook(&request(&headers, event.as_bytes())).await;
    assert_eq!(reply["headers"]["validation-token"], VALIDATION_TOKEN);
    assert_eq!(tests::answer(&reply), answer(200, "recorded"));
}

#[tokio::test]
async fn the_secret_is_accepted_under_the_guides_other_name() {
    let world = world().await;
    let event = hang_up("s-1", &["9001"]).to_string();
    let reply = world.post(&request(&[("validation-token", VERIFICATION_TOKEN)], event.as_bytes())).await;
    assert_eq!(reply, answer(200, "recorded"), "API.md §5.3: the guide renames the header");
    let hits = world.end();
    let [Hit { place: Place::Answer, kind: Kind::Secret, excerpt }] = hits.as_slice() else { panic!("{hits:?}") };
    assert!(excerpt.contains("validation-token"), "whoever sent it gets it back, as in a handshake: {excerpt}");
}

#[tokio::test]
async fn a_hostile_validation_token_is_not_echoed() {
    let world = world().await;
    for token in ["x".repeat(129), "a b".to_owned(), "\u{e9}".to_owned()] {
        let reply = world.invoke_webhook(&request(&[("validation-token", &token)], b"")).await;
        assert_eq!(tests::answer(&reply), answer(400, "invalid_validation_token"), "{token}");
        assert!(reply["headers"].get("validation-token").is_none());
    }
}

#[tokio::test]
async fn wrong_and_missing_secrets_are_refused_and_nothing_is_written() {
    let world = world().await;
    let event = hang_up("s-1", &["9001"]).to_string();
    let partial = &VERIFICATION_TOKEN[..VERIFICATION_TOKEN.len() - 1];
    for headers in [
        vec![],
        vec![("verification-token", "wrong")],
        vec![("verification-token", "")],
        vec![("verification-token", partial)],
    ] {
        assert_eq!(world.post(&request(&headers, event.as_bytes())).await, answer(401, "forged"), "{headers:?}");
    }
    let headers = [("validation-token", VALIDATION_TOKEN), ("verification-token", "wrong")];
    assert_eq!(world.post(&request(&headers, event.as_bytes())).await, answer(200, "validated"));
    assert_eq!(world.rows(), []);
    let forged = world.webhook.logs().iter().filter(|line| line.contains(r#""DeliveriesForged":1"#)).count();
    assert_eq!(forged, 4, "each counts in the metric");
}

#[tokio::test]
async fn two_secrets_are_accepted_while_rotating() {
    let world = world().await;
    let rotating = json!([{ "verification_token": "next-token" }, { "verification_token": VERIFICATION_TOKEN }]);
    world.secrets.put(VERIFICATION_SECRET, &rotating.to_string());
    for (session, token, expected) in [
        ("s-1", VERIFICATION_TOKEN, answer(200, "recorded")),
        ("s-2", "next-token", answer(200, "recorded")),
        ("s-3", "last-token", answer(401, "forged")),
    ] {
        let event = hang_up(session, &["9001"]).to_string();
        assert_eq!(world.post(&request(&[("verification-token", token)], event.as_bytes())).await, expected);
    }
    assert_eq!(world.secrets.reads(VERIFICATION_SECRET), 1, "the secret is cached");
}

#[tokio::test]
async fn without_the_secret_it_is_our_outage() {
    let world = world().await;
    world.secrets.remove(VERIFICATION_SECRET);
    assert_eq!(world.post(&delivery(&hang_up("s-1", &["9001"]))).await, answer(503, "secret_unavailable"));
    world.secrets.put(VERIFICATION_SECRET, "{}");
    assert_eq!(world.post(&delivery(&hang_up("s-1", &["9001"]))).await, answer(503, "secret_unavailable"));
}

#[tokio::test]
async fn other_methods_than_post_are_refused() {
    let world = world().await;
    let mut get = request(&[], b"");
    get["requestContext"]["http"]["method"] = json!("GET");
    assert_eq!(world.post(&get).await, answer(405, "method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_ten_times_in_parallel_is_recorded_once() {
    let world = world_with(|config| config.webhooks = 10).await;
    let event = delivery(&hang_up("s-1", &["9001"]));
    let answers = futures_util::future::join_all((0..10).map(|_| world.post(&event))).await;
    let count = |outcome: &str| answers.iter().filter(|found| **found == answer(200, outcome)).count();
    assert_eq!((count("recorded"), count("known")), (1, 9));
    assert_eq!(world.only_session()["rev"], 1);
}
