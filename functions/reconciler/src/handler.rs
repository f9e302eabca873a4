//! A trigger in, a summary out.

use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent};
use shared::{
    clients::{
        dynamodb::Table,
        ringcentral::{Connector, Source},
        s3::Bucket,
        secrets::{SecretError, SecretReader},
        system::System,
    },
    domain::{
        completeness::Vendor,
        day::millis,
        permits::Share,
        session::Schedule,
        subscription::{Occasion, Outcome},
    },
    failure::Class,
    ports::{clock::Clock, recording_source::RecordingSource, session_store::StoreError},
    secret::Secret,
    telemetry,
    usecases::{
        keep_subscription::Keeper,
        prove::{Hour, ProveError, Prover},
        reconcile::{Reconciler, Swept, Task, Tick, Ticked},
    },
};

use crate::{summary::Summary, trigger::Trigger};

/// The world the reconciler works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) bucket: Bucket,
    pub(crate) vendor: Connector,
    pub(crate) verification_tokens: SecretReader<Vec<Secret>>,
    pub(crate) webhook_url: String,
    pub(crate) schedule: Schedule,
    pub(crate) retention: Duration,
    pub(crate) window: Duration,
    pub(crate) share: Share,
    pub(crate) clock: System,
}

/// A run begins nothing new in the last fifth of its time, and the sweeps leave a quarter of what is left to the proof.
const RESERVED_SHARE: u64 = 5;
const PROOF_SHARE: u64 = 4;

/// Why an invocation failed; the next one does what it left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the verification secret holds no token")]
    NoToken,
    #[error("cannot prove that nothing is missing: {0}")]
    Proof(#[from] ProveError),
}

impl From<RunFailed> for Diagnostic {
    fn from(failed: RunFailed) -> Self {
        let error_type = match &failed {
            RunFailed::Store(error) => match error.class() {
                Class::Transient { .. } => "TableUnavailable",
                Class::Indeterminate => "TableDidNotAnswer",
                Class::Permanent => "TableUnusable",
            },
            RunFailed::Proof(error) => match error.class() {
                Class::Transient { .. } => "ProofPutOff",
                Class::Indeterminate => "ProofInDoubt",
                Class::Permanent => "ProofImpossible",
            },
            RunFailed::Secret(SecretError::Unavailable { .. }) => "SecretUnavailable",
            RunFailed::Secret(SecretError::Malformed { .. }) | RunFailed::NoToken => "SecretMalformed",
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

impl Handler {
    /// One run: sees to the subscription first, so that no call more goes unheard; then to what went unheard; then it proves
    /// that nothing is missing.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let source = self.vendor.source(&event.context.request_id).await?;
        let left_ms = event.context.deadline.saturating_sub(self.clock.now_ms());
        let until_ms = event.context.deadline.saturating_sub(left_ms / RESERVED_SHARE);
        let mut summary = Summary::default();
        let done = self.work(&event.payload, &source, until_ms, &mut summary).await;
        source.settle().await;
        summary.report(self.clock.now_ms());
        done.map(|()| summary)
    }

    async fn work(
        &self,
        trigger: &Trigger,
        source: &Source,
        until_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), RunFailed> {
        match trigger {
            Trigger::Range { from_ms, to_ms } => {
                let range = Task::Range(*from_ms..*to_ms);
                summary.reconciled = Some(self.reconciler(source).sweep(&range, until_ms, |_| {}).await?);
                self.prove(source, until_ms, false, summary).await
            }
            Trigger::Reminder => {
                self.keep(source, Occasion::Reminder, summary).await?;
                if summary.repaired {
                    self.look_for_the_unheard(source, until_ms, summary).await?;
                    self.prove(source, until_ms, false, summary).await?;
                }
                Ok(())
            }
            Trigger::Schedule => {
                // What the call log knows does not wait for the subscription.
                let kept = self.keep(source, Occasion::Schedule, summary).await;
                self.look_for_the_unheard(source, until_ms, summary).await?;
                let swept = summary.reconciled.as_ref().is_some_and(Swept::is_done);
                self.prove(source, until_ms, swept, summary).await?;
                kept
            }
        }
    }

    fn reconciler<'a>(&'a self, source: &'a Source) -> Reconciler<'a, Table, Source, System> {
        Reconciler { table: &self.table, source, clock: &self.clock, schedule: &self.schedule, share: self.share }
    }

    async fn look_for_the_unheard(
        &self,
        source: &Source,
        until_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), RunFailed> {
        let tick = Tick { window_ms: millis(self.window), now: summary.repaired, retention_ms: millis(self.retention) };
        let left_ms = until_ms.saturating_sub(self.clock.now_ms());
        let Ticked { reconciled, backfilled } =
            self.reconciler(source).tick(tick, until_ms.saturating_sub(left_ms / PROOF_SHARE)).await?;
        (summary.reconciled, summary.backfilled) = (Some(reconciled), Some(backfilled));
        Ok(())
    }

    /// Writes down which days have to be proved, and proves them if the call log of the last hours was `swept`.
    async fn prove(&self, source: &Source, until_ms: u64, swept: bool, summary: &mut Summary) -> Result<(), RunFailed> {
        let unfinished = summary.backfilled.as_ref().filter(|swept| !swept.is_done());
        let sweeps = || [&summary.reconciled, &summary.backfilled].into_iter().flatten();
        let touched = sweeps().flat_map(|swept| swept.days.iter().copied()).collect();
        let read = sweeps().flat_map(|swept| swept.accounts.iter().cloned()).collect();
        let prover = Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &self.clock };
        for account in &prover.accounts(&read).await? {
            let hour = Hour {
                account,
                touched: &touched,
                swept,
                now: summary.repaired,
                until_ms,
                vendor: Vendor { retention_ms: millis(self.retention), pace_ms: source.pace_ms() },
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

    async fn keep(&self, source: &Source, occasion: Occasion, summary: &mut Summary) -> Result<(), RunFailed> {
        let tokens = self.verification_tokens.value(&self.clock).await?;
        let keeper = Keeper {
            subscriptions: source,
            cursors: &self.table,
            clock: &self.clock,
            address: &self.webhook_url,
            verification_token: tokens.first().ok_or(RunFailed::NoToken)?,
        };
        let kept = keeper.keep(occasion).await?;
        tracing::info!(outcome = kept.outcome.name(), repaired = kept.repaired, "subscription");
        (summary.subscription, summary.repaired) = (Some(kept.outcome.name()), kept.repaired);
        if matches!(kept.outcome, Outcome::Alarm(_)) {
            telemetry::count("reconciler", "SubscriptionUnhealthy", 1, self.clock.now_ms());
        }
        Ok(())
    }
}
