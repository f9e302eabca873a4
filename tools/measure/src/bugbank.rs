//! `measure bugbank`.

mod bug;
mod copy;

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use bug::Bug;
use copy::{Broken, Copy};

/// A bug that so many seeds do not find is missed.
const SEEDS: u64 = 2_000;

#[derive(Args)]
pub(crate) struct Bugbank {
    /// Only the bug of this name.
    #[arg(long, value_name = "BUG", conflicts_with = "sample")]
    only: Option<String>,
    /// Only so many bugs, spread evenly over the bank.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    sample: Option<u16>,
}

/// What came of one bug.
struct Hunt {
    bug: Bug,
    outcome: Result<Option<Catch>, Broken>,
    took: Duration,
}

/// How a bug was caught.
struct Catch {
    /// The first seed that finds it; seeds begin with one.
    seed: u64,
    /// What the judge said.
    violation: String,
}

impl Bugbank {
    /// Hunts each bug and prints what came of it; true if all were caught.
    pub(crate) fn run(&self, as_json: bool, own: io::Result<PathBuf>, elapsed: impl Fn() -> Duration) -> bool {
        let hunts = match self.hunts(as_json, own, &elapsed) {
            Ok(hunts) => hunts,
            Err(error) => {
                eprintln!("measure: {error}");
                return false;
            }
        };
        let seeds: Vec<u64> = hunts.iter().filter_map(|hunt| Some(hunt.caught()?.seed)).collect();
        let (caught, worst) = (seeds.len(), seeds.iter().max());
        if as_json {
            let each: serde_json::Map<String, Value> =
                hunts.iter().map(|hunt| (hunt.bug.name.clone(), hunt.as_json())).collect();
            let figures = json!({
                "bugs": hunts.len(),
                "caught": caught,
                "worst_seeds": worst,
                "seconds": elapsed().as_secs_f64(),
                "each": each,
            });
            println!("{figures}");
        } else {
            println!("bugs            {}", hunts.len());
            println!("caught          {caught}, each within {SEEDS} seeds");
            println!("worst seeds     {}", worst.copied().unwrap_or_default());
            println!("seconds         {:.1}", elapsed().as_secs_f64());
        }
        caught == hunts.len() && !hunts.is_empty()
    }

    fn hunts(
        &self,
        as_json: bool,
        own: io::Result<PathBuf>,
        elapsed: &impl Fn() -> Duration,
    ) -> Result<Vec<Hunt>, Box<dyn std::error::Error>> {
        let bugs = self.chosen(bank()?);
        let copy = Copy::of(&workspace(), &target_dir(&own?)?)?;
        let told = bugs.into_iter().map(|bug| {
            let hunt = Hunt::of(bug, &copy, elapsed);
            if !as_json {
                hunt.print();
            }
            hunt
        });
        Ok(told.collect())
    }

    fn chosen(&self, bank: Vec<Bug>) -> Vec<Bug> {
        let all = bank.len();
        let wanted = self.sample.map_or(all, |sample| usize::from(sample).min(all));
        let spread = (0..wanted).map(|number| number * all / wanted).collect::<Vec<_>>();
        let numbered = bank.into_iter().enumerate().filter(|(number, _)| spread.contains(number));
        numbered.map(|(_, bug)| bug).filter(|bug| self.only.as_ref().is_none_or(|only| *only == bug.name)).collect()
    }
}

impl Hunt {
    fn of(bug: Bug, copy: &Copy, elapsed: &impl Fn() -> Duration) -> Self {
        let began = elapsed();
        let outcome = copy.find(&bug);
        Self { bug, outcome, took: elapsed().saturating_sub(began) }
    }

    fn caught(&self) -> Option<&Catch> {
        self.outcome.as_ref().ok()?.as_ref()
    }

    fn as_json(&self) -> Value {
        let caught = self.caught();
        json!({
            "bug": self.bug.sentence,
            "scene": self.bug.scene_name(),
            "seeds": caught.map(|caught| caught.seed),
            "violation": caught.map(|caught| &caught.violation),
            "broken": self.outcome.as_ref().err().map(ToString::to_string),
            "seconds": self.took.as_secs_f64(),
        })
    }

    fn print(&self) {
        let scene = self.bug.scene_name();
        println!("{}, {:.0} s: {}", self.bug.name, self.took.as_secs_f64(), self.bug.sentence);
        match &self.outcome {
            Ok(Some(Catch { seed, violation })) => println!("  seed {seed} of {scene} {violation}"),
            Ok(None) => println!("  MISSED: {SEEDS} seeds of {scene} do not find it"),
            Err(broken) => println!("  BROKEN: {broken}"),
        }
    }
}

/// Every bug of the bank, in order of names.
fn bank() -> Result<Vec<Bug>, Box<dyn std::error::Error>> {
    let folder = workspace().join("tests/bugbank");
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut patches: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort_unstable();
    patches.iter().map(|path| Bug::read(path)).collect()
}

/// The workspace that this program was built in.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that cargo put this program below.
fn target_dir(program: &Path) -> io::Result<PathBuf> {
    let target = program.ancestors().nth(2).map(Path::to_owned);
    target.ok_or_else(|| io::Error::other("this program is in no target folder of cargo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bank_can_be_read_and_says_of_each_bug_what_it_is() {
        let bank = bank().unwrap();
        assert!(bank.len() >= 40, "{} bugs", bank.len());
        for bug in &bank {
            assert!(bug.sentence.ends_with('.'), "{}: {}", bug.name, bug.sentence);
        }
    }

    #[test]
    fn a_sample_is_spread_over_the_bank() {
        let names = |only: Option<&str>, sample| {
            let chosen = Bugbank { only: only.map(str::to_owned), sample }.chosen(some_bugs(10));
            chosen.into_iter().map(|bug| bug.name).collect::<Vec<_>>()
        };
        assert_eq!(names(None, Some(1)), ["0"]);
        assert_eq!(names(None, Some(3)), ["0", "3", "6"]);
        assert_eq!(names(None, Some(10)), names(None, None));
        assert_eq!(names(None, Some(11)), names(None, None));
        assert_eq!(names(Some("7"), None), ["7"]);
        assert_eq!(names(Some("unknown"), None), Vec::<String>::new());
    }

    fn some_bugs(count: usize) -> Vec<Bug> {
        let text = "Something is wrong.\n\ndiff";
        (0..count).map(|number| Bug::parse(&number.to_string(), Path::new(""), text).unwrap()).collect()
    }
}
