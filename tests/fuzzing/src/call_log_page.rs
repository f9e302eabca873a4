use serde_json::{Value, json};
use shared::{
    clients::ringcentral::LogReply,
    domain::{
        call_log::{CallLogAnswer, CallLogPage, Offers},
        ids::{RecordingId, TelephonySessionId},
    },
};

/// A page of the call log. What is read of it is bounded and safe; one more record that cannot be read hides nothing of
/// the others, and is not passed over in silence; records that are told twice offer the same.
pub fn call_log_page(data: &[u8]) {
    let Ok(reply) = serde_json::from_slice::<LogReply>(data) else { return };
    let read = reply.into_page();
    check(&read);
    let Some(reply) = serde_json::from_slice::<LogReply>(data).ok() else { return };
    let all = reply.about(None);
    assert!(!(all.whole && read.more), "an answer with a further page speaks for nobody");
    check_offers(&all);
    for call in read.calls.values() {
        for recording in call.said.offered.keys() {
            assert!(all.offered.contains_key(recording), "an offer of the page is in the answer about one call");
        }
    }
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        check_others(&value);
    }
}

fn page(value: &Value) -> Option<CallLogPage> {
    serde_json::from_value::<LogReply>(value.clone()).ok().map(LogReply::into_page)
}

/// The page with a record more, and with each record twice.
fn check_others(value: &Value) {
    let Some(plain) = page(value) else { return };
    let Some(records) = value["records"].as_array() else { return };
    let mut spoilt = value.clone();
    spoilt["records"] = records.iter().cloned().chain([json!({"id": 7, "legs": "no"})]).collect();
    let mut expected = plain.clone();
    expected.unusable += 1;
    expected.whole = false;
    assert_eq!(page(&spoilt), Some(expected), "a strange record changes the others");
    let mut twice = value.clone();
    twice["records"] = records.iter().chain(records).cloned().collect();
    let Some(twice) = page(&twice) else { panic!("the same records twice cannot be read") };
    assert_eq!(twice.by_session_id, plain.by_session_id);
    assert_eq!((twice.oldest_ms, twice.more, twice.whole), (plain.oldest_ms, plain.more, plain.whole));
    let offered = |page: &CallLogPage| -> Vec<(TelephonySessionId, Offers, bool)> {
        let calls = page.calls.iter();
        calls.map(|(session, call)| (session.clone(), call.said.offered.clone(), call.running)).collect()
    };
    assert_eq!(offered(&twice), offered(&plain), "the same records twice offer something else");
}

fn check(page: &CallLogPage) {
    assert_eq!(page.whole, page.unusable == 0);
    let oldest_ms = page.calls.values().filter_map(|call| call.began_ms).min();
    assert_eq!(page.oldest_ms, oldest_ms, "every call that is read counts");
    for (session, call) in &page.calls {
        assert_eq!(TelephonySessionId::parse(session.as_str()).as_ref(), Ok(session));
        assert!(call.said.records > 0 && call.said.parts >= call.said.records);
        assert!(call.said.too_short.len() <= call.said.parts);
        if page.whole {
            assert!(call.said.whole || call.running, "on a whole page every call that has ended is");
        }
        check_offers(&call.said);
    }
}

fn check_offers(answer: &CallLogAnswer) {
    for (recording, offer) in &answer.offered {
        assert_eq!(RecordingId::parse(recording.as_str()).as_ref(), Ok(recording));
        assert!(offer.content_uri.len() <= 2048);
        let listed = &offer.listed;
        let texts = [&listed.kind, &listed.direction, &listed.from, &listed.to, &listed.extension];
        assert!(texts.into_iter().flatten().all(|text| text.len() <= 64), "it fits into a row");
    }
}
