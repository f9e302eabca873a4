//! The stack that the environment names, as the operator's commands reach it.

use std::{ops::Range, time::Duration};

use shared::{
    clients::{
        aws,
        dynamodb::Table,
        ringcentral::{Connector, http_client},
        s3::Bucket,
        secrets::{SecretError, SecretReader},
        system::System,
    },
    config::{ConfigError, SweepConfig},
    domain::{
        completeness::{DayProof, Offered},
        day::millis,
    },
    ports::recording_source::RecordingSource,
    usecases::{
        prove::{ProveError, Prover},
        reconcile::Reconciler,
    },
};

use crate::{
    progress::Progress,
    sweep::{self, Outcome, SweepError, Wish},
};

/// One try of one request to AWS, and a request with its retries.
const ATTEMPT: Duration = Duration::from_secs(10);
const OPERATION: Duration = Duration::from_secs(60);

/// Nothing is stored from here.
const STANDARD: &str = "STANDARD";

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
    /// The proof.
    #[error("cannot prove that nothing is missing: {0}")]
    Proof(#[from] ProveError),
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
    bucket: Bucket,
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
        let bucket = Bucket::new(aws_sdk_s3::Client::new(&sdk), config.bucket_name.clone(), STANDARD);
        Ok(Self { config, table, bucket, vendor, name: format!("shell-{now_ms}") })
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
        let outcome = outcome?;
        Ok(match wish {
            Wish::Reconcile => {
                let days = self.prove(&outcome).await?;
                outcome.with_days(days)
            }
            // What a backfill adds is due later.
            Wish::Backfill => outcome,
        })
    }

    /// Holds the days of a sweep against the bucket. No report is issued: that is for closed days, and the reconciler's.
    async fn prove(&self, outcome: &Outcome) -> Result<Vec<DayProof>, ShellError> {
        let prover = Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &System };
        let mut proofs = Vec::new();
        for account in prover.accounts(outcome.accounts()).await? {
            for day in outcome.days() {
                proofs.push(prover.prove_day(&account, day, Offered::new()).await?);
            }
        }
        Ok(proofs)
    }
}
