//! The operator's command line.

use std::{io, path::PathBuf, process::ExitCode, time::SystemTime};

use clap::{Parser, Subcommand};
use ringvault::{
    replay::{Replay, ReplayError},
    stack::{Binaries, Stack, StackConfig, StackError},
};

/// Archives RingCentral call recordings into S3.
#[derive(Parser)]
#[command(name = "ringvault", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sends event files through the real functions, against AWS and RingCentral stand-ins on this machine.
    ///
    /// Each file goes to the function it is for: gateway payloads and RingCentral bodies to the webhook, schedules and
    /// stream batches to the archiver. Prints each reply and what changed in table and bucket.
    Replay {
        /// Event files, in the order they are to be sent; see events/.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Then run the archiver until nothing is due, and print where the audio lies.
        #[arg(long)]
        until_settled: bool,
    },
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let Command::Replay { files, until_settled } = Cli::parse().command;
    match replay(&files, until_settled).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ringvault: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn replay(files: &[PathBuf], until_settled: bool) -> Result<bool, ReplayError> {
    let replay = Replay::read(files, until_settled)?;
    let account = replay.account()?;
    let binaries = Binaries::build().map_err(StackError::from)?;
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let dir = binaries.target_dir().join("replay").join(started.as_millis().to_string());
    let mut config = StackConfig::quick(&dir);
    if let Some(account) = account {
        config.vendor.account_id = account;
    }
    let stack = Stack::start(&binaries, config).await?;
    replay.run(&stack, &mut io::stdout().lock()).await
}
