//! One simulated day: calls happen, the stack works, faults strike; then faults stop and all must come to rest.

use std::collections::BTreeMap;

use ringcentral_sim::{
    DeliverySettings, Settings, Sound,
    calls::{Day, Mix, Shape, Troubles},
    world::{BodyFault, Direct, ListedAt, Recording},
};

use crate::{
    judge::Foreseen,
    logs::Logs,
    schedule::{archive_every_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// Where events get lost the reconciler is started until so long after the day's last call that the call log is final.
const RECONCILED_UNTIL_MS: u64 = MIDNIGHT_MS + DAY_MS + 6 * HOUR_MS;

/// Calls of a day: each brings about one recording.
const CALLS: u32 = 40;

/// A day has at least so many recordings and faults, or it proves too little.
pub const LEAST_RECORDINGS: usize = 40;
/// See [`LEAST_RECORDINGS`].
pub const LEAST_FAULTS: u32 = 50;

/// And at least so many of its recordings are archived: a world in which nothing works has no violations either.
const LEAST_ARCHIVED: usize = 25;

/// Which of the day's events reach the webhook, but for those that a fault keeps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// All, and there is no reconciler.
    All,
    /// Seven of ten; one of ten comes twice, and each is late by up to minutes, so that any order is possible.
    Lossy,
    /// None.
    None,
}

/// How a simulated day went.
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
    /// Simulated time from midnight to rest, milliseconds.
    pub simulated_ms: u64,
    /// Steps after each of which the invariants were looked at.
    pub steps: u64,
}

/// Simulates the day of a seed.
pub fn simulate(events: Events, seed: u64, keep_trace: bool) -> Report {
    let logs = Logs::default();
    tracing::subscriber::with_default(logs.clone(), || run(events, seed, keep_trace, logs))
}

fn run(events: Events, seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let delivery = events.delivery();
    let settings = Settings { sound: Sound::Sketch, delivery, ..Settings::default() };
    let faults_until_ms = MIDNIGHT_MS + DAY_MS;
    let world =
        World::new(Plan { seed, keep_trace, faults_until_ms, settings, bodies: Bodies::Varied, refusing: None });
    // A call handed on begins to be recorded anew while its first recording is fetched: where races are.
    let mix = Mix::default().with(Shape::BlindTransfer, 8);
    let troubles = Troubles { elsewhere: 0.02, ..Troubles::default() };
    let scripts = Day { calls: CALLS, mix, troubles, ..Day::new(seed, MIDNIGHT_MS) }.scripts();
    let offered = || scripts.iter().flat_map(|script| &script.recordings);
    let (recordings, spoilt) = (offered().count(), offered().filter(|recording| is_spoilt(recording)).count());
    world.tell();
    if events != Events::All {
        world.spawner.spawn(reconcile_every_quarter(world.clone(), RECONCILED_UNTIL_MS));
    }
    world.spawner.spawn(archive_every_minute(world.clone()));

    let mut judge = world.judge(logs, Foreseen::of(&scripts));
    scripts.into_iter().for_each(|script| world.vendor.core.borrow_mut().schedule(script));
    let steps = world.run(|| judge.look());
    if judge.violations().is_empty() {
        judge.conclude(&world.functions.acknowledged());
    }
    if events != Events::All && judge.violations().is_empty() {
        judge.look_for_missing();
        judge.look_at_share();
    }
    let struck = world.faults.struck().into_iter().map(|(fault, times)| (format!("{fault:?}"), times));
    let mut report = Report {
        seed,
        violations: judge.violations().to_vec(),
        trace_hash: world.trace.hash(),
        trace: world.trace.take(),
        recordings,
        endings: judge.counts(),
        faults: struck.chain([("RecordingSpoilt".to_owned(), u32::try_from(spoilt).unwrap_or(u32::MAX))]).collect(),
        simulated_ms: world.time.now_ms() - MIDNIGHT_MS,
        steps,
    };
    report.violations.extend(report.thinness());
    report
}

impl Events {
    /// Nobody repairs a blacklisted subscription here: it must not come to that.
    fn delivery(self) -> DeliverySettings {
        let all = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
        match self {
            Self::All => all,
            Self::Lossy => DeliverySettings { lag_max_ms: 5 * MINUTE_MS, drop_share: 0.3, duplicate_share: 0.1, ..all },
            Self::None => DeliverySettings { drop_share: 1.0, ..all },
        }
    }
}

impl Report {
    /// How many faults struck, of any kind.
    pub fn faults_in_all(&self) -> u32 {
        self.faults.values().sum()
    }

    /// A day that proves too little is a failure of the test, not a success of the program.
    fn thinness(&self) -> Option<String> {
        let (recordings, faults, [archived, ..]) = (self.recordings, self.faults_in_all(), self.endings);
        let thin = recordings < LEAST_RECORDINGS || faults < LEAST_FAULTS || archived < LEAST_ARCHIVED;
        let said = || format!("a thin day: {recordings} recordings, {archived} archived, {faults} faults");
        (self.violations.is_empty() && thin).then(said)
    }
}

/// Whether the vendor does something wrong with a recording.
fn is_spoilt(recording: &Recording) -> bool {
    recording.direct != Direct::Served
        || recording.listed_at != ListedAt::Media
        || recording.body_fault != BodyFault::None
        || recording.ready_after_ms.is_none()
        || recording.deleted_after_ms.is_some()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_replays_byte_for_byte() {
        let first = simulate(Events::All, 1, true);
        assert!(first.trace.len() > 1_000, "{} lines", first.trace.len());
        assert_eq!(first, simulate(Events::All, 1, true));
        assert_ne!(first.trace_hash, simulate(Events::All, 2, false).trace_hash);
    }

    #[test]
    fn some_days_hold() {
        let struck = hold(Events::All, 10);
        assert_eq!(struck.len(), 19, "every fault strikes on some day: {struck:?}");
    }

    #[test]
    fn a_day_of_which_no_event_is_heard_is_archived_by_reconciliation_alone() {
        let struck = hold(Events::None, 5);
        assert!(struck.contains("ReconcilerKilled"), "{struck:?}");
    }

    #[test]
    fn a_day_of_lost_doubled_and_shuffled_events_is_archived_once() {
        let struck = hold(Events::Lossy, 5);
        assert!(struck.contains("ReconcilerKilled"), "{struck:?}");
    }

    /// Simulates the first days, none of which may have violations; answers which faults struck.
    fn hold(events: Events, seeds: u64) -> BTreeSet<String> {
        let reports: Vec<_> = (1..=seeds).map(|seed| simulate(events, seed, false)).collect();
        let violations: Vec<_> = reports.iter().map(|report| (report.seed, &report.violations)).collect();
        assert!(violations.iter().all(|(_, violations)| violations.is_empty()), "{violations:#?}");
        reports.into_iter().flat_map(|report| report.faults.into_keys()).collect()
    }
}
