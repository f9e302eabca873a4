//! Writes that fail, or are never answered, when a test says so.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Mutex;

use axum::http::Extensions;
use s3s::{S3Result, s3_error};
use tokio::sync::Notify;

use crate::server::Connection;
use crate::sync::lock;

/// A request that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `PutObject`.
    Put,
    /// `CreateMultipartUpload`.
    CreateUpload,
    /// `UploadPart`.
    UploadPart,
    /// `CompleteMultipartUpload`.
    CompleteUpload,
}

/// How a write fails. Its body is read to the end first, as far as it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// 503 `ServiceUnavailable`; nothing happened.
    Unavailable,
    /// 409 `ConditionalRequestConflict`; nothing happened.
    Conflict,
    /// The request is carried out, or refused, as ever; then the connection is cut instead of an answer.
    Unanswered,
}

/// On which side of what a write does it is held. Its body is read to the end first, as far as it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It does not happen.
    Before,
    /// It has happened.
    After,
}

/// Which writes are to fail, and how many more of them; and which is to be held.
#[derive(Default)]
pub(super) struct Faults {
    failures: Mutex<BTreeMap<Operation, (usize, Failure)>>,
    /// How many writes come before it.
    hold: Mutex<Option<(u64, Hold)>>,
    held: Notify,
}

impl Faults {
    pub(super) fn set(&self, operation: Operation, times: usize, failure: Failure) {
        lock(&self.failures).insert(operation, (times, failure));
    }

    pub(super) fn hold(&self, nth: u64, hold: Hold) {
        *lock(&self.hold) = Some((nth, hold));
    }

    /// Ends once the write that is to be held is.
    pub(super) async fn held(&self) {
        self.held.notified().await;
    }

    fn next_hold(&self) -> Option<Hold> {
        let mut waiting = lock(&self.hold);
        let (before, hold) = waiting.take()?;
        if let Some(before) = before.checked_sub(1) {
            *waiting = Some((before, hold));
            return None;
        }
        Some(hold)
    }

    fn next(&self, operation: Operation) -> Option<Failure> {
        let mut faults = lock(&self.failures);
        let (left, failure) = faults.get_mut(&operation)?;
        *left = left.checked_sub(1)?;
        Some(*failure)
    }

    /// Carries out `effect`, unless the next `operation` is to fail or to be held. `extensions` are those of the request.
    pub(super) async fn around<T>(
        &self,
        operation: Operation,
        extensions: &Extensions,
        effect: impl Future<Output = S3Result<T>>,
    ) -> S3Result<T> {
        let Some(hold) = self.next_hold() else { return self.carry_out(operation, extensions, effect).await };
        match hold {
            Hold::Before => {}
            Hold::After => drop(self.carry_out(operation, extensions, effect).await),
        }
        self.held.notify_one();
        pending().await
    }

    async fn carry_out<T>(
        &self,
        operation: Operation,
        extensions: &Extensions,
        effect: impl Future<Output = S3Result<T>>,
    ) -> S3Result<T> {
        match self.next(operation) {
            None => effect.await,
            Some(Failure::Unavailable) => Err(s3_error!(ServiceUnavailable, "told to be unavailable")),
            Some(Failure::Conflict) => Err(s3_error!(ConditionalRequestConflict, "told to conflict")),
            Some(Failure::Unanswered) => {
                let outcome = effect.await;
                if let Some(connection) = extensions.get::<Connection>() {
                    connection.cut().await;
                }
                outcome
            }
        }
    }
}
