//! A new stack on an account with old calls: its backfill finds them, the oldest first, for the vendor is about to delete
//! those; and what is new is archived without waiting behind what is old.

use std::collections::{BTreeMap, BTreeSet};

use ringcentral_sim::{DeliverySettings, Settings, Sound};
use shared::domain::session::RecordingState;

use crate::{
    calls::{Calls, Planned},
    judge::{Foreseen, Judge},
    knobs::Knobs,
    logs::Logs,
    received::{Received, Sender, WINDOW_MS},
    scene::Report,
    schedule::{archive_every_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// What there is before the stack is new.
struct Account {
    /// As long as the vendor keeps recordings.
    days: u64,
    /// Calls a minute.
    rate: f64,
    /// While they are fetched, new recordings are archived so long after their calls' ends at the latest, milliseconds.
    fresh_ms: u64,
}

/// Ninety days of few calls.
const LASTING: Account = Account { days: 90, rate: 10.0 / 1_440.0, fresh_ms: 5 * MINUTE_MS };
/// Two days of many: some hundred are in the trailing window, and some the vendor deletes every hour.
const BUSY: Account = Account { days: 2, rate: 0.6, fresh_ms: 10 * MINUTE_MS };

/// New calls a minute, and until when they happen: longer than the backfill takes.
const NEW_RATE: f64 = 0.5;
const NEW_UNTIL_MS: u64 = MIDNIGHT_MS + 12 * HOUR_MS;

/// What the vendor deletes within this time of the stack's beginning need not be had in time, milliseconds.
const IN_TIME_MS: u64 = HOUR_MS;

/// The oldest come first, but for so much, milliseconds: a run of the archiver takes several sessions, in any order.
const IN_TURN_MS: u64 = 10 * MINUTE_MS;

/// Simulates the new stack of a seed: those of even seeds are on a busy account.
pub(crate) fn simulate(seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let account = if seed.is_multiple_of(2) { BUSY } else { LASTING };
    let delivery = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
    let settings = Settings { sound: Sound::Sketch, retention_days: account.days, delivery, ..Settings::default() };
    let faults_until_ms = MIDNIGHT_MS;
    let world = World::new(Plan {
        seed,
        keep_trace,
        faults_until_ms,
        settings,
        knobs: Knobs::default(),
        bodies: Bodies::Prompt,
        refusing: None,
    });
    let calls = Calls::of(seed)
        .arrive(MIDNIGHT_MS - account.days * DAY_MS, MIDNIGHT_MS, account.rate)
        .arrive(MIDNIGHT_MS, NEW_UNTIL_MS, NEW_RATE)
        .planned();
    // The same people speak in all calls.
    let mut foreseen = Foreseen::of(calls.first().map(Planned::script).as_ref());
    for call in &calls {
        if account.keeps_long_enough(call) {
            foreseen.add_lasting(&call.recording.id);
        } else {
            foreseen.add_passing(&call.recording.id);
        }
        let mut script = call.script();
        if is_old(call) {
            script.steps.iter_mut().for_each(|step| step.told = None);
        }
        world.vendor.core.borrow_mut().schedule(script);
    }
    let mut judge = world.judge(logs, foreseen);
    world.tell();
    world.spawner.spawn(reconcile_every_quarter(world.clone(), MIDNIGHT_MS + DAY_MS));
    world.spawner.spawn(archive_every_minute(world.clone()));

    let steps = world.run(|| judge.look());
    if judge.violations().is_empty() {
        judge.conclude(&world.functions.acknowledged());
        judge.look_for_missing();
        judge.look_at_share();
        judge.look_at_refusals();
        look_at_times(&world, &mut judge, &account, &calls);
    }
    Report::of(seed, &world, &judge, calls.len(), steps)
}

fn look_at_times(world: &World, judge: &mut Judge, account: &Account, calls: &[Planned]) {
    let archived_at_ms = archived_at_ms(world);
    let at_ms = |call: &Planned| archived_at_ms.get(&call.recording.id).copied();
    for call in calls.iter().filter(|call| account.keeps_long_enough(call) && at_ms(call).is_none()) {
        judge.complain(format!("{} could be had in time and was not", call.recording.id));
    }
    let mut backfilled: Vec<&Planned> = calls.iter().filter(|call| is_old(call)).collect();
    backfilled.sort_by_key(|call| call.started_at_ms);
    let mut latest_ms = MIDNIGHT_MS;
    for call in &backfilled {
        let Some(at_ms) = at_ms(call) else { continue };
        if at_ms + IN_TURN_MS < latest_ms {
            judge.complain(format!("{} was archived before older ones", call.recording.id));
        }
        latest_ms = latest_ms.max(at_ms);
    }
    let done_ms = latest_ms;
    let new = calls.iter().filter(|call| !is_old(call));
    let ages = new.filter_map(|call| Some(at_ms(call)?.saturating_sub(call.ended_at_ms)));
    let oldest_ms = ages.max().unwrap_or(u64::MAX);
    let caused = caused(&world.vendor.received.borrow(), &backfilled, done_ms);
    // The first one stands at the beginning of the time, and the last one at its end.
    let per_window = caused.saturating_sub(1) as f64 * WINDOW_MS as f64 / (done_ms - MIDNIGHT_MS) as f64;
    let share = (world.vendor.core.borrow().settings().heavy_limit * Knobs::default().share_percent()) as f64 / 100.0;
    world.trace.line(format_args!(
        "new ones waited for {oldest_ms} ms at most; old ones took {} ms and {per_window:.2} requests a window",
        done_ms - MIDNIGHT_MS
    ));
    if oldest_ms > account.fresh_ms {
        judge.complain(format!("a new recording was archived {oldest_ms} ms after its call"));
    }
    if done_ms > NEW_UNTIL_MS {
        judge.complain(format!("the backfill took until {done_ms}, when nothing new happened any more"));
    }
    if per_window > share {
        judge.complain(format!("the backfill caused {per_window:.2} requests a window: its share is {share}"));
    }
}

/// When each recording was archived, epoch milliseconds.
fn archived_at_ms(world: &World) -> BTreeMap<String, u64> {
    world.table.with_rows(|rows| {
        let results = rows.values().flat_map(|stored| &stored.row.results);
        let archived = results.filter(|(_, result)| result.state == RecordingState::Archived);
        archived.map(|(recording, result)| (recording.as_str().to_owned(), result.at_ms)).collect()
    })
}

/// How many requests the backfill caused until it was done: its own, which alone ask for recorded calls only, and the
/// archiver's about calls it found.
fn caused(received: &[Received], backfilled: &[&Planned], done_ms: u64) -> usize {
    let names = backfilled.iter().flat_map(|call| [call.session.as_str(), &call.recording.id]);
    let names: BTreeSet<&str> = names.collect();
    let is_about_one = |one: &Received| one.target.split(['/', '=', '&']).any(|part| names.contains(part));
    let until = received.iter().filter(|one| one.is_let_in() && one.at_ms <= done_ms);
    let is_its_own = |one: &Received| one.sender == Sender::Reconciler && one.target.contains("recordingType=");
    until.filter(|one| is_its_own(one) || is_about_one(one)).count()
}

/// Whether the backfill alone finds it. Events tell of calls that end after the stack has begun, or just before.
fn is_old(call: &Planned) -> bool {
    call.ended_at_ms + MINUTE_MS < MIDNIGHT_MS
}

impl Account {
    /// Whether a recording was there when the stack began, and for some time longer.
    fn keeps_long_enough(&self, call: &Planned) -> bool {
        call.ended_at_ms + self.days * DAY_MS >= MIDNIGHT_MS + IN_TIME_MS
    }
}
