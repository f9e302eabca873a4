//! The one place where the SDK's errors become the port's.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::{clients::aws::describe, ports::session_store::StoreError};

/// Error codes after which the request may be made again and has not happened.
const REFUSED_FOR_NOW: [&str; 6] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

/// Translates a failed call.
pub(super) fn translate<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let text = describe(&error);
    match &error {
        SdkError::ConstructionFailure(_) => StoreError::Rejected(text),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => StoreError::Indeterminate(text),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => StoreError::Indeterminate(text),
        SdkError::DispatchFailure(_) => StoreError::Unavailable(text),
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) if REFUSED_FOR_NOW.contains(&code) => StoreError::Unavailable(text),
            Some(_) => StoreError::Rejected(text),
            None => StoreError::Indeterminate(text),
        },
        // The SDK's enum is open: what it may add is unknown, hence indeterminate.
        _ => StoreError::Indeterminate(text),
    }
}
