//! One simulated day: calls happen, the stack works, faults strike; then faults stop and all must come to rest.

use std::collections::BTreeSet;

use ringcentral_sim::{
    DeliverySettings, Settings, Sound,
    calls::{Day, Mix, Shape, Troubles},
    world::{BodyFault, Direct, ListedAt, Recording},
};

use crate::{
    drain::{Backlog, Drained},
    judge::Foreseen,
    knobs::{Knobs, Reconciling},
    logs::Logs,
    mishaps,
    scene::Report,
    schedule::{archive_every_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// Which of the day's events reach the webhook, but for those that a fault keeps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// All; on some days there is no reconciler.
    All,
    /// Seven of ten; one of ten comes twice, and each is late by up to minutes, so that any order is possible.
    Lossy,
    /// None.
    None,
}

/// Where events get lost the reconciler is started until so long after the day's last call that the call log is final.
const RECONCILED_UNTIL_MS: u64 = MIDNIGHT_MS + DAY_MS + 6 * HOUR_MS;

/// How many sessions of one user the vendor keeps (API.md §2).
const SIGN_INS: u64 = 5;

/// Calls of a day: each brings about one recording.
const CALLS: u32 = 40;

/// A day has at least so many recordings and faults, or it proves too little.
const LEAST_RECORDINGS: usize = 40;
/// See [`LEAST_RECORDINGS`].
const LEAST_FAULTS: u32 = 50;

/// And at least so many of its recordings are archived: a world in which nothing works has no violations either.
const LEAST_ARCHIVED: usize = 25;

/// Simulates the day of a seed.
pub(crate) fn simulate(told: Told, seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let knobs = Knobs::of(seed, told.reconciling());
    let (reconciling, retention_days) = (knobs.reconciling, knobs.retention_days());
    let delivery = told.delivery(reconciling);
    let settings = Settings { sound: Sound::Sketch, delivery, retention_days, ..Settings::default() };
    let faults_until_ms = MIDNIGHT_MS + DAY_MS;
    let world =
        World::new(Plan { seed, keep_trace, faults_until_ms, settings, knobs, bodies: Bodies::Varied, refusing: None });
    // A call handed on begins to be recorded anew while its first recording is fetched: where races are.
    let mix = Mix::default().with(Shape::BlindTransfer, 8);
    let troubles = Troubles { elsewhere: 0.02, ..Troubles::default() };
    let scripts = Day { calls: CALLS, mix, troubles, ..Day::new(seed, MIDNIGHT_MS) }.scripts();
    let offered = || scripts.iter().flat_map(|script| &script.recordings);
    let (recordings, spoilt) = (offered().count(), offered().filter(|recording| is_spoilt(recording)).count());
    let plain: BTreeSet<String> =
        offered().filter(|one| !is_spoilt(one) && !one.too_short).map(|one| one.id.clone()).collect();
    mishaps::plan(&world, reconciling, &offered().map(|one| one.id.as_str()).collect::<Vec<_>>());
    let backlog = Backlog::default();
    world.spawner.spawn(backlog.clone().see(world.clone(), plain));
    world.tell();
    if reconciling == Reconciling::Everything {
        world.functions.oversee();
    }
    if reconciling != Reconciling::Nothing {
        world.spawner.spawn(reconcile_every_quarter(world.clone(), RECONCILED_UNTIL_MS));
    }
    world.spawner.spawn(archive_every_minute(world.clone()));
    world.spawner.spawn(evict(world.clone(), MIDNIGHT_MS + seed % 24 * HOUR_MS));

    let mut judge = world.judge(logs, Foreseen::of(&scripts));
    scripts.into_iter().for_each(|script| world.vendor.core.borrow_mut().schedule(script));
    let steps = world.run(|| judge.look());
    if judge.violations().is_empty() {
        judge.conclude(&world.functions.acknowledged());
    }
    if judge.violations().is_empty() {
        judge.look_at_refusals();
    }
    if reconciling != Reconciling::Nothing && judge.violations().is_empty() {
        judge.look_for_missing();
        judge.look_at_share();
    }
    if reconciling == Reconciling::Everything && judge.violations().is_empty() {
        judge.look_at_oversight(RECONCILED_UNTIL_MS);
    }
    let mut drained = Drained::default();
    if judge.violations().is_empty() {
        let limit = world.vendor.core.borrow().settings().heavy_limit;
        drained = judge.look_at_drain(&backlog, limit);
    }
    let mut report = Report::of(seed, &world, &judge, recordings, steps);
    report.drained = drained;
    report.faults.insert("RecordingSpoilt".to_owned(), u32::try_from(spoilt).unwrap_or(u32::MAX));
    report.violations.extend(thinness(&report));
    report
}

/// Others sign in as the same user, as often as the vendor keeps sessions: from then on it refuses the program's token.
async fn evict(world: World, from_ms: u64) {
    for number in 0..SIGN_INS {
        world.time.sleep_until(from_ms + number * MINUTE_MS).await;
        world.others_sign_in();
    }
}

/// A day that proves too little is a failure of the test, not a success of the program.
fn thinness(report: &Report) -> Option<String> {
    let (recordings, faults, [archived, ..]) = (report.recordings, report.faults_in_all(), report.endings);
    let thin = recordings < LEAST_RECORDINGS || faults < LEAST_FAULTS || archived < LEAST_ARCHIVED;
    let said = || format!("a thin day: {recordings} recordings, {archived} archived, {faults} faults");
    (report.violations.is_empty() && thin).then(said)
}

impl Told {
    /// What the reconciler may do.
    fn reconciling(self) -> &'static [Reconciling] {
        match self {
            Self::All => &[Reconciling::Nothing, Reconciling::Everything],
            Self::Lossy | Self::None => &[Reconciling::Sweeps, Reconciling::Everything],
        }
    }

    /// Where nobody repairs a blacklisted subscription it must not come to that.
    fn delivery(self, reconciling: Reconciling) -> DeliverySettings {
        let life = DeliverySettings::default();
        let is_repaired = reconciling == Reconciling::Everything;
        let blacklist_after_ms = if is_repaired { life.blacklist_after_ms } else { u64::MAX };
        let all = DeliverySettings { blacklist_after_ms, ..life };
        match self {
            Self::All => all,
            Self::Lossy => DeliverySettings { lag_max_ms: 5 * MINUTE_MS, drop_share: 0.3, duplicate_share: 0.1, ..all },
            Self::None => DeliverySettings { drop_share: 1.0, ..all },
        }
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
