//! The operator's command line.
#![expect(clippy::disallowed_methods, reason = "main.rs is where the environment is read")]

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::SystemTime,
};

use clap::{Args, Parser, Subcommand};
use ringvault::{
    demo::{self, Demo, DemoError},
    progress::Progress,
    replay::{Replay, ReplayError},
    shell::{self, ShellError},
    stack::{Binaries, Stack, StackConfig, StackError},
    sweep::{self, Wish},
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
    /// The real reconciler subscribes at a simulated RingCentral, which delivers the day's events to the real webhook function
    /// (some twice, out of order, or not at all) and serves the recordings, some of them with trouble: missing, moved, broken,
    /// late, deleted, too short. Archiver and reconciler run until every recording is archived or has ended for a named
    /// reason. Calls, waits and the vendor's window are shorter than in life; what is, is printed first. Exit status 0 only
    /// if no recording is missing, every archived byte is the vendor's, and every manifest agrees.
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
    /// stream batches to the archiver, ranges to the reconciler. Prints each reply and what changed in table and bucket.
    Replay {
        /// Event files, in the order they are to be sent; see events/.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Then run the archiver until nothing is due, and print where the audio lies.
        #[arg(long)]
        until_settled: bool,
    },
    /// Holds RingCentral's call log against the table and adds what no event told of, as the reconciler does every hour.
    ///
    /// Works on the stack that the environment names: AWS region and credentials as for every AWS tool, TABLE_NAME,
    /// BUCKET_NAME and RINGCENTRAL_SECRET_ID as the functions have them (and the others of the README's table, where they
    /// were changed). Without a range it reads the 26 hours before the end of the last such reading and all since then. It
    /// shares RingCentral's limit with the functions and waits where it must; killed, it goes on when it is started again. What it
    /// adds, the archiver fetches. In the end it holds every UTC day it has touched against the bucket and issues no report;
    /// the exit status is 0 only if everything could be read and nothing is missing or wrong.
    Reconcile {
        #[command(flatten)]
        stretch: Stretch,
        /// Prints one JSON object on standard output instead of the table.
        #[arg(long)]
        json: bool,
    },
    /// The same for older calls, below all other work: adds the oldest first, as fast as its share of RingCentral's limit goes,
    /// and nothing while fresh recordings wait.
    ///
    /// Without a range it goes on with what a new stack does by itself, which is all that RingCentral still had when it began;
    /// where that is done there is nothing left to do. Share and limit decide how long it takes: at 30 % of ten requests a
    /// minute, three recordings or pages of the call log a minute. RECONCILER_SHARE_PERCENT=100 uses all of it. It ends when
    /// everything is added, which is before the archiver has fetched it, and holds nothing against the bucket.
    Backfill {
        #[command(flatten)]
        stretch: Stretch,
        /// Prints one JSON object on standard output instead of the table.
        #[arg(long)]
        json: bool,
    },
}

/// A stretch of time: calls that began in it.
#[derive(Args)]
struct Stretch {
    /// A day (2026-03-02) or a time (2026-03-02T15:00:00Z) in UTC at which it begins.
    #[arg(long, value_name = "TIME", value_parser = sweep::time)]
    from: Option<u64>,
    /// The day or time before which it ends.
    #[arg(long, value_name = "TIME", value_parser = sweep::time)]
    to: Option<u64>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo { json, seed } => demo(json, seed).await.map_err(|error| error.to_string()),
        Command::Replay { files, until_settled } => {
            replay(&files, until_settled).await.map_err(|error| error.to_string())
        }
        Command::Reconcile { stretch, json } => {
            sweep(Wish::Reconcile, &stretch, json).await.map_err(|error| error.to_string())
        }
        Command::Backfill { stretch, json } => {
            sweep(Wish::Backfill, &stretch, json).await.map_err(|error| error.to_string())
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

async fn sweep(wish: Wish, stretch: &Stretch, json: bool) -> Result<bool, ShellError> {
    let stretch = sweep::stretch(stretch.from, stretch.to)?;
    let shell = shell::Shell::connect(&|name| env::var(name).ok(), now_ms()).await?;
    let mut progress = Progress::new(Box::new(io::stderr()), io::stderr().is_terminal());
    let outcome = shell.sweep(wish, stretch, &mut progress).await?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", outcome.to_json()).map_err(sweep::SweepError::from)?;
    } else {
        writeln!(out, "{outcome}").map_err(sweep::SweepError::from)?;
    }
    Ok(outcome.is_whole())
}

/// A folder of this run's own.
fn folder(binaries: &Binaries, command: &str) -> PathBuf {
    binaries.target_dir().join(command).join(now_ms().to_string())
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
