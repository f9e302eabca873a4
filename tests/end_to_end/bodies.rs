//! Bodies that are not what RingCentral documents: a clear status, a metric, nothing written.

use ringvault::stack::VERIFICATION_TOKEN;
use serde_json::json;
use tests::{
    Answer,
    events::{delivery, hang_up, request},
    world,
};

const TOKEN: (&str, &str) = ("verification-token", VERIFICATION_TOKEN);

#[tokio::test]
async fn what_is_authentic_but_not_understood_is_answered_200_and_counted() {
    let world = world().await;
    let hostile = |session: &str, recording: &str| hang_up(session, &[recording]).to_string().into_bytes();
    let padded = format!("{}{}", hang_up("s-1", &["9001"]), " ".repeat(256 * 1024));
    let crowd: Vec<_> = (0..41).map(|n| json!({ "accountId": "1", "id": format!("p-{n}") })).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "malformed"),
        ("not JSON", b"<html>".to_vec(), "malformed"),
        ("cut JSON", b"{\"body\":{\"telephonySessionId\":\"s\"".to_vec(), "malformed"),
        ("not UTF-8", vec![b'"', 0xff, b'"'], "malformed"),
        ("deep JSON", "[".repeat(100_000).into_bytes(), "malformed"),
        ("parties as text", br#"{"body":{"telephonySessionId":"s","parties":"x"}}"#.to_vec(), "malformed"),
        ("over 256 KiB", padded.into_bytes(), "too_large"),
        ("unknown kind", br#"{"event":"/restapi/v1.0/account/1/presence","body":{}}"#.to_vec(), "unknown_kind"),
        ("no account", br#"{"body":{"telephonySessionId":"s","parties":[{"id":"p"}]}}"#.to_vec(), "no_account"),
        ("hostile session", hostile("../../vendor#drain", "9001"), "invalid_id"),
        ("hostile recording", hostile("s-1", "../../9001"), "invalid_id"),
        ("recording with a bar", hostile("s-1", "9001|p-1"), "invalid_id"),
        ("endless recording", hostile("s-1", &"9".repeat(65)), "invalid_id"),
        (
            "a crowd",
            json!({ "body": { "telephonySessionId": "s", "parties": crowd } }).to_string().into_bytes(),
            "too_many",
        ),
    ];
    let number = cases.len();
    for (case, body, outcome) in cases {
        let expected = Answer { status: 200, outcome: outcome.to_owned() };
        assert_eq!(world.post(&request(&[TOKEN], &body)).await, expected, "{case}");
    }
    assert_eq!(world.rows(), []);
    let counted = world.webhook.logs().iter().filter(|line| line.contains(r#""DeliveriesNotUnderstood":1"#)).count();
    assert_eq!(counted, number);
}

#[tokio::test]
async fn base64_bodies_are_read_and_broken_base64_is_not_understood() {
    let world = world().await;
    let mut payload = delivery(&hang_up("s-1", &["9001"]));
    payload["body"] = json!("eyJib2R5Ijp7fX0="); // {"body":{}}
    payload["isBase64Encoded"] = json!(true);
    assert_eq!(world.post(&payload).await.outcome, "unknown_kind");
    payload["body"] = json!("not base64!");
    assert_eq!(world.post(&payload).await, Answer { status: 200, outcome: "malformed".into() });
}

#[tokio::test]
async fn nothing_new_and_nothing_of_interest_write_nothing() {
    let world = world().await;
    let event = hang_up("s-1", &["9001"]);
    assert_eq!(world.happen(&event).await.outcome, "recorded");
    let before = world.rows();
    assert_eq!(world.happen(&event).await.outcome, "known");
    let ringing = tests::events::transition("s-2", 2, "Proceeding", &[]);
    assert_eq!(world.happen(&ringing).await.outcome, "not_of_interest");
    assert_eq!(world.rows(), before);
}

#[tokio::test]
async fn a_party_or_recording_named_twice_is_one() {
    let world = world().await;
    let mut event = hang_up("s-1", &["9001", "9001"]);
    let again = event["body"]["parties"][0].clone();
    event["body"]["parties"].as_array_mut().unwrap().push(again);
    assert_eq!(world.happen(&event).await, Answer { status: 200, outcome: "recorded".into() });
    assert_eq!(world.only_session()["heard"], json!(["9001|p-s-1-2"]));
}

#[tokio::test]
async fn an_event_no_gateway_sends_fails_and_does_not_end_the_function() {
    let world = world().await;
    assert!(world.webhook.invoke(&json!({ "detail-type": "Scheduled Event" })).await.is_err());
    assert_eq!(world.happen(&hang_up("s-1", &["9001"])).await.outcome, "recorded");
}
