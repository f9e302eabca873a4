//! SDK clients as a test needs them: of the one key pair the stand-ins know, and without retries, so that a refusal is
//! seen at once.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use local_cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

/// DynamoDB at `endpoint`.
pub fn dynamodb(endpoint: &str) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// S3 at `endpoint`, an address and not a name.
pub fn s3(endpoint: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .credentials_provider(credentials())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    aws_sdk_s3::Client::from_conf(config.build())
}

fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "tests")
}
