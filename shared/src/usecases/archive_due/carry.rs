//! One body into the bucket, or an object already there adopted.

use super::{Archiver, Stop, Summary, look::Look};
use crate::{
    domain::{
        ids::RecordingId,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{ArchivedBytes, RecordingState, SessionRow, Way},
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveStore, Created, Held, NewObject, ObjectOrigin},
        clock::{Chance, Clock},
        recording_source::{Incoming, RecordingSource, SourceError},
        session_store::SessionStore,
    },
    usecases::transfer::{self, Opened},
};

/// What came of carrying one body into the bucket.
pub(super) enum Carried {
    Archived,
    /// The source's fault: the other way may serve it.
    NotServed {
        why: String,
        /// The vendor says that our user may not have it.
        forbidden: bool,
    },
    /// The bucket's fault: another download would not help.
    NotStored(String),
}

impl Carried {
    fn not_served(why: &dyn std::fmt::Display) -> Self {
        Self::NotServed { why: why.to_string(), forbidden: false }
    }
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Carries one body into the bucket.
    pub(super) async fn carry(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        way: Way,
        incoming: Result<Incoming, SourceError>,
        summary: &mut Summary,
    ) -> Result<Carried, Stop> {
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(SourceError::Closed(closed)) => return Err(Stop::Closed(closed)),
            Err(error) => {
                let forbidden = matches!(error, SourceError::Status { status: 403, .. });
                return Ok(Carried::NotServed { why: error.to_string(), forbidden });
            }
        };
        let opened = match transfer::open(incoming).await {
            Ok(opened) => opened,
            Err(unusable) => return Ok(Carried::not_served(&unusable)),
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
        let tally = opened.tally.clone();
        Ok(match self.store(&look.row, recording, key, way, opened, summary).await {
            Ok(archived) => {
                self.archived(look, recording, archived, summary);
                Carried::Archived
            }
            Err(why) => tally.interrupted().map_or(Carried::NotStored(why), |why| Carried::not_served(&why)),
        })
    }

    async fn store(
        &self,
        row: &SessionRow,
        recording: &RecordingId,
        key: ObjectKey,
        way: Way,
        opened: Opened,
        summary: &mut Summary,
    ) -> Result<ArchivedBytes, String> {
        let Opened { format, size_bytes, body, tally } = opened;
        let origin = origin_of(row, recording);
        let object = NewObject { key, format, size_bytes, origin: origin.clone() };
        let created = self.archive.create(&object, body).await;
        if let Some(interrupted) = tally.interrupted() {
            return Err(interrupted.to_string());
        }
        let ours = ArchivedBytes { sha256: tally.sha256(), size_bytes, format, way };
        match created {
            Ok(Created::Stored { sha256 }) if sha256 == ours.sha256 => return Ok(ours),
            Ok(Created::Stored { .. }) => {
                tracing::error!(recording.id = %recording, "the bucket confirmed other bytes than were sent");
                summary.conflicts += 1;
                return Err("the bucket confirmed other bytes than were sent".to_owned());
            }
            Ok(Created::Occupied) => {}
            Err(error) if error.class() == Class::Indeterminate => {}
            Err(error) => return Err(error.to_string()),
        }
        match self.archive.held(&object.key).await {
            Ok(Some(held)) => match adopted(&held, &origin, format) {
                Some(found) if found.sha256 == ours.sha256 => Ok(ours),
                Some(found) => Ok(found),
                None => {
                    tracing::error!(recording.id = %recording, "something else lies under the recording's key");
                    summary.conflicts += 1;
                    Err("conflict: something else lies under the recording's key".to_owned())
                }
            },
            Ok(None) => Err("could not store the object: the bucket does not hold it".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Before any request is spent: an earlier run may have stored the object and died before it could say so.
    pub(super) async fn adopt_earlier(&self, look: &mut Look, recording: &RecordingId, summary: &mut Summary) -> bool {
        let Some(key) = look.row.result(recording).key else { return false };
        let Some(format) = key.format() else { return false };
        let held = match self.archive.held(&key).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(recording.id = %recording, error = %error, "could not look for an earlier upload");
                return false;
            }
        };
        let found = held.and_then(|held| adopted(&held, &origin_of(&look.row, recording), format));
        match found {
            Some(archived) => self.archived(look, recording, archived, summary),
            None => return false,
        }
        true
    }

    fn archived(&self, look: &mut Look, recording: &RecordingId, archived: ArchivedBytes, summary: &mut Summary) {
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
        result.archived = Some(archived);
        result.at_ms = self.clock.now_ms();
        look.set(recording, result);
    }
}

fn origin_of(row: &SessionRow, recording: &RecordingId) -> ObjectOrigin {
    ObjectOrigin { account: row.key.account.clone(), session: row.key.session.clone(), recording: recording.clone() }
}

/// What lies in the bucket, if it is this recording: our ids, and bytes S3 verified. Another session may have told of
/// the same recording (a conference, an attended transfer): it is the same object.
fn adopted(held: &Held, origin: &ObjectOrigin, format: AudioFormat) -> Option<ArchivedBytes> {
    let sha256 = held.sha256.clone()?;
    let theirs = held.origin.as_ref()?;
    let same = theirs.account == origin.account && theirs.recording == origin.recording;
    same.then_some(ArchivedBytes { sha256, size_bytes: held.size_bytes, format, way: Way::Adopted })
}
