//! What is simulated, and how it went.

use std::collections::BTreeMap;

use crate::{
    backfill,
    day::{self, Told},
    drain::Drained,
    judge::Judge,
    logs::Logs,
    new_stack, poisoned_day,
    world::{MIDNIGHT_MS, World},
};

/// What happens in a simulated world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scene {
    /// A day of calls and faults; half of the stacks have a reconciler that does all of its work, half have none.
    Day,
    /// The same, but three of ten events are lost, one of ten comes twice, and any order is possible; with a reconciler.
    LossyDay,
    /// The same, and no event is ever heard.
    SilentDay,
    /// A day on which nothing is wrong but some recordings, of which nothing ever comes.
    PoisonedDay,
    /// A month of old calls is found by a backfill: by one that nothing disturbs, and by one that is killed ten times.
    Backfill,
    /// A new stack on an account with old calls, of ninety days or of two busy ones, while new ones happen.
    NewStack,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed it grew from.
    pub seed: u64,
    /// What was wrong, each with its time in epoch milliseconds.
    pub violations: Vec<String>,
    /// SHA-256 of the trace, in hex: equal for two runs of one seed.
    pub trace_hash: String,
    /// The trace, if it was to be kept.
    pub trace: Vec<String>,
    /// Recordings the vendor offered, too short ones included.
    pub recordings: usize,
    /// Recordings the table knows, by state in the order archived, waiting, too short, unavailable, deleted.
    pub endings: [usize; 5],
    /// Faults by name; those the vendor's own recordings brought with them are `RecordingSpoilt`.
    pub faults: BTreeMap<String, u32>,
    /// What waited when faults stopped, and how long it took.
    pub drained: Drained,
    /// Simulated time from midnight to rest, milliseconds.
    pub simulated_ms: u64,
    /// Steps after each of which the invariants were looked at.
    pub steps: u64,
}

/// Simulates a scene with the chance of a seed.
pub fn simulate(scene: Scene, seed: u64, keep_trace: bool) -> Report {
    let logs = Logs::default();
    tracing::subscriber::with_default(logs.clone(), || match scene {
        Scene::Day => day::simulate(Told::All, seed, keep_trace, logs),
        Scene::LossyDay => day::simulate(Told::Lossy, seed, keep_trace, logs),
        Scene::SilentDay => day::simulate(Told::None, seed, keep_trace, logs),
        Scene::PoisonedDay => poisoned_day::simulate(seed, keep_trace, logs),
        Scene::Backfill => backfill::simulate(seed, keep_trace, &logs),
        Scene::NewStack => new_stack::simulate(seed, keep_trace, logs),
    })
}

impl Report {
    /// What a world that has come to rest, and its judge, say.
    pub(crate) fn of(seed: u64, world: &World, judge: &Judge, recordings: usize, steps: u64) -> Self {
        let struck = world.faults.struck().into_iter().map(|(fault, times)| (format!("{fault:?}"), times));
        Self {
            seed,
            violations: judge.violations().to_vec(),
            trace_hash: world.trace.hash(),
            trace: world.trace.take(),
            recordings,
            endings: judge.counts(),
            faults: struck.collect(),
            drained: Drained::default(),
            simulated_ms: world.time.now_ms() - MIDNIGHT_MS,
            steps,
        }
    }

    /// How many faults struck, of any kind.
    pub fn faults_in_all(&self) -> u32 {
        self.faults.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_replays_byte_for_byte() {
        let first = simulate(Scene::Day, 1, true);
        assert!(first.trace.len() > 1_000, "{} lines", first.trace.len());
        assert_eq!(first, simulate(Scene::Day, 1, true));
        assert_ne!(first.trace_hash, simulate(Scene::Day, 2, false).trace_hash);
        assert_eq!(simulate(Scene::SilentDay, 1, true), simulate(Scene::SilentDay, 1, true));
    }

    #[test]
    fn some_days_hold() {
        let struck = hold(Scene::Day, 20);
        assert_eq!(struck.len(), 33, "every fault strikes on some day: {struck:?}");
    }

    #[test]
    fn a_day_of_which_no_event_is_heard_is_archived_by_reconciliation_alone() {
        let struck = hold(Scene::SilentDay, 5);
        assert!(struck.contains("ReconcilerKilled"), "{struck:?}");
        assert!(!struck.contains("WebhookKilled"), "nobody calls it: {struck:?}");
    }

    #[test]
    fn a_day_of_lost_doubled_and_shuffled_events_is_archived_once() {
        let struck = hold(Scene::LossyDay, 5);
        assert!(struck.contains("ReconcilerKilled"), "{struck:?}");
    }

    #[test]
    fn recordings_of_which_nothing_comes_do_not_keep_the_others() {
        assert_eq!(hold(Scene::PoisonedDay, 2), ["RecordingPoisoned".to_owned()].into());
    }

    #[test]
    fn a_backfill_that_is_killed_ten_times_ends_like_one_that_was_not_and_a_second_one_writes_nothing() {
        hold(Scene::Backfill, 2);
    }

    #[test]
    fn a_new_stack_archives_old_calls_before_the_vendor_deletes_them_and_new_ones_at_once() {
        hold(Scene::NewStack, 2);
    }

    /// Simulates the first seeds, none of which may have violations; answers which faults struck.
    fn hold(scene: Scene, seeds: u64) -> BTreeSet<String> {
        let reports: Vec<_> = (1..=seeds).map(|seed| simulate(scene, seed, false)).collect();
        let violations: Vec<_> = reports.iter().map(|report| (report.seed, &report.violations)).collect();
        assert!(violations.iter().all(|(_, violations)| violations.is_empty()), "{violations:#?}");
        reports.into_iter().flat_map(|report| report.faults.into_keys()).collect()
    }
}
