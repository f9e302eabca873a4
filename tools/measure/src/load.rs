//! `measure load`.

mod plan;
mod run;
mod sender;

use std::{io, path::PathBuf, time::Duration};

use clap::Args;
use ringvault::stack::Binaries;
use serde_json::{Value, json};

use self::run::{Outcome, Scene};
pub(crate) use self::sender::Sender;

#[derive(Args)]
pub(crate) struct Load {
    /// How long deliveries are sent.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(2..=600))]
    seconds: u32,
    /// True events a second; with the flood, as many forgeries beside them.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=10_000))]
    rate: u32,
}

impl Load {
    /// Sends both loads and prints the figures; true if every promise was kept.
    pub(crate) fn run(&self, as_json: bool, own: io::Result<PathBuf>, elapsed: impl Fn() -> Duration) -> bool {
        if !cfg!(target_os = "linux") {
            eprintln!("measure: load reads the memory of a process from /proc, which only Linux has");
            return false;
        }
        match self.scenes(own) {
            Ok([alone, flooded]) => {
                let broken = broken(&alone, &flooded);
                if as_json {
                    println!("{}", self.as_json(&alone, &flooded, &broken, elapsed()));
                } else {
                    self.print(&alone, &flooded, &broken, elapsed());
                }
                broken.is_empty()
            }
            Err(error) => fail(&*error),
        }
    }

    fn scenes(&self, own: io::Result<PathBuf>) -> Result<[Outcome; 2], Box<dyn std::error::Error>> {
        let (own, binaries, runtime) = (own?, Binaries::build()?, tokio::runtime::Runtime::new()?);
        let scene = |flooded| Scene { own: &own, seconds: self.seconds, rate: self.rate, flooded };
        let [alone, flooded] = [false, true].map(|flooded| runtime.block_on(run::run(&binaries, scene(flooded))));
        Ok([alone?, flooded?])
    }

    fn as_json(&self, alone: &Outcome, flooded: &Outcome, broken: &[String], elapsed: Duration) -> Value {
        json!({
            "rate": self.rate,
            "instances": run::INSTANCES,
            "alone": alone.as_json(),
            "beside_a_flood": flooded.as_json(),
            "broken": broken,
            "optimized": !cfg!(debug_assertions),
            "seconds": elapsed.as_secs_f64(),
        })
    }

    fn print(&self, alone: &Outcome, flooded: &Outcome, broken: &[String], elapsed: Duration) {
        println!("{} events a second for {} s, {} instances of the webhook", self.rate, self.seconds, run::INSTANCES);
        if cfg!(debug_assertions) {
            println!("without --release");
        }
        for (name, outcome) in [("alone", alone), ("beside a flood of forgeries", flooded)] {
            println!("\n{name}");
            outcome.print();
        }
        println!("\nseconds         {:.1}", elapsed.as_secs_f64());
        if !broken.is_empty() {
            println!("\nnot kept:");
        }
        for broken in broken {
            println!("  {broken}");
        }
    }
}

fn broken(alone: &Outcome, flooded: &Outcome) -> Vec<String> {
    let named = |name: &'static str, outcome: &Outcome| -> Vec<String> {
        outcome.broken().into_iter().map(|what| format!("{name}: {what}")).collect()
    };
    let mut broken = [named("alone", alone), named("beside a flood", flooded)].concat();
    let differing = alone.rows.difference(&flooded.rows).chain(flooded.rows.difference(&alone.rows)).count();
    if differing > 0 {
        broken.push(format!("{differing} rows are in one of the two tables only"));
    }
    broken
}

fn fail(error: &dyn std::error::Error) -> bool {
    eprintln!("measure: {error}");
    false
}
