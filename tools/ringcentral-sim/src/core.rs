//! The vendor as a pure machine: a request and the time go in, a reply comes out.

mod agenda;
mod answer;
mod call_log;
mod call_record;
mod chance;
mod fault;
mod happen;
mod limits;
mod links;
mod live_session;
mod message;
mod notify;
mod offered;
mod outage;
mod recordings;
mod route;
mod sessions;
mod subscriptions;

pub use limits::RateGroup;
pub use message::{Manner, Origin, Origins, Reply, Request, Served};
pub use notify::{Delivery, DeliveryPurpose};
pub use offered::Offered;
pub use subscriptions::{Handshake, HandshakeAnswer, Subscription, SubscriptionStatus};

use crate::settings::Settings;
use crate::world::{Call, Recording, World, learn};
use agenda::Agenda;
use answer::Answer;
use fault::Fault;
use limits::{Gauge, Limits};
use links::Links;
use route::Route;
use serde_json::Value;
use sessions::Sessions;
use std::collections::{BTreeMap, VecDeque};
use subscriptions::{Pending, Subscriptions};

/// RingCentral for one account, one application and one user. It knows no clock: every call that needs the time is
/// given it, in epoch milliseconds.
pub struct Simulator {
    settings: Settings,
    origins: Origins,
    world: World,
    agenda: Agenda,
    /// Transitions of a call that wait for more of the same call, by `telephonySessionId`.
    untold: BTreeMap<String, Value>,
    /// What is to be sent, with the time since when.
    outbox: VecDeque<(u64, Delivery)>,
    deliveries_made: u64,
    sessions: Sessions,
    limits: Limits,
    subscriptions: Subscriptions,
    served: Vec<Served>,
}

/// What a request leads to.
#[derive(Debug)]
pub enum Outcome {
    /// The answer is known.
    Reply(Reply),
    /// The address of a new subscription must be asked first (API.md §5.2); the reply comes from
    /// [`Simulator::finish_handshake`].
    Handshake(Handshake),
}

/// A request on its way: what the log and the headers of its reply will say.
#[derive(Debug)]
struct Asked {
    served: Served,
    gauge: Option<Gauge>,
}

impl Simulator {
    /// Starts with no calls, no sessions and no subscriptions.
    pub fn new(settings: Settings, origins: Origins) -> Self {
        Self {
            settings,
            origins,
            world: World::default(),
            agenda: Agenda::default(),
            untold: BTreeMap::new(),
            outbox: VecDeque::new(),
            deliveries_made: 0,
            sessions: Sessions::default(),
            limits: Limits::default(),
            subscriptions: Subscriptions::default(),
            served: Vec::new(),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings, to be changed at any time.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Learns calls, parties and recordings from a telephony session notification, given as the whole webhook body
    /// (API.md §6). A party that reaches Disconnected, Gone or VoiceMail ends at `now_ms`. Other events are ignored.
    pub fn learn(&mut self, event: &Value, now_ms: u64) {
        self.advance(now_ms);
        learn(&mut self.world, event, &self.settings, now_ms);
    }

    /// Adds a call that no event told of.
    pub fn add_call(&mut self, call: Call) {
        self.world.add(call);
    }

    /// A call by its `telephonySessionId`, to be changed: but not its ids and its start, by which it is found, and
    /// recordings may only be taken out.
    pub fn call_mut(&mut self, telephony_session_id: &str) -> Option<&mut Call> {
        self.world.call_mut(telephony_session_id)
    }

    /// Puts a call at another time; false if there is none.
    pub fn begin_call(&mut self, telephony_session_id: &str, started_at_ms: u64) -> bool {
        self.world.begin_call(telephony_session_id, started_at_ms)
    }

    /// A recording by its id, to be changed: but not its id.
    pub fn recording_mut(&mut self, id: &str) -> Option<&mut Recording> {
        self.world.recording_mut(id)
    }

    /// Exactly the bytes a whole and healthy download of this recording has.
    pub fn audio_of(&self, recording_id: &str) -> Option<Vec<u8>> {
        self.world.recording(recording_id).map(|(_, recording)| recording.audio(self.settings.sound))
    }

    /// Every request answered so far, in order.
    pub fn requests(&self) -> &[Served] {
        &self.served
    }

    /// Every access and refresh token given out so far, in order: for who looks whether one leaked.
    pub fn issued(&self) -> &[String] {
        self.sessions.issued()
    }

    /// Answers a request, or says that a handshake is needed first. Whatever is due by now happens before.
    pub fn handle(&mut self, request: &Request, now_ms: u64) -> Outcome {
        self.advance(now_ms);
        let mut asked = Asked::of(request);
        if let Some(reply) = self.outage(request, now_ms) {
            return Outcome::Reply(self.conclude(asked, reply));
        }
        let Some(route) = Route::of(request) else {
            return Outcome::Reply(self.conclude(asked, Fault::no_such_uri().reply()));
        };
        if let Err(fault) = self.authorize(&route, request, now_ms) {
            return Outcome::Reply(self.conclude(asked, fault.reply()));
        }
        let gauge = self.limits.count(route.group(&self.settings), &self.settings, now_ms);
        asked.gauge = Some(gauge);
        if !gauge.admitted {
            let mut reply = Fault::throttled(self.settings.throttle_code).reply();
            if self.settings.retry_after {
                reply = reply.with("Retry-After", gauge.window_s);
            }
            return Outcome::Reply(self.conclude(asked, reply));
        }
        match self.answer(&route, request, now_ms) {
            Ok(Answer::Reply(reply)) => Outcome::Reply(self.conclude(asked, reply)),
            Ok(Answer::AskAddress(draft)) => Outcome::Handshake(Handshake::new(asked, draft)),
            Err(fault) => Outcome::Reply(self.conclude(asked, fault.reply())),
        }
    }

    /// Ends the creation of a subscription with what its address said (API.md §5.1).
    pub fn finish_handshake(&mut self, handshake: Handshake, answer: HandshakeAnswer, now_ms: u64) -> Reply {
        self.advance(now_ms);
        let Pending { validation_token, asked, draft } = *handshake.pending;
        let reply = match subscriptions::judge(&validation_token, &answer, &self.settings.handshake) {
            Ok(()) => {
                let subscription = self.subscriptions.add(draft, now_ms);
                self.enter_reminders(&subscription.id, now_ms);
                match self.settings.creation_unheard {
                    Some(status) => Reply::bare(status).announcing(Some(0)),
                    None => Reply::json(200, &subscription.resource(&self.links(), now_ms)),
                }
            }
            Err(fault) => fault.reply(),
        };
        self.conclude(asked, reply)
    }

    /// The subscriptions that have not expired, oldest first.
    pub fn subscriptions(&self, now_ms: u64) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.living(now_ms)
    }

    /// A subscription that has not expired, to be changed.
    pub fn subscription_mut(&mut self, subscription_id: &str, now_ms: u64) -> Option<&mut Subscription> {
        self.subscriptions.living_mut(subscription_id, now_ms)
    }

    /// Stops deliveries to a subscription, as the vendor does after failures (API.md §5.4). False if there is none.
    pub fn blacklist(&mut self, subscription_id: &str, reason: &str, now_ms: u64) -> bool {
        let found = self.subscriptions.living_mut(subscription_id, now_ms);
        let known = found.map(|subscription| subscription.blacklist(reason, now_ms)).is_some();
        if known {
            self.enter_recheck(subscription_id.to_owned(), now_ms);
        }
        known
    }

    /// What the vendor would send for this event: one delivery for each active subscription with a matching filter
    /// (API.md §5.4). The event is the whole webhook body; `subscriptionId` and `ownerId` are replaced by the true
    /// ones. The first delivery keeps the event's `uuid`, further ones get their own. Nothing of it is left to chance.
    pub fn deliveries(&mut self, event: &Value, now_ms: u64) -> Vec<Delivery> {
        let subscriptions = self.subscriptions.living(now_ms);
        notify::deliveries(subscriptions, event, &self.settings, &mut self.deliveries_made)
    }

    fn links(&self) -> Links {
        Links {
            origins: self.origins.clone(),
            account_id: self.settings.account_id.clone(),
            spells_port: self.settings.content_uri_port,
        }
    }

    /// Writes the log and adds the headers every reply has (API.md §3).
    fn conclude(&mut self, asked: Asked, reply: Reply) -> Reply {
        let Asked { mut served, gauge } = asked;
        served.status = reply.status;
        served.group = gauge.map(|gauge| gauge.group);
        self.served.push(served);
        let reply = reply.with("RCRequestId", format!("{:08x}-0000-4000-8000-000000000000", self.served.len()));
        let Some(gauge) = gauge.filter(|_| self.settings.rate_headers) else { return reply };
        reply
            .with("X-Rate-Limit-Group", gauge.group.name())
            .with("X-Rate-Limit-Limit", gauge.limit)
            .with("X-Rate-Limit-Remaining", gauge.remaining)
            .with("X-Rate-Limit-Window", gauge.window_s)
    }
}

impl Asked {
    fn of(request: &Request) -> Self {
        let served = Served {
            origin: request.origin,
            method: request.method.clone(),
            target: request.target.clone(),
            bearer: sessions::fingerprint(request),
            group: None,
            status: 0,
        };
        Self { served, gauge: None }
    }
}

#[cfg(test)]
mod tests;
