//! The manifest: what became of every recording of one session, as one JSON document beside the recordings. Its schema
//! is described in `docs/manifest.md`, whose example is the expectation of a test here.

mod document;
mod proof;

use std::collections::{BTreeMap, BTreeSet};

pub use document::SCHEMA;
pub use proof::{Disagreement, Found};

use super::{
    day::Day,
    ids::{InvalidId, PartyId, RecordingId, SessionId},
    notification::PartyAbout,
    object_key::ObjectKey,
    session::{Heard, RecordingResult, RecordingState, SessionKey, SessionRow},
};

/// What became of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Which call.
    pub key: SessionKey,
    /// The call log's legacy id, where an event named it.
    pub session_id: Option<SessionId>,
    /// The UTC day its keys are sorted under.
    pub day: Day,
    /// When the event that first told of the call happened, epoch milliseconds.
    pub happened_ms: u64,
    /// When we first heard of it, epoch milliseconds.
    pub first_seen_ms: u64,
    /// Who took part, as far as somebody told.
    pub parties: BTreeMap<PartyId, ManifestParty>,
    /// Every recording heard of.
    pub recordings: BTreeMap<RecordingId, ManifestRecording>,
}

/// A party of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestParty {
    /// Whether an event or the vendor told of its end.
    pub ended: bool,
    /// What an event told of it; empty where none did.
    pub about: PartyAbout,
}

/// A recording of the call.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestRecording {
    /// The parties it was heard on.
    pub parties: BTreeSet<PartyId>,
    /// What became of it. One that waits is told of without the run's notes; only an archived one has an object.
    pub result: RecordingResult,
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or fields that are missing or of other types than documented.
    #[error("the document is not a manifest")]
    Malformed,
    /// Another schema, or a major version we do not know.
    #[error("the document does not follow the schema {SCHEMA}")]
    OtherSchema,
    /// An id that is not one.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A value the schema does not have, or one that contradicts another.
    #[error("the manifest's {0} is not what the schema says")]
    Field(&'static str),
    /// A recording is called archived, and the object is not named.
    #[error("an archived recording has no object")]
    NoObject,
    /// The object of a recording lies under a key that is not its own.
    #[error("the key of an object is not its recording's")]
    ForeignKey,
}

impl Manifest {
    /// What a row tells. Nothing in it depends on the runs it took.
    pub fn of(row: &SessionRow) -> Self {
        let named = row.parties.keys().chain(&row.ended);
        let named = named.chain(row.heard.iter().filter_map(|heard| heard.party.as_ref()));
        let party = |id: &PartyId| ManifestParty {
            ended: row.ended.contains(id),
            about: row.parties.get(id).cloned().unwrap_or_default(),
        };
        let recording = |id: &RecordingId| ManifestRecording {
            parties: row.parties_of(id).cloned().collect(),
            result: told(row.result(id)),
        };
        Self {
            key: row.key.clone(),
            session_id: row.session_id.clone(),
            day: row.day,
            happened_ms: row.happened_ms,
            first_seen_ms: row.seen_at_ms,
            parties: named.map(|id| (id.clone(), party(id))).collect(),
            recordings: row.recordings().into_iter().map(|id| (id.clone(), recording(id))).collect(),
        }
    }

    /// Where it lies in the bucket.
    pub fn object_key(&self) -> ObjectKey {
        ObjectKey::manifest(&self.key.account, self.day, &self.key.session)
    }

    /// The document: fields in the order of the schema, entries by id, a newline at the end.
    pub fn to_json(&self) -> Vec<u8> {
        document::write(self)
    }

    /// Reads a document. Fields the schema does not have are passed over: it may grow.
    ///
    /// # Errors
    /// Says why the document may not be relied on.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        document::read(json)
    }

    /// Adds what an `older` manifest of the same session knows, for the table may have been lost since. What both say
    /// stands as the older one has it, and gaps are filled from either. An archived recording stays archived with its
    /// object; of other endings the newer counts. Merging the same manifest again changes nothing.
    pub fn merge(mut self, older: &Self) -> Self {
        self.session_id = older.session_id.clone().or(self.session_id);
        (self.day, self.happened_ms, self.first_seen_ms) = (older.day, older.happened_ms, older.first_seen_ms);
        for (id, known) in &older.parties {
            let party = self.parties.entry(id.clone()).or_default();
            party.ended |= known.ended;
            party.about = known.about.clone().or(std::mem::take(&mut party.about));
        }
        for (id, known) in &older.recordings {
            match self.recordings.get_mut(id) {
                Some(recording) => {
                    recording.parties.extend(known.parties.iter().cloned());
                    recording.result = merged(std::mem::take(&mut recording.result), &known.result);
                }
                None => {
                    self.recordings.insert(id.clone(), known.clone());
                }
            }
        }
        self
    }

    /// The endings it knows, as facts and results for the row of a table that was lost. Whoever restores an archived one
    /// looks into the bucket first: see [`ArchivedBytes::disagreement`](super::session::ArchivedBytes::disagreement).
    pub fn endings(&self) -> impl Iterator<Item = (&RecordingId, Vec<Heard>, &RecordingResult)> {
        let ended = self.recordings.iter().filter(|(_, recording)| recording.result.state.is_final());
        ended.map(|(id, recording)| {
            let heard = |party: Option<&PartyId>| Heard { recording: id.clone(), party: party.cloned() };
            let heard = if recording.parties.is_empty() {
                vec![heard(None)]
            } else {
                recording.parties.iter().map(|party| heard(Some(party))).collect()
            };
            (id, heard, &recording.result)
        })
    }
}

/// The part of a result that is told. What has no proof is not called archived.
fn told(result: RecordingResult) -> RecordingResult {
    // A query may hold a token (API.md §8).
    let address = |address: String| address.split('?').next().map(str::to_owned);
    let content_uri = result.content_uri.and_then(address);
    let listed = result.listed.filter(|listed| !listed.is_empty());
    let result = RecordingResult { content_uri, listed, ..result };
    let proven = result.key.is_some() && result.archived.is_some();
    match result.state {
        RecordingState::Archived if proven => result,
        RecordingState::TooShort | RecordingState::Unavailable | RecordingState::Deleted => {
            RecordingResult { key: None, archived: None, ..result }
        }
        RecordingState::Waiting | RecordingState::Archived => RecordingResult {
            content_uri: result.content_uri,
            silent_since_ms: result.silent_since_ms,
            listed: result.listed,
            ..RecordingResult::default()
        },
    }
}

/// The newer result with what the older one knows.
fn merged(newer: RecordingResult, older: &RecordingResult) -> RecordingResult {
    let listed = older.listed.clone().unwrap_or_default().or(newer.listed.clone().unwrap_or_default());
    let either_uri = older.content_uri.clone().or(newer.content_uri.clone());
    let same_object = older.key == newer.key && sha256(older) == sha256(&newer);
    let stands = match (older.state, newer.state) {
        // The bucket no longer had the older object, or it would have been adopted.
        (RecordingState::Archived, RecordingState::Archived) if !same_object => newer,
        (RecordingState::Archived, _) => older.clone(),
        (_, state) if state.is_final() => newer,
        (_, _) => older.clone(),
    };
    // An address that silence took back is no gap.
    let content_uri = if stands.silent_since_ms.is_some() { stands.content_uri } else { either_uri };
    RecordingResult { content_uri, listed: Some(listed).filter(|listed| !listed.is_empty()), ..stands }
}

fn sha256(result: &RecordingResult) -> Option<&String> {
    result.archived.as_ref().map(|archived| &archived.sha256)
}

#[cfg(test)]
mod tests;
