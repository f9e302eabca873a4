//! Redirects of every kind, from every address that is asked with something secret: none is followed.

use ringcentral_sim::world::ListedAt;
use ringvault::stack::RINGCENTRAL_SECRET;
use serde_json::json;
use tests::{
    World,
    events::hang_up,
    hostile::{Answer, Hostile},
    thief::Thief,
    world_with,
};

const TOKEN: &str = "/restapi/oauth/token";
const CALL_LOG: &str = "/restapi/v1.0/account/~/call-log";
const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";

/// The token a scripted vendor gives.
const CANARY: &str = "canary-access-token";

/// Where a same-host redirect leads.
const ELSEWHERE: &str = "/elsewhere";

/// Every status that redirects, and every way to say whereto.
fn answers(thief: &Thief) -> Vec<(String, Answer)> {
    let (port, origin) = (thief.port(), thief.origin());
    let statuses = [
        "300 Multiple Choices",
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "305 Use Proxy",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ];
    let places: [Vec<String>; 9] = [
        vec![format!("Location: {origin}/x")],
        vec![format!("Location: //127.0.0.1:{port}/x")],
        vec![format!("Location: http://platform.ringcentral.com@127.0.0.1:{port}/x")],
        vec![format!("Location: https://localhost:{port}/x")],
        vec![format!("Location: \\\\127.0.0.1:{port}\\x")],
        vec![format!("Location: {ELSEWHERE}")],
        vec![format!("Location: {ELSEWHERE}"), format!("Location: {origin}/x")],
        vec![format!("Refresh: 0; url={origin}/x")],
        vec![
            format!("Content-Location: {origin}/x"),
            format!("Link: <{origin}/x>; rel=alternate"),
            format!("Alt-Svc: http=\"127.0.0.1:{port}\""),
        ],
    ];
    let of = |status: &'static str| {
        places.clone().map(|headers| {
            let answer = Answer::with(status, "text/html", b"<a href=x>moved</a>");
            (format!("{status} {headers:?}"), headers.iter().fold(answer, |answer, header| answer.header(header)))
        })
    };
    statuses.into_iter().flat_map(of).collect()
}

/// A few of them: each status and each way at least once.
fn some(thief: &Thief) -> Vec<(String, Answer)> {
    answers(thief).into_iter().step_by(4).collect()
}

/// A world whose vendor is a script.
async fn scripted() -> (World, Hostile) {
    let vendor = Hostile::start().await;
    let origin = vendor.origin().to_owned();
    let token = json!({ "access_token": CANARY, "expires_in": 3600 }).to_string();
    vendor.script(TOKEN, vec![Answer::ok("application/json", token.as_bytes())]);
    let world = world_with(|config| {
        config.env.insert("RINGCENTRAL_SERVER_URL".into(), origin.clone());
        config.env.insert("RINGCENTRAL_MEDIA_URL".into(), origin);
    })
    .await;
    (world, vendor)
}

fn assert_nobody_followed(thief: &Thief, vendor: &Hostile) {
    let caught = thief.caught();
    assert_eq!(caught.connections, 0, "{}", String::from_utf8_lossy(&caught.bytes));
    assert!(vendor.asked(ELSEWHERE).is_empty(), "a redirect to the same host was followed");
}

#[tokio::test]
async fn a_recording_that_is_elsewhere_is_not_fetched_there() {
    let (thief, media) = (Thief::start().await, Hostile::start().await);
    let origin = media.origin().to_owned();
    let world = world_with(|config| {
        config.env.insert("RINGCENTRAL_MEDIA_URL".into(), origin.clone());
        config.env.insert("RETRY_LADDER_SECONDS".into(), "86400".into());
    })
    .await;
    let answers = answers(&thief);
    for (few, first) in answers.chunks(8).zip((9001..).step_by(8)) {
        for ((_, answer), id) in few.iter().zip(first..) {
            let id = format!("{id}");
            media.script(&id, vec![answer.clone()]);
            world.happen(&hang_up(&format!("s-{id}"), &[&id])).await;
            world.recording(&id, |recording| recording.listed_at = ListedAt::Other(media.origin().to_owned()));
        }
        world.run().await;
        for ((name, _), id) in few.iter().zip(first..) {
            let (result, asked) = (world.result(&format!("{id}")), media.asked(&format!("{id}")).len());
            assert_eq!((&result["state"], asked), (&json!("waiting"), 2), "{name}: {result}");
            let reason = result["reason"].as_str().unwrap();
            assert_eq!(reason.matches(&format!("answered {}", &name[..3])).count(), 2, "{name}: {reason}");
        }
    }
    assert_nobody_followed(&thief, &media);
}

#[tokio::test]
async fn a_call_log_that_is_elsewhere_is_not_read_there() {
    let thief = Thief::start().await;
    let (world, vendor) = scripted().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    for (n, (name, answer)) in (1..).zip(some(&thief)) {
        vendor.script(CALL_LOG, vec![answer]);
        world.let_time_pass();
        world.run().await;
        assert_eq!(vendor.asked(CALL_LOG).len(), n, "{name}");
    }
    assert_nobody_followed(&thief, &vendor);
}

#[tokio::test]
async fn a_token_is_not_asked_for_elsewhere() {
    let thief = Thief::start().await;
    let (world, vendor) = scripted().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    for (n, (name, answer)) in (1..).zip(some(&thief)) {
        vendor.script(TOKEN, vec![answer]);
        // What was refused is not tried again with the same credentials.
        let credentials = json!({ "client_id": "c", "client_secret": "s", "jwt": format!("j{n}") });
        world.secrets.put(RINGCENTRAL_SECRET, &credentials.to_string());
        world.archiver.kill().await;
        world.archiver.restart().await.unwrap();
        world.let_time_pass();
        let _ = world.run_archiver().await;
        assert_eq!(vendor.asked(TOKEN).len(), n, "{name}");
    }
    assert_nobody_followed(&thief, &vendor);
}

#[tokio::test]
async fn a_subscription_is_not_looked_for_elsewhere() {
    let thief = Thief::start().await;
    let (world, vendor) = scripted().await;
    vendor.script(CALL_LOG, vec![Answer::ok("application/json", br#"{"records":[]}"#)]);
    for (n, (name, answer)) in (1..).zip(some(&thief)) {
        vendor.script(SUBSCRIPTIONS, vec![answer]);
        world.let_time_pass();
        let _ = world.run_reconciler().await;
        assert!(vendor.asked(SUBSCRIPTIONS).len() >= n, "{name}");
    }
    assert_nobody_followed(&thief, &vendor);
}
