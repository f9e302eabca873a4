//! A trigger in, a summary out.

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use shared::{
    clients::{
        dynamodb::Table,
        ringcentral::{Connector, Source},
        secrets::{SecretError, SecretReader},
        system::System,
    },
    domain::subscription::{Occasion, Outcome},
    failure::Class,
    ports::{clock::Clock, recording_source::RecordingSource, session_store::StoreError},
    secret::Secret,
    telemetry,
    usecases::keep_subscription::{Keeper, Kept},
};

use crate::trigger::Trigger;

/// The world the reconciler works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) vendor: Connector,
    pub(crate) verification_tokens: SecretReader<Vec<Secret>>,
    pub(crate) webhook_url: String,
    pub(crate) clock: System,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// How the subscription is.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'static str>,
    /// Whether calls may have gone unheard before.
    repaired: bool,
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
    /// One run: sees to the subscription first, so that no call more goes unheard.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let source = self.vendor.source(&event.context.request_id).await?;
        let mut summary = Summary::default();
        let occasion = match event.payload {
            Trigger::Schedule => Some(Occasion::Schedule),
            Trigger::Reminder => Some(Occasion::Reminder),
            Trigger::Range { .. } => None,
        };
        if let Some(occasion) = occasion {
            let kept = self.keep(&source, occasion).await?;
            summary.subscription = Some(kept.outcome.name());
            summary.repaired = kept.repaired;
        }
        source.settle().await;
        Ok(summary)
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
