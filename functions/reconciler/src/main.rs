//! Lambda 3: a schedule, a range or the vendor's reminder starts a run that sees to the subscription and holds the call log
//! against the table.
#![expect(clippy::disallowed_methods, reason = "main.rs is where the environment is read")]

mod handler;
mod trigger;

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
    config::{ReconcilerConfig, SweepConfig},
    telemetry,
};

/// One try of one request to the table or Secrets Manager, and a request with its retries.
const ATTEMPT: Duration = Duration::from_secs(3);
const OPERATION: Duration = Duration::from_secs(15);

/// Reports are small and read again: they stay in the class that documents have.
const STANDARD: &str = "STANDARD";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let lookup = |name: &'static str| env::var(name).ok();
    telemetry::init(telemetry::level(lookup));
    let config = match ReconcilerConfig::read(lookup) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("reconciler: {error}");
            return ExitCode::FAILURE;
        }
    };
    let http = match http_client() {
        Ok(http) => http,
        Err(error) => {
            eprintln!("reconciler: cannot set up TLS: {error}");
            return ExitCode::FAILURE;
        }
    };
    let sdk = aws::load(ATTEMPT, OPERATION).await;
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let SweepConfig { table_name, bucket_name, ringcentral_secret_id, origins, schedule, retention, window, share } =
        config.sweeps;
    let table = Table::new(aws_sdk_dynamodb::Client::new(&sdk), table_name.clone());
    let credentials = SecretReader::ringcentral_credentials(secrets.clone(), ringcentral_secret_id);
    let handler = Handler {
        vendor: Connector::new(credentials, http, origins, table.clone(), share, System),
        table,
        table_name,
        bucket: Bucket::new(aws_sdk_s3::Client::new(&sdk), bucket_name, STANDARD),
        schedule,
        retention,
        window,
        share,
        verification_tokens: SecretReader::verification_tokens(secrets, config.verification_secret_id),
        webhook_url: config.webhook_url,
        clock: System,
    };
    match lambda_runtime::run(service_fn(|event| handler.run(event))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reconciler: {error}");
            ExitCode::FAILURE
        }
    }
}
