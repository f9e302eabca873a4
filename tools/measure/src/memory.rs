//! `measure memory`.

mod load;
mod run;
mod source;
mod wave;

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use ringvault::stack::Binaries;
use serde_json::{Map, Value, json};

use self::{load::Load, run::Outcome};

#[derive(Args)]
pub(crate) struct Memory {
    /// Only this load.
    #[arg(long, value_name = "NAME", value_parser = load_of)]
    load: Option<Load>,
}

/// What came of all loads.
#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<Load, Outcome>,
    broken: Vec<String>,
}

impl Memory {
    /// Archives every load and prints the figures; true if every promise was kept.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration) -> bool {
        if !cfg!(target_os = "linux") {
            eprintln!("measure: memory reads the peak of a process from /proc, which only Linux has");
            return false;
        }
        let (binaries, runtime) = match (Binaries::build(), tokio::runtime::Runtime::new()) {
            (Ok(binaries), Ok(runtime)) => (binaries, runtime),
            (Err(error), _) => return fail(&error),
            (_, Err(error)) => return fail(&error),
        };
        let mut tally = Tally::default();
        for load in Load::ALL.into_iter().filter(|load| self.load.is_none_or(|only| only == *load)) {
            match runtime.block_on(run::run(&binaries, load, &elapsed)) {
                Ok(outcome) => tally.add(outcome),
                Err(error) => tally.broken.push(format!("{}: {error}", load.name())),
            }
        }
        if as_json {
            println!("{}", tally.as_json(elapsed()));
        } else {
            tally.print(elapsed());
        }
        tally.broken.is_empty()
    }
}

fn load_of(name: &str) -> Result<Load, String> {
    let names = || Load::ALL.map(Load::name).join(", ");
    Load::ALL.into_iter().find(|load| load.name() == name).ok_or_else(|| format!("the loads are {}", names()))
}

fn fail(error: &dyn std::error::Error) -> bool {
    eprintln!("measure: {error}");
    false
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        let of = |what: String| format!("{}: {what}", outcome.load.name());
        self.broken.extend(outcome.broken().into_iter().map(of));
        self.outcomes.insert(outcome.load, outcome);
    }

    fn as_json(&self, elapsed: Duration) -> Value {
        let named = |of: fn(&Outcome) -> Value| -> Map<String, Value> {
            self.outcomes.values().map(|outcome| (outcome.load.name().to_owned(), of(outcome))).collect()
        };
        json!({
            "peak_rss_mib": named(|outcome| json!(outcome.peak_mib)),
            "loads": named(Outcome::as_json),
            "broken": self.broken,
            "optimized": !cfg!(debug_assertions),
            "seconds": elapsed.as_secs_f64(),
        })
    }

    fn print(&self, elapsed: Duration) {
        self.outcomes.values().for_each(Outcome::print);
        println!("seconds         {:.1}", elapsed.as_secs_f64());
        if !self.broken.is_empty() {
            println!("\nnot kept:");
        }
        for broken in &self.broken {
            println!("  {broken}");
        }
    }
}

impl Outcome {
    fn as_json(&self) -> Value {
        json!({
            "peak_rss_mib": self.peak_mib,
            "limit_mib": self.load.limit_mib(),
            "idle_rss_mib": self.idle_mib,
            "bodies": self.load.bodies(),
            "body_bytes": self.load.body_bytes(),
            "archived": self.archived,
            "identical": self.identical,
            "downloads": self.downloads,
            "most_at_once": self.most_at_once,
            "seconds": self.took.as_secs_f64(),
            "mib_per_second": self.mib_per_second(),
        })
    }

    fn print(&self) {
        let (bodies, limit_mib) = (self.load.bodies(), self.load.limit_mib());
        let length = if self.load.is_declared() { "declared" } else { "not declared" };
        let kept = if self.peak_mib <= limit_mib { "" } else { "  NOT KEPT" };
        println!("{}", self.load.name());
        println!("  {bodies} of {} bytes, length {length}", self.load.body_bytes());
        println!("  peak resident MiB   {:<8.1} promised: {limit_mib}{kept}", self.peak_mib);
        println!("  idle resident MiB   {:.1}", self.idle_mib);
        println!("  archived            {}, {} of them as sent, byte for byte", self.archived, self.identical);
        println!("  downloads           {}, {} at once", self.downloads, self.most_at_once);
        println!("  seconds             {:.1}, {:.0} MiB/s\n", self.took.as_secs_f64(), self.mib_per_second());
    }
}
