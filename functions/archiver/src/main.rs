//! Lambda 2: a schedule or the table's stream starts a run that drains what is due.
#![expect(clippy::disallowed_methods, reason = "main.rs is where the environment is read")]

mod handler;

use std::{env, process::ExitCode, time::Duration};

use handler::Handler;
use lambda_runtime::service_fn;
use shared::{
    clients::{
        aws,
        dynamodb::Table,
        ringcentral::{Connector, http_client},
        s3::Bucket,
        secrets::SecretReader,
        system::System,
    },
    config::ArchiverConfig,
    domain::permits::Share,
    telemetry,
};

/// One try of one request to the table or Secrets Manager, and a request with its retries.
const ATTEMPT: Duration = Duration::from_secs(3);
const OPERATION: Duration = Duration::from_secs(15);

/// An upload takes as long as its download: no limit but the longest a function may run.
const UPLOAD: Duration = Duration::from_secs(15 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let lookup = |name: &'static str| env::var(name).ok();
    telemetry::init(telemetry::level(lookup));
    let config = match ArchiverConfig::read(lookup) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("archiver: {error}");
            return ExitCode::FAILURE;
        }
    };
    let http = match http_client() {
        Ok(http) => http,
        Err(error) => {
            eprintln!("archiver: cannot set up TLS: {error}");
            return ExitCode::FAILURE;
        }
    };
    let sdk = aws::load(ATTEMPT, OPERATION).await;
    let uploads = aws::for_streams(&sdk, UPLOAD);
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let table = Table::new(aws_sdk_dynamodb::Client::new(&sdk), config.table_name.clone());
    let credentials = SecretReader::ringcentral_credentials(secrets, config.ringcentral_secret_id);
    let handler = Handler {
        vendor: Connector::new(credentials, http, config.origins, table.clone(), Share::WHOLE, System),
        table,
        table_name: config.table_name,
        bucket: Bucket::new(aws_sdk_s3::Client::new(&uploads), config.bucket_name, &config.storage_class),
        schedule: config.schedule,
        retention: config.retention,
        clock: System,
    };
    match lambda_runtime::run(service_fn(|event| handler.run(event))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("archiver: {error}");
            ExitCode::FAILURE
        }
    }
}
