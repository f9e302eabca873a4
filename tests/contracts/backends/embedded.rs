//! The real adapters over the local cloud.

use local_cloud::{dynamodb::DynamoDb, s3::S3};
use ringvault::stack::{BUCKET, TABLE, table_spec};
use tempfile::TempDir;
use tests::clients;

use super::Real;

every_clause!(super::run);
every_clause_of_the_wire!(super::run);

async fn run(_clause: &str, holds: impl AsyncFnOnce(&Real)) {
    let folder = TempDir::new().unwrap();
    let dynamodb = DynamoDb::start().await.unwrap();
    dynamodb.create_table(&table_spec()).unwrap();
    let s3 = S3::start(folder.path().to_owned()).await.unwrap();
    s3.create_bucket(BUCKET).unwrap();
    let real = Real::new(clients::dynamodb(&dynamodb.endpoint()), TABLE, clients::s3(&s3.endpoint()), BUCKET);
    holds(&real).await;
}
