//! API.md §5.

use super::rig::{RECORDING, Rig, body, code, echo, event, subscription};
use crate::Settings;
use crate::core::{HandshakeAnswer, Origin, Outcome};
use serde_json::{Value, json};

const SUBSCRIPTIONS: &str = "/restapi/v1.0/subscription";

#[test]
fn a_subscription_exists_only_after_its_address_answered_well() {
    let mut rig = Rig::new();
    let Outcome::Handshake(handshake) = rig.subscribe(&subscription()) else { panic!("a handshake comes first") };
    assert_eq!(handshake.address, "https://hooks.example.com/in");
    assert_eq!(handshake.timeout_ms, 3_000);
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"], json!([]));

    let answer = echo(&handshake);
    let created = rig.simulator.finish_handshake(handshake, answer, rig.now_ms);
    assert_eq!((created.status, created.header("x-rate-limit-group")), (200, Some("medium")));
    let created = body(&created);
    assert_eq!(created["eventFilters"], json!(["/restapi/v1.0/account/800000001/telephony/sessions"]));
    assert_eq!(created["expiresIn"], 604_800);
    assert!(!created.to_string().contains("shared-word"));
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"], json!([created]));
    let one = format!("{SUBSCRIPTIONS}/{}", created["id"].as_str().unwrap());
    assert_eq!(body(&rig.get(&one)), created);
    assert_eq!(rig.call(Origin::Platform, "DELETE", &one).status, 204);
    assert_eq!(code(&rig.get(&one)), "CMN-102");
}

#[test]
fn an_address_that_does_not_answer_leaves_nothing_behind() {
    let mut rig = Rig::new();
    let Outcome::Handshake(handshake) = rig.subscribe(&subscription()) else { panic!("a handshake comes first") };
    let refused = rig.simulator.finish_handshake(handshake, HandshakeAnswer::Unreachable, rig.now_ms);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "SUB-521"));
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"], json!([]));
}

#[test]
fn a_bad_request_is_refused_before_any_handshake() {
    let changed = |path: &str, value: Value| {
        let mut wanted = subscription();
        *wanted.pointer_mut(path).unwrap() = value;
        wanted
    };
    let mut never = subscription();
    never["expiresIn"] = json!(0);
    let cases = [
        ("plain HTTP", changed("/deliveryMode/address", json!("http://hooks.example.com/in"))),
        ("no URL", changed("/deliveryMode/address", json!("hooks"))),
        ("transport", changed("/deliveryMode/transportType", json!("PubNub"))),
        ("no filters", changed("/eventFilters", json!([]))),
        ("strange filter", changed("/eventFilters", json!(["calls"]))),
        ("no life", never),
    ];
    let mut rig = Rig::new();
    for (name, wanted) in cases {
        let Outcome::Reply(reply) = rig.subscribe(&wanted) else { panic!("{name}: no handshake was due") };
        assert_eq!((reply.status, code(&reply).as_str()), (400, "CMN-101"), "{name}");
    }
}

#[test]
fn a_filter_without_permission_is_disabled_and_deaf() {
    let scope = "ReadCallLog SubscriptionWebhook".to_owned();
    let mut rig = Rig::with(Settings { scope, ..Settings::default() });
    let created = body(&rig.subscribe_well(&subscription()));
    assert_eq!(created["eventFilters"], json!([]));
    assert_eq!(created["disabledFilters"][0]["reason"], "CMN-401");
    assert!(rig.simulator.deliveries(&event(2, "Answered", &[]), rig.now_ms).is_empty());
}

#[test]
fn thirty_are_enough() {
    let mut rig = Rig::new();
    for _ in 0..30 {
        assert_eq!(rig.subscribe_well(&subscription()).status, 200);
    }
    let refused = rig.subscribe_well(&subscription());
    assert_eq!((refused.status, code(&refused).as_str()), (403, "SUB-505"));
}

#[test]
fn an_event_is_delivered_once_to_each_active_subscription() {
    let mut rig = Rig::new();
    let first = body(&rig.subscribe_well(&subscription()));
    let second = body(&rig.subscribe_well(&subscription()));
    let event = event(2, "Answered", &[RECORDING]);
    let deliveries = rig.simulator.deliveries(&event, rig.now_ms);
    let bodies: Vec<Value> =
        deliveries.iter().map(|delivery| serde_json::from_slice(&delivery.body).unwrap()).collect();
    assert_eq!(bodies[0]["subscriptionId"], first["id"]);
    assert_eq!(bodies[1]["subscriptionId"], second["id"]);
    assert_eq!(bodies[0]["uuid"], event["uuid"]);
    assert_ne!(bodies[1]["uuid"], event["uuid"]);
    assert_eq!(bodies[0]["ownerId"], "800000100");
    assert_eq!(bodies[0]["body"], event["body"]);
    let secret = ("Verification-Token", "shared-word".to_owned());
    assert!(deliveries[0].headers.contains(&secret));

    let first_id = first["id"].as_str().unwrap();
    assert!(rig.simulator.blacklist(first_id, "I/O operation is failed. Details: [Read timed out]", rig.now_ms));
    let deliveries = rig.simulator.deliveries(&event, rig.now_ms);
    assert_eq!(deliveries.len(), 1);
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"][0]["status"], "Blacklisted");
}

#[test]
fn an_expired_subscription_is_gone() {
    let mut rig = Rig::new();
    rig.subscribe_well(&subscription());
    rig.now_ms += 604_800_000;
    rig.token = rig.mint();
    assert_eq!(rig.simulator.subscriptions(rig.now_ms).count(), 0);
    assert!(rig.simulator.deliveries(&event(2, "Answered", &[]), rig.now_ms).is_empty());
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"], json!([]));
}
