//! A run of the reconciler: it sees to the subscription first, so that no call more goes unheard; then to what went unheard;
//! then it proves that nothing is missing.

mod summary;

pub use summary::{Proved, Summary};

use std::{ops::Range, time::Duration};

use crate::{
    domain::{completeness::Vendor, day::millis, permits::Share, session::Schedule, subscription::Occasion},
    ports::{
        archive_store::ArchiveStore,
        clock::Clock,
        cursor_store::CursorStore,
        recording_source::RecordingSource,
        session_store::{SessionStore, StoreError},
        subscriptions::Subscriptions,
    },
    secret::Secret,
    usecases::{
        keep_subscription::Keeper,
        prove::{Hour, ProveError, Prover},
        reconcile::{Reconciler, Swept, Task, Tick, Ticked},
    },
};

/// A run begins nothing new in the last fifth of its time, and the sweeps leave a quarter of what is left to the proof.
const RESERVED_SHARE: u64 = 5;
const PROOF_SHARE: u64 = 4;

/// The world an overseer works in.
#[derive(Debug, Clone, Copy)]
pub struct Overseer<'a, T, A, R, C> {
    /// Session rows and cursors.
    pub table: &'a T,
    /// The bucket.
    pub archive: &'a A,
    /// RingCentral.
    pub source: &'a R,
    /// Time.
    pub clock: &'a C,
    /// The waits.
    pub schedule: &'a Schedule,
    /// How long the vendor keeps a recording.
    pub retention: Duration,
    /// How much of the call log is read anew every hour.
    pub window: Duration,
    /// The most of the vendor's limit that a backfill may cause requests for.
    pub share: Share,
    /// Where the subscription must lead to.
    pub webhook_url: &'a str,
    /// What deliveries should carry; none where it cannot be had.
    pub verification_token: Option<&'a Secret>,
}

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// All that is due.
    Schedule,
    /// To look at this stretch of the call log, epoch milliseconds.
    Range(Range<u64>),
    /// To see to the subscription: the vendor says that it ends.
    Reminder,
}

/// Why a run failed; the next one does what it left.
#[derive(Debug, thiserror::Error)]
pub enum OverseeError {
    /// The table's.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table's and the bucket's, while days were proved.
    #[error("cannot prove that nothing is missing: {0}")]
    Proof(#[from] ProveError),
    /// The subscription was not looked at.
    #[error("there is no verification token to subscribe with")]
    NoToken,
}

impl<T, A, R, C> Overseer<'_, T, A, R, C>
where
    T: SessionStore + CursorStore,
    A: ArchiveStore,
    R: RecordingSource + Subscriptions,
    C: Clock,
{
    /// One run, which is killed at `deadline_ms`, epoch milliseconds. Answers what it did, though it may have failed.
    pub async fn run(&self, errand: &Errand, deadline_ms: u64) -> (Summary, Result<(), OverseeError>) {
        let left_ms = deadline_ms.saturating_sub(self.clock.now_ms());
        let until_ms = deadline_ms.saturating_sub(left_ms / RESERVED_SHARE);
        let mut summary = Summary::default();
        let done = self.work(errand, until_ms, &mut summary).await;
        self.source.settle().await;
        summary.is_whole = *errand == Errand::Schedule && done.is_ok();
        (summary, done)
    }

    async fn work(&self, errand: &Errand, until_ms: u64, summary: &mut Summary) -> Result<(), OverseeError> {
        match errand {
            Errand::Range(range) => {
                let range = Task::Range(range.clone());
                summary.reconciled = Some(self.reconciler().sweep(&range, until_ms, |_| {}).await?);
                self.prove(until_ms, false, summary).await
            }
            Errand::Reminder => {
                self.keep(Occasion::Reminder, summary).await?;
                if summary.repaired {
                    self.look_for_the_unheard(until_ms, summary).await?;
                    self.prove(until_ms, false, summary).await?;
                }
                Ok(())
            }
            Errand::Schedule => {
                // What the call log knows does not wait for the subscription.
                let kept = self.keep(Occasion::Schedule, summary).await;
                self.look_for_the_unheard(until_ms, summary).await?;
                let swept = summary.reconciled.as_ref().is_some_and(Swept::is_done);
                self.prove(until_ms, swept, summary).await?;
                kept
            }
        }
    }

    async fn keep(&self, occasion: Occasion, summary: &mut Summary) -> Result<(), OverseeError> {
        let keeper = Keeper {
            subscriptions: self.source,
            cursors: self.table,
            clock: self.clock,
            address: self.webhook_url,
            verification_token: self.verification_token.ok_or(OverseeError::NoToken)?,
        };
        let kept = keeper.keep(occasion).await?;
        (summary.subscription, summary.repaired) = (Some(kept.outcome), kept.repaired);
        Ok(())
    }

    fn reconciler(&self) -> Reconciler<'_, T, R, C> {
        let Self { table, source, clock, schedule, share, .. } = *self;
        Reconciler { table, source, clock, schedule, share }
    }

    async fn look_for_the_unheard(&self, until_ms: u64, summary: &mut Summary) -> Result<(), OverseeError> {
        let tick = Tick { window_ms: millis(self.window), now: summary.repaired, retention_ms: millis(self.retention) };
        let left_ms = until_ms.saturating_sub(self.clock.now_ms());
        let Ticked { reconciled, backfilled } =
            self.reconciler().tick(tick, until_ms.saturating_sub(left_ms / PROOF_SHARE)).await?;
        (summary.reconciled, summary.backfilled) = (Some(reconciled), Some(backfilled));
        Ok(())
    }

    /// Writes down which days have to be proved, and proves them if the call log of the last hours was `swept`.
    async fn prove(&self, until_ms: u64, swept: bool, summary: &mut Summary) -> Result<(), OverseeError> {
        let unfinished = summary.backfilled.as_ref().filter(|swept| !swept.is_done());
        let sweeps = || [&summary.reconciled, &summary.backfilled].into_iter().flatten();
        let touched = sweeps().flat_map(|swept| swept.days.iter().copied()).collect();
        let read = sweeps().flat_map(|swept| swept.accounts.iter().cloned()).collect();
        let prover = Prover { sessions: self.table, archive: self.archive, cursors: self.table, clock: self.clock };
        let began_ms = summary.backfilled.as_ref().map(|swept| swept.to_ms);
        let accounts = prover.accounts(&read).await?;
        if accounts.is_empty() && unfinished.is_some_and(|swept| swept.next_ms <= swept.from_ms) {
            // Nobody knows whose days to prove, for the call log was never read.
            let age_ms = began_ms.map(|began_ms| self.clock.now_ms().saturating_sub(began_ms));
            summary.proved.age_seconds = age_ms.map(|age_ms| age_ms / 1000);
        }
        for account in &accounts {
            let hour = Hour {
                account,
                touched: &touched,
                swept,
                now: summary.repaired,
                until_ms,
                vendor: Vendor { retention_ms: millis(self.retention), pace_ms: self.source.pace_ms() },
                began_ms,
                backfill_next_ms: unfinished.map(|swept| swept.next_ms),
            };
            match prover.run(hour).await {
                Ok(turn) => summary.proved.add(turn),
                Err(ProveError::Contended) => tracing::info!("another run issues the reports"),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
