//! One run of the archiver: everything that is due is looked at, what can be fetched is archived.

mod carry;
mod hybrid;
mod look;
mod summary;

pub use summary::{Stopped, Summary};

use std::time::Duration;

use crate::{
    domain::{
        day::millis,
        session::{Schedule, SessionKey},
    },
    failure::Class,
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::{Closed, RecordingSource},
        session_store::{SessionStore, StoreError},
    },
};

/// How many due sessions are asked for at a time.
const DUE_PAGE: usize = 25;

/// A run stops claiming when less than this share of its time is left.
const RESERVED_SHARE: u64 = 5;

/// The world an archiver works in.
#[derive(Debug, Clone, Copy)]
pub struct Archiver<'a, S, R, A, C> {
    /// Session rows and the lease.
    pub sessions: &'a S,
    /// RingCentral.
    pub source: &'a R,
    /// The bucket.
    pub archive: &'a A,
    /// Time and chance.
    pub clock: &'a C,
    /// The waits.
    pub schedule: &'a Schedule,
}

/// One invocation.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Its name: holder of the lease.
    pub id: &'a str,
    /// When it is killed, epoch milliseconds. Leases and claims end then, so a killed run blocks nobody.
    pub deadline_ms: u64,
}

/// How long to wait when the vendor refused to be asked, milliseconds: its own word, else a minute.
fn pause_ms(closed: &Closed) -> u64 {
    let pause = match closed.class() {
        Class::Transient { retry_after: Some(pause) } => pause,
        Class::Transient { retry_after: None } | Class::Indeterminate | Class::Permanent => Duration::from_secs(60),
    };
    millis(pause)
}

/// What ends a run before its work is done.
enum Stop {
    Store(StoreError),
    Closed(Closed),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<S: SessionStore, R: RecordingSource, A: ArchiveStore, C: Clock + Chance> Archiver<'_, S, R, A, C> {
    /// Drains what is due: takes the lease, claims session after session, tries its recordings by the hybrid strategy
    /// and writes back what became of them. Another run's lease makes this one end at once.
    ///
    /// # Errors
    /// The table's; what was claimed comes back by itself. The vendor's and the bucket's are results, not errors.
    pub async fn archive_due(&self, run: Run<'_>) -> Result<Summary, StoreError> {
        let started_ms = self.clock.now_ms();
        let mut summary = Summary::default();
        if !self.sessions.acquire_drain(run.id, started_ms, run.deadline_ms).await? {
            summary.stopped = Some(Stopped::AnotherRun);
            return Ok(summary);
        }
        let drained = self.drain(run, started_ms, &mut summary).await;
        let closed = match &drained {
            Ok(Some(throttled)) => {
                let now_ms = self.clock.now_ms();
                self.sessions.acquire_drain(run.id, now_ms, now_ms.saturating_add(pause_ms(throttled))).await.map(drop)
            }
            Ok(None) | Err(_) => self.sessions.release_drain(run.id).await,
        };
        drained?;
        closed?;
        Ok(summary)
    }

    /// Looks at everything that was due when the run started; what becomes due meanwhile is the next run's. Answers the
    /// vendor's refusal if it throttles: the lease is then kept, so that no run sends anything before the time is over.
    async fn drain(&self, run: Run<'_>, started_ms: u64, summary: &mut Summary) -> Result<Option<Closed>, StoreError> {
        let reserve_ms = run.deadline_ms.saturating_sub(started_ms) / RESERVED_SHARE;
        loop {
            let due = self.sessions.due(started_ms, DUE_PAGE).await?;
            let mut claimed_any = false;
            for key in &due {
                if self.clock.now_ms() + reserve_ms >= run.deadline_ms {
                    summary.stopped = Some(Stopped::Deadline);
                    return Ok(None);
                }
                match self.claim_and_look(key, started_ms, run, summary).await {
                    Ok(claimed) => claimed_any |= claimed,
                    Err(Stop::Closed(closed)) => {
                        tracing::warn!(why = %closed, "the run ends: nothing more may be asked of the vendor now");
                        let stopped = Stopped::by(&closed);
                        summary.stopped = Some(stopped);
                        return Ok((stopped == Stopped::Throttled).then_some(closed));
                    }
                    Err(Stop::Store(error)) => return Err(error),
                }
            }
            if !claimed_any {
                return Ok(None);
            }
        }
    }

    async fn claim_and_look(
        &self,
        key: &SessionKey,
        started_ms: u64,
        run: Run<'_>,
        summary: &mut Summary,
    ) -> Result<bool, Stop> {
        let row = match self.sessions.claim(key, started_ms, run.deadline_ms).await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(false),
            Err(error) if error.class() == Class::Permanent => {
                pass_over(key, &error, summary);
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        match self.look(row, summary).await {
            Err(Stop::Store(error)) if error.class() == Class::Permanent => {
                pass_over(key, &error, summary);
                Ok(true)
            }
            looked => looked.map(|()| true),
        }
    }
}

/// The table works, this row does not: it must not keep the others from being looked at.
fn pass_over(key: &SessionKey, error: &StoreError, summary: &mut Summary) {
    tracing::error!(session.id = %key.session, %error, "a row is left alone until it is due again");
    summary.unreadable += 1;
}
