//! Calls that happen by themselves, and what subscribers are told of them (API.md §5.4, §5.5, §11).

use super::rig::{RECORDING, Rig, SESSION, event, subscription};
use crate::core::Delivery;
use crate::world::{Call, Recording, Script, Step};
use crate::{DeliverySettings, EndRecordings, SecretHeader, Settings};
use serde_json::{Value, json};

/// An agent answers at once and hangs up after a minute; the first step is not told.
fn script(rig: &Rig) -> Script {
    let step = |after_ms: u64, told: bool, event: Value| Step {
        at_ms: rig.now_ms + after_ms,
        told: told.then(|| event.clone()),
        event,
    };
    Script {
        call: Call {
            telephony_session_id: SESSION.into(),
            session_id: "71000000001".into(),
            started_at_ms: rig.now_ms + 1_000,
            listed_after_ms: Some(5_000),
            listed_early: false,
            linked_after_ms: 0,
            parties: Vec::new(),
            recordings: Vec::new(),
        },
        recordings: vec![Recording { ready_after_ms: Some(3_000), ..Recording::new(RECORDING) }],
        steps: vec![
            step(1_000, false, event(2, "Setup", &[])),
            step(2_000, true, event(2, "Answered", &[RECORDING])),
            step(62_000, true, event(2, "Disconnected", &[RECORDING])),
        ],
    }
}

/// Everything sent until nothing happens any more, with the time it left.
fn run(rig: &mut Rig) -> Vec<(u64, Delivery)> {
    let mut sent = Vec::new();
    while let Some(next_ms) = rig.simulator.next_ms() {
        rig.now_ms = rig.now_ms.max(next_ms);
        sent.extend(rig.simulator.due_deliveries(rig.now_ms).into_iter().map(|delivery| (rig.now_ms, delivery)));
    }
    sent
}

fn subscribed(delivery: DeliverySettings) -> Rig {
    let mut rig = Rig::with(Settings { delivery, ..Settings::default() });
    rig.subscribe_well(&subscription());
    rig
}

/// Runs the script; each delivery as the time since its transition, and its body.
fn told(delivery: DeliverySettings) -> Vec<(u64, Value)> {
    let mut rig = subscribed(delivery);
    let begun_ms = rig.now_ms;
    let script = script(&rig);
    rig.simulator.schedule(script);
    let sent = run(&mut rig).into_iter().map(|(at_ms, delivery)| (at_ms - begun_ms, body(&delivery)));
    sent.map(|(at_ms, body)| (at_ms - if code(&body) == "Answered" { 2_000 } else { 62_000 }, body)).collect()
}

fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn code(body: &Value) -> &str {
    body["body"]["parties"][0]["status"]["code"].as_str().unwrap()
}

#[test]
fn a_scripted_call_appears_as_its_steps_come_due() {
    let mut rig = Rig::new();
    let begun_ms = rig.now_ms;
    let script = script(&rig);
    rig.simulator.schedule(script);
    let live = format!("/restapi/v1.0/account/~/telephony/sessions/{SESSION}");
    rig.now_ms = begun_ms + 999;
    assert_eq!(rig.get(&live).status, 404);
    assert_eq!(rig.simulator.next_ms(), Some(begun_ms + 1_000));
    rig.now_ms = begun_ms + 1_999;
    assert_eq!(rig.get(&live).status, 200);
    assert_eq!(rig.simulator.offered().count(), 0, "nothing is recorded yet");

    rig.now_ms = begun_ms + 64_999;
    assert_eq!(rig.direct(RECORDING).status, 404, "its own party ended 2 999 ms ago");
    rig.now_ms = begun_ms + 65_000;
    assert_eq!(rig.direct(RECORDING).status, 200);
    rig.now_ms = begun_ms + 66_999;
    assert_eq!(rig.records("").len(), 0);
    rig.now_ms = begun_ms + 67_000;
    assert_eq!(rig.records("")[0]["recording"]["id"], RECORDING);
    assert_eq!(rig.records("")[0]["durationMs"], 61_000, "steps happened at their own time");

    let offered: Vec<_> = rig.simulator.offered().collect();
    let [one] = offered.as_slice() else { panic!("one recording was offered") };
    assert_eq!((one.recording_id.as_str(), one.telephony_session_id.as_str()), (RECORDING, SESSION));
    assert_eq!((one.ready_at_ms, one.listed_at_ms), (Some(begun_ms + 65_000), Some(begun_ms + 67_000)));
    assert!(!one.too_short && !one.never_ready);
}

#[test]
fn what_is_told_leaves_a_little_later_and_once() {
    let sent = told(DeliverySettings::default());
    assert_eq!(sent.iter().map(|(_, body)| code(body)).collect::<Vec<_>>(), ["Answered", "Disconnected"]);
    assert!(sent.iter().all(|(lag_ms, _)| (60..=130).contains(lag_ms)), "{sent:?}");
}

#[test]
fn nobody_is_told_who_has_not_subscribed_or_has_left() {
    let mut rig = Rig::new();
    let script = script(&rig);
    rig.simulator.schedule(script.clone());
    assert!(run(&mut rig).is_empty());

    let mut rig = subscribed(DeliverySettings::default());
    rig.simulator.schedule(script);
    let id = rig.simulator.subscriptions(rig.now_ms).next().unwrap().id.clone();
    rig.now_ms += 2_010;
    assert!(rig.simulator.due_deliveries(rig.now_ms).is_empty(), "it is on its way");
    rig.simulator.blacklist(&id, "for the test", rig.now_ms);
    assert!(run(&mut rig).is_empty());
}

#[test]
fn notifications_go_astray_as_the_settings_say() {
    let usual = DeliverySettings::default;
    assert!(told(DeliverySettings { drop_share: 1.0, ..usual() }).is_empty());

    let twice = told(DeliverySettings { duplicate_share: 1.0, ..usual() });
    assert_eq!(twice.len(), 4);
    assert!(twice.iter().all(|(_, body)| body["uuid"] == event(2, "Answered", &[])["uuid"]));

    let renamed = told(DeliverySettings { duplicate_new_uuid_share: 1.0, ..usual() });
    let answered: Vec<_> = renamed.iter().filter(|(_, body)| code(body) == "Answered").collect();
    let [(_, one), (_, other)] = answered.as_slice() else { panic!("two were sent") };
    assert_ne!(one["uuid"], other["uuid"]);
    assert_eq!(one["body"], other["body"]);

    let late = told(DeliverySettings { delay_share: 1.0, delay_ms: 3_600_000, ..usual() });
    assert!(late.iter().all(|(lag_ms, _)| (3_600_060..=3_600_130).contains(lag_ms)));
    let held_back = told(DeliverySettings { reorder_share: 1.0, reorder_ms: 5_000, ..usual() });
    assert!(held_back.iter().all(|(lag_ms, _)| (5_060..=5_130).contains(lag_ms)));
}

#[test]
fn chance_follows_from_the_seed() {
    let lots = |seed| {
        let delivery = DeliverySettings { drop_share: 0.5, duplicate_share: 0.5, ..DeliverySettings::default() };
        let mut rig = Rig::with(Settings { seed, delivery, ..Settings::default() });
        rig.subscribe_well(&subscription());
        for minute in 0..40 {
            let at_ms = rig.now_ms + minute * 60_000;
            let mut script = script(&rig);
            script.steps.iter_mut().for_each(|step| step.at_ms += at_ms - rig.now_ms);
            rig.simulator.schedule(script);
        }
        run(&mut rig).into_iter().map(|(at_ms, delivery)| (at_ms, delivery.id)).collect::<Vec<_>>()
    };
    assert_eq!(lots(1), lots(1));
    assert_ne!(lots(1), lots(2));
}

#[test]
fn transitions_of_different_parties_may_share_a_notification() {
    let mut rig = subscribed(DeliverySettings { batch_ms: 500, ..DeliverySettings::default() });
    let mut script = script(&rig);
    let say = |after_ms: u64, party: u32, code: &str| {
        let event = event(party, code, &[]);
        Step { at_ms: rig.now_ms + after_ms, told: Some(event.clone()), event }
    };
    script.steps = vec![say(0, 2, "Answered"), say(100, 3, "Setup"), say(200, 2, "Disconnected"), say(900, 3, "Gone")];
    rig.simulator.schedule(script);
    let states = |delivery: &Delivery| -> Vec<String> {
        let body = body(delivery);
        let parties = body["body"]["parties"].as_array().unwrap().iter();
        parties.map(|party| party["status"]["code"].as_str().unwrap().to_owned()).collect()
    };
    let sent = run(&mut rig);
    let told: Vec<_> = sent.iter().map(|(_, delivery)| states(delivery)).collect();
    assert_eq!(told, [vec!["Answered", "Setup"], vec!["Disconnected"], vec!["Gone"]]);
    assert_eq!(body(&sent[0].1)["event"], "/restapi/v1.0/account/800000001/telephony/sessions");
}

#[test]
fn the_end_of_a_party_may_say_other_things_of_its_recordings() {
    let cases = [
        (EndRecordings::AsTheyAre, json!([{"id": RECORDING, "active": true}])),
        (EndRecordings::Omitted, Value::Null),
        (EndRecordings::Active, json!([{"id": RECORDING, "active": true}])),
        (EndRecordings::Paused, json!([{"id": RECORDING, "active": false}])),
    ];
    for (end_recordings, expected) in cases {
        let sent = told(DeliverySettings { end_recordings, ..DeliverySettings::default() });
        let recordings: Vec<_> = sent.iter().map(|(_, body)| &body["body"]["parties"][0]["recordings"]).collect();
        assert_eq!(recordings, [&json!([{"id": RECORDING, "active": true}]), &expected], "{end_recordings:?}");
    }
}

#[test]
fn the_secret_may_come_in_the_other_header() {
    let header = |secret_header| {
        let mut rig = subscribed(DeliverySettings { secret_header, ..DeliverySettings::default() });
        let sent = rig.simulator.deliveries(&event(2, "Answered", &[]), rig.now_ms);
        let secret = sent[0].headers.iter().find(|(_, value)| value == "shared-word").unwrap();
        secret.0
    };
    assert_eq!(header(SecretHeader::VerificationToken), "Verification-Token");
    assert_eq!(header(SecretHeader::ValidationToken), "Validation-Token");
}

#[test]
fn reminders_come_from_the_threshold_on_until_the_end() {
    const FILTER: &str = "/restapi/v1.0/subscription/~?threshold=60&interval=15";
    let mut rig = Rig::new();
    let mut wanted = subscription();
    wanted["eventFilters"] = json!([FILTER]);
    wanted["expiresIn"] = json!(120);
    rig.subscribe_well(&wanted);
    let begun_ms = rig.now_ms;
    let sent = run(&mut rig);
    let times: Vec<u64> = sent.iter().map(|(at_ms, _)| (at_ms - begun_ms) / 1_000).collect();
    assert_eq!(times, [60, 75, 90, 105]);
    let first = body(&sent[0].1);
    assert_eq!((&first["event"], &first["body"]), (&json!(FILTER), &json!({"expiresIn": 60})));
    assert!(first["uuid"].is_string() && first["subscriptionId"].is_string());
}

#[test]
fn a_renewed_subscription_is_reminded_of_its_new_end_only() {
    let mut rig = Rig::new();
    let mut wanted = subscription();
    wanted["eventFilters"] = json!(["/restapi/v1.0/subscription/~?threshold=60&interval=15"]);
    wanted["expiresIn"] = json!(120);
    rig.subscribe_well(&wanted);
    let begun_ms = rig.now_ms;
    let id = rig.simulator.subscriptions(rig.now_ms).next().unwrap().id.clone();
    rig.now_ms += 50_000;
    rig.call(crate::core::Origin::Platform, "POST", &format!("/restapi/v1.0/subscription/{id}/renew"));
    let times: Vec<u64> = run(&mut rig).iter().map(|(at_ms, _)| (at_ms - begun_ms) / 1_000).collect();
    assert_eq!(times, [110, 125, 140, 155]);
}
