//! Replies against the official schemas, `testdata/openapi-subset.json`.

use super::rig::{CALL_LOG, RECORDING, Rig, SESSION, body, jwt_form, subscription};
use crate::core::{HandshakeAnswer, Origin, Outcome};
use crate::{Outage, OutageAnswer, Settings};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../testdata/openapi-subset.json");

/// Everything wrong with an instance of a named schema.
fn complaints(schema: &str, instance: &Value) -> Vec<String> {
    let mut root: Value = serde_json::from_str(DOCUMENT).unwrap();
    root["$ref"] = json!(format!("#/components/schemas/{schema}"));
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn assert_valid(schema: &str, instance: &Value) {
    assert_eq!(complaints(schema, instance), Vec::<String>::new(), "{schema}: {instance:#}");
}

fn recorded_transfer() -> Rig {
    let mut rig = Rig::new();
    rig.hear(2, "Answered", &[RECORDING]);
    rig.hear(2, "Disconnected", &[]);
    rig.now_ms += 1_000;
    rig.hear(3, "Answered", &["910000000002"]);
    rig.now_ms += 1_000;
    rig
}

#[test]
fn the_validator_refuses_broken_bodies() {
    let mut rig = recorded_transfer();
    rig.hear(3, "Disconnected", &[]);
    let log = body(&rig.get(&format!("{CALL_LOG}?view=Detailed")));
    assert_valid("CallLogResponse", &log);
    let breaks: [(&str, Value); 5] = [
        ("/records/0/extension/id", json!("800000102")),
        ("/records/0/startTime", json!("yesterday")),
        ("/records/0/legs/1/legType", json!("Sideways")),
        ("/records/0/recording/type", json!("Sometimes")),
        ("/paging/perPage", json!(1_001)),
    ];
    for (path, value) in breaks {
        let mut broken = log.clone();
        *broken.pointer_mut(path).unwrap() = value;
        assert_eq!(complaints("CallLogResponse", &broken).len(), 1, "{path}");
    }
    let mut broken = log.clone();
    broken["records"][0]["recording"].as_object_mut().unwrap().remove("contentUri");
    assert_eq!(complaints("CallLogResponse", &broken).len(), 1);
}

#[test]
fn a_token_is_as_documented() {
    let mut rig = Rig::new();
    assert_valid("TokenInfo", &body(&rig.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion"))));
}

#[test]
fn subscriptions_are_as_documented() {
    let mut rig = Rig::new();
    let created = body(&rig.subscribe_well(&subscription()));
    assert_valid("SubscriptionInfo", &created);
    let id = created["id"].as_str().unwrap();
    assert_valid("SubscriptionInfo", &body(&rig.get(&format!("/restapi/v1.0/subscription/{id}"))));
    rig.simulator.blacklist(id, "Webhook responses with code: [404], reason: [Not Found]", rig.now_ms);
    assert_valid("SubscriptionListResource", &body(&rig.get("/restapi/v1.0/subscription")));

    for (method, target) in [("PUT", id.to_owned()), ("POST", format!("{id}/renew"))] {
        let reply = rig.call(Origin::Platform, method, &format!("/restapi/v1.0/subscription/{target}"));
        assert_eq!(reply.status, 200);
        assert_valid("SubscriptionInfo", &body(&reply));
    }

    let scope = "SubscriptionWebhook".to_owned();
    let mut deaf = Rig::with(Settings { scope, ..Settings::default() });
    assert_valid("SubscriptionInfo", &body(&deaf.subscribe_well(&subscription())));
}

#[test]
fn call_logs_recordings_and_live_sessions_are_as_documented() {
    let mut rig = recorded_transfer();
    let live = format!("/restapi/v1.0/account/~/telephony/sessions/{SESSION}");
    assert_valid("CallSessionObject", &body(&rig.get(&live)));
    assert_valid("CallLogResponse", &body(&rig.get(CALL_LOG)));
    rig.hear(3, "Disconnected", &[]);
    let metadata = format!("/restapi/v1.0/account/~/recording/{RECORDING}");
    assert_valid("GetCallRecordingResponse", &body(&rig.get(&metadata)));
    rig.simulator.recording_mut("910000000002").unwrap().too_short = true;
    for view in ["Simple", "Detailed"] {
        let log = body(&rig.get(&format!("{CALL_LOG}?view={view}")));
        assert_eq!(log["records"].as_array().unwrap().len(), 1);
        assert_valid("CallLogResponse", &log);
    }
    let id = body(&rig.get(CALL_LOG))["records"][0]["id"].as_str().unwrap().to_owned();
    assert_valid("CallLogRecord", &body(&rig.get(&format!("{CALL_LOG}/{id}?view=Detailed"))));
    rig.simulator.settings_mut().heavy_limit = 100;
    let call = rig.simulator.call_mut(SESSION).unwrap();
    (call.listed_early, call.listed_after_ms) = (true, Some(60_000));
    let early = body(&rig.get(&format!("{CALL_LOG}?view=Detailed")));
    assert_eq!(early["records"][0]["result"], "In Progress");
    assert_valid("CallLogResponse", &early);
    let extension = "/restapi/v1.0/account/~/extension/800000103/call-log?view=Detailed";
    assert_valid("CallLogResponse", &body(&rig.get(extension)));
}

#[test]
fn errors_are_as_documented() {
    let mut rig = Rig::new();
    assert_valid("ParameterizedErrorResponseModel", &body(&rig.get(&format!("{CALL_LOG}?view=x"))));
    assert_valid("ApiErrorResponseModel", &body(&rig.direct("1")));
    let refused = body(&rig.ask_token("sim-client:sim-secret", &jwt_form("other")));
    assert_valid("ParameterizedErrorResponseModel", &refused);

    let Outcome::Handshake(handshake) = rig.subscribe(&subscription()) else { panic!("a handshake comes first") };
    let refused = rig.simulator.finish_handshake(handshake, HandshakeAnswer::Unreachable, rig.now_ms);
    assert_valid("ParameterizedErrorResponseModel", &body(&refused));

    rig.simulator.settings_mut().heavy_limit = 0;
    assert_valid("ApiErrorResponseModel", &body(&rig.get(CALL_LOG)));
    let outages = [OutageAnswer::Error(503), OutageAnswer::OtherLimiter];
    for answer in outages {
        let path_part = String::new();
        rig.simulator.settings_mut().outages =
            vec![Outage { from_ms: 0, until_ms: u64::MAX, share: 1.0, path_part, answer }];
        assert_valid("ApiErrorResponseModel", &body(&rig.get(CALL_LOG)));
    }
    rig.simulator.settings_mut().outages.clear();
    rig.token = String::new();
    assert_valid("ParameterizedErrorResponseModel", &body(&rig.get(CALL_LOG)));
}
