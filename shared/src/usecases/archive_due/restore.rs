//! A table that was lost is filled again by the call log, and one may be made an older one: what the bucket holds is then
//! neither fetched again nor given up.

use futures_util::future::join_all;

use super::{
    Archiver,
    carry::{origin_of, ours},
    describe::NotDescribed,
    look::Look,
    summary::Summary,
};
use crate::{
    domain::{
        day::{DAY_MS, Day},
        ids::RecordingId,
        manifest::{Found, Manifest},
        media::AudioFormat,
        object_key::ObjectKey,
        session::{KeptManifest, RecordingResult, RecordingState},
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore},
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::SessionStore,
    },
};

/// A call that is first heard of so long after it happened, milliseconds, may have been archived before the table was lost,
/// or as another call: the log may know it by another id than the events. Events come within a second.
const LATE_MS: u64 = 5 * 60_000;

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// [`Archiver::restore`] of sessions beside each other.
    pub(super) async fn restore_all(&self, looks: &mut [Look], summary: &mut Summary) {
        let each = looks.iter_mut().map(|look| async {
            let mut restored = Summary::default();
            self.restore(look, &mut restored).await;
            restored
        });
        join_all(each).await.into_iter().for_each(|restored| summary.add(restored));
    }

    /// Before a late session's first permit: what an earlier manifest says of it stands, and objects the bucket holds are
    /// adopted. Another clock may have put the call on a neighbouring day.
    async fn restore(&self, look: &mut Look, summary: &mut Summary) {
        let row = &look.row;
        let late = row.seen_at_ms.saturating_sub(row.happened_ms) >= LATE_MS;
        if !late || row.manifest.is_some() || !row.unfinished().iter().any(|recording| is_untouched(look, recording)) {
            return;
        }
        let untouched: Vec<_> = row.unfinished().into_iter().filter(|one| is_untouched(look, one)).cloned().collect();
        match self.look_into_the_bucket(look, &untouched, summary).await {
            Ok(None) => {}
            Ok(Some(why)) => {
                tracing::warn!(session.id = %look.row.key.session, why, "could not adopt an earlier upload");
            }
            // Without a look nothing may be fetched: it might be stored twice, under two days.
            Err(error) => {
                tracing::warn!(session.id = %look.row.key.session, %error, "could not look for what an earlier table knew");
                for recording in look.todo(self.schedule, self.clock.now_ms()) {
                    self.wait(look, &recording, &error.to_string());
                }
            }
        }
    }

    /// Before a recording ends without an object: a run may have stored it and died before it could say so, or the table have
    /// been made one that is older than the bucket. Answers whether it has ended by what was found.
    ///
    /// # Errors
    /// Why it may not end yet: the bucket does not answer, or holds an object that cannot be adopted.
    pub(super) async fn recall(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        summary: &mut Summary,
    ) -> Result<bool, String> {
        let found = self.look_into_the_bucket(look, std::slice::from_ref(recording), summary).await;
        let unfit = found.map_err(|error| error.to_string())?;
        let has_ended = look.row.result(recording).state.is_final();
        unfit.filter(|_| !has_ended).map_or(Ok(has_ended), Err)
    }

    /// Takes over what a manifest says of the session, and the objects of these recordings. Answers why the last of these
    /// could not be adopted, if one could not.
    async fn look_into_the_bucket(
        &self,
        look: &mut Look,
        recordings: &[RecordingId],
        summary: &mut Summary,
    ) -> Result<Option<String>, ArchiveError> {
        let start_ms = look.row.day.start_ms();
        let days = [start_ms, start_ms + DAY_MS, start_ms.saturating_sub(DAY_MS)].map(Day::of);
        for day in days {
            let key = ObjectKey::manifest(&look.row.key.account, day, &look.row.key.session);
            match self.manifest_at(&key, &look.row.key).await {
                Ok(None) => {}
                Ok(Some(there)) => {
                    self.restore_from(look, &there.manifest, there.kept, summary).await?;
                    break;
                }
                Err(NotDescribed::Archive(error)) => return Err(error),
                // Who writes the manifest in the end will say so.
                Err(NotDescribed::Conflict | NotDescribed::Contended) => {}
            }
        }
        let mut unfit = None;
        for recording in recordings {
            if !look.row.result(recording).state.is_final() {
                unfit = self.adopt_from(look, recording, days, summary).await?.or(unfit);
            }
        }
        Ok(unfit)
    }

    async fn restore_from(
        &self,
        look: &mut Look,
        manifest: &Manifest,
        kept: KeptManifest,
        summary: &mut Summary,
    ) -> Result<(), ArchiveError> {
        for (recording, heard, ending) in manifest.endings() {
            // Whoever told of it anew may know better than an ending without an object.
            let told_anew = ending.state != RecordingState::Archived && look.row.recordings().contains(recording);
            let ended = look.row.result(recording).state.is_final();
            if told_anew || ended || !self.is_still_true(recording, ending).await? {
                continue;
            }
            tracing::info!(recording.id = %recording, session.id = %look.row.key.session, state = ending.state.name(), "restored");
            if ending.state == RecordingState::Archived {
                summary.adopted += 1;
            }
            look.hear(heard);
            look.set(recording, ending.clone());
        }
        look.keep_manifest(kept);
        Ok(())
    }

    /// Whether the bucket holds what an archived recording's manifest says.
    async fn is_still_true(&self, recording: &RecordingId, ending: &RecordingResult) -> Result<bool, ArchiveError> {
        let Some((key, archived)) = ending.key.as_ref().zip(ending.archived.as_ref()) else { return Ok(true) };
        let held = self.archive.held(key).await?;
        let found =
            held.map(|held| Found { size_bytes: held.size_bytes, etag: Some(held.etag), checksum: held.verified });
        let disagreement = archived.disagreement(found.as_ref());
        if let Some(disagreement) = disagreement {
            tracing::warn!(recording.id = %recording, ?disagreement, "the bucket does not hold what the manifest says");
        }
        Ok(disagreement.is_none())
    }

    /// Adopts an object of ours that lies on one of these days; answers why not, if it could not be.
    async fn adopt_from(
        &self,
        look: &mut Look,
        recording: &RecordingId,
        days: [Day; 3],
        summary: &mut Summary,
    ) -> Result<Option<String>, ArchiveError> {
        let mut unfit = None;
        for (day, format) in
            days.into_iter().flat_map(|day| [AudioFormat::Mp3, AudioFormat::Wav].map(|format| (day, format)))
        {
            let key = ObjectKey::of(&look.row.key.account, day, recording, format);
            let Some(held) = self.archive.held(&key).await? else { continue };
            let Some(verified) = ours(&held, &origin_of(&look.row, recording)) else { continue };
            match self.adopt(&key, held, verified, format).await {
                Ok(archived) => {
                    self.archived(look, recording, key, archived, summary);
                    return Ok(None);
                }
                Err(why) => unfit = Some(why),
            }
        }
        Ok(unfit)
    }
}

/// Whether this table has never come to an object of a recording.
fn is_untouched(look: &Look, recording: &RecordingId) -> bool {
    look.row.result(recording).key.is_none()
}
