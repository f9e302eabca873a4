//! A new stack on an account with ninety days of old calls: its backfill finds them, the oldest first, for the vendor is
//! about to delete those; and what is new is archived without waiting behind what is old.

use std::collections::{BTreeMap, BTreeSet};

use ringcentral_sim::{DeliverySettings, Settings, Sound};
use shared::domain::session::RecordingState;

use crate::{
    calls::{Calls, Planned},
    functions::TRAILING_MS,
    judge::{Foreseen, Judge},
    logs::Logs,
    received::{Received, Sender, WINDOW_MS},
    scene::Report,
    schedule::{archive_every_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, Plan, RECONCILER_PERCENT, World},
};

/// As long as the vendor keeps recordings.
const OLD_DAYS: u64 = 90;

/// Calls a minute: ten a day of old, and as many during the backfill that one can see whether they wait for it.
const OLD_RATE: f64 = 10.0 / 1_440.0;
const NEW_RATE: f64 = 0.5;

/// New calls happen until then: longer than the backfill takes.
const NEW_UNTIL_MS: u64 = MIDNIGHT_MS + 10 * HOUR_MS;

/// What the vendor deletes within this time of the stack's beginning need not be had in time, milliseconds.
const IN_TIME_MS: u64 = HOUR_MS;

/// The oldest come first, but for so much, milliseconds: of two calls of one hour, the older one may have ended later.
const IN_TURN_MS: u64 = 20 * MINUTE_MS;

/// A new recording is archived so long after its call's end at the latest, milliseconds.
const FRESH_MS: u64 = 5 * MINUTE_MS;

/// Simulates the new stack of a seed.
pub(crate) fn simulate(seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let delivery = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
    let settings = Settings { sound: Sound::Sketch, retention_days: OLD_DAYS, delivery, ..Settings::default() };
    let faults_until_ms = MIDNIGHT_MS;
    let world =
        World::new(Plan { seed, keep_trace, faults_until_ms, settings, bodies: Bodies::Prompt, refusing: None });
    let calls = Calls::of(seed)
        .arrive(MIDNIGHT_MS - OLD_DAYS * DAY_MS, MIDNIGHT_MS, OLD_RATE)
        .arrive(MIDNIGHT_MS, NEW_UNTIL_MS, NEW_RATE)
        .planned();
    // The same people speak in all calls.
    let mut foreseen = Foreseen::of(calls.first().map(Planned::script).as_ref());
    for call in &calls {
        if must_be_had(call) {
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
        look_at_times(&world, &mut judge, &calls);
    }
    Report::of(seed, &world, &judge, calls.len(), steps)
}

fn look_at_times(world: &World, judge: &mut Judge, calls: &[Planned]) {
    let archived_at_ms = archived_at_ms(world);
    let at_ms = |call: &Planned| archived_at_ms.get(&call.recording.id).copied();
    for call in calls.iter().filter(|call| must_be_had(call) && at_ms(call).is_none()) {
        judge.complain(format!("{} could be had in time and was not", call.recording.id));
    }
    let mut latest_ms = 0;
    for call in calls.iter().filter(|call| call.ended_at_ms < MIDNIGHT_MS - TRAILING_MS) {
        let Some(at_ms) = at_ms(call) else { continue };
        if at_ms + IN_TURN_MS < latest_ms {
            judge.complain(format!("{} was archived before older ones", call.recording.id));
        }
        latest_ms = latest_ms.max(at_ms);
    }
    let (old, new): (Vec<&Planned>, Vec<&Planned>) = calls.iter().partition(|call| is_old(call));
    let ages = new.iter().filter_map(|call| Some(at_ms(call)?.saturating_sub(call.ended_at_ms)));
    let oldest_ms = ages.max().unwrap_or(u64::MAX);
    let done_ms = old.iter().filter_map(|call| at_ms(call)).max().unwrap_or(MIDNIGHT_MS);
    let caused = caused(&world.vendor.received.borrow(), &old, done_ms);
    let per_window = caused as f64 * WINDOW_MS as f64 / (done_ms - MIDNIGHT_MS) as f64;
    let share = world.vendor.core.borrow().settings().heavy_limit as f64 * f64::from(RECONCILER_PERCENT) / 100.0;
    world.trace.line(format_args!(
        "new ones waited for {oldest_ms} ms at most; old ones took {} ms and {per_window:.2} requests a window",
        done_ms - MIDNIGHT_MS
    ));
    if oldest_ms > FRESH_MS {
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

/// How many requests the backfill caused until it was done: the reconciler's, and the archiver's about old calls.
fn caused(received: &[Received], old: &[&Planned], done_ms: u64) -> usize {
    let names: BTreeSet<&str> = old.iter().flat_map(|call| [call.session.as_str(), &call.recording.id]).collect();
    let is_about_old = |one: &Received| one.target.split(['/', '=', '&']).any(|part| names.contains(part));
    let until = received.iter().filter(|one| one.is_let_in() && one.at_ms <= done_ms);
    until.filter(|one| one.sender == Sender::Reconciler || is_about_old(one)).count()
}

fn is_old(call: &Planned) -> bool {
    call.ended_at_ms < MIDNIGHT_MS
}

/// Whether it was there when the stack began, and for some time longer.
fn must_be_had(call: &Planned) -> bool {
    call.ended_at_ms + OLD_DAYS * DAY_MS >= MIDNIGHT_MS + IN_TIME_MS
}
