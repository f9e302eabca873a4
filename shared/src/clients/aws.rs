//! What all AWS clients share: one HTTP client, so that the CA bundle is parsed once, and their time limits.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig, timeout::TimeoutConfig};

/// Loads region, credentials and endpoints from the environment. `attempt` limits one try of one request and
/// `operation` the request with its retries.
pub async fn load(attempt: Duration, operation: Duration) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(limits(attempt, operation)).load().await
}

/// The same clients' configuration with other limits.
pub fn with_limits(sdk: &SdkConfig, attempt: Duration, operation: Duration) -> SdkConfig {
    sdk.to_builder().timeout_config(limits(attempt, operation)).build()
}

fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(attempt.min(Duration::from_secs(3)))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// An error and what caused it, on one line.
pub(super) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
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
