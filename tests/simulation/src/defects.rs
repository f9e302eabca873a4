//! Whether the prover finds what is wrong: an archive of 90 days, reports issued for each, then damaged in every way that
//! has a class, and proved again. The call log is a map; nothing here is limited by the vendor.

mod damage;
mod population;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, error::Error, pin::pin, time::Duration};

use futures_util::FutureExt;
use shared::{
    domain::completeness::{Defect, DefectClass},
    usecases::prove::Prover,
};

use crate::{
    chance::Dice,
    memory::{MemoryBucket, MemoryTable, StoppedClock},
};
use population::Population;

/// What to make, and how badly to damage it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// How many recordings there are.
    pub recordings: usize,
    /// How many defects.
    pub defects: usize,
    /// Where chance grows from.
    pub seed: u64,
}

/// What the prover found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefectsReport {
    /// How many recordings there were.
    pub recordings: usize,
    /// How many calls they were of.
    pub sessions: usize,
    /// Defects that were seeded, by class.
    pub seeded: BTreeMap<DefectClass, usize>,
    /// Of those, the ones that were found as what they are.
    pub found: BTreeMap<DefectClass, usize>,
    /// Whatever else was called a defect.
    pub false_alarms: Vec<Defect>,
    /// How long it took to make all this and to issue the reports of the days as they were.
    pub preparing: Duration,
    /// How long it took to find the defects.
    pub finding: Duration,
}

impl DefectsReport {
    /// Whether everything was found and nothing else.
    pub fn is_exact(&self) -> bool {
        self.seeded == self.found && self.false_alarms.is_empty()
    }
}

/// Makes an archive, damages it and looks what is found. `elapsed` tells the time since anything.
///
/// # Errors
/// Where there are too few recordings to damage so many.
pub fn defects(damage: Damage, elapsed: impl Fn() -> Duration) -> Result<DefectsReport, Box<dyn Error>> {
    let began = elapsed();
    let dice = Dice::of(damage.seed);
    let (table, bucket, clock) = (MemoryTable::default(), MemoryBucket::default(), StoppedClock::default());
    let population = Population::of(damage.recordings, &dice);
    let prover = Prover { sessions: &table, archive: &bucket, cursors: &table, clock: &clock };
    at_once(async {
        population.leave_in(&table, &bucket).await?;
        let account = population::account();
        for day in population.days() {
            let proof = prover.prove_day(&account, day, population.offered(day)).await?;
            prover.issue(&proof).await?;
        }
        let seeded = damage::seed(&population, damage.defects, &dice, &table, &bucket).await?;
        let prepared = elapsed();

        let mut told = Vec::new();
        for day in population.days() {
            told.extend(prover.prove_day(&account, day, population.offered(day)).await?.defects);
        }
        told.extend(prover.verify_chain(&account).await?);
        let found = elapsed();

        let mut report = DefectsReport {
            recordings: population.recordings(),
            sessions: population.calls.len(),
            preparing: prepared.saturating_sub(began),
            finding: found.saturating_sub(prepared),
            ..DefectsReport::default()
        };
        for defect in &seeded {
            *report.seeded.entry(defect.class).or_default() += 1;
        }
        let mut left = seeded;
        for defect in told {
            if left.remove(&defect) {
                *report.found.entry(defect.class).or_default() += 1;
            } else {
                report.false_alarms.push(defect);
            }
        }
        Ok(report)
    })
}

/// The ports in memory answer at once: nothing is ever waited for.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Some(done) = work.as_mut().now_or_never() {
            return done;
        }
    }
}
