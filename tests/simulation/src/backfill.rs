//! Old calls that nobody told of are found by a backfill. However often it is killed, it comes to the same; and a second
//! one over the same time finds nothing to do.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use ringcentral_sim::{Settings, Sound, calls::Day, world::Script};
use shared::{
    domain::{
        call_log::Offers,
        ids::{PartyId, RecordingId},
        notification::PartyAbout,
        object_key::ObjectKey,
        session::{Heard, RecordingState, SessionKey, SessionRow},
    },
    usecases::reconcile::Task,
};

use crate::{
    faults::Fault,
    judge::{Foreseen, Judge},
    knobs::Knobs,
    logs::Logs,
    received::Sender,
    scene::Report,
    schedule::{archive_every_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, MIDNIGHT_MS, Plan, World},
};

/// On how many days before midnight calls happened, and how many on each.
const DAYS: u64 = 30;
const CALLS: u32 = 15;

/// How often the backfill is killed, and an await that many of its runs do not come to.
const KILLED: u32 = 10;
const LAST_AWAIT: u64 = 80;

/// The schedule starts the reconciler until then.
const UNTIL_MS: u64 = MIDNIGHT_MS + DAY_MS;

/// What a row has come to, but for times and the number of writes.
#[derive(Debug, PartialEq)]
struct Known {
    heard: BTreeSet<Heard>,
    ended: BTreeSet<PartyId>,
    parties: BTreeMap<PartyId, PartyAbout>,
    offers: Offers,
    /// How each recording ended, where its object lies, and the object's SHA-256.
    endings: BTreeMap<RecordingId, (RecordingState, Option<ObjectKey>, Option<String>)>,
}

/// What a world has come to.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: BTreeMap<SessionKey, Known>,
    /// The recordings in the bucket, by their SHA-256.
    objects: BTreeMap<ObjectKey, String>,
}

/// Simulates the backfill of a seed: undisturbed, and killed again and again.
pub(crate) fn simulate(seed: u64, keep_trace: bool, logs: &Logs) -> Report {
    let (undisturbed, quiet) = play(seed, false, logs, 0);
    let (killed, mut report) = play(seed, keep_trace, logs, KILLED);
    report.violations.extend(quiet.violations);
    let differing = undisturbed.differences(&killed);
    let said = || format!("a backfill that is killed comes to something else: {}", differing.join(", "));
    report.violations.extend((!differing.is_empty()).then(said));
    report.simulated_ms += quiet.simulated_ms;
    report.steps += quiet.steps;
    report
}

/// Lets a world with old calls come to rest, whose first runs of the reconciler are killed.
fn play(seed: u64, keep_trace: bool, logs: &Logs, killed: u32) -> (Outcome, Report) {
    let settings = Settings { sound: Sound::Sketch, ..Settings::default() };
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
    let scripts: Vec<Script> = (1..=DAYS).flat_map(|before| old_calls(seed, before)).collect();
    let recordings = scripts.iter().map(|script| script.recordings.len()).sum();
    let mut judge = world.judge(logs.clone(), Foreseen::of(&scripts));
    scripts.into_iter().for_each(|script| world.vendor.core.borrow_mut().schedule(script));
    for _ in 0..killed {
        let awaits = world.dice.between(1..=LAST_AWAIT);
        world.functions.reconciler().kill_at(u32::try_from(awaits).unwrap_or(u32::MAX));
    }
    world.spawner.spawn(reconcile_every_quarter(world.clone(), UNTIL_MS));
    world.spawner.spawn(archive_every_minute(world.clone()));

    let mut steps = world.run(|| judge.look());
    if judge.violations().is_empty() {
        judge.conclude(&[]);
        judge.look_for_missing();
        judge.look_at_share();
        judge.look_at_refusals();
    }
    if judge.violations().is_empty() {
        steps += backfill_again(&world, &mut judge);
    }
    let struck = world.faults.struck().get(&Fault::ReconcilerKilled).copied().unwrap_or_default();
    if struck != killed {
        judge.complain(format!("the backfill was killed {struck} times, not {killed}"));
    }
    let report = Report::of(seed, &world, &judge, recordings, steps);
    (Outcome::of(&world), report)
}

/// The calls of a day so long before midnight, of which no event is ever told.
fn old_calls(seed: u64, days_before: u64) -> Vec<Script> {
    let (seed, start_ms) = (seed % 1_000_000 * 100 + days_before, MIDNIGHT_MS - days_before * DAY_MS);
    let mut scripts = Day { calls: CALLS, ..Day::new(seed, start_ms) }.scripts();
    scripts.iter_mut().flat_map(|script| &mut script.steps).for_each(|step| step.told = None);
    scripts
}

/// A second backfill over the same time: it writes no row, so that nobody has anything to archive, and fetches nothing.
fn backfill_again(world: &World, judge: &mut Judge) -> u64 {
    let rows = || world.table.with_rows(Clone::clone);
    let (before, received) = (rows(), world.vendor.received.borrow().len());
    let ended = Rc::new(RefCell::new("it has not ended".to_owned()));
    let (functions, time, say) = (world.functions.clone(), world.time.clone(), ended.clone());
    world.spawner.spawn(async move {
        let source = functions.sign_in(Sender::Reconciler, "second");
        let stretch = MIDNIGHT_MS - DAYS * DAY_MS..MIDNIGHT_MS;
        let task = Task::Backfill { stretch: Some(stretch), retention_ms: DAYS * DAY_MS };
        let swept = functions.sweep(&source, &task, time.now_ms() + DAY_MS).await;
        let done = swept.as_ref().is_ok_and(|swept| swept.is_done() && swept.offered > 0);
        *say.borrow_mut() = if done { String::new() } else { format!("{swept:?}") };
    });
    let steps = world.run(|| judge.look());
    let ended = ended.take();
    if !ended.is_empty() {
        judge.complain(format!("a second backfill does not come to its end: {ended}"));
    }
    if rows() != before {
        judge.complain("a second backfill writes".to_owned());
    }
    let received = world.vendor.received.borrow()[received..].to_vec();
    if let Some(fetched) = received.into_iter().find(|one| !one.target.contains("/call-log?")) {
        judge.complain(format!("a second backfill asks for {}", fetched.target));
    }
    steps
}

impl Known {
    fn of(row: &SessionRow) -> Self {
        let endings = row.results.iter().map(|(recording, result)| {
            let sha256 = result.archived.as_ref().map(|archived| archived.sha256.clone());
            (recording.clone(), (result.state, result.key.clone(), sha256))
        });
        Self {
            heard: row.heard.clone(),
            ended: row.ended.clone(),
            parties: row.parties.clone(),
            offers: row.offers.clone(),
            endings: endings.collect(),
        }
    }
}

impl Outcome {
    fn of(world: &World) -> Self {
        let rows = world.table.with_rows(|rows| {
            let known = rows.iter().map(|(key, stored)| (key.clone(), Known::of(&stored.row)));
            known.collect()
        });
        let objects = world.bucket.with_objects(|objects| {
            let digests = objects.iter().map(|(key, object)| (key.clone(), object.sha256.clone()));
            digests.collect()
        });
        Self { rows, objects }
    }

    /// What is not the same in another world, by name.
    fn differences(&self, other: &Self) -> Vec<String> {
        let sessions: BTreeSet<_> = self.rows.keys().chain(other.rows.keys()).collect();
        let objects: BTreeSet<_> = self.objects.keys().chain(other.objects.keys()).collect();
        let sessions = sessions.into_iter().filter(|key| self.rows.get(key) != other.rows.get(key));
        let objects = objects.into_iter().filter(|key| self.objects.get(key) != other.objects.get(key));
        sessions.map(|key| key.session.to_string()).chain(objects.map(ToString::to_string)).collect()
    }
}
