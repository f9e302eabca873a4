//! `measure defects`.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use serde_json::{Value, json};
use simulation::{Damage, DefectsReport};

/// How many false alarms are told of one by one.
const TOLD: usize = 10;

#[derive(Args)]
pub(crate) struct Defects {
    /// How many recordings.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    recordings: usize,
    /// How many defects.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    seeded: usize,
    /// The seed of chance.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
}

impl Defects {
    /// Seeds and finds, and prints the figures; true if all defects were found as what they are, and nothing else.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration) -> bool {
        let damage = Damage { recordings: self.recordings, defects: self.seeded, seed: self.seed };
        match simulation::defects(damage, elapsed) {
            Ok(report) => {
                if as_json {
                    println!("{}", figures(&report));
                } else {
                    print(&report);
                }
                report.is_exact()
            }
            Err(error) => {
                eprintln!("nothing was measured: {error}");
                false
            }
        }
    }
}

fn figures(report: &DefectsReport) -> Value {
    let class = |(class, seeded): (&_, &usize)| {
        let found = report.found.get(class).copied().unwrap_or_default();
        (class.name(), json!({"seeded": seeded, "found": found}))
    };
    let classes: BTreeMap<_, _> = report.seeded.iter().map(class).collect();
    json!({
        "recordings": report.recordings,
        "sessions": report.sessions,
        "seeded": report.seeded.values().sum::<usize>(),
        "found": report.found.values().sum::<usize>(),
        "false_alarms": report.false_alarms.len(),
        "seconds": report.finding.as_secs_f64(),
        "seconds_to_prepare": report.preparing.as_secs_f64(),
        "classes": classes,
    })
}

fn print(report: &DefectsReport) {
    println!("recordings      {}, of {} calls", report.recordings, report.sessions);
    println!("seeded          {}", report.seeded.values().sum::<usize>());
    println!("found           {}", report.found.values().sum::<usize>());
    for (class, seeded) in &report.seeded {
        let found = report.found.get(class).copied().unwrap_or_default();
        println!("  {:<18} {found} of {seeded}", class.name());
    }
    println!("false alarms    {}", report.false_alarms.len());
    println!(
        "seconds         {:.1}, after {:.1} to prepare",
        report.finding.as_secs_f64(),
        report.preparing.as_secs_f64()
    );
    for alarm in report.false_alarms.iter().take(TOLD) {
        println!("  {} {:?}", alarm.class.name(), alarm.about);
    }
}
