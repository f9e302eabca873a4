//! Runs of the archiver and of the reconciler: in instances that live on, are killed at any await, and start cold.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};

use futures_util::future::{Either, select};
use shared::{
    domain::{day::millis, permits::Group},
    ports::{clock::Clock, recording_source::RecordingSource, session_store::StoreError},
    telemetry::{Measured, measured},
    usecases::{
        archive_due::{Archiver, Run},
        oversee::{Errand, OverseeError, Overseer},
        reconcile::{Reconciler, Swept, Task, Tick},
    },
};

use super::{Deployment, Functions, Instance, Source, WEBHOOK_URL, awaits::Awaits};
use crate::{
    chance::SimulatedClock,
    cloudwatch::Point,
    crossing::{Crossing, Far},
    executor::Mortal,
    faults::Fault,
    memory::MemoryTable,
    received::Sender,
};

/// How long one run may take, milliseconds; as the template has it.
pub(crate) const TIMEOUT_MS: u64 = 300_000;

/// The reconciler sweeps until a fifth of its time is left.
const RESERVED_SHARE: u64 = 5;

/// An await no run has more of before it is over, most of the time.
const LAST_AWAIT: u64 = 60;

/// The instances of one function.
pub(crate) struct Fleet {
    sender: Sender,
    table: MemoryTable,
    idle: RefCell<Vec<Instance>>,
    started: Cell<u64>,
    awaits: Awaits,
}

impl Fleet {
    pub(super) fn of(sender: Sender, table: MemoryTable) -> Rc<Self> {
        Rc::new(Self { sender, table, idle: RefCell::default(), started: Cell::new(0), awaits: Awaits::default() })
    }

    /// The next run that has so many awaits is killed at this one, after those that were asked for before.
    pub(crate) fn kill_at(&self, awaits: u32) {
        self.awaits.kill_at(awaits);
    }

    /// The awaits of its runs that came to their ends, in the order in which they did.
    pub(crate) fn awaited(&self) -> Vec<u32> {
        self.awaits.passed()
    }

    /// How many runs were started.
    pub(super) fn started(&self) -> u64 {
        self.started.get()
    }

    fn killed_by(&self) -> Fault {
        match self.sender {
            Sender::Archiver => Fault::ArchiverKilled,
            Sender::Reconciler => Fault::ReconcilerKilled,
        }
    }
}

impl Functions {
    /// Starts a run in an idle instance, or in a cold one.
    pub(crate) fn start(self: &Rc<Self>, fleet: &Rc<Fleet>, why: &'static str) {
        let (this, fleet) = (self.clone(), fleet.clone());
        self.started.set(self.started.get() + 1);
        fleet.started.set(fleet.started.get() + 1);
        let id = format!("run-{}", self.started.get());
        let instance = fleet.idle.borrow_mut().pop();
        let instance = instance.unwrap_or_else(|| self.instance(fleet.sender, &id));
        self.running.set(self.running.get() + 1);
        self.with.spawner.spawn(async move {
            let Crossing { time, dice, faults, trace, .. } = &this.with.crossing;
            let name = fleet.sender.name();
            trace.line(format_args!("{name} {id} starts: {why}"));
            let deadline_ms = time.now_ms() + TIMEOUT_MS;
            // Lambda says the same by the instance's own clock.
            let told_ms = instance.clock.now_ms() + TIMEOUT_MS;
            let asked_for = fleet.awaits.doom();
            let chance = || faults.plans(fleet.killed_by()).then(|| dice.between(0..=LAST_AWAIT));
            let doom = asked_for.or_else(|| chance().and_then(|awaits| u32::try_from(awaits).ok()));
            let work = async {
                match fleet.sender {
                    Sender::Archiver => {
                        this.archive(&fleet.table, &instance, &id, told_ms).await.map_err(OverseeError::from)
                    }
                    Sender::Reconciler if this.oversees.get() => this.oversee_all(&instance, told_ms).await,
                    Sender::Reconciler => this.reconcile(&instance, told_ms).await.map_err(OverseeError::from),
                }
            };
            let mut work = Mortal::new(work, doom.unwrap_or(u32::MAX));
            let ended = match select(&mut work, pin!(time.sleep_until(deadline_ms))).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => None,
            };
            let passed = work.passed();
            drop(work);
            match &ended {
                Some(Ok(summary)) => trace.line(format_args!("{name} {id} ends: {summary}")),
                Some(Err(error)) if this.is_calm() => {
                    this.with.vendor.wrongs.borrow_mut().push(format!("{name} {id} fails long after faults: {error}"));
                }
                Some(Err(error)) => trace.line(format_args!("{name} {id} fails: {error}")),
                None if doom.is_some() => faults.struck_by(fleet.killed_by()),
                None => this.with.vendor.wrongs.borrow_mut().push(format!("{name} {id} ran into its deadline")),
            }
            if ended.is_none() && !this.ledger_knows_what_heard(&instance.holder) {
                // What it had seen of a penalty, it had no time to hand on.
                this.with.vendor.penalties.borrow_mut().forget(&instance.holder);
            }
            if ended.is_some() {
                fleet.awaits.survived(passed, asked_for);
                fleet.idle.borrow_mut().push(instance);
            }
            this.running.set(this.running.get() - 1);
        });
    }

    /// One run of the archiver; answers what it says of itself.
    async fn archive(
        &self,
        table: &MemoryTable,
        Instance { source, clock, .. }: &Instance,
        id: &str,
        deadline_ms: u64,
    ) -> Result<String, StoreError> {
        let sessions = Far::new(table.clone(), self.with.crossing.clone());
        let archive = Far::new(self.with.bucket.clone(), self.with.crossing.clone());
        let archiver = Archiver {
            sessions: &sessions,
            source,
            archive: &archive,
            clock,
            schedule: &self.with.schedule,
            retention: self.with.retention,
        };
        let summary = archiver.archive_due(Run { id, deadline_ms }).await?;
        self.measure(measured::archiver(&summary));
        Ok(format!("{summary:?}"))
    }

    /// One run of the reconciler, as far as it looks for what went unheard; answers what it says of itself.
    async fn reconcile(&self, instance: &Instance, deadline_ms: u64) -> Result<String, StoreError> {
        let window_ms = millis(self.with.window);
        let tick = Tick { window_ms, now: false, retention_ms: millis(self.with.retention) };
        let until_ms = deadline_ms - TIMEOUT_MS / RESERVED_SHARE;
        let Instance { source, clock, .. } = instance;
        let ticked =
            self.with_reconciler(source, clock, async |reconciler| reconciler.tick(tick, until_ms).await).await?;
        Ok(format!("{ticked:?}"))
    }

    /// One whole run of the reconciler; answers what it says of itself.
    async fn oversee_all(&self, instance: &Instance, deadline_ms: u64) -> Result<String, OverseeError> {
        let Deployment { crossing, table, bucket, schedule, retention, window, share, verification, .. } = &self.with;
        let Instance { source, clock, .. } = instance;
        let overseer = Overseer {
            table: &Far::new(table.clone(), crossing.clone()),
            archive: &Far::new(bucket.clone(), crossing.clone()),
            source,
            clock,
            schedule,
            retention: *retention,
            window: *window,
            share: *share,
            webhook_url: WEBHOOK_URL,
            verification_token: verification.first(),
        };
        let (summary, done) = overseer.run(&Errand::Schedule, deadline_ms).await;
        self.measure(measured::reconciler(&summary));
        done.map(|()| format!("{summary:?}"))
    }

    pub(super) fn measure(&self, measured: Measured) {
        let at_ms = self.with.crossing.time.now_ms();
        self.measured.borrow_mut().extend(measured.into_iter().map(|(metric, value)| Point { metric, value, at_ms }));
    }

    /// Sweeps until `until_ms`, epoch milliseconds.
    pub(crate) async fn sweep(&self, source: &Source, task: &Task, until_ms: u64) -> Result<Swept, StoreError> {
        self.with_reconciler(source, &self.true_clock(), async |reconciler| {
            reconciler.sweep(task, until_ms, |_| {}).await
        })
        .await
    }

    async fn with_reconciler<O>(
        &self,
        source: &Source,
        clock: &SimulatedClock,
        work: impl AsyncFnOnce(&Reconciler<'_, Far<MemoryTable>, Source, SimulatedClock>) -> Result<O, StoreError>,
    ) -> Result<O, StoreError> {
        let table = Far::new(self.with.table.clone(), self.with.crossing.clone());
        let (schedule, share) = (&self.with.schedule, self.with.share);
        let done = work(&Reconciler { table: &table, source, clock, schedule, share }).await;
        source.settle().await;
        done
    }

    /// Whether the ledger that all runs read says of the penalty what an instance has heard, by whatever clock.
    fn ledger_knows_what_heard(&self, holder: &str) -> bool {
        let rows = self.with.table.permit_rows(&self.with.credentials.client_id);
        let until_ms = self.with.vendor.penalties.borrow().heard_until_ms(holder);
        rows.ledger_now(&Group::heavy()).is_some_and(|ledger| ledger.frozen_until_ms + self.with.skew_ms >= until_ms)
    }
}
