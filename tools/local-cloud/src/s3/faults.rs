//! Writes that fail when a test says so.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::Extensions;
use s3s::{S3Result, s3_error};

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

/// Which writes are to fail, and how many more of them.
#[derive(Default)]
pub(super) struct Faults(Mutex<BTreeMap<Operation, (usize, Failure)>>);

impl Faults {
    pub(super) fn set(&self, operation: Operation, times: usize, failure: Failure) {
        lock(&self.0).insert(operation, (times, failure));
    }

    fn next(&self, operation: Operation) -> Option<Failure> {
        let mut faults = lock(&self.0);
        let (left, failure) = faults.get_mut(&operation)?;
        *left = left.checked_sub(1)?;
        Some(*failure)
    }

    /// Carries out `effect`, unless the next `operation` is to fail. `extensions` are those of the request.
    pub(super) async fn around<T>(
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
