//! Lambda 1: an HTTP event becomes facts in the table.
#![expect(clippy::disallowed_methods, reason = "main.rs is where the environment is read")]

mod handler;

use std::{env, process::ExitCode, time::Duration};

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use handler::Webhook;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::{
    clients::{aws, dynamodb::Table, secrets::SecretReader, system::System},
    config::WebhookConfig,
    telemetry,
};

/// One try of one AWS request, and a request with its retries: together well under the vendor's 3 s (API.md §5.1).
const ATTEMPT: Duration = Duration::from_millis(900);
const OPERATION: Duration = Duration::from_millis(2000);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let lookup = |name: &'static str| env::var(name).ok();
    telemetry::init(telemetry::level(lookup));
    let config = match WebhookConfig::read(lookup) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("webhook: {error}");
            return ExitCode::FAILURE;
        }
    };
    let sdk = aws::load(ATTEMPT, OPERATION).await;
    let webhook = Webhook {
        table: Table::new(aws_sdk_dynamodb::Client::new(&sdk), config.table_name.clone()),
        table_name: config.table_name,
        tokens: SecretReader::verification_tokens(
            aws_sdk_secretsmanager::Client::new(&sdk),
            config.verification_secret_id,
        ),
        schedule: config.schedule,
        clock: System,
    };
    let answer = service_fn(|event: LambdaEvent<LambdaFunctionUrlRequest>| webhook.answer(event));
    match lambda_runtime::run(answer).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webhook: {error}");
            ExitCode::FAILURE
        }
    }
}
