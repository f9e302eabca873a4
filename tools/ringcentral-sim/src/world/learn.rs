//! Turns telephony session events into calls (API.md §6).

use super::{Call, Direction, Endpoint, Party, PartyStatus, Recording, World};
use crate::settings::Settings;
use serde_json::Value;

/// Merges one notification into the world. Missing fields are tolerated; other events, and parties of other accounts,
/// are passed over. Repeats and late events change nothing that is already known.
pub(crate) fn learn(world: &mut World, event: &Value, settings: &Settings, now_ms: u64) {
    let body = &event["body"];
    let (Some(session_id), Some(parties)) = (text(body, "telephonySessionId"), body["parties"].as_array()) else {
        return;
    };
    let path = EventPath::parse(event["event"].as_str().unwrap_or_default());
    let ours = |party: &&Value| {
        let account = text(party, "accountId").or_else(|| text(body, "accountId")).or(path.account);
        account.is_none_or(|account| account == "~" || account == settings.account_id)
    };
    for party in parties.iter().filter(ours) {
        if world.call(session_id).is_none() {
            let planned = world.take_planned_call(session_id);
            world.add(planned.unwrap_or_else(|| unplanned(session_id, body, settings, now_ms)));
        }
        let told = Told { body, path: &path, party, now_ms };
        if let Some(call) = world.call_mut(session_id) {
            told.merge_party(call);
        }
        told.merge_recordings(world, session_id, settings);
    }
}

fn unplanned(telephony_session_id: &str, body: &Value, settings: &Settings, now_ms: u64) -> Call {
    Call {
        telephony_session_id: telephony_session_id.into(),
        session_id: text(body, "sessionId").unwrap_or("0").into(),
        started_at_ms: now_ms,
        listed_after_ms: Some(settings.listed_after_ms),
        listed_early: false,
        linked_after_ms: 0,
        parties: Vec::new(),
        recordings: Vec::new(),
    }
}

/// What one event says of one party.
struct Told<'a> {
    body: &'a Value,
    path: &'a EventPath<'a>,
    party: &'a Value,
    now_ms: u64,
}

impl Told<'_> {
    fn merge_party(&self, call: &mut Call) {
        let Some(id) = text(self.party, "id") else {
            return;
        };
        let known = call.parties.iter().position(|party| party.id == id);
        let place = known.unwrap_or_else(|| {
            call.parties.push(self.new_party(id));
            call.parties.len() - 1
        });
        self.merge_status(&mut call.parties[place]);
    }

    fn merge_recordings(&self, world: &mut World, telephony_session_id: &str, settings: &Settings) {
        let heard = self.party["recordings"].as_array().into_iter().flatten();
        for id in heard.filter_map(|heard| text(heard, "id")) {
            let call = world.call(telephony_session_id);
            if call.is_none_or(|call| call.recordings.iter().any(|recording| recording.id == id)) {
                continue;
            }
            let planned = world.take_planned_recording(id);
            let mut recording = planned
                .unwrap_or_else(|| Recording { ready_after_ms: Some(settings.ready_after_ms), ..Recording::new(id) });
            recording.party_id = recording.party_id.or_else(|| text(self.party, "id").map(str::to_owned));
            world.add_recording(telephony_session_id, recording);
        }
    }

    fn new_party(&self, id: &str) -> Party {
        let extension_id = text(self.party, "extensionId").or_else(|| text(self.body, "extensionId"));
        let outbound = text(self.party, "direction") == Some("Outbound");
        Party {
            id: id.into(),
            extension_id: extension_id.or(self.path.extension).map(str::to_owned),
            direction: if outbound { Direction::Outbound } else { Direction::Inbound },
            from: endpoint(&self.party["from"]),
            to: endpoint(&self.party["to"]),
            status: PartyStatus::Setup,
            sequence: 0,
            started_at_ms: self.now_ms,
            ended_at_ms: None,
        }
    }

    fn merge_status(&self, party: &mut Party) {
        let Some(status) = text(&self.party["status"], "code").and_then(PartyStatus::parse) else {
            return;
        };
        if status.is_end() && party.ended_at_ms.is_none() {
            party.ended_at_ms = Some(self.now_ms);
        }
        let sequence = self.body["sequence"].as_u64().unwrap_or(party.sequence);
        if sequence >= party.sequence {
            party.sequence = sequence;
            party.status = status;
        }
    }
}

/// The account and extension named by an event's path.
struct EventPath<'a> {
    account: Option<&'a str>,
    extension: Option<&'a str>,
}

impl<'a> EventPath<'a> {
    fn parse(path: &'a str) -> Self {
        let after = |name| {
            let mut segments = path.split('/').skip_while(move |segment| *segment != name);
            segments.nth(1)
        };
        Self { account: after("account"), extension: after("extension").filter(|id| *id != "~") }
    }
}

fn endpoint(value: &Value) -> Endpoint {
    Endpoint {
        phone_number: text(value, "phoneNumber").map(str::to_owned),
        name: text(value, "name").map(str::to_owned),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn learned(events: &[Value]) -> Vec<Call> {
        let mut world = World::default();
        for (place, event) in events.iter().enumerate() {
            learn(&mut world, event, &Settings::default(), 1_000 * (place as u64 + 1));
        }
        world.calls().to_vec()
    }

    fn event(sequence: u64, code: &str) -> Value {
        json!({
            "event": "/restapi/v1.0/account/800000001/extension/800000107/telephony/sessions",
            "body": {
                "sequence": sequence,
                "telephonySessionId": "s-1",
                "parties": [{"id": "p-1-2", "status": {"code": code}}],
            },
        })
    }

    #[test]
    fn a_call_is_known_from_very_little() {
        let calls = learned(&[json!({"body": {"telephonySessionId": "s-1", "parties": [{"id": "p-1"}, {}]}})]);
        assert_eq!(calls[0].session_id, "0");
        assert_eq!(calls[0].parties.len(), 1);
        assert_eq!(calls[0].parties[0].status, PartyStatus::Setup);
        assert_eq!(calls[0].ended_at_ms(), None);
    }

    #[test]
    fn the_extension_comes_from_party_body_or_path() {
        assert_eq!(learned(&[event(1, "Setup")])[0].parties[0].extension_id.as_deref(), Some("800000107"));
        let mut with_body = event(1, "Setup");
        with_body["body"]["extensionId"] = json!("800000108");
        assert_eq!(learned(&[with_body.clone()])[0].parties[0].extension_id.as_deref(), Some("800000108"));
        with_body["body"]["parties"][0]["extensionId"] = json!("800000109");
        assert_eq!(learned(&[with_body])[0].parties[0].extension_id.as_deref(), Some("800000109"));
    }

    #[test]
    fn another_accounts_parties_are_passed_over() {
        let mut by_path = event(1, "Setup");
        by_path["event"] = json!("/restapi/v1.0/account/7/telephony/sessions");
        let mut by_body = event(1, "Setup");
        by_body["body"]["accountId"] = json!("7");
        let mut by_party = event(1, "Setup");
        by_party["body"]["parties"][0]["accountId"] = json!("7");
        assert!(learned(&[by_path, by_body, by_party]).is_empty());
    }

    #[test]
    fn a_late_event_changes_no_state_and_no_end() {
        let calls = learned(&[event(5, "Disconnected"), event(4, "Answered"), event(5, "Disconnected")]);
        assert_eq!(calls[0].parties[0].status, PartyStatus::Disconnected);
        assert_eq!(calls[0].ended_at_ms(), Some(1_000));
    }

    #[test]
    fn every_kind_of_end_counts_and_an_unknown_state_does_not() {
        for code in ["Disconnected", "gone", "Voicemail"] {
            assert_eq!(learned(&[event(1, code)])[0].ended_at_ms(), Some(1_000), "{code}");
        }
        assert_eq!(learned(&[event(1, "SomeFutureState")])[0].ended_at_ms(), None);
    }

    #[test]
    fn a_recording_is_known_once_whoever_names_it() {
        let mut first = event(1, "Answered");
        first["body"]["parties"][0]["recordings"] = json!([{"id": "9", "active": true}]);
        let mut second = first.clone();
        second["body"]["parties"][0]["id"] = json!("p-1-3");
        let calls = learned(&[first.clone(), second, first]);
        assert_eq!(calls[0].recordings.len(), 1);
        assert_eq!(calls[0].recordings[0].party_id.as_deref(), Some("p-1-2"));
    }

    #[test]
    fn other_events_are_ignored() {
        let reminder =
            json!({"event": "/restapi/v1.0/subscription/~?threshold=60&interval=15", "body": {"expiresIn": 60}});
        assert!(learned(&[reminder, json!(null), json!({"body": []})]).is_empty());
    }
}
