//! One telephony session in the making: who is in it, what happens, what each event says (API.md §6).

use super::people::Person;
use super::spread::Spread;
use super::{Day, Troubles};
use crate::time_text::format_ms;
use crate::world::{Call, Direction, PartyStatus, Recording, RecordingKind, Script, Step};
use fastrand::Rng;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Ids that belong to one telephony session and to no other.
#[derive(Clone)]
pub(super) struct Ids {
    seed: u64,
    call: u32,
    part: u32,
    start_ms: u64,
    /// Decimal; `"0"` for a conference.
    session_id: String,
    telephony_session_id: String,
}

/// A side of the session; what it is made of follows events.
struct Party {
    id: String,
    extension: Option<String>,
    direction: Direction,
    from: Value,
    to: Value,
    /// `queueCall` or `conferenceRole`, where there is one.
    mark: Option<(&'static str, Value)>,
    /// Recordings and whether they run.
    recordings: Vec<(String, bool)>,
}

/// What a party comes to.
pub(super) struct Change {
    status: PartyStatus,
    reason: Option<&'static str>,
    /// Further members of `status`.
    more: Option<(&'static str, Value)>,
    missed: bool,
}

/// The scene of one session.
pub(super) struct Scene<'a> {
    pub(super) rng: Rng,
    day: &'a Day,
    ids: Ids,
    start_ms: u64,
    now_ms: u64,
    sent_ms: u64,
    origin: &'static str,
    parties: Vec<Party>,
    steps: Vec<Step>,
    recordings: Vec<Recording>,
}

impl Ids {
    pub(super) fn new(seed: u64, call: u32, start_ms: u64) -> Self {
        Self::of_part(seed % 1_000_000_000, call, 0, start_ms)
    }

    fn of_part(seed: u64, call: u32, part: u32, start_ms: u64) -> Self {
        Self {
            seed,
            call,
            part,
            start_ms,
            session_id: format!("7{seed:09}{call:05}{part}"),
            telephony_session_id: format!("s-a0{seed:08x}z{start_ms:011x}z1{call:05x}{part}0000"),
        }
    }

    fn party(&self, number: usize) -> String {
        format!("p-{}-{number}", &self.telephony_session_id[2..])
    }

    fn recording(&self, number: usize) -> String {
        format!("9{:09}{:05}{}{number}", self.seed, self.call, self.part)
    }

    fn event(&self, number: usize) -> String {
        format!("4{:09}{:05}{}{number:03}", self.seed, self.call, self.part)
    }
}

impl Change {
    pub(super) fn because(status: PartyStatus, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..Self::from(status) }
    }

    pub(super) fn missed(reason: &'static str) -> Self {
        Self { missed: true, ..Self::because(PartyStatus::Disconnected, reason) }
    }

    /// Into another session, where the party goes on as that one.
    pub(super) fn gone(reason: &'static str, peer: Value) -> Self {
        Self { more: Some(("peerId", peer)), ..Self::because(PartyStatus::Gone, reason) }
    }

    pub(super) fn parked(place: &'static str) -> Self {
        Self { more: Some(("parkData", place.into())), ..Self::from(PartyStatus::Parked) }
    }
}

impl From<PartyStatus> for Change {
    fn from(status: PartyStatus) -> Self {
        Self { status, reason: None, more: None, missed: false }
    }
}

impl<'a> Scene<'a> {
    pub(super) fn new(day: &'a Day, ids: Ids, rng: Rng, start_ms: u64) -> Self {
        Self {
            rng,
            day,
            ids,
            start_ms,
            now_ms: start_ms,
            sent_ms: 0,
            origin: "Call",
            parties: Vec::new(),
            steps: Vec::new(),
            recordings: Vec::new(),
        }
    }

    /// Another session that begins now, of the same call as people see it.
    pub(super) fn other_session(&mut self) -> Self {
        let ids = Ids::of_part(self.ids.seed, self.ids.call, self.ids.part + 1, self.ids.start_ms);
        Self::new(self.day, ids, self.rng.fork(), self.now_ms)
    }

    /// A conference that begins now.
    pub(super) fn conference(&mut self) -> Self {
        let mut conference = self.other_session();
        conference.origin = "Conference";
        conference.ids.session_id = "0".to_owned();
        conference
    }

    /// Time passes: `range_ms` of the life that the day hurries through.
    pub(super) fn pass(&mut self, range_ms: RangeInclusive<u64>) {
        self.now_ms += self.rng.u64(range_ms) / self.day.hurry.max(1);
    }

    /// Waits for what happens in the other session.
    pub(super) fn follow(&mut self, other: &Self) {
        self.now_ms = self.now_ms.max(other.now_ms);
    }

    /// A party that calls comes into the session.
    pub(super) fn calls(&mut self, from: &Person, to: &Person) -> usize {
        self.join(Direction::Outbound, from, to)
    }

    /// A party that is called comes into the session.
    pub(super) fn is_called(&mut self, from: &Person, to: &Person) -> usize {
        self.join(Direction::Inbound, from, to)
    }

    fn join(&mut self, direction: Direction, from: &Person, to: &Person) -> usize {
        let own = match direction {
            Direction::Inbound => to,
            Direction::Outbound => from,
        };
        self.parties.push(Party {
            id: self.ids.party(self.parties.len() + 1),
            extension: own.extension(),
            direction,
            from: from.endpoint(),
            to: to.endpoint(),
            mark: None,
            recordings: Vec::new(),
        });
        let party = self.parties.len() - 1;
        self.says(party, PartyStatus::Setup);
        party
    }

    /// Events of this party have this member from now on.
    pub(super) fn mark(&mut self, party: usize, name: &'static str, value: Value) {
        self.parties[party].mark = Some((name, value));
    }

    /// The party as another session's `peerId` names it.
    pub(super) fn peer(&self, party: usize) -> Value {
        json!({
            "sessionId": self.ids.session_id,
            "telephonySessionId": self.ids.telephony_session_id,
            "partyId": self.parties[party].id,
        })
    }

    /// Recording of a party begins, and an event says so.
    pub(super) fn records(&mut self, party: usize, kind: RecordingKind) {
        let id = self.ids.recording(self.recordings.len() + 1);
        let duration_s = self.rng.u32(1..=self.day.longest_audio_s.max(1));
        self.recordings.push(Recording {
            party_id: Some(self.parties[party].id.clone()),
            kind,
            duration_s,
            ..Recording::new(id.clone())
        });
        self.parties[party].recordings.push((id, true));
        self.says(party, PartyStatus::Answered);
    }

    /// The party's last recording is paused, stopped or taken up again, and an event says so.
    pub(super) fn turn_recording(&mut self, party: usize, on: bool) {
        if let Some((_, active)) = self.parties[party].recordings.last_mut() {
            *active = on;
        }
        self.says(party, PartyStatus::Answered);
    }

    /// All recordings so far are below the vendor's minimum.
    pub(super) fn was_too_short(&mut self) {
        for recording in &mut self.recordings {
            recording.too_short = true;
        }
    }

    /// A party comes to something, and an event says so.
    pub(super) fn says(&mut self, party: usize, change: impl Into<Change>) {
        self.sent_ms = self.sent_ms.max(self.now_ms + self.rng.u64(15..=130));
        let event = self.event(&self.parties[party], change.into());
        self.steps.push(Step { at_ms: self.now_ms, told: Some(event.clone()), event });
    }

    fn event(&self, party: &Party, change: Change) -> Value {
        let account = &self.day.account_id;
        let mut status = json!({"code": change.status.name(), "rcc": false});
        if let Some(reason) = change.reason {
            status["reason"] = reason.into();
        }
        if let Some((name, value)) = change.more {
            status[name] = value;
        }
        let mut body = json!({
            "accountId": account,
            "id": party.id,
            "direction": party.direction.name(),
            "from": party.from,
            "to": party.to,
            "status": status,
            "park": {},
            "missedCall": change.missed,
            "standAlone": false,
            "muted": false,
        });
        if !party.recordings.is_empty() {
            body["recordings"] =
                party.recordings.iter().map(|(id, active)| json!({"id": id, "active": active})).collect();
        }
        if let Some((name, value)) = &party.mark {
            body[name] = value.clone();
        }
        let path = match &party.extension {
            Some(extension) => {
                body["extensionId"] = extension.as_str().into();
                format!("/restapi/v1.0/account/{account}/extension/{extension}/telephony/sessions")
            }
            None => format!("/restapi/v1.0/account/{account}/telephony/sessions"),
        };
        let sequence = self.steps.len() + 2;
        json!({
            "uuid": self.ids.event(sequence),
            "event": path,
            "timestamp": format_ms(self.sent_ms),
            "body": {
                "sequence": sequence,
                "sessionId": self.ids.session_id,
                "telephonySessionId": self.ids.telephony_session_id,
                "serverId": "10.0.0.11.TAM",
                "eventTime": format_ms(self.now_ms),
                "parties": [body],
                "origin": {"type": self.origin},
            },
        })
    }

    /// The finished session, its recordings behaving as `files` has it.
    pub(super) fn into_script(mut self, files: &mut Spread) -> Script {
        let troubles: &Troubles = &self.day.troubles;
        for recording in &mut self.recordings {
            troubles.of_recording(recording, files.next(), self.day.hurry, &mut self.rng);
        }
        Script {
            call: Call {
                telephony_session_id: self.ids.telephony_session_id,
                session_id: self.ids.session_id,
                started_at_ms: self.start_ms,
                listed_after_ms: None,
                listed_early: false,
                linked_after_ms: 0,
                parties: Vec::new(),
                recordings: Vec::new(),
            },
            recordings: self.recordings,
            steps: self.steps,
        }
    }
}
