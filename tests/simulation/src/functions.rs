//! The functions of the stack, as Lambda runs them.

mod awaits;
mod runs;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

pub(crate) use awaits::Awaits;
pub(crate) use runs::{Fleet, TIMEOUT_MS};

use ringcentral_sim::core::{Delivery, HandshakeAnswer};
use shared::{
    clients::{
        ringcentral::{Permits, RingCentral, TokenKeeper, origin::OriginGate},
        secrets::RingCentralCredentials,
    },
    domain::{delivery, permits::Share, session::Schedule},
    ports::clock::Clock,
    secret::Secret,
    telemetry::measured::{self, Delivered},
    usecases::record_notification::{Outcome, record_notification},
};

use crate::{
    chance::SimulatedClock,
    cloudwatch::Point,
    crossing::{Crossing, Far},
    executor::{Mortal, Spawner},
    faults::Fault,
    memory::{MemoryBucket, MemoryPermitRows, MemoryTable, MemoryTokenRow},
    received::Sender,
    vendor::Vendor,
    world::{HOUR_MS, MINUTE_MS},
};

/// The vendor's client.
pub(crate) type Source = RingCentral<Vendor, Far<MemoryTokenRow>, Far<MemoryPermitRows>, SimulatedClock>;

/// Where the webhook is.
pub(crate) const WEBHOOK_URL: &str = "https://webhook.test/";

/// A process of a function: its client of the vendor, and its clock.
pub(crate) struct Instance {
    /// Tells it from others.
    holder: Rc<str>,
    source: Source,
    clock: SimulatedClock,
}

/// The deployed stack.
pub(crate) struct Functions {
    with: Deployment,
    archiver: Rc<Fleet>,
    reconciler: Rc<Fleet>,
    webhook: Awaits,
    reconciles_at_ms: Cell<Option<u64>>,
    started: Cell<u64>,
    running: Cell<usize>,
    /// Whether the reconciler sees to the subscription and proves days, too.
    oversees: Cell<bool>,
    measured: RefCell<Vec<Point>>,
    /// Events of this time reach the webhook only after it, all at once.
    held_until_ms: Cell<u64>,
    acknowledged: RefCell<Vec<Acknowledged>>,
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
    /// How much of the call log the reconciler reads anew every hour.
    pub(crate) window: Duration,
    /// How far an instance's clock may be ahead of the time, or behind it, milliseconds.
    pub(crate) skew_ms: u64,
    /// The part of the vendor's limit that the reconciler keeps within.
    pub(crate) share: Share,
    /// Where its tokens may go.
    pub(crate) origins: OriginGate,
    /// What it signs in with.
    pub(crate) credentials: RingCentralCredentials,
    /// What authentic deliveries carry one of; new subscriptions carry the first.
    pub(crate) verification: Vec<Secret>,
}

impl Functions {
    /// Deploys.
    pub(crate) fn deploy(with: Deployment) -> Rc<Self> {
        Rc::new(Self {
            archiver: Fleet::of(Sender::Archiver, with.table.clone()),
            reconciler: Fleet::of(Sender::Reconciler, with.table.clone()),
            webhook: Awaits::default(),
            reconciles_at_ms: Cell::new(None),
            with,
            started: Cell::new(0),
            running: Cell::new(0),
            oversees: Cell::new(false),
            measured: RefCell::default(),
            held_until_ms: Cell::new(0),
            acknowledged: RefCell::default(),
        })
    }

    /// Whether something runs or is under way.
    pub(crate) fn busy(&self) -> bool {
        self.running.get() > 0
    }

    /// From now on the reconciler does the whole of its work, and not its sweeps alone.
    pub(crate) fn oversee(&self) {
        self.oversees.set(true);
    }

    /// What the functions have measured so far.
    pub(crate) fn measured(&self) -> Vec<Point> {
        self.measured.borrow().clone()
    }

    /// How often the archiver was started, and the reconciler.
    pub(crate) fn runs(&self) -> [u64; 2] {
        [self.archiver.started(), self.reconciler.started()]
    }

    /// What the vendor was told had been recorded.
    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        self.acknowledged.borrow().clone()
    }

    /// What was acknowledged but for the first `known` was lost with the rows it became.
    pub(crate) fn forget_acknowledged(&self, known: usize) {
        self.acknowledged.borrow_mut().truncate(known);
    }

    /// The deployed archiver.
    pub(crate) fn archiver(&self) -> Rc<Fleet> {
        self.archiver.clone()
    }

    /// The deployed reconciler.
    pub(crate) fn reconciler(&self) -> Rc<Fleet> {
        self.reconciler.clone()
    }

    /// The awaits of the webhook's runs.
    pub(crate) fn webhook(&self) -> &Awaits {
        &self.webhook
    }

    /// When the schedule starts the reconciler next, epoch milliseconds; nothing if it does not.
    pub(crate) fn reconciles_at_ms(&self) -> Option<u64> {
        self.reconciles_at_ms.get()
    }

    /// Says so.
    pub(crate) fn reconcile_at_ms(&self, at_ms: Option<u64>) {
        self.reconciles_at_ms.set(at_ms);
    }

    /// An archiver more, cold, that works on the same rows without minding the drain lease.
    pub(crate) fn heedless_archiver(&self) -> Rc<Fleet> {
        Fleet::of(Sender::Archiver, self.with.table.without_lease())
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
            heard |= self.hear(delivery).await;
        }
        let answer = if heard { answered() } else { HandshakeAnswer::Unreachable };
        self.with.vendor.core.borrow_mut().delivered(delivery, &answer, time.now_ms());
    }

    /// One invocation of the webhook; whether it answered 200.
    async fn hear(self: &Rc<Self>, delivery: &Delivery) -> bool {
        let Crossing { dice, faults, trace, .. } = &self.with.crossing;
        let token = delivery.headers.iter().find(|(name, _)| *name == "Verification-Token");
        let tokens = token.map(|(_, token)| token.as_bytes()).into_iter().collect();
        let authentic = delivery::Delivery { body: &delivery.body, tokens };
        let Some(authentic) = authentic.authenticate(&self.with.verification) else {
            self.measure(measured::delivery(Delivered::Forged));
            self.with.vendor.wrongs.borrow_mut().push("an authentic notification was refused".to_owned());
            return false;
        };
        for tokens in [Vec::new(), vec![b"".as_slice()], vec![b"guessed".as_slice()]] {
            let forged = delivery::Delivery { body: &delivery.body, tokens };
            if forged.authenticate(&self.with.verification).is_some() {
                self.with.vendor.wrongs.borrow_mut().push("a forged notification was taken".to_owned());
            }
        }
        let sessions = Far::new(self.with.table.clone(), self.with.crossing.clone());
        let asked_for = self.webhook.doom();
        let chance = || faults.plans(Fault::WebhookKilled).then(|| dice.between(0..=2));
        let doom = asked_for.or_else(|| chance().and_then(|awaits| u32::try_from(awaits).ok()));
        let (now_ms, restores) = (self.clock().now_ms(), self.with.table.restores());
        let recording = record_notification(&sessions, &self.with.schedule, &authentic, now_ms);
        let mut recording = Mortal::new(recording, doom.unwrap_or(u32::MAX));
        let recorded = (&mut recording).await;
        if recorded.is_some() {
            self.webhook.survived(recording.passed(), asked_for);
        }
        match recorded {
            Some(Ok(outcome)) => {
                self.measure(measured::delivery(Delivered::Taken(outcome)));
                trace.line(format_args!("webhook {}", outcome.name()));
                if restores == self.with.table.restores() {
                    self.acknowledged.borrow_mut().push(delivery.body.as_slice().into());
                }
                if outcome == Outcome::Recorded && faults.strikes(Fault::StreamStarted) {
                    self.start_by_stream();
                }
                true
            }
            Some(Err(error)) => {
                self.measure(measured::delivery(Delivered::NotRecorded));
                trace.line(format_args!("webhook fails: {error}"));
                false
            }
            None => {
                faults.struck_by(Fault::WebhookKilled);
                false
            }
        }
    }

    /// The table's stream starts the archiver: at once or late, and perhaps again with what it has told before.
    fn start_by_stream(self: &Rc<Self>) {
        let this = self.clone();
        self.running.set(self.running.get() + 1);
        self.with.spawner.spawn(async move {
            let Crossing { time, dice, faults, .. } = &this.with.crossing;
            if faults.strikes(Fault::StreamLate) {
                time.sleep(dice.between(1_000..=10 * MINUTE_MS)).await;
            }
            this.start(&this.archiver, "stream");
            while faults.strikes(Fault::StreamAgain) {
                time.sleep(dice.between(1_000..=MINUTE_MS)).await;
                this.start(&this.archiver, "stream, again");
            }
            this.running.set(this.running.get() - 1);
        });
    }

    /// A stranger who guesses sends an event to the webhook.
    pub(crate) fn knock(&self) {
        let guessed = delivery::Delivery { body: b"{}", tokens: vec![b"guessed"] };
        if guessed.authenticate(&self.with.verification).is_none() {
            self.measure(measured::delivery(Delivered::Forged));
        }
    }

    /// A client of the vendor whose clock goes right; `holder` tells it from others.
    pub(crate) fn sign_in(&self, sender: Sender, holder: &str) -> Source {
        self.client(sender, holder, self.true_clock())
    }

    /// An instance that starts cold; `holder` tells it from others.
    fn instance(&self, sender: Sender, holder: &str) -> Instance {
        let clock = self.clock();
        if clock.ahead_ms != 0 {
            self.with.crossing.faults.struck_by(Fault::ClockSkew);
        }
        Instance { holder: Rc::from(holder), source: self.client(sender, holder, clock.clone()), clock }
    }

    /// The clock of an instance: it may be ahead of the time, or behind it.
    fn clock(&self) -> SimulatedClock {
        let Deployment { crossing, skew_ms, .. } = &self.with;
        let may_be_off = *skew_ms > 0 && crossing.time.now_ms() < crossing.faults.until_ms();
        let off_ms =
            if may_be_off { crossing.dice.between(0..=2 * skew_ms).cast_signed() - skew_ms.cast_signed() } else { 0 };
        SimulatedClock { ahead_ms: off_ms, ..self.true_clock() }
    }

    fn true_clock(&self) -> SimulatedClock {
        let Crossing { time, dice, .. } = &self.with.crossing;
        SimulatedClock { time: time.clone(), dice: dice.clone(), ahead_ms: 0 }
    }

    /// Whether faults stopped so long ago that no run may fail any more.
    fn is_calm(&self) -> bool {
        let Crossing { time, faults, .. } = &self.with.crossing;
        time.now_ms() > faults.until_ms() + HOUR_MS
    }

    fn client(&self, sender: Sender, holder: &str, clock: SimulatedClock) -> Source {
        let Deployment { crossing, vendor, table, origins, credentials, .. } = &self.with;
        let vendor = Vendor { sender, holder: Rc::from(holder), ..vendor.clone() };
        let row = Far::new(table.token_row(&credentials.client_id), crossing.clone());
        let server = origins.server().clone();
        let keeper = TokenKeeper::new(vendor.clone(), server, credentials.clone(), row, holder.to_owned());
        let rows = Far::new(table.permit_rows(&credentials.client_id), crossing.clone());
        let permits = match sender {
            Sender::Archiver => Permits::new(rows, holder.to_owned()),
            Sender::Reconciler => Permits::within(self.with.share, rows, holder.to_owned()),
        };
        RingCentral::new(vendor, origins.clone(), keeper, permits, clock)
    }
}

fn answered() -> HandshakeAnswer {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    HandshakeAnswer::Reply { status: 200, headers: vec![json], body_bytes: 24, elapsed_ms: 60 }
}
