//! API.md §5.4: what comes of addresses that do not answer well.

use super::rig::{Rig, body, event, subscription};
use crate::core::{Delivery, DeliveryPurpose, HandshakeAnswer, SubscriptionStatus};
use crate::{DeliverySettings, Settings};

const MINUTE_MS: u64 = 60_000;

fn subscribed(delivery: DeliverySettings) -> Rig {
    let mut rig = Rig::with(Settings { delivery, ..Settings::default() });
    rig.subscribe_well(&subscription());
    rig
}

fn answer(status: u16, body_bytes: usize, elapsed_ms: u64) -> HandshakeAnswer {
    HandshakeAnswer::Reply { status, headers: Vec::new(), body_bytes, elapsed_ms }
}

/// Delivers something, lets the address say this, and tells the subscription's status.
fn deliver(rig: &mut Rig, answer: &HandshakeAnswer) -> Option<SubscriptionStatus> {
    for delivery in rig.simulator.deliveries(&event(2, "Answered", &[]), rig.now_ms) {
        rig.simulator.delivered(&delivery, answer, rig.now_ms);
    }
    rig.simulator.subscriptions(rig.now_ms).next().map(|subscription| subscription.status.clone())
}

#[test]
fn ten_minutes_of_failures_blacklist_with_the_reason_of_the_last() {
    let cases = [
        (answer(404, 0, 10), "Webhook responses with code: [404], reason: [Not Found]"),
        (answer(200, 0, 3_001), "I/O operation is failed. Details: [Read timed out]"),
        (HandshakeAnswer::Unreachable, "I/O operation is failed. Details: [Read timed out]"),
        (answer(200, 1_024, 10), "Webhook response exceeds max size. Read bytes count: [1024]"),
    ];
    for (bad, expected) in cases {
        let mut rig = subscribed(DeliverySettings::default());
        for _ in 0..10 {
            assert_eq!(deliver(&mut rig, &bad), Some(SubscriptionStatus::Active));
            rig.now_ms += MINUTE_MS;
        }
        let at_ms = rig.now_ms;
        let status = deliver(&mut rig, &bad);
        assert_eq!(status, Some(SubscriptionStatus::Blacklisted { reason: expected.to_owned(), at_ms }));
        assert!(rig.simulator.deliveries(&event(2, "Gone", &[]), rig.now_ms).is_empty());
        let listed = body(&rig.get("/restapi/v1.0/subscription"));
        assert_eq!(listed["records"][0]["blacklistedData"]["reason"], expected);
        assert_eq!(rig.simulator.next_ms(), None, "nobody asks again");
    }
}

#[test]
fn a_good_answer_in_between_forgives() {
    let mut rig = subscribed(DeliverySettings::default());
    for answer in [answer(500, 0, 10), answer(200, 0, 10), answer(500, 0, 10)] {
        assert_eq!(deliver(&mut rig, &answer), Some(SubscriptionStatus::Active));
        rig.now_ms += 9 * MINUTE_MS;
    }
}

#[test]
fn a_number_of_failures_may_be_enough() {
    let mut rig = subscribed(DeliverySettings { blacklist_after_failures: Some(3), ..DeliverySettings::default() });
    assert_eq!(deliver(&mut rig, &answer(500, 0, 10)), Some(SubscriptionStatus::Active));
    assert_eq!(deliver(&mut rig, &answer(500, 0, 10)), Some(SubscriptionStatus::Active));
    assert_ne!(deliver(&mut rig, &answer(500, 0, 10)), Some(SubscriptionStatus::Active));
}

#[test]
fn a_failed_notification_is_sent_again_as_often_as_the_settings_say() {
    let mut rig = subscribed(DeliverySettings { retries: 2, retry_after_ms: 10_000, ..DeliverySettings::default() });
    let mut sent = rig.simulator.deliveries(&event(2, "Answered", &[]), rig.now_ms);
    let first = sent[0].body.clone();
    let mut times = 0;
    while let Some(delivery) = sent.pop() {
        assert_eq!(delivery.body, first, "with the same uuid");
        times += 1;
        rig.simulator.delivered(&delivery, &answer(500, 0, 10), rig.now_ms);
        rig.now_ms += 9_999;
        assert!(rig.simulator.due_deliveries(rig.now_ms).is_empty());
        rig.now_ms += 1;
        sent = rig.simulator.due_deliveries(rig.now_ms);
    }
    assert_eq!(times, 3);
}

#[test]
fn a_blacklisted_address_may_be_asked_again_and_recover() {
    let delivery = DeliverySettings { recheck_after_ms: Some(15 * MINUTE_MS), ..DeliverySettings::default() };
    let mut rig = subscribed(delivery);
    let id = rig.simulator.subscriptions(rig.now_ms).next().unwrap().id.clone();
    rig.simulator.blacklist(&id, "for the test", rig.now_ms);
    for well in [false, true] {
        rig.now_ms += 15 * MINUTE_MS;
        let asked: Vec<Delivery> = rig.simulator.due_deliveries(rig.now_ms);
        let [question] = asked.as_slice() else { panic!("one question") };
        let DeliveryPurpose::Recheck { validation_token } = &question.purpose else { panic!("a question") };
        assert!(question.headers.contains(&("Validation-Token", validation_token.clone())));
        assert!(question.body.is_empty());
        let headers = vec![
            ("validation-token".to_owned(), if well { validation_token.clone() } else { "other".to_owned() }),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let answer = HandshakeAnswer::Reply { status: 200, headers, body_bytes: 0, elapsed_ms: 10 };
        rig.simulator.delivered(question, &answer, rig.now_ms);
        let status = rig.simulator.subscriptions(rig.now_ms).next().unwrap().status.clone();
        assert_eq!(status == SubscriptionStatus::Active, well);
    }
    assert_eq!(rig.simulator.next_ms(), None);
}
