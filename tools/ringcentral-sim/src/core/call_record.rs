//! One call as a record of the call log (API.md §7).

use super::call_log::View;
use super::links::Links;
use crate::settings::Settings;
use crate::time_text::format_ms;
use crate::world::{Call, Direction, Endpoint, Listing, Party, Recording};
use serde_json::{Value, json};

/// A call as the log knows it at one time.
pub(super) struct Seen<'a> {
    call: &'a Call,
    listing: Listing,
    /// Those the log speaks of.
    pub(super) recordings: Vec<&'a Recording>,
    now_ms: u64,
}

impl<'a> Seen<'a> {
    pub(super) fn of(call: &'a Call, settings: &Settings, now_ms: u64) -> Self {
        let listing = call.listing(now_ms);
        let shown = |recording: &&Recording| {
            listing == Listing::Linked && !call.is_deleted(recording, settings.retention_days, now_ms)
        };
        Self { call, listing, recordings: call.recordings.iter().filter(shown).collect(), now_ms }
    }

    pub(super) fn is_listed(&self) -> bool {
        self.listing != Listing::Absent
    }

    fn in_progress(&self) -> bool {
        self.listing == Listing::InProgress
    }

    /// Up to when the record tells.
    fn until_ms(&self) -> u64 {
        if self.in_progress() { self.now_ms } else { self.call.ended_at_ms().unwrap_or(self.call.started_at_ms) }
    }

    fn modified_at_ms(&self) -> u64 {
        let at_ms = match self.listing {
            Listing::Absent | Listing::InProgress => None,
            Listing::Unlinked => self.call.listed_at_ms(),
            Listing::Linked => self.call.linked_at_ms(),
        };
        at_ms.unwrap_or(self.call.started_at_ms)
    }
}

/// Writes a call from the side of its main party: the extension asked for, or the one that was recorded first.
///
/// There is one leg for each party, and one more for each further recording of the same party, because a leg has room
/// for one. The first leg is the master; the record repeats its recording.
pub(super) fn record(seen: &Seen<'_>, extension: Option<&str>, view: View, links: &Links) -> Value {
    let call = seen.call;
    let legs = legs(seen, extension);
    let mut body = json!({});
    if let Some(master) = legs.first() {
        body = master.base(seen, links);
        body["action"] = json!("Phone Call");
        body["partyId"] = json!(master.party.id);
    }
    let id = call.record_id();
    set_span(&mut body, call.started_at_ms, seen.until_ms());
    body["uri"] = json!(format!("{}/call-log/{id}?view={}", links.account(), view.name()));
    body["id"] = json!(id);
    body["sessionId"] = json!(call.session_id);
    body["telephonySessionId"] = json!(call.telephony_session_id);
    body["internalType"] = json!("LocalNumber");
    match view {
        View::Simple => {}
        View::Detailed => {
            body["lastModifiedTime"] = json!(format_ms(seen.modified_at_ms()));
            body["legs"] = legs.iter().enumerate().map(|(place, leg)| leg.body(place == 0, seen, links)).collect();
        }
    }
    body
}

struct Leg<'a> {
    party: &'a Party,
    recording: Option<&'a Recording>,
}

fn legs<'a>(seen: &Seen<'a>, extension: Option<&str>) -> Vec<Leg<'a>> {
    let call = seen.call;
    let Some(main) = main_party(call, extension) else {
        return Vec::new();
    };
    let others = call.parties.iter().filter(|party| party.id != main.id);
    std::iter::once(main).chain(others).flat_map(|party| legs_of(seen, party, main)).collect()
}

fn legs_of<'a>(seen: &Seen<'a>, party: &'a Party, main: &Party) -> Vec<Leg<'a>> {
    let own = |recording: &&&Recording| match owner(seen.call, recording) {
        Some(owner) => owner.id == party.id,
        None => party.id == main.id,
    };
    let mut legs: Vec<Leg<'a>> =
        seen.recordings.iter().filter(own).map(|recording| Leg { party, recording: Some(*recording) }).collect();
    if legs.is_empty() {
        legs.push(Leg { party, recording: None });
    }
    legs
}

fn main_party<'a>(call: &'a Call, extension: Option<&str>) -> Option<&'a Party> {
    let of_extension = |party: &&Party| extension.is_some() && party.extension_id.as_deref() == extension;
    let recorded = || call.recordings.iter().find_map(|recording| owner(call, recording));
    let inside = || call.parties.iter().find(|party| party.extension_id.is_some());
    let asked_for = call.parties.iter().find(of_extension);
    asked_for.or_else(recorded).or_else(inside).or_else(|| call.parties.first())
}

fn owner<'a>(call: &'a Call, recording: &Recording) -> Option<&'a Party> {
    call.parties.iter().find(|party| recording.party_id.as_ref() == Some(&party.id))
}

impl Leg<'_> {
    /// What a leg and a record have in common.
    fn base(&self, seen: &Seen<'_>, links: &Links) -> Value {
        let party = self.party;
        let result = match party.direction {
            Direction::Inbound | Direction::Outbound if seen.in_progress() => "In Progress",
            Direction::Inbound => "Accepted",
            Direction::Outbound => "Call connected",
        };
        let mut body = json!({
            "type": "Voice",
            "direction": party.direction.name(),
            "result": result,
            "from": endpoint(&party.from),
            "to": endpoint(&party.to),
            "transport": "PSTN",
        });
        // The one place where the vendor writes an id as a number.
        if let Some(id) = party.extension_id.as_ref().and_then(|id| id.parse::<u64>().ok()) {
            body["extension"] = json!({"id": id, "uri": links.extension(id)});
        }
        match self.recording {
            None => {}
            Some(recording) if recording.too_short => body["shortRecording"] = json!(true),
            Some(recording) => {
                body["recording"] = json!({
                    "uri": links.recording(&recording.id),
                    "id": recording.id,
                    "type": recording.kind.name(),
                    "contentUri": links.content(recording),
                });
            }
        }
        body
    }

    fn body(&self, is_master: bool, seen: &Seen<'_>, links: &Links) -> Value {
        let (leg_type, action) = match (is_master, &self.party.extension_id) {
            (true, _) => ("Accept", "Phone Call"),
            (false, Some(_)) => ("TransferCall", "Transfer"),
            (false, None) => ("PstnToSip", "VoIP Call"),
        };
        let mut body = self.base(seen, links);
        set_span(&mut body, self.party.started_at_ms, self.party.ended_at_ms.unwrap_or(seen.until_ms()));
        body["telephonySessionId"] = json!(seen.call.telephony_session_id);
        body["legType"] = json!(leg_type);
        body["action"] = json!(action);
        if is_master {
            body["master"] = json!(true);
        }
        body
    }
}

fn set_span(body: &mut Value, started_at_ms: u64, ended_at_ms: u64) {
    let duration_ms = ended_at_ms.saturating_sub(started_at_ms);
    body["startTime"] = json!(format_ms(started_at_ms));
    body["duration"] = json!(duration_ms / 1_000);
    body["durationMs"] = json!(duration_ms);
}

/// `from` or `to`.
pub(super) fn endpoint(endpoint: &Endpoint) -> Value {
    let mut body = json!({});
    if let Some(phone_number) = &endpoint.phone_number {
        body["phoneNumber"] = json!(phone_number);
    }
    if let Some(name) = &endpoint.name {
        body["name"] = json!(name);
    }
    body
}
