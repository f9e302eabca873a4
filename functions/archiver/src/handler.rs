//! A trigger in, a summary out. Schedule and stream start the same run: the trigger carries no work.

use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Deserialize;
use shared::{
    clients::{
        dynamodb::{PermitRows, Table, TokenRow},
        ringcentral::{Permits, RingCentral, TokenKeeper, origin::OriginGate},
        s3::Bucket,
        secrets::{RingCentralCredentials, SecretError, SecretReader},
        system::System,
    },
    domain::session::Schedule,
    failure::Class,
    ports::session_store::StoreError,
    telemetry,
    usecases::{
        archive_due::{Archiver, Run, Summary},
        stopped::Stopped,
    },
};
use tokio::sync::Mutex;

pub(crate) type Source = RingCentral<reqwest::Client, TokenRow, PermitRows, System>;

/// The world the archiver works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) bucket: Bucket,
    pub(crate) credentials: SecretReader<RingCentralCredentials>,
    pub(crate) http: reqwest::Client,
    pub(crate) origins: OriginGate,
    pub(crate) schedule: Schedule,
    pub(crate) retention: Duration,
    pub(crate) clock: System,
    /// The vendor's client, with the credentials it was made with.
    pub(crate) source: Mutex<Option<(RingCentralCredentials, Source)>>,
}

/// What starts a run; anything else is refused, so that a misrouted event is seen.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// EventBridge rule or EventBridge Scheduler.
    Schedule {
        #[serde(rename = "detail-type")]
        _detail_type: String,
    },
    /// The table's stream; an empty batch starts a run too.
    Stream {
        #[serde(rename = "Records")]
        _records: Vec<StreamRecord>,
    },
}

/// A stream record, as far as it must be one of DynamoDB's.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamRecord {
    #[serde(rename = "dynamodb")]
    _image: serde::de::IgnoredAny,
}

/// Why an invocation failed; the next tick does what it left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunFailed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Secret(#[from] SecretError),
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
            RunFailed::Secret(SecretError::Malformed { .. }) => "SecretMalformed",
        };
        Self { error_type: error_type.to_owned(), error_message: failed.to_string() }
    }
}

impl Handler {
    /// One run: drains what is due and answers its counts.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let run_id = event.context.request_id;
        let credentials = self.credentials.value(&self.clock).await?;
        let mut source = self.source.lock().await;
        let current = source.take().filter(|(known, _)| known.is(&credentials));
        let (_, source) = source.insert(current.unwrap_or_else(|| {
            let source = self.sign_in(&credentials, &run_id);
            (credentials, source)
        }));
        let archiver = Archiver {
            sessions: &self.table,
            source,
            archive: &self.bucket,
            clock: &self.clock,
            schedule: &self.schedule,
            retention: self.retention,
        };
        let summary = archiver.archive_due(Run { id: &run_id, deadline_ms: event.context.deadline }).await?;
        self.report(&summary);
        Ok(summary)
    }

    fn sign_in(&self, credentials: &RingCentralCredentials, run_id: &str) -> Source {
        let tokens = TokenKeeper::new(
            self.http.clone(),
            self.origins.server().clone(),
            credentials.clone(),
            self.table.token_row(&credentials.client_id),
            run_id.to_owned(),
        );
        let permits = Permits::new(self.table.permit_rows(&credentials.client_id), run_id.to_owned());
        RingCentral::new(self.http.clone(), self.origins.clone(), tokens, permits, self.clock)
    }

    fn report(&self, summary: &Summary) {
        let now_ms = shared::ports::clock::Clock::now_ms(&self.clock);
        let stopped = |why| u64::from(summary.stopped == Some(why));
        for (metric, count) in [
            ("RecordingsArchived", (summary.direct + summary.call_log + summary.adopted) as u64),
            ("ObjectConflicts", summary.conflicts as u64),
            ("SessionsUndescribed", summary.undescribed as u64),
            ("RowsUnreadable", summary.unreadable as u64),
            ("RecordingsForbidden", summary.forbidden as u64),
            ("CredentialsRefused", stopped(Stopped::CredentialsRefused)),
            ("PermissionMissing", stopped(Stopped::PermissionMissing)),
        ] {
            if count > 0 {
                telemetry::count("archiver", metric, count, now_ms);
            }
        }
        if summary.stopped == Some(Stopped::AnotherRun) {
            return;
        }
        telemetry::count("archiver", "Backlog", summary.backlog as u64, now_ms);
        telemetry::seconds("archiver", "OldestDue", summary.oldest_due_seconds.try_into().unwrap_or(i64::MAX), now_ms);
        if let Some(slack_s) = summary.slack_seconds {
            telemetry::seconds("archiver", "Slack", slack_s, now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<&'static str> {
        match serde_json::from_str(json).ok()? {
            Trigger::Schedule { .. } => Some("schedule"),
            Trigger::Stream { .. } => Some("stream"),
        }
    }

    #[test]
    fn schedules_and_streams_are_triggers_and_nothing_else_is() {
        for (json, kind) in [
            (r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#, Some("schedule")),
            (r#"{"source":"aws.scheduler","detail-type":"Scheduled Event","detail":"{}"}"#, Some("schedule")),
            (r#"{"Records":[{"eventSource":"aws:dynamodb","dynamodb":{"Keys":{}}}]}"#, Some("stream")),
            (r#"{"Records":[]}"#, Some("stream")),
            (r#"{"Records":[{"eventSource":"aws:s3","s3":{}}]}"#, None),
            (r#"{"version":"2.0","headers":{}}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(read(json), kind, "{json}");
        }
    }
}
