//! Real SDK clients, as a function would have them, but for retries: a refusal is to be seen at once.

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use local_cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

macro_rules! client {
    ($name:ident, $name_as:ident, $sdk:ident) => {
        pub(crate) fn $name(endpoint: &str) -> $sdk::Client {
            $name_as(endpoint, ACCESS_KEY_ID)
        }

        pub(crate) fn $name_as(endpoint: &str, access_key_id: &str) -> $sdk::Client {
            let config = $sdk::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new(access_key_id, SECRET_ACCESS_KEY, None, None, "test"))
                .retry_config(RetryConfig::disabled())
                .endpoint_url(endpoint)
                .build();
            $sdk::Client::from_conf(config)
        }
    };
}

client!(dynamodb, dynamodb_as, aws_sdk_dynamodb);
client!(s3, s3_as, aws_sdk_s3);
client!(secrets, secrets_as, aws_sdk_secretsmanager);

pub(crate) fn credentials(secret: &str) -> Credentials {
    Credentials::new(ACCESS_KEY_ID, secret, None, None, "test")
}
