//! The document as serde writes and reads it: the order of fields here is the order in the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Manifest, ManifestError, ManifestParty, ManifestRecording};
use crate::domain::{
    call_log::Listed,
    day::{Day, format_time, parse_time},
    ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
    notification::PartyAbout,
    object_key::ObjectKey,
    session::{ArchivedBytes, DurationCheck, RecordingResult, RecordingState, SessionKey, Way},
};

/// Name and major version of the schema. It changes when the meaning of a field does; a new field changes nothing.
pub const SCHEMA: &str = "ringvault.session/1";

/// Longer than any recording: what does not round to less is no duration, and milliseconds below it survive a round trip.
const MAX_MILLIS: f64 = 1e12;

#[derive(Deserialize)]
struct Envelope {
    schema: String,
}

#[derive(Serialize, Deserialize)]
struct Document {
    schema: String,
    account: String,
    session: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    day: String,
    happened_at: String,
    first_seen_at: String,
    parties: Vec<Party>,
    recordings: Vec<Recording>,
}

#[derive(Serialize, Deserialize)]
struct Party {
    id: String,
    ended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Event>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Recording {
    id: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    parties: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object>,
    /// What the durations of the two neighbours come to; not read back.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    duration_check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_log: Option<CallLog>,
}

#[derive(Serialize, Deserialize)]
struct Object {
    key: String,
    content_type: String,
    size_bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    crc64nvme: Option<String>,
    etag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<f64>,
    way: String,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct CallLog {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transferee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silent_since: Option<String>,
}

pub(super) fn write(manifest: &Manifest) -> Vec<u8> {
    let document = Document {
        schema: SCHEMA.to_owned(),
        account: manifest.key.account.to_string(),
        session: manifest.key.session.to_string(),
        session_id: manifest.session_id.as_ref().map(ToString::to_string),
        day: manifest.day.to_string(),
        happened_at: format_time(manifest.happened_ms),
        first_seen_at: format_time(manifest.first_seen_ms),
        parties: manifest.parties.iter().map(|(id, party)| Party::of(id, party)).collect(),
        recordings: manifest.recordings.iter().map(|(id, recording)| Recording::of(id, recording)).collect(),
    };
    // Texts, numbers and lists: there is nothing in it that JSON cannot say.
    let mut json = serde_json::to_vec_pretty(&document).unwrap_or_default();
    json.push(b'\n');
    json
}

pub(super) fn read(json: &[u8]) -> Result<Manifest, ManifestError> {
    let Envelope { schema } = serde_json::from_slice(json).map_err(|_| ManifestError::Malformed)?;
    if schema != SCHEMA {
        return Err(ManifestError::OtherSchema);
    }
    let document: Document = serde_json::from_slice(json).map_err(|_| ManifestError::Malformed)?;
    let account = AccountId::parse(&document.account)?;
    let recordings = document.recordings.into_iter().map(|recording| recording.read(&account));
    Ok(Manifest {
        recordings: once_each(recordings, "recordings")?,
        key: SessionKey { account, session: TelephonySessionId::parse(&document.session)? },
        session_id: document.session_id.as_deref().map(SessionId::parse).transpose()?,
        day: Day::parse(&document.day).ok_or(ManifestError::Field("day"))?,
        happened_ms: time(&document.happened_at, "happened_at")?,
        first_seen_ms: time(&document.first_seen_at, "first_seen_at")?,
        parties: once_each(document.parties.into_iter().map(Party::read), "parties")?,
    })
}

impl Party {
    fn of(id: &PartyId, party: &ManifestParty) -> Self {
        let PartyAbout { direction, to, from, extension } = party.about.clone();
        let told = party.about != PartyAbout::default();
        Self { id: id.to_string(), ended: party.ended, event: told.then_some(Event { direction, from, to, extension }) }
    }

    fn read(self) -> Result<(PartyId, ManifestParty), ManifestError> {
        let about = self.event.map_or_else(PartyAbout::default, |Event { direction, from, to, extension }| {
            PartyAbout { direction, to, from, extension }
        });
        Ok((PartyId::parse(&self.id)?, ManifestParty { ended: self.ended, about }))
    }
}

impl Recording {
    fn of(id: &RecordingId, recording: &ManifestRecording) -> Self {
        let result = &recording.result;
        Self {
            id: id.to_string(),
            state: result.state.name().to_owned(),
            reason: result.reason.clone(),
            decided_at: result.state.is_final().then(|| format_time(result.at_ms)),
            parties: recording.parties.iter().map(ToString::to_string).collect(),
            object: result.key.as_ref().zip(result.archived.as_ref()).map(|(key, bytes)| Object::of(key, bytes)),
            duration_check: result.duration_check().map(DurationCheck::name),
            call_log: Some(CallLog::of(result)).filter(|said| *said != CallLog::default()),
        }
    }

    fn read(self, account: &AccountId) -> Result<(RecordingId, ManifestRecording), ManifestError> {
        let id = RecordingId::parse(&self.id)?;
        let state = RecordingState::from_name(&self.state).ok_or(ManifestError::Field("state"))?;
        let at_ms = match (state.is_final(), &self.decided_at) {
            (true, Some(text)) => time(text, "decided_at")?,
            (false, None) => 0,
            (true, None) | (false, Some(_)) => return Err(ManifestError::Field("decided_at")),
        };
        let (key, archived) = match (state == RecordingState::Archived, self.object) {
            (true, Some(object)) => object.read(account, &id).map(|(key, bytes)| (Some(key), Some(bytes)))?,
            (true, None) => return Err(ManifestError::NoObject),
            (false, None) => (None, None),
            (false, Some(_)) => return Err(ManifestError::Field("object")),
        };
        let parties = self.parties.iter().map(|party| PartyId::parse(party)).collect::<Result<BTreeSet<_>, _>>()?;
        let said = self.call_log.unwrap_or_default().read()?;
        let result = RecordingResult { state, reason: self.reason, key, archived, at_ms, ..said };
        Ok((id, ManifestRecording { parties, result }))
    }
}

impl Object {
    fn of(key: &ObjectKey, bytes: &ArchivedBytes) -> Self {
        Self {
            key: key.to_string(),
            content_type: bytes.format.content_type().to_owned(),
            size_bytes: bytes.size_bytes,
            sha256: bytes.sha256.clone(),
            crc64nvme: bytes.crc64nvme.clone(),
            etag: bytes.etag.clone(),
            duration_seconds: bytes.duration_ms.map(|duration_ms| duration_ms as f64 / 1000.0),
            way: bytes.way.name().to_owned(),
        }
    }

    fn read(self, account: &AccountId, recording: &RecordingId) -> Result<(ObjectKey, ArchivedBytes), ManifestError> {
        let key = ObjectKey::from_row(self.key);
        let format = key.format().filter(|_| key.is_of(account, recording)).ok_or(ManifestError::ForeignKey)?;
        if format.content_type() != self.content_type {
            return Err(ManifestError::Field("content_type"));
        }
        let bytes = ArchivedBytes {
            sha256: self.sha256,
            crc64nvme: self.crc64nvme,
            etag: self.etag,
            size_bytes: self.size_bytes,
            format,
            duration_ms: self.duration_seconds.map(millis).transpose()?,
            way: Way::from_name(&self.way).ok_or(ManifestError::Field("way"))?,
        };
        Ok((key, bytes))
    }
}

impl CallLog {
    fn of(result: &RecordingResult) -> Self {
        let listed = result.listed.clone().unwrap_or_default();
        Self {
            kind: listed.kind,
            party: listed.party.as_ref().map(ToString::to_string),
            started_at: listed.started_ms.map(format_time),
            duration_seconds: listed.duration_s,
            direction: listed.direction,
            from: listed.from,
            to: listed.to,
            extension: listed.extension,
            transfer_target: listed.transfer_target.as_ref().map(ToString::to_string),
            transferee: listed.transferee.as_ref().map(ToString::to_string),
            content_uri: result.content_uri.clone(),
            silent_since: result.silent_since_ms.map(format_time),
        }
    }

    /// The call log's part of a result.
    fn read(self) -> Result<RecordingResult, ManifestError> {
        let call = |id: Option<String>| id.as_deref().map(TelephonySessionId::parse).transpose();
        let listed = Listed {
            kind: self.kind,
            party: self.party.as_deref().map(PartyId::parse).transpose()?,
            started_ms: self.started_at.map(|text| time(&text, "started_at")).transpose()?,
            duration_s: self.duration_seconds,
            direction: self.direction,
            from: self.from,
            to: self.to,
            extension: self.extension,
            transfer_target: call(self.transfer_target)?,
            transferee: call(self.transferee)?,
        };
        Ok(RecordingResult {
            content_uri: self.content_uri,
            silent_since_ms: self.silent_since.map(|text| time(&text, "silent_since")).transpose()?,
            listed: Some(listed).filter(|listed| !listed.is_empty()),
            ..RecordingResult::default()
        })
    }
}

/// Entries by id; nothing may be told of twice.
fn once_each<K: Ord, V>(
    entries: impl Iterator<Item = Result<(K, V), ManifestError>>,
    field: &'static str,
) -> Result<BTreeMap<K, V>, ManifestError> {
    let mut read = BTreeMap::new();
    for entry in entries {
        let (id, entry) = entry?;
        if read.insert(id, entry).is_some() {
            return Err(ManifestError::Field(field));
        }
    }
    Ok(read)
}

fn time(text: &str, field: &'static str) -> Result<u64, ManifestError> {
    parse_time(text).ok_or(ManifestError::Field(field))
}

fn millis(seconds: f64) -> Result<u64, ManifestError> {
    let millis = (seconds * 1000.0).round();
    let known = seconds >= 0.0 && millis < MAX_MILLIS;
    if known { Ok(millis as u64) } else { Err(ManifestError::Field("duration_seconds")) }
}
