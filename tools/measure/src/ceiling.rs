//! `measure ceiling`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use clap::Args;
use serde_json::{Map, Value, json};
use simulation::{CeilingReport, Figure, Load, Worst};

/// How many broken promises are told of one by one.
const TOLD: usize = 10;

#[derive(Args)]
pub(crate) struct Ceiling {
    /// How many seeds for each load that lasts a day.
    #[arg(long, default_value_t = 20, value_name = "N")]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    from: u64,
    /// Only this load.
    #[arg(long, value_name = "NAME", value_parser = load_of)]
    load: Option<Load>,
}

/// What is kept of all seeds of all loads.
#[derive(Default)]
struct Tally {
    loads: BTreeMap<Load, Sum>,
    broken: Vec<String>,
    violations: usize,
    simulated_ms: u64,
    steps: u64,
}

/// Of one load.
#[derive(Default)]
struct Sum {
    seeds: u64,
    recordings: usize,
    archived: usize,
    /// Time of one core.
    took: Duration,
    /// The worst of all seeds.
    figures: Vec<Figure>,
}

impl Ceiling {
    /// Simulates every load on all cores and prints the figures; true if every promise was kept.
    pub(crate) fn run(&self, as_json: bool, elapsed: impl Fn() -> Duration + Sync) -> bool {
        let jobs = self.jobs();
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    while let Some((load, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let began = elapsed();
                        let report = simulation::ceiling(*load, *seed);
                        let took = elapsed().saturating_sub(began);
                        tally.lock().unwrap_or_else(PoisonError::into_inner).add(&report, took);
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
        tally.broken.is_empty()
    }

    /// What is to be simulated, what takes longest first.
    fn jobs(&self) -> Vec<(Load, u64)> {
        let loads = Load::ALL.into_iter().filter(|load| self.load.is_none_or(|only| only == *load));
        let seeds = |load| match load {
            Load::Overload | Load::EarlyMissing | Load::ThreeAtOnce | Load::LimitMoves => self.seeds,
            Load::OneShotForty | Load::ColdStarts => self.seeds.min(5),
            Load::Outage => self.seeds.min(1),
        };
        loads.flat_map(|load| (self.from..self.from + seeds(load)).map(move |seed| (load, seed))).collect()
    }
}

fn load_of(name: &str) -> Result<Load, String> {
    let names = || Load::ALL.map(Load::name).join(", ");
    Load::ALL.into_iter().find(|load| load.name() == name).ok_or_else(|| format!("the loads are {}", names()))
}

impl Tally {
    fn add(&mut self, report: &CeilingReport, took: Duration) {
        let of = |what: String| format!("{}, seed {}: {what}", report.load.name(), report.seed);
        let broken = report.figures.iter().filter(|figure| !figure.holds());
        self.broken.extend(broken.map(|figure| of(format!("{} is {:.4}", figure.name, figure.value))));
        self.broken.extend(report.violations.iter().cloned().map(of));
        self.violations += report.violations.len();
        self.simulated_ms += report.simulated_ms;
        self.steps += report.steps;
        self.loads.entry(report.load).or_default().add(report, took);
    }

    fn as_json(&self, elapsed: Duration) -> Value {
        let mut all = json!({
            "violations": self.violations,
            "broken": self.broken.iter().take(TOLD).collect::<Vec<_>>(),
            "simulated_days": self.days(),
            "steps": self.steps,
            "seconds": elapsed.as_secs_f64(),
        });
        for (load, sum) in &self.loads {
            let of_load = sum.as_json();
            match (load, all.as_object_mut()) {
                (Load::Overload, Some(all)) => all.extend(of_load),
                (other, Some(all)) => drop(all.insert(other.name().to_owned(), Value::Object(of_load))),
                (_, None) => {}
            }
        }
        all
    }

    fn print(&self, elapsed: Duration) {
        for (load, sum) in &self.loads {
            sum.print(*load);
        }
        println!("violations      {}", self.violations);
        println!("simulated days  {:.0}", self.days());
        println!("steps           {}, the invariants asked after each", self.steps);
        println!("seconds         {:.1}", elapsed.as_secs_f64());
        if !self.broken.is_empty() {
            println!("\nnot kept:");
        }
        for broken in self.broken.iter().take(TOLD) {
            println!("  {broken}");
        }
    }

    fn days(&self) -> f64 {
        const DAY_MS: f64 = 24.0 * 3_600_000.0;
        self.simulated_ms as f64 / DAY_MS
    }
}

impl Sum {
    fn add(&mut self, report: &CeilingReport, took: Duration) {
        self.seeds += 1;
        self.recordings += report.recordings;
        self.archived += report.archived;
        self.took += took;
        if self.figures.is_empty() {
            self.figures.clone_from(&report.figures);
        } else {
            self.figures.iter_mut().zip(&report.figures).for_each(|(worst, figure)| worst.meet(figure));
        }
    }

    fn as_json(&self) -> Map<String, Value> {
        let counted = [("seeds", self.seeds as f64), ("recordings", self.recordings as f64)];
        let figures = self.figures.iter().map(|figure| (figure.name, figure.value));
        counted.into_iter().chain(figures).map(|(name, value)| (name.to_owned(), number(value))).collect()
    }

    fn print(&self, load: Load) {
        let each = self.took.as_secs_f64() / self.seeds as f64;
        println!("{}", load.name());
        println!(
            "  {} seeds, {each:.1} s each; {} recordings, {} archived",
            self.seeds, self.recordings, self.archived
        );
        for figure in &self.figures {
            let all = match figure.worst {
                Worst::Least => "at least",
                Worst::Greatest => "at most",
                Worst::Sum => "together",
            };
            let promised = figure.bound.map(|bound| format!("promised: {bound}")).unwrap_or_default();
            let kept = if figure.holds() { "" } else { "NOT KEPT" };
            println!("  {:<30} {all} {:<9} {promised:<16} {kept}", figure.name, rounded(figure.value));
        }
        println!();
    }
}

/// A whole number without a fraction.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

fn rounded(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.4}") }
}
