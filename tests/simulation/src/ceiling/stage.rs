//! A world without faults, its calls, and the schedule.

use std::{collections::BTreeMap, rc::Rc};

use ringcentral_sim::{DeliverySettings, Settings, Sound, core::Origin};
use shared::domain::session::RecordingState;

use super::{CeilingReport, Figure, Load};
use crate::{
    calls::Planned,
    executor::Time,
    functions::Fleet,
    judge::Foreseen,
    knobs::Knobs,
    logs::Logs,
    received::Received,
    vendor::{Bodies, Vendor},
    world::{MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// The schedule is late by up to so much, milliseconds.
const JITTER_MS: u64 = 59_000;

/// Calls are made known to the vendor in portions: all their events at once would fill the memory.
const PORTION: usize = 500;

/// Violations told of; a program that does not know the limit makes thousands.
const TOLD: usize = 10;

/// A world and its calls, before it runs.
pub(super) struct Stage {
    /// The world.
    pub(super) world: World,
    /// Its calls.
    pub(super) calls: Rc<Vec<Planned>>,
    load: Load,
    seed: u64,
    logs: Logs,
}

/// What remains of it afterwards.
pub(super) struct Played {
    /// The calls.
    pub(super) calls: Rc<Vec<Planned>>,
    /// What the vendor received, in order.
    pub(super) received: Vec<Received>,
    /// When each call's recording was archived, epoch milliseconds.
    pub(super) archived_at_ms: Vec<Option<u64>>,
    /// Recordings that ended in another way.
    pub(super) ended_otherwise: usize,
    report: CeilingReport,
}

impl Stage {
    /// A world in which these calls happen. Nobody starts an archiver yet.
    pub(super) fn of(load: Load, seed: u64, calls: Vec<Planned>, refusing: Option<Origin>, logs: Logs) -> Self {
        let delivery = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
        let settings = Settings { sound: Sound::Sketch, delivery, ..Settings::default() };
        let world = World::new(Plan {
            seed,
            keep_trace: false,
            faults_until_ms: MIDNIGHT_MS,
            settings,
            knobs: Knobs::default(),
            bodies: Bodies::Prompt,
            refusing,
        });
        let calls = Rc::new(calls);
        world.spawner.spawn(make_known(world.time.clone(), world.vendor.clone(), calls.clone()));
        world.tell();
        Self { world, calls, load, seed, logs }
    }

    /// From `from_ms`, epoch milliseconds, on an archiver is started every minute in which there is something to do.
    pub(super) fn schedule(&self, archiver: Rc<Fleet>, from_ms: u64) {
        self.world.spawner.spawn(tick(self.world.clone(), archiver, from_ms));
    }

    /// Changes the vendor's side at a time, epoch milliseconds.
    pub(super) fn change(&self, at_ms: u64, change: impl FnOnce(&mut Settings) + 'static) {
        let (time, vendor) = (self.world.time.clone(), self.world.vendor.clone());
        self.world.spawner.spawn(async move {
            time.sleep_until(at_ms).await;
            change(vendor.core.borrow_mut().settings_mut());
        });
    }

    /// Lets it run until `until_ms`, epoch milliseconds, or until it has come to rest. Everything must have ended then.
    pub(super) fn play(self, until_ms: u64) -> Played {
        let Self { world, calls, load, seed, logs } = self;
        // The same people speak in all calls.
        let mut foreseen = Foreseen::of(calls.first().map(Planned::script).as_ref());
        calls.iter().for_each(|call| foreseen.add_lasting(&call.recording.id));
        let mut judge = world.judge(logs, foreseen);
        let steps = world.run(|| {
            judge.look();
            world.time.now_ms() < until_ms
        });
        judge.look_at_endings(world.time.now_ms() < until_ms);
        let mut violations: Vec<String> = judge.violations().iter().take(TOLD).cloned().collect();
        let more = judge.violations().len() - violations.len();
        violations.extend((more > 0).then(|| format!("and {more} more")));

        let mut archived: BTreeMap<String, u64> = BTreeMap::new();
        let mut ended_otherwise = 0;
        world.table.with_rows(|rows| {
            for (recording, result) in rows.values().flat_map(|stored| &stored.row.results) {
                match result.state {
                    RecordingState::Waiting => {}
                    RecordingState::Archived => drop(archived.insert(recording.as_str().to_owned(), result.at_ms)),
                    RecordingState::TooShort | RecordingState::Unavailable | RecordingState::Deleted => {
                        ended_otherwise += 1;
                    }
                }
            }
        });
        let report = CeilingReport {
            load,
            seed,
            figures: Vec::new(),
            violations,
            recordings: calls.len(),
            archived: archived.len(),
            simulated_ms: world.time.now_ms() - MIDNIGHT_MS,
            steps,
        };
        let archived_at_ms = calls.iter().map(|call| archived.get(&call.recording.id).copied()).collect();
        Played { calls, received: world.vendor.received.take(), archived_at_ms, ended_otherwise, report }
    }
}

impl Played {
    /// How many recordings were archived.
    pub(super) fn archived(&self) -> usize {
        self.report.archived
    }

    /// The report with these figures.
    pub(super) fn report(self, figures: impl Into<Vec<Figure>>) -> CeilingReport {
        CeilingReport { figures: figures.into(), ..self.report }
    }
}

/// There is always a whole portion ahead, so that the vendor never runs out of things to tell before the end.
async fn make_known(time: Time, vendor: Vendor, calls: Rc<Vec<Planned>>) {
    let portions: Vec<&[Planned]> = calls.chunks(PORTION).collect();
    for (place, portion) in portions.iter().enumerate() {
        let before = place.checked_sub(1).filter(|before| *before > 0).and_then(|before| portions[before].first());
        if let Some(call) = before {
            time.sleep_until(call.ended_at_ms).await;
        }
        portion.iter().for_each(|call| vendor.core.borrow_mut().schedule(call.script()));
    }
}

async fn tick(world: World, archiver: Rc<Fleet>, from_ms: u64) {
    let World { time, dice, table, vendor, functions, .. } = world;
    let mut minute_ms = from_ms;
    loop {
        time.sleep_until(minute_ms + dice.between(0..=JITTER_MS)).await;
        minute_ms += MINUTE_MS;
        let next_due_ms = table.next_due_ms();
        if functions.busy() || next_due_ms.is_some_and(|at_ms| at_ms <= time.now_ms()) {
            functions.start(&archiver, "schedule");
        } else if next_due_ms.is_none() && vendor.core.borrow().next_ms().is_none() {
            return;
        }
    }
}
