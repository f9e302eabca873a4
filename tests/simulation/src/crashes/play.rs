//! A world in which one run is killed, and what it comes to.

use std::{cell::Cell, rc::Rc};

use super::{
    paths::{Path, Victim},
    rest::Rest,
};
use crate::{
    faults::Fault,
    judge::Foreseen,
    knobs::Knobs,
    logs::Logs,
    world::{DAY_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// From one start of the reconciler to the next, milliseconds; as the template has it.
const QUARTER_MS: u64 = 15 * MINUTE_MS;

/// At which moment of each minute the schedule ticks, milliseconds.
const TICK_MS: u64 = 20_000;

/// A world that has not come to rest so long after its last start of the reconciler never will.
const REST_WITHIN_MS: u64 = DAY_MS;

/// What is done to the run that goes the way.
#[derive(Clone, Copy, Default)]
pub(super) struct Kills<'a> {
    /// At which of its awaits it is killed, and then at which of theirs those that follow are.
    pub(super) at: &'a [u32],
    /// Whether another run begins at the same moment.
    pub(super) beside: bool,
}

/// What came of it.
pub(super) struct Played {
    /// Awaits of the first run of the victim that lived to its end, if one did.
    pub(super) awaits: Option<u32>,
    /// How many runs were killed.
    pub(super) struck: u32,
    pub(super) violations: Vec<String>,
    pub(super) rest: Rest,
}

/// Lets the world of a path come to rest.
pub(super) fn play(path: &Path, kills: Kills<'_>, logs: &Logs) -> Played {
    let world = World::new(Plan {
        seed: 1,
        keep_trace: false,
        faults_until_ms: MIDNIGHT_MS,
        settings: path.settings(),
        bodies: path.bodies(),
        refusing: None,
        knobs: Knobs::default(),
    });
    let mut judge = world.judge(logs.clone(), Foreseen::of(&path.scripts));
    path.scripts.iter().for_each(|script| world.vendor.core.borrow_mut().schedule(script.clone()));
    if path.oversees {
        world.functions.oversee();
    }
    let stage = Rc::new(Stage {
        world: world.clone(),
        victim: path.victim,
        strikes: Cell::new(false),
        beside: kills.beside,
        before: Cell::new(0),
        rests: Cell::new(false),
    });
    world.spawner.spawn(tell(stage.clone()));
    world.spawner.spawn(tick(stage.clone(), path.reconciled.clone()));
    world.spawner.spawn(strike(stage.clone(), path.from_ms, path.meanwhile, kills.at.to_vec()));
    world.run(|| judge.look() && !stage.rests.get());
    if judge.violations().is_empty() {
        judge.conclude(&world.functions.acknowledged());
        judge.look_for_missing();
        judge.look_at_share();
    }
    Played {
        awaits: stage.passed().get(stage.before.get()).copied(),
        struck: world.faults.struck().get(&path.victim.killed()).copied().unwrap_or_default(),
        violations: judge.violations().to_vec(),
        rest: Rest::of(&world),
    }
}

/// What the tasks of such a world share.
struct Stage {
    world: World,
    victim: Victim,
    /// Whether the victim's next run is the one that goes the way.
    strikes: Cell<bool>,
    beside: bool,
    /// How many of the victim's runs came to their ends before.
    before: Cell<usize>,
    /// Whether everything has come to rest.
    rests: Cell<bool>,
}

impl Stage {
    fn passed(&self) -> Vec<u32> {
        let functions = &self.world.functions;
        match self.victim {
            Victim::Webhook => functions.webhook().passed(),
            Victim::Archiver => functions.archiver().awaited(),
            Victim::Reconciler => functions.reconciler().awaited(),
        }
    }

    /// How many runs of a function are to begin now: two where one is to be beside the victim.
    fn runs(&self, of: Victim) -> usize {
        if of == self.victim && self.strikes.replace(false) && self.beside { 2 } else { 1 }
    }
}

impl Victim {
    fn killed(self) -> Fault {
        match self {
            Self::Webhook => Fault::WebhookKilled,
            Self::Archiver => Fault::ArchiverKilled,
            Self::Reconciler => Fault::ReconcilerKilled,
        }
    }
}

/// Says at its time who is to be killed.
async fn strike(stage: Rc<Stage>, from_ms: u64, meanwhile: fn(&World), at: Vec<u32>) {
    let World { time, functions, .. } = &stage.world;
    time.sleep_until(from_ms).await;
    meanwhile(&stage.world);
    stage.before.set(stage.passed().len());
    stage.strikes.set(true);
    for awaits in at {
        match stage.victim {
            Victim::Webhook => functions.webhook().kill_at(awaits),
            Victim::Archiver => functions.archiver().kill_at(awaits),
            Victim::Reconciler => functions.reconciler().kill_at(awaits),
        }
    }
}

/// Hands the vendor's notifications to the webhook.
async fn tell(stage: Rc<Stage>) {
    let World { time, vendor, functions, .. } = &stage.world;
    loop {
        let next_ms = vendor.core.borrow().next_ms();
        let next_ms = match next_ms {
            Some(next_ms) => next_ms,
            // What is not answered with 200 comes again.
            None if functions.busy() => time.now_ms() + 1_000,
            None => return,
        };
        time.sleep_until(next_ms).await;
        let deliveries = vendor.core.borrow_mut().due_deliveries(time.now_ms());
        for delivery in deliveries {
            (0..stage.runs(Victim::Webhook)).for_each(|_| functions.deliver(delivery.clone()));
        }
    }
}

/// Starts the reconciler every quarter of an hour in a stretch of time, and each minute the archiver where something is due,
/// until everything has come to rest.
async fn tick(stage: Rc<Stage>, reconciled: std::ops::Range<u64>) {
    let World { time, table, functions, .. } = &stage.world;
    for minute_ms in (MIDNIGHT_MS..reconciled.end + REST_WITHIN_MS).step_by(MINUTE_MS as usize) {
        time.sleep_until(minute_ms + TICK_MS).await;
        if reconciled.contains(&minute_ms) && (minute_ms - MIDNIGHT_MS).is_multiple_of(QUARTER_MS) {
            let reconciler = functions.reconciler();
            (0..stage.runs(Victim::Reconciler)).for_each(|_| functions.start(&reconciler, "schedule"));
        }
        let due_ms = table.next_due_ms();
        if due_ms.is_some_and(|due_ms| due_ms <= time.now_ms()) {
            let archiver = functions.archiver();
            (0..stage.runs(Victim::Archiver)).for_each(|_| functions.start(&archiver, "schedule"));
        }
        let is_over = minute_ms > reconciled.end + QUARTER_MS;
        if is_over && due_ms.is_none() && !functions.busy() {
            break;
        }
    }
    stage.rests.set(true);
}
