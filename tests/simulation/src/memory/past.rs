//! Calls of the past, as the functions leave them in table and bucket.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use shared::{
    domain::{
        call_log::Offers,
        checksum::Digests,
        day::Day,
        ids::{PartyId, RecordingId},
        manifest::Manifest,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{
            ArchivedBytes, Heard, KeptManifest, Learned, Next, RecordingResult, RecordingState, SessionKey, SessionRow,
            Way, Write,
        },
    },
    ports::{
        archive_store::{ArchiveStore, Created, NewObject, ObjectOrigin},
        clock::Clock,
        session_store::{Finish, Found, SessionStore},
    },
};

use super::{MemoryBucket, MemoryTable};

/// How long after a call its recordings are looked at, milliseconds.
const LATER_MS: u64 = 60_000;

/// A time of day that stands still until somebody sets it, epoch milliseconds.
#[derive(Debug, Default)]
pub struct StoppedClock(pub Cell<u64>);

impl Clock for StoppedClock {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// What became of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// These bytes, an MP3, were archived.
    Archived(Bytes),
    /// It waits, and its call with it.
    Waiting,
    /// It ended like this, without an object.
    Ended(RecordingState),
}

/// A call and its recordings, each on a party of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// Which.
    pub key: SessionKey,
    /// When it happened, epoch milliseconds.
    pub happened_ms: u64,
    /// What was recorded.
    pub recordings: BTreeMap<RecordingId, Fate>,
}

impl PastCall {
    /// The day of its keys.
    pub fn day(&self) -> Day {
        Day::of(self.happened_ms)
    }

    /// Leaves row, objects and manifest of the call as a run of the archiver would. Made again with more recordings, it
    /// is the call as a later run leaves it.
    ///
    /// # Errors
    /// The ports', which in memory have none.
    pub async fn leave_in(&self, table: &MemoryTable, bucket: &MemoryBucket) -> Result<(), Box<dyn Error>> {
        table.record(&self.learned()).await?;
        let rows = table.rows(std::slice::from_ref(&self.key)).await?;
        let Some(row) = rows.known.get(&self.key) else { return Ok(()) };
        let mut row: SessionRow = row.clone();
        for (recording, fate) in &self.recordings {
            let result = match fate {
                Fate::Archived(bytes) => self.archived(recording, bytes, bucket).await?,
                Fate::Waiting => continue,
                Fate::Ended(state) => {
                    let reason = Some("call log: so it says".to_owned());
                    let at_ms = self.happened_ms + LATER_MS;
                    RecordingResult { state: *state, reason, at_ms, ..RecordingResult::default() }
                }
            };
            row.results.insert(recording.clone(), result);
        }
        let settled = row.unfinished().is_empty();
        let finish = Finish {
            results: row.results.clone(),
            found: Found::default(),
            manifest: if settled { Some(describe(&row, bucket).await?) } else { None },
            next: if settled { Next::Settled } else { Next::At(self.happened_ms + LATER_MS) },
            attempts: 1,
            expires_s: 0,
        };
        table.finish(&self.key, row.rev, &finish).await?;
        Ok(())
    }

    fn learned(&self) -> Learned {
        let parties: Vec<_> = (1..)
            .map_while(|n| PartyId::parse(&format!("p-{}-{n}", self.key.session)).ok())
            .take(self.recordings.len())
            .collect();
        let heard = self.recordings.keys().zip(&parties);
        let heard = heard.map(|(recording, party)| Heard { recording: recording.clone(), party: Some(party.clone()) });
        Learned {
            key: self.key.clone(),
            day: self.day(),
            happened_ms: self.happened_ms,
            seen_at_ms: self.happened_ms,
            session_id: None,
            parties: BTreeMap::new(),
            heard: heard.collect(),
            ended: parties.iter().cloned().collect::<BTreeSet<_>>(),
            offers: Offers::new(),
            due_at_ms: Write::Always(self.happened_ms + LATER_MS),
            expires_s: Write::Always(0),
        }
    }

    async fn archived(
        &self,
        recording: &RecordingId,
        bytes: &Bytes,
        bucket: &MemoryBucket,
    ) -> Result<RecordingResult, Box<dyn Error>> {
        let (account, session) = (self.key.account.clone(), self.key.session.clone());
        let key = ObjectKey::of(&account, self.day(), recording, AudioFormat::Mp3);
        let object = NewObject {
            key: key.clone(),
            format: AudioFormat::Mp3,
            size_bytes: Some(bytes.len() as u64),
            origin: ObjectOrigin { account, session, recording: recording.clone() },
        };
        let created = bucket.create(&object, Box::pin(stream::iter([Ok(bytes.clone())]))).await?;
        let etag = match created {
            Created::Stored { etag, .. } => etag,
            Created::Occupied | Created::Contended => bucket.object(&key).map(|there| there.etag).unwrap_or_default(),
        };
        let archived = ArchivedBytes {
            sha256: sha256(bytes),
            crc64nvme: None,
            etag,
            size_bytes: bytes.len() as u64,
            format: AudioFormat::Mp3,
            duration_ms: None,
            way: Way::Direct,
        };
        Ok(RecordingResult {
            state: RecordingState::Archived,
            key: Some(key),
            archived: Some(archived),
            at_ms: self.happened_ms + LATER_MS,
            ..RecordingResult::default()
        })
    }
}

/// Writes the row's manifest.
async fn describe(row: &SessionRow, bucket: &MemoryBucket) -> Result<KeptManifest, Box<dyn Error>> {
    let manifest = Manifest::of(row);
    let (key, json) = (manifest.object_key(), manifest.to_json());
    let there = bucket.read(&key).await?.map(|reading| reading.etag);
    let sha256 = sha256(&json);
    bucket.write(&key, json.into(), there.as_deref()).await?;
    Ok(KeptManifest { key, sha256 })
}

/// SHA-256, base64.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let mut digests = Digests::default();
    digests.add(bytes);
    digests.finish().sha256
}
