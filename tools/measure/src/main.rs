//! The figures Ringvault is measured by.

mod bugbank;
mod ceiling;
mod crashes;
mod defects;
mod drills;
mod load;
mod local;
mod memory;
mod process;
mod simulate;

use std::{env, process::ExitCode, time::Instant};

use bugbank::Bugbank;
use ceiling::Ceiling;
use clap::{Parser, Subcommand};
use crashes::Crashes;
use defects::Defects;
use drills::Drills;
use load::{Load, Sender};
use memory::Memory;
use simulate::Simulate;

/// Measures Ringvault against its promises.
///
/// Each measurement prints a readable table, or with --json one JSON object. The exit status is 0 only if the promise
/// was kept.
#[derive(Parser)]
#[command(name = "measure", version)]
struct Cli {
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    measurement: Measurement,
}

#[derive(Subcommand)]
enum Measurement {
    /// Puts each bug of tests/bugbank into a copy of the tree, builds it, and looks whether the simulation finds it.
    ///
    /// How many seeds it took, and what the judge said first, is told of each. The same seed must pass without the bug. Needs
    /// cargo, git and a checkout; the copy lies below target/ and is built there, without --release.
    Bugbank(Bugbank),
    /// Simulates loads at and above the vendor's limit: how much of it is used, how much is wasted, whether it is passed.
    ///
    /// Each figure is the worst of all seeds.
    Ceiling(Ceiling),
    /// Kills the functions at each of their awaits, on every way through the program, and looks whether what follows comes to
    /// what an undisturbed run comes to.
    ///
    /// Each way has a small simulated world of its own, and each kill a fresh one. A second run may begin at the same moment
    /// as the one that is killed, and one that follows may be killed as well.
    Crashes(Crashes),
    /// Damages an archive of 90 days in every way that has a class and looks whether the reconciler's proof finds exactly
    /// that.
    ///
    /// Table and bucket are in memory, filled with rows, manifests and small objects as the functions leave them, and every
    /// day has its report. Then the defects are seeded: missing rows, missing objects, wrong sizes, changed bytes,
    /// duplicates, early `archived`, stray objects, broken chains of reports. The call log is a map in memory: there is no
    /// network, and none of the vendor's limits.
    Defects(Defects),
    /// Brings about the condition of each alarm on the local stack, carries out the runbook's command, and simulates thirty clean
    /// days: an alarm must fire for its own condition, alone, and be cleared; on clean days none may.
    ///
    /// The function binaries run as in `ringvault demo`. Their metrics are read off their log lines as CloudWatch does, placed in
    /// a clock on which a quarter of an hour passes in less than a second, and judged by the alarms of the template. Commands of
    /// the AWS CLI are carried out on the stand-ins, those of ringvault by ringvault.
    Drills(Drills),
    /// Sends the webhook a thousand events a second for a minute, then the same beside a flood of forgeries, and looks whether
    /// the table holds all of it and nothing else.
    ///
    /// The webhook's processes run behind the Function URL and the Runtime API of the local cloud; the senders are processes
    /// of their own, which send when a delivery is due, whatever became of those before. What is acknowledged must be in the
    /// table, read past the webhook. Needs Linux, which alone tells how much memory a process has. A build with --release
    /// is meant; one without takes fewer events a second.
    Load(Load),
    /// One sender of `load`.
    #[command(hide = true)]
    Sender(Sender),
    /// Archives large recordings with the real archiver and looks how much memory its process took at most.
    ///
    /// The archiver runs behind the Lambda Runtime API, with the real AWS SDKs over loopback, against an S3 and a DynamoDB
    /// in this process; a media host in this process makes the bodies while it sends them. Each load has a fresh archiver.
    /// Every object is compared with what was served. Needs Linux, which alone keeps the peak of a process, and room for
    /// a gigabyte below target/. The limits hold with and without --release.
    Memory(Memory),
    /// Simulates a day of calls and faults, or another scene, for each of many seeds, and asks after every step what must
    /// always hold.
    ///
    /// A seed replays byte for byte: `--seeds 1 --from S --trace` shows what happened on the day of seed S.
    Simulate(Simulate),
}

fn main() -> ExitCode {
    let started = Instant::now();
    let cli = Cli::parse();
    let elapsed = move || started.elapsed();
    let kept = match cli.measurement {
        Measurement::Bugbank(bugbank) => bugbank.run(cli.json, env::current_exe(), elapsed),
        Measurement::Ceiling(ceiling) => ceiling.run(cli.json, elapsed),
        Measurement::Crashes(crashes) => crashes.run(cli.json, elapsed),
        Measurement::Defects(defects) => defects.run(cli.json, elapsed),
        Measurement::Drills(drills) => drills.run(cli.json, elapsed),
        Measurement::Load(load) => load.run(cli.json, env::current_exe(), elapsed),
        Measurement::Sender(sender) => sender.run(elapsed),
        Measurement::Memory(memory) => memory.run(cli.json, elapsed),
        Measurement::Simulate(simulate) => simulate.run(cli.json, elapsed),
    };
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
