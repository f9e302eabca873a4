//! What all AWS clients share: configuration, time limits, and what their errors mean.

use std::{error::Error, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use aws_smithy_http_client::tls;

use crate::failure::Class;

/// Loads region, credentials and endpoints from the environment. `attempt` limits one try of one request and
/// `operation` the request with its retries.
pub async fn load(attempt: Duration, operation: Duration) -> SdkConfig {
    // One HTTP client for all services: each would parse the CA bundle anew, which is most of a cold start.
    let aws_lc = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    let http = aws_smithy_http_client::Builder::new().tls_provider(aws_lc).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    config.timeout_config(limits(attempt, operation)).load().await
}

/// The same clients' configuration for bodies that may take as long as `limit` to come, and are at times not to be had:
/// the vendor is slow, not the upload. Who sends them minds the time.
pub fn for_streams(sdk: &SdkConfig, limit: Duration) -> SdkConfig {
    let stalls = StalledStreamProtectionConfig::enabled().upload_enabled(false).build();
    sdk.to_builder().timeout_config(limits(limit, limit)).stalled_stream_protection(stalls).build()
}

fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(attempt.min(Duration::from_secs(3)))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// What a failed call means, if the service's codes `refused_for_now` say that it has not happened and may later.
pub(super) fn class_of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, refused_for_now: &[&str]) -> Class {
    match error {
        SdkError::ConstructionFailure(_) => Class::Permanent,
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) if refused_for_now.contains(&code) => Class::Transient { retry_after: None },
            _ if service.raw().status().is_server_error() => Class::Indeterminate,
            Some(_) => Class::Permanent,
            None => Class::Indeterminate,
        },
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => Class::Indeterminate,
        // The SDK's enum is open: what it may yet hold is unknown.
        _ => Class::Indeterminate,
    }
}

/// An error and what caused it, on one line.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}
