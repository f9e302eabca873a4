//! One run of the archiver: everything that is due is looked at, what can be fetched is archived.

mod ask;
mod calm;
mod carry;
mod close;
mod describe;
mod hand;
mod hybrid;
mod look;
mod restore;
mod rush;
mod summary;

pub use summary::Summary;

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};

use crate::{
    domain::{
        day::millis,
        session::{Schedule, SessionKey},
    },
    ports::{
        archive_store::ArchiveStore,
        clock::{Chance, Clock},
        recording_source::{Closed, RecordingSource},
        session_store::{Drain, Order, SessionStore, StoreError},
    },
    usecases::stopped::Stopped,
};

/// So many due sessions are a backlog: the call log is asked first, and permits are waited for.
const BACKLOG: usize = 10;

/// Calls to the table beside each other.
const ABREAST: usize = 20;

/// A run begins nothing new in the last fifth of its time, breaks off bodies that are still coming a little later, gives up
/// what is then still under way in the last tenth, and leaves the rest of its duties undone in the last hundredth.
const RESERVED_SHARE: u64 = 5;
const BODY_SHARE: u64 = 7;
const CUT_SHARE: u64 = 10;
const END_SHARE: u64 = 100;

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
    /// How long the vendor keeps a recording.
    pub retention: Duration,
}

/// One invocation.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Its name: holder of the lease.
    pub id: &'a str,
    /// When it is killed, epoch milliseconds. Claims end then, so a killed run blocks nobody.
    pub deadline_ms: u64,
}

/// A run under way, and when it stops, epoch milliseconds.
#[derive(Debug, Clone, Copy)]
struct Shift {
    deadline_ms: u64,
    /// Beginning anything new.
    stop_ms: u64,
    /// Taking bytes.
    body_ms: u64,
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
    /// Drains what is due: takes the lease, claims sessions, tries their recordings by the hybrid strategy and writes
    /// back what became of them. Another run's lease makes this one end at once, unless it is about to run out.
    ///
    /// # Errors
    /// The table's; what was claimed comes back by itself. The vendor's and the bucket's are results, not errors.
    pub async fn archive_due(&self, run: Run<'_>) -> Result<Summary, StoreError> {
        let started_ms = self.clock.now_ms();
        let time_ms = run.deadline_ms.saturating_sub(started_ms);
        let stop_ms = run.deadline_ms - time_ms / RESERVED_SHARE;
        let body_ms = run.deadline_ms - time_ms / BODY_SHARE;
        let shift = Shift { deadline_ms: run.deadline_ms, stop_ms, body_ms };
        let mut summary = Summary::default();
        if !self.take_the_lease(run, stop_ms).await? {
            summary.stopped = Some(Stopped::AnotherRun);
            return Ok(summary);
        }
        let cut_ms = run.deadline_ms - time_ms / CUT_SHARE;
        let drained = self.until(cut_ms, self.drain(shift, &mut summary)).await;
        let tidied = async {
            self.archive.settle().await;
            self.source.settle().await;
            self.sessions.release_drain(run.id).await
        };
        // What stays undone runs out by itself.
        let released = self.until(run.deadline_ms - time_ms / END_SHARE, tidied).await.unwrap_or(Ok(()));
        summary.conclude(self.clock.now_ms(), millis(self.retention), self.source.pace_ms());
        match drained {
            Some(Ok(())) => {}
            Some(Err(Stop::Store(error))) => return Err(error),
            Some(Err(Stop::Closed(closed))) => {
                tracing::warn!(why = %closed, "the run ends: nothing more may be asked of the vendor now");
                summary.stopped = Some(Stopped::by(&closed));
            }
            None => {
                tracing::warn!("what was still under way is given up: the run's time is over");
                summary.stopped = Some(Stopped::Deadline);
            }
        }
        released?;
        Ok(summary)
    }

    /// Lets something run until `at_ms`; nothing if it is not done by then, and it is dropped.
    async fn until<T>(&self, at_ms: u64, work: impl Future<Output = T>) -> Option<T> {
        let left = Duration::from_millis(at_ms.saturating_sub(self.clock.now_ms()));
        match select(Box::pin(work), pin!(self.clock.sleep(left))).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    /// Takes the lease for as long as this run begins anything new. Under a backlog runs follow each other without a
    /// gap: one that finds the lease taken waits if it has at least as long to work as it waits.
    async fn take_the_lease(&self, run: Run<'_>, stop_ms: u64) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let wait_ms = match self.sessions.acquire_drain(run.id, now_ms, stop_ms).await? {
            Drain::Ours => return Ok(true),
            Drain::Held { until_ms } => until_ms.saturating_sub(now_ms),
        };
        if wait_ms > stop_ms.saturating_sub(now_ms) / 2 {
            return Ok(false);
        }
        self.clock.sleep(Duration::from_millis(wait_ms)).await;
        let drain = self.sessions.acquire_drain(run.id, self.clock.now_ms(), stop_ms).await?;
        Ok(drain == Drain::Ours)
    }

    /// Looks at everything that was due when the run started, and under a backlog at what becomes due meanwhile.
    async fn drain(&self, shift: Shift, summary: &mut Summary) -> Result<(), Stop> {
        let mut as_of_ms = self.clock.now_ms();
        let mut due = self.sessions.due(as_of_ms, Order::Oldest, BACKLOG).await?;
        summary.backlog = if due.len() < BACKLOG { due.len() } else { self.sessions.count_due(as_of_ms).await? };
        summary.oldest_due_seconds = due.first().map_or(0, |oldest| as_of_ms.saturating_sub(oldest.due_at_ms) / 1000);
        while !due.is_empty() {
            if self.clock.now_ms() >= shift.stop_ms {
                summary.stopped = Some(Stopped::Deadline);
                return Ok(());
            }
            let looked_at = summary.sessions_so_far();
            let looks = if due.len() >= BACKLOG {
                let left = self.rush(shift, summary).await?;
                as_of_ms = self.clock.now_ms();
                left
            } else {
                let (looks, claimed) = self.claim_all(due, shift, summary).await;
                if let Err(error) = claimed {
                    self.put_back(looks, summary).await?;
                    return Err(error.into());
                }
                looks
            };
            self.look_calmly(looks, summary).await?;
            if summary.sessions_so_far() == looked_at {
                return Ok(());
            }
            due = self.sessions.due(as_of_ms, Order::Oldest, BACKLOG).await?;
        }
        Ok(())
    }
}

/// The table works, this row does not: it must not keep the others from being looked at.
fn pass_over(key: &SessionKey, error: &StoreError, summary: &mut Summary) {
    tracing::error!(session.id = %key.session, %error, "a row is left alone until it is due again");
    summary.unreadable += 1;
}

#[cfg(test)]
mod tests;
