use super::*;

fn answer(records: &str) -> CallLogAnswer {
    let page = format!(r#"{{"records":[{records}],"navigation":{{"firstPage":{{"uri":"u"}}}}}}"#);
    let asked_of = TelephonySessionId::parse("s-1").unwrap();
    serde_json::from_str::<LogReply>(&page).unwrap().about(Some(&asked_of))
}

#[test]
fn records_and_legs_are_one() {
    let answer = answer(
        r#"{"id":"x","recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"},"legs":[
            {"recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"}},
            {"recording":{"id":"2","uri":"u","type":"Automatic","contentUri":"https://m/2"}}]},
           {"id":"y","recording":{"id":"../3","contentUri":"https://m/3"}}"#,
    );
    let offered: Vec<_> = answer.offered.iter().map(|(id, offer)| (id.as_str(), offer.content_uri.as_str())).collect();
    assert_eq!(offered, [("1", "https://m/1"), ("2", "https://m/2")]);
    assert_eq!((answer.records, answer.parts), (2, 3));
    assert!(!answer.whole, "one recording cannot be used");
}

#[test]
fn short_marks_name_their_party_where_they_can() {
    let party = PartyId::parse("p-2").unwrap();
    for (case, record, expected) in [
        ("nameless", r#"{"shortRecording":true}"#, vec![None]),
        ("named", r#"{"partyId":"p-2","shortRecording":true}"#, vec![Some(party.clone())]),
        (
            "leg",
            r#"{"shortRecording":true,"legs":[{"partyId":"p-2","shortRecording":true}]}"#,
            vec![Some(party.clone())],
        ),
        (
            "a nameless leg under a record that names its party",
            r#"{"partyId":"p-2","shortRecording":true,"legs":[{"shortRecording":true},{}]}"#,
            vec![Some(party)],
        ),
        (
            "two nameless legs",
            r#"{"partyId":"p-2","shortRecording":true,"legs":[{"shortRecording":true},{"shortRecording":true}]}"#,
            vec![None, None],
        ),
        (
            "a nameless leg under a record without a mark",
            r#"{"partyId":"p-2","legs":[{"shortRecording":true}]}"#,
            vec![None],
        ),
        ("running", r#"{"result":"In Progress","shortRecording":true}"#, vec![]),
        ("false", r#"{"shortRecording":false}"#, vec![]),
    ] {
        assert_eq!(answer(record).too_short, expected, "{case}");
    }
}

#[test]
fn one_strange_record_hides_no_other_but_the_answer_is_not_whole() {
    let fine = r#"{"telephonySessionId":"s-1","recording":{"id":"1","contentUri":"https://m/1"}}"#;
    assert!(answer(fine).whole);
    for (case, strange) in [
        ("a recording without an address", r#"{"recording":{"id":"2"}}"#.to_owned()),
        ("a numeric id", r#"{"recording":{"id":2,"contentUri":"https://m/2"}}"#.to_owned()),
        ("an endless address", format!(r#"{{"recording":{{"id":"2","contentUri":"{}"}}}}"#, "u".repeat(2049))),
        (
            "a leg",
            r#"{"legs":[{"recording":{"id":"2"}},{"recording":{"id":"1","contentUri":"https://m/1"}}]}"#.to_owned(),
        ),
        ("another call", r#"{"telephonySessionId":"s-2","shortRecording":true}"#.to_owned()),
        ("a running call", r#"{"telephonySessionId":"s-1","result":"In Progress"}"#.to_owned()),
        ("no record", "7".to_owned()),
    ] {
        let answer = answer(&format!("{fine},{strange}"));
        assert_eq!((answer.offered.len(), answer.too_short.len(), answer.whole), (1, 0, false), "{case}");
    }
    let page = r#"{"records":[],"navigation":{"nextPage":{"uri":"u"}}}"#;
    assert!(!serde_json::from_str::<LogReply>(page).unwrap().about(None).whole);
}

#[test]
fn the_leg_that_carries_a_recording_says_what_is_known_of_it() {
    let answer = answer(
        r#"{"telephonySessionId":"s-1","partyId":"p-2","startTime":"2026-03-02T15:08:00.012Z","duration":480,
            "direction":"Inbound","from":{"phoneNumber":"+16505550142","name":"X"},"to":{"extensionNumber":"101"},
            "extension":{"id":800000101},"transferee":{"telephonySessionId":"s-0"},
            "recording":{"id":"1","type":"Automatic","contentUri":"https://m/1"},"legs":[
            {"startTime":"2026-03-02T15:08:01.000Z","duration":479,"direction":"Inbound",
             "recording":{"id":"1","contentUri":"https://m/1"}},
            {"startTime":"2026-03-02T15:08:04.000Z","duration":147,"direction":"Outbound","partyId":"p-9",
             "recording":{"id":"1","contentUri":"https://n/1"}},
            {"startTime":"2026-03-02T15:10:41.000Z","duration":319,"direction":"Outbound",
             "to":{"phoneNumber":"+16505550112"},"transferTarget":{"telephonySessionId":"s-4"},
             "recording":{"id":"2","type":"OnDemand","contentUri":"https://m/2"}}]}"#,
    );
    let text = |text: &str| Some(text.to_owned());
    let call = |id| Some(TelephonySessionId::parse(id).unwrap());
    let first = Listed {
        kind: text("Automatic"),
        party: Some(PartyId::parse("p-2").unwrap()),
        started_ms: parse_time("2026-03-02T15:08:01.000Z"),
        duration_s: Some(479),
        direction: text("Inbound"),
        from: text("+16505550142"),
        to: text("101"),
        extension: text("800000101"),
        transfer_target: None,
        transferee: call("s-0"),
    };
    let second = Listed {
        kind: text("OnDemand"),
        party: None,
        started_ms: parse_time("2026-03-02T15:10:41.000Z"),
        duration_s: Some(319),
        direction: text("Outbound"),
        to: text("+16505550112"),
        extension: None,
        transfer_target: call("s-4"),
        ..first.clone()
    };
    let offered = |id| answer.offered[&RecordingId::parse(id).unwrap()].clone();
    assert_eq!(offered("1"), Offer { content_uri: "https://m/1".into(), listed: first });
    assert_eq!(offered("2"), Offer { content_uri: "https://m/2".into(), listed: second });
}

#[test]
fn facts_of_another_shape_are_none_and_hide_nothing() {
    let long = "1".repeat(65);
    for (case, facts) in [
        (
            "other types",
            r#""startTime":7,"duration":"long","direction":[],"from":"x","to":7,"extension":"x""#.to_owned(),
        ),
        ("other types inside", r#""from":{"phoneNumber":7},"extension":{"id":[]},"transferee":{}"#.to_owned()),
        ("nothing", r#""startTime":null,"duration":null,"from":null,"to":{},"extension":{}"#.to_owned()),
        ("no values", r#""startTime":"today","duration":-1,"transferTarget":{"telephonySessionId":"s|1"}"#.to_owned()),
        (
            "too long",
            format!(r#""direction":"{long}","from":{{"phoneNumber":"{long}"}},"extension":{{"id":"{long}"}}"#),
        ),
        ("a running call's duration", r#""result":"In Progress","duration":7"#.to_owned()),
    ] {
        let recording = r#""recording":{"id":"1","type":7,"contentUri":"https://m/1"}"#;
        for record in [format!("{{{facts},{recording}}}"), format!(r#"{{{facts},"legs":[{{{facts},{recording}}}]}}"#)] {
            let answer = answer(&record);
            let offer = Offer { content_uri: "https://m/1".into(), listed: Listed::default() };
            assert_eq!(answer.offered.values().collect::<Vec<_>>(), [&offer], "{case}: {record}");
        }
    }
}

#[test]
fn records_of_one_call_on_a_page_fill_each_others_gaps() {
    let record = |facts: &str| {
        format!(
            r#"{{"telephonySessionId":"s-1","sessionId":"7","recording":{{"id":"1","contentUri":"https://m/1"}},{facts}}}"#
        )
    };
    let [first, second] = [r#""direction":"Inbound""#, r#""direction":"Outbound","duration":7"#].map(record);
    let page = serde_json::from_str::<LogReply>(&format!(r#"{{"records":[{first},{second}]}}"#)).unwrap().into_page();
    let listed = Listed { direction: Some("Inbound".into()), duration_s: Some(7), ..Listed::default() };
    let offers =
        Offers::from([(RecordingId::parse("1").unwrap(), Offer { content_uri: "https://m/1".into(), listed })]);
    assert_eq!(page.calls.values().map(|call| &call.said.offered).collect::<Vec<_>>(), [&offers]);
    assert_eq!(page.by_session_id.values().collect::<Vec<_>>(), [&offers]);
}

#[test]
fn records_that_cannot_be_used_are_counted_and_hide_no_others() {
    let page =
        |records: &str| serde_json::from_str::<LogReply>(&format!(r#"{{"records":[{records}]}}"#)).unwrap().into_page();
    let good = r#"{"telephonySessionId":"s-1","recording":{"id":"1","contentUri":"https://m/1"}}"#;
    for (case, record) in [
        ("a party that is a number", r#"{"telephonySessionId":"s-2","partyId":7}"#),
        ("no id at all", r#"{"sessionId":"0","recording":{"id":"2","contentUri":"https://m/2"}}"#),
        ("a recording without address", r#"{"telephonySessionId":"s-2","recording":{"id":"2"}}"#),
    ] {
        let page = page(&format!("{record},{good}"));
        assert_eq!((page.unusable, page.whole), (1, false), "{case}");
        assert!(page.calls.values().any(|call| call.said.offered.len() == 1), "{case}");
    }
    let running = r#"{"telephonySessionId":"s-2","result":"In Progress"}"#;
    let page = page(&format!("{running},{good}"));
    assert_eq!((page.unusable, page.whole), (0, true), "a running call will be rewritten");
}

#[test]
fn a_record_without_the_calls_id_is_kept_under_the_next_best() {
    let recording = r#""recording":{"id":"1","contentUri":"https://m/1"}"#;
    for (ids, key) in [
        (r#""id":"r-1","sessionId":"7","telephonySessionId":"s-1""#, "s-1"),
        (r#""id":"r-1","sessionId":"7""#, "7"),
        (r#""id":"r-1","sessionId":"0""#, "r-1"),
    ] {
        let reply: LogReply = serde_json::from_str(&format!(r#"{{"records":[{{{ids},{recording}}}]}}"#)).unwrap();
        let page = reply.into_page();
        assert_eq!(page.calls.keys().map(TelephonySessionId::as_str).collect::<Vec<_>>(), [key]);
        assert_eq!(page.unusable, 0);
    }
}
