//! The one place where the SDK's errors become the port's.

use std::error::Error;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::{
    clients::aws::{class_of, describe},
    failure::Class,
    ports::session_store::StoreError,
};

/// Error codes after which the request has not happened and may be made again.
const REFUSED_FOR_NOW: [&str; 5] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// Translates a failed call.
pub(super) fn translate<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E, HttpResponse>) -> StoreError {
    let text = describe(&error);
    match class_of(&error, &REFUSED_FOR_NOW) {
        Class::Transient { .. } => StoreError::Unavailable(text),
        Class::Indeterminate => StoreError::Indeterminate(text),
        Class::Permanent => StoreError::Rejected(text),
    }
}
