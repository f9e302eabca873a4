//! A trigger in, a summary out.

use std::time::Duration;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use shared::{
    clients::{
        dynamodb::Table,
        ringcentral::Connector,
        s3::Bucket,
        secrets::{SecretError, SecretReader},
        system::System,
    },
    domain::{permits::Share, session::Schedule},
    failure::Class,
    ports::clock::Clock,
    secret::Secret,
    telemetry::{Record, measured},
    usecases::oversee::{Errand, OverseeError, Overseer, Summary},
};
use tracing::Level;

use crate::trigger::Trigger;

/// The world the reconciler works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) table_name: String,
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

/// Why an invocation failed; the next one does what it left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailed {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Run(#[from] OverseeError),
}

impl From<RunFailed> for Diagnostic {
    fn from(failed: RunFailed) -> Self {
        let error_type = match &failed {
            RunFailed::Run(OverseeError::Store(error)) => match error.class() {
                Class::Transient { .. } => "TableUnavailable",
                Class::Indeterminate => "TableDidNotAnswer",
                Class::Permanent => "TableUnusable",
            },
            RunFailed::Run(OverseeError::Proof(error)) => match error.class() {
                Class::Transient { .. } => "ProofPutOff",
                Class::Indeterminate => "ProofInDoubt",
                Class::Permanent => "ProofImpossible",
            },
            RunFailed::Secret(SecretError::Unavailable { .. }) => "SecretUnavailable",
            RunFailed::Secret(SecretError::Malformed { .. }) | RunFailed::Run(OverseeError::NoToken) => {
                "SecretMalformed"
            }
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

impl Handler {
    /// One run: answers what it did, and leaves its record.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let Trigger(errand) = event.payload;
        let mut summary = Summary::default();
        let done = self.oversee(&errand, &event.context, &mut summary).await;
        let record = Record::new("reconciler", "run", &self.table_name, self.clock.now_ms())
            .with("request_id", &event.context.request_id)
            .with("summary", &summary)
            .measured(measured::reconciler(&summary));
        match done {
            Ok(()) => {
                record.print();
                Ok(summary)
            }
            Err(failed) => {
                record.at(Level::ERROR).with("error", failed.to_string()).print();
                Err(failed)
            }
        }
    }

    async fn oversee(&self, errand: &Errand, context: &Context, summary: &mut Summary) -> Result<(), RunFailed> {
        let source = self.vendor.source(&context.request_id).await?;
        let tokens = self.verification_tokens.value(&self.clock).await;
        let overseer = Overseer {
            table: &self.table,
            archive: &self.bucket,
            source: source.as_ref(),
            clock: &self.clock,
            schedule: &self.schedule,
            retention: self.retention,
            window: self.window,
            share: self.share,
            webhook_url: &self.webhook_url,
            verification_token: tokens.as_ref().ok().and_then(|tokens| tokens.first()),
        };
        let done;
        (*summary, done) = overseer.run(errand, context.deadline).await;
        match (done, tokens) {
            (Err(OverseeError::NoToken), Err(secret)) => Err(secret.into()),
            (done, _) => Ok(done?),
        }
    }
}
