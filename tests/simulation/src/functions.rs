//! The functions of the stack, as Lambda runs them: instances that live on between runs, are killed, and start cold.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use futures_util::future::{Either, select};
use ringcentral_sim::core::{Delivery, HandshakeAnswer};
use shared::{
    clients::{
        ringcentral::{Permits, RingCentral, TokenKeeper, origin::OriginGate},
        secrets::RingCentralCredentials,
    },
    domain::{delivery, permits::Group, session::Schedule},
    secret::Secret,
    usecases::{
        archive_due::{Archiver, Run},
        record_notification::{Outcome, record_notification},
    },
};

use crate::{
    chance::SimulatedClock,
    crossing::{Crossing, Far},
    executor::{Mortal, Spawner},
    faults::Fault,
    memory::{MemoryBucket, MemoryPermitRows, MemoryTable, MemoryTokenRow},
    vendor::Vendor,
};

/// How long one run of the archiver may take, milliseconds; as the template has it.
const ARCHIVER_TIMEOUT_MS: u64 = 300_000;

/// An await no run has more of before it is over, most of the time.
const LAST_AWAIT: u64 = 60;

/// The vendor's client.
pub(crate) type Source = RingCentral<Vendor, Far<MemoryTokenRow>, Far<MemoryPermitRows>, SimulatedClock>;

/// The deployed stack.
pub(crate) struct Functions {
    with: Deployment,
    archiver: Rc<Fleet>,
    started: Cell<u64>,
    running: Cell<usize>,
    /// Events of this time reach the webhook only after it, all at once.
    held_until_ms: Cell<u64>,
    acknowledged: RefCell<Vec<Acknowledged>>,
}

/// The instances of one archiver.
pub(crate) struct Fleet {
    table: MemoryTable,
    idle: RefCell<Vec<Source>>,
}

/// The body of a notification that was answered with 200: the vendor will not say it again.
pub(crate) type Acknowledged = Rc<[u8]>;

/// What the stack is deployed with.
pub(crate) struct Deployment {
    /// The network.
    pub(crate) crossing: Crossing,
    /// Where its tasks go.
    pub(crate) spawner: Spawner,
    /// The vendor.
    pub(crate) vendor: Vendor,
    /// The table.
    pub(crate) table: MemoryTable,
    /// The bucket.
    pub(crate) bucket: MemoryBucket,
    /// The waits.
    pub(crate) schedule: Schedule,
    /// How long the vendor keeps a recording.
    pub(crate) retention: Duration,
    /// Where its tokens may go.
    pub(crate) origins: OriginGate,
    /// What it signs in with.
    pub(crate) credentials: RingCentralCredentials,
    /// What authentic deliveries carry.
    pub(crate) verification: Secret,
}

impl Functions {
    /// Deploys.
    pub(crate) fn deploy(with: Deployment) -> Rc<Self> {
        Rc::new(Self {
            archiver: Fleet::over(with.table.clone()),
            with,
            started: Cell::new(0),
            running: Cell::new(0),
            held_until_ms: Cell::new(0),
            acknowledged: RefCell::default(),
        })
    }

    /// Whether something runs or is under way.
    pub(crate) fn busy(&self) -> bool {
        self.running.get() > 0
    }

    /// What the vendor was told had been recorded.
    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.borrow().clone()
    }

    /// The deployed archiver.
    pub(crate) fn archiver(&self) -> Rc<Fleet> {
        self.archiver.clone()
    }

    /// An archiver more, cold, that works on the same rows without minding the drain lease.
    pub(crate) fn heedless_archiver(&self) -> Rc<Fleet> {
        Fleet::over(self.with.table.without_lease())
    }

    /// Starts a run of an archiver in an idle instance, or in a cold one.
    pub(crate) fn start(self: &Rc<Self>, fleet: &Rc<Fleet>, why: &'static str) {
        let (this, fleet) = (self.clone(), fleet.clone());
        self.started.set(self.started.get() + 1);
        let id = format!("run-{}", self.started.get());
        let source = fleet.idle.borrow_mut().pop();
        let source = source.unwrap_or_else(|| self.sign_in(&id));
        self.running.set(self.running.get() + 1);
        self.with.spawner.spawn(async move {
            let Crossing { time, dice, faults, trace, .. } = &this.with.crossing;
            trace.line(format_args!("archiver {id} starts: {why}"));
            let sessions = Far::new(fleet.table.clone(), this.with.crossing.clone());
            let archive = Far::new(this.with.bucket.clone(), this.with.crossing.clone());
            let clock = SimulatedClock { time: time.clone(), dice: dice.clone() };
            let archiver = Archiver {
                sessions: &sessions,
                source: &source,
                archive: &archive,
                clock: &clock,
                schedule: &this.with.schedule,
                retention: this.with.retention,
            };
            let deadline_ms = time.now_ms() + ARCHIVER_TIMEOUT_MS;
            let doomed = faults.plans(Fault::ArchiverKilled);
            let awaits = if doomed { dice.between(0..=LAST_AWAIT) } else { u64::from(u32::MAX) };
            let run = archiver.archive_due(Run { id: &id, deadline_ms });
            let run = Mortal::new(run, u32::try_from(awaits).unwrap_or(u32::MAX));
            let ended = match select(pin!(run), pin!(time.sleep_until(deadline_ms))).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => None,
            };
            match &ended {
                Some(Ok(summary)) => trace.line(format_args!("archiver {id} ends: {summary:?}")),
                Some(Err(error)) => trace.line(format_args!("archiver {id} fails: {error}")),
                None if doomed => faults.struck_by(Fault::ArchiverKilled),
                None => this.with.vendor.wrongs.borrow_mut().push(format!("archiver {id} ran into its deadline")),
            }
            if ended.is_none() && !this.knows_of_penalty() {
                // What it had seen of a penalty, it had no time to hand on.
                *this.with.vendor.penalty.borrow_mut() = 0..0;
            }
            if ended.is_some() {
                fleet.idle.borrow_mut().push(source);
            }
            this.running.set(this.running.get() - 1);
        });
    }

    /// Whether the penalty is written in the ledger that all runs read.
    fn knows_of_penalty(&self) -> bool {
        let rows = self.with.table.permit_rows(&self.with.credentials.client_id);
        let ledger = rows.ledger_now(&Group::heavy());
        ledger.is_some_and(|ledger| ledger.frozen_until_ms > self.with.crossing.time.now_ms())
    }

    /// Takes a notification from the vendor to the webhook, and the webhook's answer back.
    pub(crate) fn deliver(self: &Rc<Self>, delivery: Delivery) {
        let this = self.clone();
        self.running.set(self.running.get() + 1);
        self.with.spawner.spawn(async move {
            this.carry(&delivery).await;
            this.running.set(this.running.get() - 1);
        });
    }

    async fn carry(self: &Rc<Self>, delivery: &Delivery) {
        let Crossing { time, dice, faults, .. } = &self.with.crossing;
        let mut times = 1;
        if faults.strikes(Fault::EventLost) {
            times = 0;
        } else if faults.strikes(Fault::EventTwice) {
            times = 2;
        }
        if faults.strikes(Fault::EventLate) {
            time.sleep(dice.between(1_000..=600_000)).await;
        }
        if faults.strikes(Fault::EventsHeld) {
            let until_ms = time.now_ms() + dice.between(45_000..=150_000);
            self.held_until_ms.set(self.held_until_ms.get().max(until_ms));
        }
        time.sleep_until(self.held_until_ms.get().max(time.now_ms())).await;
        let mut heard = false;
        for _ in 0..times {
            time.sleep(dice.latency_ms(10, 40)).await;
            heard |= self.webhook(delivery).await;
        }
        let answer = if heard { answered() } else { HandshakeAnswer::Unreachable };
        self.with.vendor.core.borrow_mut().delivered(delivery, &answer, time.now_ms());
    }

    /// One invocation of the webhook; whether it answered 200.
    async fn webhook(self: &Rc<Self>, delivery: &Delivery) -> bool {
        let Crossing { time, dice, faults, trace, .. } = &self.with.crossing;
        let token = delivery.headers.iter().find(|(name, _)| *name == "Verification-Token");
        let tokens = token.map(|(_, token)| token.as_bytes()).into_iter().collect();
        let authentic = delivery::Delivery { body: &delivery.body, tokens };
        let Some(authentic) = authentic.authenticate(std::slice::from_ref(&self.with.verification)) else {
            self.with.vendor.wrongs.borrow_mut().push("an authentic notification was refused".to_owned());
            return false;
        };
        let sessions = Far::new(self.with.table.clone(), self.with.crossing.clone());
        let doomed = faults.plans(Fault::WebhookKilled);
        let awaits = if doomed { dice.between(0..=2) } else { u64::from(u32::MAX) };
        let recording = record_notification(&sessions, &self.with.schedule, &authentic, time.now_ms());
        let recorded = Mortal::new(recording, u32::try_from(awaits).unwrap_or(u32::MAX)).await;
        match recorded {
            Some(Ok(outcome)) => {
                trace.line(format_args!("webhook {}", outcome.name()));
                self.acknowledged.borrow_mut().push(delivery.body.as_slice().into());
                if outcome == Outcome::Recorded && faults.strikes(Fault::StreamStarted) {
                    self.start(&self.archiver, "stream");
                }
                true
            }
            Some(Err(error)) => {
                trace.line(format_args!("webhook fails: {error}"));
                false
            }
            None => {
                faults.struck_by(Fault::WebhookKilled);
                false
            }
        }
    }

    /// A client of the vendor, as a function that starts cold makes one; `holder` tells it from others.
    pub(crate) fn sign_in(&self, holder: &str) -> Source {
        let row = Far::new(self.with.table.token_row(&self.with.credentials.client_id), self.with.crossing.clone());
        let server = self.with.origins.server().clone();
        let keeper =
            TokenKeeper::new(self.with.vendor.clone(), server, self.with.credentials.clone(), row, holder.to_owned());
        let rows = self.with.table.permit_rows(&self.with.credentials.client_id);
        let permits = Permits::new(Far::new(rows, self.with.crossing.clone()), holder.to_owned());
        let Crossing { time, dice, .. } = &self.with.crossing;
        RingCentral::new(
            self.with.vendor.clone(),
            self.with.origins.clone(),
            keeper,
            permits,
            SimulatedClock { time: time.clone(), dice: dice.clone() },
        )
    }
}

impl Fleet {
    fn over(table: MemoryTable) -> Rc<Self> {
        Rc::new(Self { table, idle: RefCell::default() })
    }
}

fn answered() -> HandshakeAnswer {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    HandshakeAnswer::Reply { status: 200, headers: vec![json], body_bytes: 24, elapsed_ms: 60 }
}
