//! A trigger in, a summary out. Schedule and stream start the same run: the trigger carries no work.

use std::time::Duration;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Deserialize;
use shared::{
    clients::{dynamodb::Table, ringcentral::Connector, s3::Bucket, secrets::SecretError, system::System},
    domain::session::Schedule,
    failure::Class,
    ports::{clock::Clock, session_store::StoreError},
    telemetry::{Record, measured},
    usecases::archive_due::{Archiver, Run, Summary},
};
use tracing::Level;

/// The world the archiver works in.
pub(crate) struct Handler {
    pub(crate) table: Table,
    pub(crate) table_name: String,
    pub(crate) bucket: Bucket,
    pub(crate) vendor: Connector,
    pub(crate) schedule: Schedule,
    pub(crate) retention: Duration,
    pub(crate) clock: System,
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
    /// One run: drains what is due, answers its counts, and leaves its record.
    pub(crate) async fn run(&self, event: LambdaEvent<Trigger>) -> Result<Summary, RunFailed> {
        let ran = self.archive(&event.context).await;
        let record = Record::new("archiver", "run", &self.table_name, self.clock.now_ms())
            .with("request_id", &event.context.request_id);
        match &ran {
            Ok(summary) => record.with("summary", summary).measured(measured::archiver(summary)),
            Err(failed) => record.at(Level::ERROR).with("error", failed.to_string()),
        }
        .print();
        ran
    }

    async fn archive(&self, context: &Context) -> Result<Summary, RunFailed> {
        let source = self.vendor.source(&context.request_id).await?;
        let archiver = Archiver {
            sessions: &self.table,
            source: source.as_ref(),
            archive: &self.bucket,
            clock: &self.clock,
            schedule: &self.schedule,
            retention: self.retention,
        };
        let run = Run { id: &context.request_id, deadline_ms: context.deadline };
        Ok(archiver.archive_due(run).await?)
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
