//! What goes wrong, how often, and how often it did.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use crate::{chance::Dice, executor::Time, trace::Trace};

/// A way the world fails the program. What the vendor does wrong with its own recordings comes with the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Table or bucket refuse: it did not happen, and says so.
    Refused,
    /// A request to table or bucket gets lost: it did not happen, and looks like a timeout.
    RequestLost,
    /// The answer of table or bucket gets lost: it happened, and looks like a timeout.
    AnswerLost,
    /// A request never reaches the vendor.
    VendorRequestLost,
    /// The vendor's answer gets lost: it has counted the request.
    VendorAnswerLost,
    /// The vendor answers with an error of a gateway.
    VendorBadGateway,
    /// The vendor throttles, though the program has kept to the limit.
    VendorThrottles,
    /// A body from the vendor breaks off.
    BodyBroken,
    /// Table, bucket or vendor take long.
    Slow,
    /// An event never reaches the webhook.
    EventLost,
    /// An event comes twice.
    EventTwice,
    /// An event comes late, after others of its call.
    EventLate,
    /// The vendor's deliveries stand still for a while, and come all at once.
    EventsHeld,
    /// The webhook is killed while it records an event.
    WebhookKilled,
    /// The archiver is killed.
    ArchiverKilled,
    /// The reconciler is killed.
    ReconcilerKilled,
    /// The schedule leaves out a minute.
    TickMissed,
    /// The schedule starts two runs.
    TickTwice,
    /// The schedule leaves out many minutes in a row.
    TicksMissed,
    /// The schedule starts many runs at once.
    TicksAtOnce,
    /// The stream starts a run beside the schedule's.
    StreamStarted,
    /// The stream starts it late.
    StreamLate,
    /// The stream starts it again, though it has run.
    StreamAgain,
    /// An instance's clock is ahead of the time, or behind it.
    ClockSkew,
    /// The ledger of permits vanishes from the table.
    PermitRowLost,
    /// The access token vanishes from the table, and with it the right to mint.
    TokenRowLost,
    /// A session's row becomes one that cannot be read, until a person mends it.
    RowSpoilt,
    /// The whole table is what it was an hour ago.
    TableRestored,
    /// The table answers nobody for a while.
    TableDown,
    /// The bucket takes nothing in for a while, and perhaps gives nothing out.
    BucketRefuses,
    /// Nothing that the vendor sends of a recording comes to an end.
    RecordingPoisoned,
    /// The vendor has given up the subscription for want of answers; seen when it is made anew.
    SubscriptionDied,
}

impl Fault {
    /// How likely it is each time it could happen; some could once a day.
    fn share(self) -> f64 {
        match self {
            Self::Refused | Self::RequestLost | Self::AnswerLost => 0.02,
            Self::VendorRequestLost | Self::VendorAnswerLost | Self::VendorBadGateway | Self::BodyBroken => 0.03,
            Self::Slow | Self::VendorThrottles => 0.02,
            Self::EventLost => 0.04,
            Self::EventTwice | Self::EventLate | Self::EventsHeld => 0.08,
            Self::WebhookKilled => 0.02,
            Self::ArchiverKilled => 0.12,
            Self::ReconcilerKilled => 0.3,
            Self::TickMissed | Self::TickTwice | Self::StreamStarted => 0.08,
            Self::TicksMissed | Self::TicksAtOnce => 0.01,
            Self::StreamLate | Self::StreamAgain => 0.3,
            Self::PermitRowLost | Self::TokenRowLost => 0.5,
            Self::RowSpoilt | Self::TableRestored | Self::TableDown | Self::BucketRefuses => 0.3,
            Self::RecordingPoisoned => 0.3,
            // These follow from others, and from how the stack is deployed.
            Self::ClockSkew | Self::SubscriptionDied => 0.0,
        }
    }
}

/// Draws faults until a given time and counts them; clones share the count.
#[derive(Clone)]
pub(crate) struct Faults {
    time: Time,
    dice: Dice,
    trace: Trace,
    until_ms: u64,
    struck: Rc<RefCell<BTreeMap<Fault, u32>>>,
}

impl Faults {
    /// Faults that stop at `until_ms`, epoch milliseconds.
    pub(crate) fn until(until_ms: u64, time: Time, dice: Dice, trace: Trace) -> Self {
        Self { time, dice, trace, until_ms, struck: Rc::default() }
    }

    /// Whether the fault happens this time.
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        let strikes = self.plans(fault);
        if strikes {
            self.struck_by(fault);
        }
        strikes
    }

    /// Whether the fault is to happen this time, if nothing comes in between; it does not count yet.
    pub(crate) fn plans(&self, fault: Fault) -> bool {
        self.time.now_ms() < self.until_ms && self.dice.hits(fault.share())
    }

    /// Until when faults strike, epoch milliseconds.
    pub(crate) fn until_ms(&self) -> u64 {
        self.until_ms
    }

    /// Counts a fault that has happened.
    pub(crate) fn struck_by(&self, fault: Fault) {
        self.trace.line(format_args!("fault {fault:?}"));
        *self.struck.borrow_mut().entry(fault).or_default() += 1;
    }

    /// How often each has happened.
    pub(crate) fn struck(&self) -> BTreeMap<Fault, u32> {
        self.struck.borrow().clone()
    }
}
