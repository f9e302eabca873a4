//! The stack that the environment names, as the operator's commands reach it.

use std::{ops::Range, time::Duration};

use shared::{
    clients::{
        aws,
        dynamodb::Table,
        ringcentral::{Connector, http_client},
        secrets::{SecretError, SecretReader},
        system::System,
    },
    config::{ConfigError, SweepConfig},
    domain::day::millis,
    ports::recording_source::RecordingSource,
    usecases::reconcile::Reconciler,
};

use crate::{
    progress::Progress,
    sweep::{self, Outcome, SweepError, Wish},
};

/// One try of one request to AWS, and a request with its retries.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_secs(60);

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The command line.
    #[error("{0}")]
    Usage(&'static str),
    /// The environment.
    #[error("{0}: set it as the functions have it")]
    Config(#[from] ConfigError),
    /// TLS.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] reqwest::Error),
    /// The credentials.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The sweep.
    #[error(transparent)]
    Sweep(#[from] SweepError),
}

impl From<&'static str> for ShellError {
    fn from(usage: &'static str) -> Self {
        Self::Usage(usage)
    }
}

/// A stack within reach.
pub struct Shell {
    config: SweepConfig,
    table: Table,
    vendor: Connector,
    /// Tells this process from the functions.
    name: String,
}

impl Shell {
    /// Reads the variables with `lookup`; `now_ms` makes the name of this process.
    ///
    /// # Errors
    /// The first variable that is missing or malformed.
    pub async fn connect(lookup: &impl Fn(&'static str) -> Option<String>, now_ms: u64) -> Result<Self, ShellError> {
        let config = SweepConfig::read(lookup)?;
        let http = http_client()?;
        let sdk = aws::load(ATTEMPT, OPERATION).await;
        let table = Table::new(aws_sdk_dynamodb::Client::new(&sdk), config.table_name.clone());
        let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
        let credentials = SecretReader::ringcentral_credentials(secrets, config.ringcentral_secret_id.clone());
        let vendor = Connector::new(credentials, http, config.origins.clone(), table.clone(), config.share, System);
        Ok(Self { config, table, vendor, name: format!("shell-{now_ms}") })
    }

    /// Reconciles or backfills until it is done.
    ///
    /// # Errors
    /// The table's, or where only a person can help.
    pub async fn sweep(
        &self,
        wish: Wish,
        stretch: Option<Range<u64>>,
        progress: &mut Progress,
    ) -> Result<Outcome, ShellError> {
        let source = self.vendor.source(&self.name).await?;
        let SweepConfig { schedule, share, window, retention, .. } = &self.config;
        let reconciler = Reconciler { table: &self.table, source: &*source, clock: &System, schedule, share: *share };
        let task = wish.task(stretch, millis(*window), millis(*retention));
        let outcome = sweep::run(&reconciler, task, progress).await;
        source.settle().await;
        Ok(outcome?)
    }
}
