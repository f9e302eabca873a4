//! SDK clients as a test needs them: of a key pair the stand-ins know, and without retries, so that a refusal is seen at
//! once.

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use local_cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};

macro_rules! client {
    ($what:literal, $name:ident, $name_as:ident, $sdk:ident) => {
        #[doc = concat!($what, " at `endpoint`, for the administrator.")]
        pub fn $name(endpoint: &str) -> $sdk::Client {
            $name_as(endpoint, ACCESS_KEY_ID)
        }

        #[doc = concat!($what, " at `endpoint`, for the role of that key.")]
        pub fn $name_as(endpoint: &str, access_key_id: &str) -> $sdk::Client {
            let config = $sdk::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::from_static(REGION))
                .credentials_provider(Credentials::new(access_key_id, SECRET_ACCESS_KEY, None, None, "tests"))
                .retry_config(RetryConfig::disabled())
                .endpoint_url(endpoint);
            $sdk::Client::from_conf(config.build())
        }
    };
}

client!("DynamoDB", dynamodb, dynamodb_as, aws_sdk_dynamodb);
client!("S3", s3, s3_as, aws_sdk_s3);
client!("Secrets Manager", secrets, secrets_as, aws_sdk_secretsmanager);
