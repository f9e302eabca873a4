//! `measure simulate`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde_json::json;
use simulation::{Drained, Report, Scene};

const DAY_MS: f64 = 24.0 * 3_600_000.0;

/// How many failing seeds are told of.
const TOLD: usize = 5;

#[derive(Args)]
pub(crate) struct Simulate {
    /// How many seeds.
    #[arg(long, default_value_t = 100, value_name = "N")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    from: u64,
    /// What happens.
    #[arg(long, value_enum, default_value_t = Named::Day, value_name = "SCENE")]
    scene: Named,
    /// Print the whole trace of the first seed to standard error.
    #[arg(long)]
    trace: bool,
    /// Stop at the first seed that fails.
    #[arg(long)]
    fail_fast: bool,
}

/// [`Scene`], by the names it has here.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Named {
    /// A day of calls and faults; in half of the stacks a reconciler is at work, too.
    Day,
    /// The same and a reconciler; three of ten events are lost, one of ten comes twice, any order is possible.
    LossyDay,
    /// The same and a reconciler; no event is ever heard.
    SilentDay,
    /// A day on which nothing is wrong but some recordings, of which nothing ever comes.
    PoisonedDay,
    /// A month of old calls and no events: a backfill that is killed ten times must come to the same as one that is not.
    Backfill,
    /// A new stack on an account with old calls, of ninety days or of two busy ones, while new ones happen.
    NewStack,
}

/// What is kept of all seeds.
#[derive(Default)]
struct Tally {
    seeds: u64,
    failed: BTreeMap<u64, Vec<String>>,
    simulated_ms: u64,
    steps: u64,
    recordings: usize,
    endings: [usize; 5],
    faults: BTreeMap<String, u32>,
    fewest_recordings: Option<usize>,
    fewest_faults: Option<u32>,
    /// All that waited when faults stopped, and the longest it took.
    drained: Drained,
    /// Of the first seed.
    trace_hash: String,
}

impl Simulate {
    /// Simulates every seed on all cores and prints the figures; true if no seed failed.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration) -> bool {
        let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
        let lock = || tally.lock().unwrap_or_else(PoisonError::into_inner);
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= self.seeds || (self.fail_fast && !lock().failed.is_empty()) {
                            return;
                        }
                        let report =
                            simulation::simulate(self.scene.into(), self.from + number, self.trace && number == 0);
                        lock().add(report, number == 0);
                    }
                });
            }
        });
        let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        if as_json {
            println!("{}", tally.as_json(elapsed()));
        } else {
            tally.print(elapsed());
        }
        tally.failed.is_empty()
    }
}

impl From<Named> for Scene {
    fn from(named: Named) -> Self {
        match named {
            Named::Day => Self::Day,
            Named::LossyDay => Self::LossyDay,
            Named::SilentDay => Self::SilentDay,
            Named::PoisonedDay => Self::PoisonedDay,
            Named::Backfill => Self::Backfill,
            Named::NewStack => Self::NewStack,
        }
    }
}

impl Tally {
    fn add(&mut self, report: Report, is_first: bool) {
        for line in &report.trace {
            eprintln!("{line}");
        }
        self.seeds += 1;
        self.simulated_ms += report.simulated_ms;
        self.steps += report.steps;
        self.recordings += report.recordings;
        self.endings = [0, 1, 2, 3, 4].map(|state| self.endings[state] + report.endings[state]);
        let faults = report.faults_in_all();
        self.fewest_recordings = Some(self.fewest_recordings.unwrap_or(usize::MAX).min(report.recordings));
        self.fewest_faults = Some(self.fewest_faults.unwrap_or(u32::MAX).min(faults));
        self.drained = self.drained.and(report.drained);
        if is_first {
            self.trace_hash = report.trace_hash;
        }
        for (fault, times) in report.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        if !report.violations.is_empty() {
            self.failed.insert(report.seed, report.violations);
        }
    }

    fn violations(&self) -> usize {
        self.failed.values().map(Vec::len).sum()
    }

    fn days(&self) -> f64 {
        self.simulated_ms as f64 / DAY_MS
    }

    fn as_json(&self, elapsed: Duration) -> serde_json::Value {
        let [archived, waiting, too_short, unavailable, deleted] = self.endings;
        json!({
            "seeds": self.seeds,
            "violations": self.violations(),
            "first_failing_seed": self.failed.keys().next(),
            "first_violation": self.failed.values().next().and_then(|violations| violations.first()),
            "simulated_days": self.days(),
            "seconds": elapsed.as_secs_f64(),
            "steps": self.steps,
            "recordings": self.recordings,
            "fewest_recordings": self.fewest_recordings,
            "fewest_faults": self.fewest_faults,
            "endings": {
                "archived": archived, "waiting": waiting, "too_short": too_short, "unavailable": unavailable,
                "deleted": deleted,
            },
            "faults": self.faults,
            "waited": self.drained.waited,
            "ready": self.drained.ready,
            "longest_drain_percent": self.drained.longest_percent,
            "trace_hash": self.trace_hash,
        })
    }

    fn print(&self, elapsed: Duration) {
        let [archived, waiting, too_short, unavailable, deleted] = self.endings;
        println!("seeds           {}", self.seeds);
        println!("violations      {}", self.violations());
        println!("simulated days  {:.0}", self.days());
        println!("steps           {}, the invariants asked after each", self.steps);
        println!(
            "recordings      {}, at least {} a day: {archived} archived, {too_short} too short, {unavailable} unavailable, {deleted} \
             deleted",
            self.recordings,
            self.fewest_recordings.unwrap_or_default()
        );
        println!(
            "waiting         {waiting}, for the log names a host no token may go to, or the vendor neither serves nor denies them"
        );
        println!(
            "faults          {}, at least {} a day",
            self.faults.values().sum::<u32>(),
            self.fewest_faults.unwrap_or_default()
        );
        for (fault, times) in &self.faults {
            println!("  {fault:<18} {times}");
        }
        let Drained { waited, ready, longest_percent } = self.drained;
        println!(
            "waited          {waited} when faults stopped; the {ready} that were ready took at most {longest_percent} % of their time"
        );
        println!("trace of the first seed  {}", self.trace_hash);
        println!("seconds         {:.1}", elapsed.as_secs_f64());
        for (seed, violations) in self.failed.iter().take(TOLD) {
            println!("\nseed {seed} failed; the same with --seeds 1 --from {seed} --trace shows how");
            for violation in violations {
                println!("  {violation}");
            }
        }
    }
}
