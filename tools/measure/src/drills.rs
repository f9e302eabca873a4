//! `measure drills`.

mod act;
mod calls;
mod calm;
mod command;
mod drill;
mod emf;
mod runbook;
mod site;
mod trouble;
mod verdict;
mod words;

use std::{panic::resume_unwind, thread, time::Duration};

use clap::Args;
use futures_util::{StreamExt, stream};
use local_cloud::binaries;
use ringvault::stack::Binaries;
use serde_json::{Value, json};
use shared::telemetry::alarms::ALARMS;
use tokio::runtime::Runtime;

use calm::Calm;
use drill::Drill;
use simulation::month::Weather;

/// Drills beside each other.
const ABREAST: usize = 2;

#[derive(Args)]
pub(crate) struct Drills {
    /// Only the drill of this alarm.
    #[arg(long, value_name = "ALARM")]
    only: Option<String>,
    /// How many days are simulated on which nothing is wrong.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    days: u64,
    /// The seed of those days.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
}

impl Drills {
    /// Drills every alarm and prints what came of it; true if each fired alone and was cleared, and none fires on clean days.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration) -> bool {
        let drills = match self.drills(as_json) {
            Ok(drills) => drills,
            Err(error) => {
                eprintln!("measure: {error}");
                return false;
            }
        };
        let exact = drills.iter().filter(|drill| drill.verdict.is_exact()).count();
        let calm = self.calm();
        let false_alarms = calm.iter().map(|calm| calm.fired.len()).sum::<usize>();
        if as_json {
            let alarms: serde_json::Map<String, Value> =
                drills.iter().map(|drill| (drill.alarm.to_owned(), drill.as_json())).collect();
            let figures = json!({
                "drills": drills.len(),
                "exact": exact,
                "false_alarms": false_alarms,
                "alarms": alarms,
                "days": calm.iter().map(Calm::as_json).collect::<Vec<_>>(),
                "seconds": elapsed().as_secs_f64(),
            });
            println!("{figures}");
        } else {
            calm.iter().for_each(Calm::print);
            println!("drills          {}", drills.len());
            println!("exact           {exact}");
            println!("false alarms    {false_alarms}");
            println!("seconds         {:.1}", elapsed().as_secs_f64());
        }
        let proves = calm.iter().all(Calm::proves_something);
        exact == drills.len() && !drills.is_empty() && false_alarms == 0 && proves
    }

    fn calm(&self) -> Vec<Calm> {
        thread::scope(|scope| {
            let live = |weather| scope.spawn(move || Calm::of(weather, self.days, self.seed));
            let lives = [Weather::Clean, Weather::Rough].map(live);
            lives.into_iter().map(|life| life.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }

    fn drills(&self, as_json: bool) -> Result<Vec<Drill>, Box<dyn std::error::Error>> {
        let binaries = Binaries::build()?;
        let programs = binaries::build(&["ringvault"])?;
        let ringvault = programs.get("ringvault").ok_or("cargo built no ringvault")?;
        let runtime = Runtime::new()?;
        let wanted = ALARMS.iter().filter(|alarm| self.only.as_ref().is_none_or(|only| only == alarm.name));
        let drills = stream::iter(wanted).map(|alarm| Drill::of(alarm, &binaries, ringvault)).buffered(ABREAST);
        let told = drills.inspect(|drill| {
            if !as_json {
                drill.print();
            }
        });
        let drills = runtime.block_on(told.collect());
        Ok(drills)
    }
}

impl Drill {
    fn as_json(&self) -> Value {
        json!({
            "condition": self.condition,
            "value": self.verdict.value,
            "minutes": self.verdict.fired_min,
            "cleared_by": self.commands,
            "exact": self.verdict.is_exact(),
            "wrongs": self.verdict.wrongs,
        })
    }

    fn print(&self) {
        println!("{}{}", self.alarm, if self.verdict.is_exact() { "" } else { "  NOT EXACT" });
        println!("  {}", self.condition);
        if let Some(minutes) = self.verdict.fired_min {
            let value = self.verdict.value.map_or_else(|| "no value".to_owned(), |value| value.to_string());
            println!("  {value:<12} fired after {minutes} minutes");
        }
        for command in &self.commands {
            println!("  $ {command}");
        }
        for wrong in &self.verdict.wrongs {
            println!("  {wrong}");
        }
        println!();
    }
}
