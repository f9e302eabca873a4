//! The end of a look: what was found out is written, and when somebody should look again.

use super::{
    Archiver,
    look::{Bar, Look},
};
use crate::{
    domain::{day::DAY_MS, ids::RecordingId, session::Next},
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::RecordingSource,
        session_store::{Finish, Finished, SessionStore, StoreError},
    },
};

/// A recording the user may not have is asked for once a day: only a person can help.
const FORBIDDEN_REST_MS: u64 = DAY_MS;

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Writes the look back; false if facts came meanwhile and the plan must be made anew. Where a recording is left that
    /// there was no permit or no time for, no attempt is counted, and the session keeps its place in the queue.
    pub(super) async fn finish(&self, look: &mut Look) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let left = !look.todo(self.schedule, now_ms).is_empty();
        let mut next = self.next(look, now_ms);
        if next == Next::Settled {
            next = self.describe_or_wait(look).await;
        }
        let counts = (!look.tried.is_empty() || look.undescribed.is_some()) && !left;
        let finish = Finish {
            results: look.changed.clone(),
            found: look.found.clone(),
            manifest: look.manifest.clone(),
            next,
            attempts: if counts { look.attempts } else { look.attempts.saturating_sub(1) },
            expires_s: self.schedule.expires_s(now_ms),
        };
        match self.sessions.finish(&look.row.key, look.row.rev, &finish).await? {
            Finished::Done => Ok(true),
            Finished::Changed(row) => {
                look.renew(*row);
                Ok(false)
            }
        }
    }

    /// Writes what was found out so far; the claim stays. Another look may have had the row in hand: what it archived
    /// stays archived.
    pub(super) async fn note(&self, look: &mut Look) -> Result<(), StoreError> {
        loop {
            let finish = Finish {
                results: look.changed.clone(),
                found: look.found.clone(),
                manifest: look.manifest.clone(),
                next: Next::At(look.shift.deadline_ms),
                attempts: look.attempts,
                expires_s: self.schedule.expires_s(self.clock.now_ms()),
            };
            match self.sessions.finish(&look.row.key, look.row.rev, &finish).await? {
                Finished::Done => {
                    look.row.rev += 1;
                    return Ok(());
                }
                Finished::Changed(row) => look.renew(*row),
            }
        }
    }

    /// Writes the look back whatever came meanwhile: that is for the next look.
    pub(super) async fn close(&self, look: &mut Look) -> Result<(), StoreError> {
        while !self.finish(look).await? {}
        Ok(())
    }

    /// A session is settled once the bucket has its manifest; until then it climbs the ladder.
    async fn describe_or_wait(&self, look: &mut Look) -> Next {
        match self.describe(look).await {
            Ok(kept) => {
                look.undescribed = None;
                look.keep_manifest(kept);
                Next::Settled
            }
            Err(error) => {
                tracing::warn!(session.id = %look.row.key.session, %error, "the session's manifest is not written");
                look.undescribed = Some(error);
                let wait_ms = self.schedule.ladder.wait_ms(look.attempts, self.clock.next());
                Next::At(self.clock.now_ms().saturating_add(wait_ms))
            }
        }
    }

    fn next(&self, look: &Look, now_ms: u64) -> Next {
        let next = look.row.next(self.schedule, look.standing, &look.tried, now_ms, self.clock.next());
        let unfinished = look.row.unfinished();
        let is_forbidden = |recording: &&RecordingId| look.barred.get(*recording) == Some(&Bar::Forbidden);
        let hopeless = !unfinished.is_empty() && unfinished.iter().all(is_forbidden);
        match next {
            Next::At(due_at_ms) if hopeless => Next::At(due_at_ms.max(now_ms.saturating_add(FORBIDDEN_REST_MS))),
            Next::At(_) | Next::Settled => next,
        }
    }
}
