//! One body into the bucket, or an object already there adopted.

use std::pin::pin;

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use tokio::sync::mpsc;

use super::{
    Archiver, Stop, Summary,
    look::{Bar, Look},
};
use crate::{
    domain::{
        checksum::{Digests, Fingerprint, Verified},
        ids::RecordingId,
        media::{AudioFormat, PlayingTime},
        object_key::ObjectKey,
        session::{ArchivedBytes, RecordingState, SessionRow, Way},
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveStore, Created, Held, NewObject, ObjectOrigin},
        clock::{Chance, Clock},
        recording_source::{Place, RecordingSource, SourceError},
        session_store::SessionStore,
    },
    usecases::transfer::{self, Broken, Opened, Poured, Unusable},
};

/// What came of carrying one body into the bucket.
pub(super) enum Carried {
    Archived,
    /// The source's fault: the other way may serve it.
    NotServed {
        why: String,
        /// Why no further attempt can help, if that is so.
        bar: Option<Bar>,
        /// Whether the vendor said that there is no such recording.
        denied: bool,
    },
    /// The bucket's fault: another download would not help.
    NotStored(String),
}

/// A body that did not become an object.
enum NotCarried {
    Broken(Broken),
    NotStored(String),
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Asks for a recording and carries it into the bucket.
    pub(super) async fn carry(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        place: Place<'_>,
        wait_until_ms: u64,
        summary: &mut Summary,
    ) -> Result<Carried, Stop> {
        let opened = match transfer::open(self.source, self.clock, place, wait_until_ms, look.shift.body_ms).await {
            Ok(opened) => opened,
            Err(Unusable::Source(SourceError::Closed(closed)) | Unusable::Broken(Broken::Closed(closed))) => {
                return Err(Stop::Closed(closed));
            }
            Err(unusable) => {
                let (why, denied) = (unusable.to_string(), is_denial(&unusable));
                return Ok(Carried::NotServed { why, bar: bar(&unusable), denied });
            }
        };
        let key = ObjectKey::of(&look.row.key.account, look.row.day, recording, opened.format);
        let mut result = look.row.result(recording);
        if result.key.as_ref() != Some(&key) {
            result.key = Some(key.clone());
            look.set(recording, result);
            self.note(look).await?;
            if look.row.result(recording).state == RecordingState::Archived {
                return Ok(Carried::Archived);
            }
        }
        let way = match place {
            Place::Direct(_) => Way::Direct,
            Place::Listed(_) => Way::CallLog,
        };
        match self.store(&look.row, recording, key.clone(), way, opened, summary).await {
            Ok(archived) => {
                self.archived(look, recording, key, archived, summary);
                Ok(Carried::Archived)
            }
            Err(NotCarried::Broken(Broken::Closed(closed))) => Err(Stop::Closed(closed)),
            Err(NotCarried::Broken(Broken::Off(interrupted))) => {
                Ok(Carried::NotServed { why: interrupted.to_string(), bar: None, denied: false })
            }
            Err(NotCarried::NotStored(why)) => Ok(Carried::NotStored(why)),
        }
    }

    async fn store(
        &self,
        row: &SessionRow,
        recording: &RecordingId,
        key: ObjectKey,
        way: Way,
        opened: Opened<'_, R, C>,
        summary: &mut Summary,
    ) -> Result<ArchivedBytes, NotCarried> {
        let format = opened.format;
        let object = NewObject { key, format, size_bytes: opened.length(), origin: origin_of(row, recording) };
        let (into, mut from) = mpsc::channel(1);
        let body = Box::pin(stream::poll_fn(move |context| from.poll_recv(context)));
        let (created, poured) = match select(pin!(opened.pour(into)), pin!(self.archive.create(&object, body))).await {
            Either::Left((poured, create)) => (create.await, poured),
            // An answer that came before the body had ended: nobody may be left who takes the rest.
            Either::Right((created, _)) => (created, Poured::Unwanted),
        };
        let came = match poured {
            Poured::Broken(broken) => return Err(NotCarried::Broken(broken)),
            Poured::Whole { fingerprint, duration_ms } => Some((fingerprint, duration_ms)),
            Poured::Unwanted => None,
        };
        let conflict = |summary: &mut Summary, why: &str| {
            tracing::error!(recording.id = %recording, why, "a conflict under the recording's key");
            summary.conflicts += 1;
            Err(NotCarried::NotStored(format!("conflict: {why}")))
        };
        match (created, came) {
            (Ok(Created::Stored { etag, verified }), Some((fingerprint, duration_ms))) if fingerprint.is(&verified) => {
                Ok(proof(fingerprint, verified, etag, format, duration_ms, way))
            }
            (Ok(Created::Stored { .. }), _) => conflict(summary, "the bucket confirmed other bytes than were sent"),
            (Err(error), _) if error.class() != Class::Indeterminate => Err(NotCarried::NotStored(error.to_string())),
            (Ok(Created::Occupied | Created::Contended) | Err(_), came) => {
                let held = match self.archive.held(&object.key).await {
                    Ok(Some(held)) => held,
                    Ok(None) => return Err(NotCarried::NotStored("the bucket does not hold the object".to_owned())),
                    Err(error) => return Err(NotCarried::NotStored(error.to_string())),
                };
                match (ours(&held, &object.origin), came) {
                    (None, _) => conflict(summary, "an object of other hands lies there"),
                    (Some(verified), Some((fingerprint, duration_ms))) if fingerprint.is(&verified) => {
                        Ok(proof(fingerprint, verified, held.etag, format, duration_ms, way))
                    }
                    (Some(_), Some(_)) => conflict(summary, "another version of the recording lies there"),
                    (Some(_), None) if object.size_bytes.is_some_and(|size_bytes| size_bytes != held.size_bytes) => {
                        conflict(summary, "another version of the recording lies there")
                    }
                    (Some(verified), None) => {
                        self.adopt(&object.key, held, verified, format).await.map_err(NotCarried::NotStored)
                    }
                }
            }
        }
    }

    /// Before any request is spent: an earlier run may have stored the object and died before it could say so.
    pub(super) async fn adopt_earlier(&self, look: &mut Look, recording: &RecordingId, summary: &mut Summary) -> bool {
        let Some(key) = look.row.result(recording).key else { return false };
        let Some(format) = key.format() else { return false };
        let held = match self.archive.held(&key).await {
            Ok(Some(held)) => held,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(recording.id = %recording, %error, "could not look for an earlier upload");
                return false;
            }
        };
        let Some(verified) = ours(&held, &origin_of(&look.row, recording)) else { return false };
        match self.adopt(&key, held, verified, format).await {
            Ok(archived) => self.archived(look, recording, key, archived, summary),
            Err(why) => {
                tracing::warn!(recording.id = %recording, why, "could not adopt an earlier upload");
                return false;
            }
        }
        true
    }

    /// The proof of an object of ours. What came in parts is read back: its SHA-256 is nowhere else.
    pub(super) async fn adopt(
        &self,
        key: &ObjectKey,
        held: Held,
        verified: Verified,
        format: AudioFormat,
    ) -> Result<ArchivedBytes, String> {
        let (size_bytes, etag, way) = (held.size_bytes, held.etag, Way::Adopted);
        let crc64nvme = match verified {
            Verified::Sha256(sha256) => {
                return Ok(ArchivedBytes { sha256, crc64nvme: None, etag, size_bytes, format, duration_ms: None, way });
            }
            Verified::Crc64Nvme(crc64nvme) => crc64nvme,
        };
        let reading = self.archive.read(key).await.map_err(|error| error.to_string())?;
        let mut body = reading.ok_or_else(|| "the object has vanished".to_owned())?.body;
        let (mut digests, mut time) = (Digests::default(), PlayingTime::of(format));
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|interrupted| interrupted.to_string())?;
            digests.add(&chunk);
            time.add(&chunk);
        }
        let fingerprint = digests.finish();
        let verified = Verified::Crc64Nvme(crc64nvme);
        if fingerprint.size_bytes != size_bytes || !fingerprint.is(&verified) {
            return Err("the object does not read as the bucket verified it".to_owned());
        }
        Ok(proof(fingerprint, verified, etag, format, time.finish(), way))
    }

    pub(super) fn archived(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        key: ObjectKey,
        archived: ArchivedBytes,
        summary: &mut Summary,
    ) {
        tracing::info!(
            recording.id = %recording,
            session.id = %look.row.key.session,
            way = archived.way.name(),
            size_bytes = archived.size_bytes,
            attempt = look.row.attempts,
            "archived"
        );
        summary.count_way(archived.way);
        let mut result = look.row.result(recording);
        result.state = RecordingState::Archived;
        result.reason = None;
        result.key = Some(key);
        result.archived = Some(archived);
        result.at_ms = self.clock.now_ms();
        look.set(recording, result);
    }
}

fn bar(unusable: &Unusable) -> Option<Bar> {
    match unusable {
        Unusable::Source(SourceError::Status { status: 403, .. }) => Some(Bar::Forbidden),
        Unusable::Source(SourceError::ForeignOrigin) => Some(Bar::ForeignHost),
        Unusable::Source(
            SourceError::Status { .. }
            | SourceError::Closed(_)
            | SourceError::Malformed(_)
            | SourceError::Unreachable(_),
        )
        | Unusable::NotAudio(_)
        | Unusable::Broken(_) => None,
    }
}

/// Whether the vendor says that there is no such recording (API.md §4, §8). Who answers otherwise may have it.
fn is_denial(unusable: &Unusable) -> bool {
    match unusable {
        Unusable::Source(SourceError::Status { status, code }) => match (status, code.as_deref()) {
            (400 | 404, Some("CMN-102")) | (404 | 410, None) => true,
            // Among them CMN-120: the address is wrong, and nobody who could have it was asked.
            (_, Some(_) | None) => false,
        },
        Unusable::Source(
            SourceError::ForeignOrigin
            | SourceError::Closed(_)
            | SourceError::Malformed(_)
            | SourceError::Unreachable(_),
        )
        | Unusable::NotAudio(_)
        | Unusable::Broken(_) => false,
    }
}

pub(super) fn origin_of(row: &SessionRow, recording: &RecordingId) -> ObjectOrigin {
    ObjectOrigin { account: row.key.account.clone(), session: row.key.session.clone(), recording: recording.clone() }
}

/// The checksum of what lies in the bucket, if it is this recording: our ids, and bytes S3 verified. Another session may
/// have told of the same recording (a conference, an attended transfer): it is the same object.
pub(super) fn ours(held: &Held, origin: &ObjectOrigin) -> Option<Verified> {
    let theirs = held.origin.as_ref()?;
    let same = theirs.account == origin.account && theirs.recording == origin.recording && held.size_bytes > 0;
    held.verified.clone().filter(|_| same)
}

fn proof(
    fingerprint: Fingerprint,
    verified: Verified,
    etag: String,
    format: AudioFormat,
    duration_ms: Option<u64>,
    way: Way,
) -> ArchivedBytes {
    let Fingerprint { size_bytes, sha256, crc64nvme } = fingerprint;
    let crc64nvme = match verified {
        Verified::Sha256(_) => None,
        Verified::Crc64Nvme(_) => Some(crc64nvme),
    };
    ArchivedBytes { sha256, crc64nvme, etag, size_bytes, format, duration_ms, way }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_no_denies_a_recording() {
        for (status, code, denies) in [
            (404, None, true),
            (404, Some("CMN-102"), true),
            (400, Some("CMN-102"), true),
            (400, Some("CMN-101"), false),
            (404, Some("CMN-120"), false),
            (400, None, false),
            (410, None, true),
            (403, Some("CMN-408"), false),
            (500, None, false),
        ] {
            let refused = SourceError::Status { status, code: code.map(str::to_owned) };
            assert_eq!(is_denial(&refused.into()), denies, "{status} {code:?}");
        }
        assert!(!is_denial(&SourceError::Unreachable("timeout".into()).into()));
    }
}
