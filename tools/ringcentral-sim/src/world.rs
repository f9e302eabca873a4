//! What exists: calls, their parties, their recordings, and how each recording behaves.

mod learn;
mod party;
mod script;
mod store;

pub(crate) use learn::learn;
pub use party::{Direction, Endpoint, Party, PartyStatus};
pub use script::{Script, Step};
pub(crate) use store::World;

use crate::audio;
use crate::settings::Sound;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A telephony session (API.md §6), which is also one record of the call log (API.md §7).
///
/// Taking a recording out of `recordings` is what a user's deletion looks like: its file answers 404 and the log keeps
/// the call without a `recording` (API.md §8).
#[derive(Clone, Debug)]
pub struct Call {
    /// `telephonySessionId`, opaque text such as `s-…`.
    pub telephony_session_id: String,
    /// The legacy decimal `sessionId`.
    pub session_id: String,
    /// When the call began, in epoch milliseconds: the call log's windows look at this.
    pub started_at_ms: u64,
    /// Time from the call's end until the call log lists it, in milliseconds; `None`: never listed.
    pub listed_after_ms: Option<u64>,
    /// Listed while it runs, as `In Progress` and without its recordings, and rewritten under the same id once
    /// `listed_after_ms` is over (API.md §7).
    pub listed_early: bool,
    /// Time from its listing until the record names its recordings, in milliseconds (API.md §7, "Latency").
    pub linked_after_ms: u64,
    /// The sides of the call, in the order they appeared.
    pub parties: Vec<Party>,
    /// The recordings of all parties, in the order they were heard of.
    pub recordings: Vec<Recording>,
}

/// One recorded file and the way it behaves (API.md §8, §11).
#[derive(Clone, Debug)]
pub struct Recording {
    /// Recording id: the same in events, in the call log and in paths.
    pub id: String,
    /// The party it belongs to; `None`: the record's main party.
    pub party_id: Option<String>,
    /// Kind of file.
    pub format: AudioFormat,
    /// Length of the audio, in seconds.
    pub duration_s: u32,
    /// Time from its party's end until the file can be fetched, in milliseconds; `None`: never.
    pub ready_after_ms: Option<u64>,
    /// How it was started.
    pub kind: RecordingKind,
    /// What the hand-built URL answers: media origin, account `~`.
    pub direct: Direct,
    /// Where the call log's `contentUri` points.
    pub listed_at: ListedAt,
    /// `Content-Type` to send instead of the true one.
    pub served_content_type: Option<String>,
    /// What is wrong with the body wherever the file is served.
    pub body_fault: BodyFault,
    /// How many more answers `direct` and `body_fault` spoil; after that the file is served as it should be. `u32::MAX`
    /// is for ever.
    pub spoilt_answers: u32,
    /// Time from its party's end until a user deletes it, in milliseconds; `None`: never (API.md §8, "Retention").
    pub deleted_after_ms: Option<u64>,
    /// Below the vendor's minimum: `shortRecording: true` in the log, no `recording`, and 404 for ever (API.md §8).
    pub too_short: bool,
}

/// Kind of audio file (API.md §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AudioFormat {
    /// `audio/wav`.
    Wav,
    /// `audio/mpeg`.
    Mp3,
}

/// `type` of a recording in the call log (API.md §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingKind {
    /// Started by the account's rule.
    Automatic,
    /// Started by hand.
    OnDemand,
}

/// What a URL built from the event's recording id answers: `{media}/restapi/v1.0/account/~/recording/{id}/content`.
///
/// The account's real id in place of `~` is how `contentUri` is written, so this does not touch such requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direct {
    /// The file, if `listed_at` is [`ListedAt::Media`]; otherwise it has moved, and this is 404 `CMN-102`.
    Served,
    /// This status with the vendor's error body; 403 is `CMN-408`, the user's missing permission.
    Status(u16),
    /// Status 200 and a page of HTML, as from a gateway.
    Html,
    /// Status 302 to this address; none is documented (API.md §8).
    Redirect(String),
}

/// Where `contentUri` points; always with the real account id in the path (API.md §8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedAt {
    /// The media origin.
    Media,
    /// The platform origin: the media origin answers 404.
    Platform,
    /// Another origin, such as `https://media.example.com`; nothing is served here.
    Other(String),
}

/// What is wrong with a served body (API.md §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// Nothing.
    None,
    /// Status 200 and a page of HTML.
    Html,
    /// The connection ends after half of the announced length.
    CutShort,
    /// Status 200 and no bytes, announced as such.
    Empty,
    /// Status 200, the file's own type, and an error body in JSON.
    Json,
    /// One byte more is announced than comes.
    WrongLength,
    /// The bytes come in small pieces with pauses between them.
    Trickle,
    /// Status 206 and the first half, though no range was asked for; the rest is there for who asks (API.md §8).
    UnaskedPart,
    /// Whole, but in chunks without a declared length.
    Undeclared,
}

/// What the call log has of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Nothing.
    Absent,
    /// That it runs.
    InProgress,
    /// Its final record, without recordings.
    Unlinked,
    /// Everything.
    Linked,
}

impl Call {
    /// When the last party ended, in epoch milliseconds; `None` while somebody is in the call.
    pub fn ended_at_ms(&self) -> Option<u64> {
        let ends: Option<Vec<u64>> = self.parties.iter().map(|party| party.ended_at_ms).collect();
        ends?.into_iter().max()
    }

    /// The id of its call-log record.
    pub(crate) fn record_id(&self) -> String {
        let digest = Sha256::digest(&self.telephony_session_id);
        URL_SAFE_NO_PAD.encode(&digest[..12])
    }

    /// When the call log has its final record, in epoch milliseconds.
    pub(crate) fn listed_at_ms(&self) -> Option<u64> {
        Some(self.ended_at_ms()? + self.listed_after_ms?)
    }

    /// When that record names its recordings, in epoch milliseconds.
    pub(crate) fn linked_at_ms(&self) -> Option<u64> {
        Some(self.listed_at_ms()? + self.linked_after_ms)
    }

    /// What the call log has of it (API.md §7, "Latency", "Not final").
    pub(crate) fn listing(&self, now_ms: u64) -> Listing {
        let past = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        match (past(self.listed_at_ms()), past(self.linked_at_ms())) {
            (_, true) => Listing::Linked,
            (true, false) => Listing::Unlinked,
            (false, false) if self.listed_early && self.listed_after_ms.is_some() => Listing::InProgress,
            (false, false) => Listing::Absent,
        }
    }

    /// The party a recording ends with: its own if it is known.
    fn end_of(&self, recording: &Recording) -> Option<u64> {
        let owner = self.parties.iter().find(|party| recording.party_id.as_ref() == Some(&party.id));
        owner.map_or_else(|| self.ended_at_ms(), |party| party.ended_at_ms)
    }

    /// When a recording's file is there, in epoch milliseconds.
    pub(crate) fn ready_at_ms(&self, recording: &Recording) -> Option<u64> {
        let after_ms = recording.ready_after_ms.filter(|_| !recording.too_short)?;
        Some(self.end_of(recording)? + after_ms)
    }

    /// When it is deleted again, in epoch milliseconds: by a user, or for its age (API.md §8, "Retention").
    pub(crate) fn deleted_at_ms(&self, recording: &Recording, retention_days: u64) -> Option<u64> {
        let retention_ms = retention_days.saturating_mul(24 * 60 * 60 * 1_000);
        let after_ms = recording.deleted_after_ms.map_or(retention_ms, |after_ms| after_ms.min(retention_ms));
        Some(self.end_of(recording)?.saturating_add(after_ms))
    }

    pub(crate) fn is_deleted(&self, recording: &Recording, retention_days: u64, now_ms: u64) -> bool {
        self.deleted_at_ms(recording, retention_days).is_some_and(|at_ms| at_ms <= now_ms)
    }

    pub(crate) fn is_ready(&self, recording: &Recording, retention_days: u64, now_ms: u64) -> bool {
        let there = self.ready_at_ms(recording).is_some_and(|at_ms| at_ms <= now_ms);
        there && !self.is_deleted(recording, retention_days, now_ms)
    }
}

impl Recording {
    /// An automatic recording that behaves well and is ready when its party ends. Format and length follow from the id.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        let chance = Sha256::digest(&id);
        Self {
            party_id: None,
            format: if chance[0].is_multiple_of(2) { AudioFormat::Mp3 } else { AudioFormat::Wav },
            duration_s: 5 + u32::from(chance[1] % 40),
            ready_after_ms: Some(0),
            kind: RecordingKind::Automatic,
            direct: Direct::Served,
            listed_at: ListedAt::Media,
            served_content_type: None,
            body_fault: BodyFault::None,
            spoilt_answers: u32::MAX,
            deleted_after_ms: None,
            too_short: false,
            id,
        }
    }

    /// The whole file, as served when nothing is wrong.
    pub fn audio(&self, sound: Sound) -> Vec<u8> {
        match sound {
            Sound::Melody => audio::file(&self.id, self.format, self.duration_s),
            Sound::Sketch => audio::sketch(&self.id, self.format),
        }
    }
}

impl AudioFormat {
    /// The true `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Mp3 => "audio/mpeg",
        }
    }
}

impl RecordingKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::OnDemand => "OnDemand",
        }
    }
}
