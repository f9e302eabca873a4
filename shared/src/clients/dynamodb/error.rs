//! The one place where the SDK's errors become the port's.

use std::error::Error;

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::UpdateItemError,
};

use super::row::Item;
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

/// Whether an update was not made because its condition did not hold.
pub(super) fn condition_failed(error: &SdkError<UpdateItemError, HttpResponse>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

/// The row as it stands, after an update that was not made because its condition did not hold and that asked for it;
/// nothing if there is no row.
///
/// # Errors
/// Whatever else made the update fail.
pub(super) fn row_in_the_way(error: SdkError<UpdateItemError, HttpResponse>) -> Result<Option<Item>, StoreError> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(failed.item().cloned()),
        Some(_) | None => Err(translate(error)),
    }
}
