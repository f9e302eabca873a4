//! The operator's command line.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::SystemTime,
};

use clap::{Parser, Subcommand};
use ringvault::{
    demo::{self, Demo, DemoError, Progress},
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
    /// Archives a made-up day of calls on this machine, in less than a minute, and judges the archive.
    ///
    /// A simulated RingCentral delivers the day's events to the real webhook function and serves the recordings, some of
    /// them with trouble: missing, moved, broken, late, deleted, too short. The real archiver runs until every recording
    /// is archived or has ended for a named reason. Calls, waits and the vendor's window are shorter than in life; what
    /// is, is printed first. Exit status 0 only if no recording is missing and every archived byte is the vendor's.
    Demo {
        /// Prints one JSON object on standard output instead of the table.
        #[arg(long)]
        json: bool,
        /// What the day grows from: another seed, another day.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
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
    let done = match Cli::parse().command {
        Command::Demo { json, seed } => demo(json, seed).await.map_err(|error| error.to_string()),
        Command::Replay { files, until_settled } => {
            replay(&files, until_settled).await.map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ringvault: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(json: bool, seed: u64) -> Result<bool, DemoError> {
    let binaries = Binaries::build().map_err(StackError::from)?;
    let dir = folder(&binaries, &format!("demo/seed-{seed}"));
    let stack = Stack::start(&binaries, demo::stack_config(&dir, seed)).await?;
    let mut progress = Progress::new(Box::new(io::stderr()), io::stderr().is_terminal());
    let outcome = Demo { seed, now_ms: &now_ms }.run(&stack, &dir, &mut progress).await?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", outcome.to_json())?
    } else {
        writeln!(out, "{outcome}")?
    }
    Ok(outcome.is_whole())
}

async fn replay(files: &[PathBuf], until_settled: bool) -> Result<bool, ReplayError> {
    let replay = Replay::read(files, until_settled)?;
    let account = replay.account()?;
    let binaries = Binaries::build().map_err(StackError::from)?;
    let mut config = StackConfig::quick(&folder(&binaries, "replay"));
    if let Some(account) = account {
        config.vendor.account_id = account;
    }
    let stack = Stack::start(&binaries, config).await?;
    replay.run(&stack, &mut io::stdout().lock()).await
}

/// A folder of this run's own.
fn folder(binaries: &Binaries, command: &str) -> PathBuf {
    binaries.target_dir().join(command).join(now_ms().to_string())
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
