use super::*;

fn telephony(json: &str) -> Vec<SessionFacts> {
    match Notification::parse(json.as_bytes()).unwrap() {
        Notification::Telephony(sessions) => sessions,
        Notification::RenewalReminder => panic!("a reminder"),
    }
}

fn refused(json: &str) -> &'static str {
    Notification::parse(json.as_bytes()).unwrap_err().name()
}

#[test]
fn every_party_and_every_recording_is_heard() {
    let sessions = telephony(
        r#"{"event":"/restapi/v1.0/account/800/telephony/sessions","body":{"telephonySessionId":"s-1","sessionId":"77",
        "eventTime":"2026-03-02T15:00:12.101Z","parties":[
        {"accountId":"800","id":"p-1","status":{"code":"DISCONNECTED"},"recordings":[{"id":"1","active":false},{"id":"2"}]},
        {"accountId":"800","id":"p-2","extensionId":"101","direction":"Inbound","to":{"phoneNumber":"102"},
         "status":{"code":"Voicemail"},"recordings":null}]}}"#,
    );
    assert_eq!(sessions.len(), 1);
    let facts = &sessions[0];
    assert_eq!(facts.session_id.as_ref().map(SessionId::as_str), Some("77"));
    assert_eq!(facts.at_ms, crate::domain::day::parse_time("2026-03-02T15:00:12.101Z"));
    let seen: Vec<_> = facts.parties.iter().map(|party| (party.ended, party.recordings.len())).collect();
    assert_eq!(seen, [(true, 2), (true, 0)]);
    assert_eq!(facts.parties[1].about.to.as_deref(), Some("102"));
    assert!(facts.of_interest());
}

#[test]
fn the_account_comes_from_party_body_or_path() {
    for (case, json) in [
        ("party", r#"{"body":{"telephonySessionId":"s","parties":[{"accountId":"800"}]}}"#),
        ("body", r#"{"body":{"telephonySessionId":"s","accountId":800,"parties":[{}]}}"#),
        (
            "path",
            r#"{"event":"/restapi/v1.0/account/800/extension/1/telephony/sessions",
                     "body":{"telephonySessionId":"s","parties":[{}]}}"#,
        ),
    ] {
        assert_eq!(telephony(json)[0].account.as_str(), "800", "{case}");
    }
    let path =
        r#"{"event":"/restapi/v1.0/account/~/telephony/sessions","body":{"telephonySessionId":"s","parties":[{}]}}"#;
    assert_eq!(refused(path), "no_account");
}

#[test]
fn parties_of_two_accounts_are_two_sessions() {
    let sessions = telephony(
        r#"{"body":{"telephonySessionId":"s","parties":[{"accountId":"1"},{"accountId":"2"},{"accountId":"1"}]}}"#,
    );
    let parties: Vec<_> = sessions.iter().map(|facts| (facts.account.as_str(), facts.parties.len())).collect();
    assert_eq!(parties, [("1", 2), ("2", 1)]);
}

#[test]
fn session_id_zero_names_no_call() {
    let sessions = telephony(r#"{"body":{"telephonySessionId":"s","sessionId":"0","parties":[{"accountId":"1"}]}}"#);
    assert_eq!(sessions[0].session_id, None);
}

#[test]
fn ringing_and_unknown_states_are_of_no_interest() {
    for code in ["Setup", "Proceeding", "Answered", "Hold", "Parked", "SomethingNew"] {
        let sessions = telephony(&format!(
            r#"{{"body":{{"telephonySessionId":"s","parties":[{{"accountId":"1","id":"p","status":{{"code":"{code}"}}}}]}}}}"#
        ));
        assert!(!sessions[0].of_interest(), "{code}");
    }
}

#[test]
fn what_is_not_understood_has_a_name() {
    for (json, name) in [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "malformed"),
        (r#"{"body":{"telephonySessionId":["s"]}}"#, "malformed"),
        (r#"{"body":{"telephonySessionId":"s","parties":"none"}}"#, "malformed"),
        ("{}", "unknown_kind"),
        (r#"{"event":"/restapi/v1.0/account/1/presence","body":{}}"#, "unknown_kind"),
        (r#"{"body":{"telephonySessionId":"../s|x","parties":[]}}"#, "invalid_id"),
        (
            r#"{"body":{"telephonySessionId":"s","parties":[{"accountId":"1","recordings":[{"id":"../1"}]}]}}"#,
            "invalid_id",
        ),
    ] {
        assert_eq!(refused(json), name, "{json}");
    }
}

#[test]
fn so_many_parties_and_recordings_are_read_and_no_more() {
    let event = |parties: &str| format!(r#"{{"body":{{"telephonySessionId":"s","parties":[{parties}]}}}}"#);
    let parties = |number| event(&vec![r#"{"accountId":"1"}"#; number].join(","));
    let recordings = |number| {
        let recordings = vec![r#"{"id":"9"}"#; number].join(",");
        event(&format!(r#"{{"accountId":"1","recordings":[{recordings}]}}"#))
    };
    assert_eq!(telephony(&parties(MAX_FACTS_PER_EVENT))[0].parties.len(), MAX_FACTS_PER_EVENT);
    assert_eq!(telephony(&recordings(MAX_FACTS_PER_EVENT))[0].parties[0].recordings.len(), 1);
    for many in [parties(MAX_FACTS_PER_EVENT + 1), recordings(MAX_FACTS_PER_EVENT + 1)] {
        assert_eq!(refused(&many), "too_many");
    }
}

#[test]
fn a_recording_is_of_interest_before_its_party_has_ended() {
    let interest = |party: &str| {
        telephony(&format!(r#"{{"body":{{"telephonySessionId":"s","parties":[{{"accountId":"1",{party}}}]}}}}"#))[0]
            .of_interest()
    };
    assert!(interest(r#""id":"p","status":{"code":"Answered"},"recordings":[{"id":"9"}]"#));
    assert!(interest(r#""recordings":[{"id":"9"}]"#));
    assert!(interest(r#""id":"p","status":{"code":"Gone"}"#));
    assert!(!interest(r#""status":{"code":"Gone"}"#), "the end of nobody");
}

#[test]
fn what_is_missing_costs_nothing_else() {
    let sessions = telephony(
        r#"{"body":{"telephonySessionId":"s","sessionId":"","parties":[{"id":"p-0"},{"accountId":""},
        {"accountId":"1","id":"","recordings":[{},{"id":null},{"id":""},{"id":"9"}],
         "from":{"phoneNumber":"11111111111111111111111111111111111111111111111111111111111111111"}}]}}"#,
    );
    assert_eq!((sessions.len(), sessions[0].parties.len(), &sessions[0].session_id), (1, 1, &None));
    let party = &sessions[0].parties[0];
    assert_eq!((&party.id, party.recordings.len(), &party.about.from), (&None, 1, &None));
}

#[test]
fn a_renewal_reminder_is_known_by_its_path() {
    let json = r#"{"event":"/restapi/v1.0/subscription/~?threshold=259200&interval=43200","body":{"expiresIn":1200}}"#;
    assert_eq!(Notification::parse(json.as_bytes()), Ok(Notification::RenewalReminder));
}
