//! Whether the prover finds what is wrong: an archive of 90 days, reports issued for each, then damaged in every way that
//! has a class, and proved again. The call log is a map; nothing here is limited by the vendor.
//!
//! The reconciler's hourly run differs: it asks no call log, since the sweep before it has added to the rows what the log
//! offers, and it proves the days that closed, changed or were touched, and the end of the chain. A test runs it over the
//! same damage, with all days touched.

mod damage;
mod population;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    pin::pin,
    time::Duration,
};

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
    at_once(async {
        let damaged = Damaged::of(damage).await?;
        let (population, prover, account) = (&damaged.population, damaged.prover(), population::account());
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
            seeded: damaged.by_class(),
            preparing: prepared.saturating_sub(began),
            finding: found.saturating_sub(prepared),
            ..DefectsReport::default()
        };
        let mut left = damaged.seeded;
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

/// An archive whose reports were issued before it was damaged.
struct Damaged {
    population: Population,
    table: MemoryTable,
    bucket: MemoryBucket,
    clock: StoppedClock,
    /// What must be found.
    seeded: BTreeSet<Defect>,
}

impl Damaged {
    async fn of(damage: Damage) -> Result<Self, Box<dyn Error>> {
        let dice = Dice::of(damage.seed);
        let mut archive = Self {
            population: Population::of(damage.recordings, &dice),
            table: MemoryTable::default(),
            bucket: MemoryBucket::default(),
            clock: StoppedClock::default(),
            seeded: BTreeSet::new(),
        };
        let Self { population, table, bucket, .. } = &archive;
        population.leave_in(table, bucket).await?;
        for day in population.days() {
            let proof = archive.prover().prove_day(&population::account(), day, population.offered(day)).await?;
            archive.prover().issue(&proof).await?;
        }
        archive.seeded = damage::seed(population, damage.defects, &dice, table, bucket).await?;
        Ok(archive)
    }

    fn prover(&self) -> Prover<'_, MemoryTable, MemoryBucket, MemoryTable, StoppedClock> {
        Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &self.clock }
    }

    fn by_class(&self) -> BTreeMap<DefectClass, usize> {
        let mut seeded = BTreeMap::new();
        for defect in &self.seeded {
            *seeded.entry(defect.class).or_default() += 1;
        }
        seeded
    }
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
