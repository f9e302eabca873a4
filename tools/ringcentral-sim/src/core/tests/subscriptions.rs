//! API.md §5.

use super::rig::{RECORDING, Rig, body, code, echo, event, subscription};
use crate::core::{HandshakeAnswer, Origin, Outcome};
use crate::{HandshakeChecks, Settings};
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
fn a_creation_whose_answer_is_lost_has_happened() {
    let mut rig = Rig::with(Settings { creation_unheard: Some(504), ..Settings::default() });
    let reply = rig.subscribe_well(&subscription());
    assert_eq!((reply.status, reply.body.len()), (504, 0));
    assert_eq!(body(&rig.get(SUBSCRIPTIONS))["records"].as_array().unwrap().len(), 1);
    let Outcome::Handshake(handshake) = rig.subscribe(&subscription()) else { panic!("a handshake comes first") };
    let refused = rig.simulator.finish_handshake(handshake, HandshakeAnswer::Unreachable, rig.now_ms);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "SUB-521"), "what is refused is told");
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

#[test]
fn a_renewal_keeps_the_life_and_an_empty_update_shrinks_it() {
    let mut rig = Rig::new();
    let mut wanted = subscription();
    wanted["expiresIn"] = json!(315_360_000);
    let created = body(&rig.subscribe_well(&wanted));
    let one = format!("{SUBSCRIPTIONS}/{}", created["id"].as_str().unwrap());
    rig.now_ms += 3_000_000;
    let renewed = rig.call(Origin::Platform, "POST", &format!("{one}/renew"));
    assert_eq!((renewed.status, renewed.header("x-rate-limit-group")), (200, Some("light")));
    assert_eq!(body(&renewed)["expiresIn"], 315_360_000);
    assert_eq!(body(&renewed)["creationTime"], created["creationTime"]);

    let shrunk = rig.call(Origin::Platform, "PUT", &one);
    assert_eq!((shrunk.status, shrunk.header("x-rate-limit-group")), (200, Some("medium")));
    assert_eq!(body(&shrunk)["expiresIn"], 604_800);
    assert_eq!(body(&shrunk)["eventFilters"], created["eventFilters"]);
    assert_eq!(body(&rig.call(Origin::Platform, "POST", &format!("{one}/renew")))["expiresIn"], 604_800);
    for method in ["PUT", "DELETE"] {
        assert_eq!(code(&rig.call(Origin::Platform, method, &format!("{SUBSCRIPTIONS}/other"))), "CMN-102");
    }
}

#[test]
fn an_update_changes_filters_and_life_and_nothing_else() {
    let mut rig = Rig::new();
    let created = body(&rig.subscribe_well(&subscription()));
    let one = format!("{SUBSCRIPTIONS}/{}", created["id"].as_str().unwrap());
    let mut put = |wanted: Value| {
        let headers = vec![("Authorization".to_owned(), format!("Bearer {}", rig.token))];
        rig.send(Origin::Platform, "PUT", &one, headers, &wanted.to_string())
    };
    let filters = json!(["/restapi/v1.0/account/~/extension/~/telephony/sessions?withRecordings=true"]);
    let address = json!({"transportType": "WebHook", "address": "https://elsewhere.example.com/"});
    let updated = body(&put(json!({"eventFilters": filters, "expiresIn": 3_600, "deliveryMode": address})));
    let expected = "/restapi/v1.0/account/800000001/extension/800000100/telephony/sessions?withRecordings=true";
    assert_eq!((&updated["eventFilters"], &updated["expiresIn"]), (&json!([expected]), &json!(3_600)));
    assert_eq!(updated["deliveryMode"], created["deliveryMode"]);
    assert_eq!(code(&put(json!({"expiresIn": 0}))), "CMN-101");
    assert_eq!(code(&put(json!({"eventFilters": []}))), "CMN-101");
}

#[test]
fn the_longest_life_is_the_vendors() {
    let mut rig = Rig::with(Settings { max_expires_in_s: 315_360_000, ..Settings::default() });
    let mut wanted = subscription();
    wanted["expiresIn"] = json!(315_360_001);
    assert_eq!(code(&rig.subscribe_well(&wanted)), "CMN-101");
    wanted["expiresIn"] = json!(315_360_000);
    assert_eq!(rig.subscribe_well(&wanted).status, 200);
}

#[test]
fn each_check_of_an_answer_can_be_switched_off() {
    let on = HandshakeChecks::default();
    let cases = [
        ("status", HandshakeChecks { status: false, ..on }),
        ("time", HandshakeChecks { time: false, ..on }),
        ("echo", HandshakeChecks { echo: false, ..on }),
        ("content type", HandshakeChecks { content_type: false, ..on }),
        ("size", HandshakeChecks { size: false, ..on }),
    ];
    for (name, checks) in cases {
        for (handshake, expected) in [(on, 400), (checks, 200)] {
            let mut rig = Rig::with(Settings { handshake, ..Settings::default() });
            let Outcome::Handshake(handshake) = rig.subscribe(&subscription()) else {
                panic!("a handshake comes first")
            };
            let HandshakeAnswer::Reply { mut status, mut headers, mut body_bytes, mut elapsed_ms } = echo(&handshake)
            else {
                panic!("an echo is a reply")
            };
            match name {
                "status" => status = 204,
                "time" => elapsed_ms = 3_001,
                "echo" => headers[0].1 = "other".into(),
                "content type" => headers.truncate(1),
                _ => body_bytes = 1_024,
            }
            let answer = HandshakeAnswer::Reply { status, headers, body_bytes, elapsed_ms };
            assert_eq!(rig.simulator.finish_handshake(handshake, answer, rig.now_ms).status, expected, "{name}");
        }
    }
}
