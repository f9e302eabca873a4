//! A trigger in, a summary out.

use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use shared::{
    clients::{
        dynamodb::Table,
        ringcentral::{Connector, Source},
        secrets::{SecretError, SecretReader},
        system::System,
    },
    domain::{
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
        keep_subscription::{Keeper, Kept},
        reconcile::{Reconciler, Swept, Task},
        stopped::Stopped,
    },
};

use crate::trigger::Trigger;

/// The world the reconciler works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) vendor: Connector,
    pub(crate) verification_tokens: SecretReader<Vec<Secret>>,
    pub(crate) webhook_url: String,
    pub(crate) schedule: Schedule,
    pub(crate) retention: Duration,
    pub(crate) window: Duration,
    pub(crate) share: Share,
    pub(crate) clock: System,
}

/// A run begins nothing new in the last fifth of its time.
const RESERVED_SHARE: u64 = 5;

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// How the subscription is.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'static str>,
    /// Whether calls may have gone unheard before.
    repaired: bool,
    /// What the call log knew and the table did not, in the last hours or in the range asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reconciled: Option<Swept>,
    /// The same of calls older than the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    backfilled: Option<Swept>,
}

/// Why an invocation failed; the next one does what it left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the verification secret holds no token")]
    NoToken,
}

impl From<RunFailed> for Diagnostic {
    fn from(failed: RunFailed) -> Self {
        let error_type = match &failed {
            RunFailed::Store(error) => match error.class() {
                Class::Transient { .. } => "TableUnavailable",
                Class::Indeterminate => "TableDidNotAnswer",
                Class::Permanent => "TableUnusable",
            },
            RunFailed::Secret(SecretError::Unavailable { .. }) => "SecretUnavailable",
            RunFailed::Secret(SecretError::Malformed { .. }) | RunFailed::NoToken => "SecretMalformed",
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

impl Handler {
    /// One run: sees to the subscription first, so that no call more goes unheard; then to what went unheard.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let source = self.vendor.source(&event.context.request_id).await?;
        let left_ms = event.context.deadline.saturating_sub(self.clock.now_ms());
        let until_ms = event.context.deadline.saturating_sub(left_ms / RESERVED_SHARE);
        let mut summary = Summary::default();
        let done = self.work(&event.payload, &source, until_ms, &mut summary).await;
        source.settle().await;
        self.report(&summary);
        done.map(|()| summary)
    }

    async fn work(
        &self,
        trigger: &Trigger,
        source: &Source,
        until_ms: u64,
        summary: &mut Summary,
    ) -> Result<(), RunFailed> {
        let occasion = match trigger {
            Trigger::Schedule => Some(Occasion::Schedule),
            Trigger::Reminder => Some(Occasion::Reminder),
            Trigger::Range { .. } => None,
        };
        if let Some(occasion) = occasion {
            let kept = self.keep(source, occasion).await?;
            summary.subscription = Some(kept.outcome.name());
            summary.repaired = kept.repaired;
        }
        let reconciler =
            Reconciler { table: &self.table, source, clock: &self.clock, schedule: &self.schedule, share: self.share };
        match trigger {
            Trigger::Range { from_ms, to_ms } => {
                summary.reconciled = Some(reconciler.sweep(&Task::Range(*from_ms..*to_ms), until_ms).await?);
            }
            Trigger::Reminder if !summary.repaired => {}
            Trigger::Schedule | Trigger::Reminder => {
                let trailing = Task::Trailing { window_ms: millis(self.window), now: summary.repaired };
                summary.reconciled = Some(reconciler.sweep(&trailing, until_ms).await?);
                let backfill = Task::Backfill { stretch: None, retention_ms: millis(self.retention) };
                summary.backfilled = Some(reconciler.sweep(&backfill, until_ms).await?);
            }
        }
        Ok(())
    }

    fn report(&self, summary: &Summary) {
        let now_ms = self.clock.now_ms();
        let sweeps = || [&summary.reconciled, &summary.backfilled].into_iter().flatten();
        let stopped = |why| u64::from(sweeps().any(|swept| swept.stopped == Some(why)));
        let unheard = summary.reconciled.as_ref().map_or(0, |swept| swept.unheard as u64);
        for (metric, count) in [
            ("RecordingsUnheard", unheard),
            ("RowsUnreadable", sweeps().map(|swept| swept.unreadable as u64).sum()),
            ("CredentialsRefused", stopped(Stopped::CredentialsRefused)),
            ("PermissionMissing", stopped(Stopped::PermissionMissing)),
        ] {
            if count > 0 {
                telemetry::count("reconciler", metric, count, now_ms);
            }
        }
    }

    async fn keep(&self, source: &Source, occasion: Occasion) -> Result<Kept, RunFailed> {
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
        if matches!(kept.outcome, Outcome::Alarm(_)) {
            telemetry::count("reconciler", "SubscriptionUnhealthy", 1, self.clock.now_ms());
        }
        Ok(kept)
    }
}
