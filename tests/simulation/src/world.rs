//! What every simulated world stands on: a clock, the vendor, a table, a bucket, the functions and the network between.

use std::{cell::RefCell, rc::Rc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use ringcentral_sim::{
    Settings,
    core::{Origin, Outcome as Answer, Request, Simulator},
};
use serde_json::{Value, json};
use shared::{clients::secrets::RingCentralCredentials, domain::session::Schedule, secret::Secret};

use crate::{
    chance::Dice,
    crossing::{Closures, Crossing},
    executor::{Executor, Spawner, Time},
    faults::Faults,
    functions::{Deployment, Functions, WEBHOOK_URL},
    judge::{Foreseen, Judge},
    knobs::Knobs,
    logs::Logs,
    memory::{MemoryBucket, MemoryTable},
    received::{Penalties, Sender},
    trace::Trace,
    vendor::{Bodies, Vendor, echo, origins},
};

/// When every world begins: 2026-03-02T00:00:00Z.
pub(crate) const MIDNIGHT_MS: u64 = 1_772_409_600_000;
/// A minute, in milliseconds.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// An hour, in milliseconds.
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
/// A day, in milliseconds.
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

/// The vendor has nothing to tell after so long but that a subscription ends in years.
const TOLD_FOR_MS: u64 = 365 * DAY_MS;

/// What one world has that others have not.
pub(crate) struct Plan {
    /// What all chance follows from.
    pub(crate) seed: u64,
    /// Whether the trace's lines are kept.
    pub(crate) keep_trace: bool,
    /// Until when faults strike, epoch milliseconds; [`MIDNIGHT_MS`]: never.
    pub(crate) faults_until_ms: u64,
    /// The vendor's side.
    pub(crate) settings: Settings,
    /// How the stack is deployed.
    pub(crate) knobs: Knobs,
    /// How the vendor's bodies come.
    pub(crate) bodies: Bodies,
    /// The origin that refuses connections, if one does.
    pub(crate) refusing: Option<Origin>,
}

/// A world; clones are the same world.
#[derive(Clone)]
pub(crate) struct World {
    /// The clock.
    pub(crate) time: Time,
    /// Chance.
    pub(crate) dice: Dice,
    /// What goes wrong.
    pub(crate) faults: Faults,
    /// What is written down.
    pub(crate) trace: Trace,
    /// Where tasks go.
    pub(crate) spawner: Spawner,
    /// What is away for a while.
    pub(crate) closures: Rc<Closures>,
    /// The table.
    pub(crate) table: MemoryTable,
    /// The bucket.
    pub(crate) bucket: MemoryBucket,
    /// The vendor, who has a subscription of the webhook.
    pub(crate) vendor: Vendor,
    /// The deployed functions.
    pub(crate) functions: Rc<Functions>,
    schedule: Schedule,
    knobs: Knobs,
}

impl World {
    /// Sets everything up. Nothing happens yet: calls are to be entered at the vendor's, and somebody must start the
    /// archiver.
    pub(crate) fn new(plan: Plan) -> Self {
        let time = Time::starting_at(MIDNIGHT_MS);
        let dice = Dice::of(plan.seed);
        let trace = Trace::new(time.clone(), plan.keep_trace);
        let faults = Faults::until(plan.faults_until_ms, time.clone(), dice.clone(), trace.clone());
        let crossing = Crossing {
            time: time.clone(),
            dice: dice.clone(),
            faults: faults.clone(),
            trace: trace.clone(),
            closures: Rc::default(),
            confirmed: Rc::default(),
        };
        let spawner = Spawner::default();
        let knobs = plan.knobs;
        let config = knobs.config();
        let closures = crossing.closures.clone();
        let (table, bucket) = (MemoryTable::default(), MemoryBucket::default());
        let credentials = RingCentralCredentials {
            client_id: plan.settings.client_id.clone(),
            client_secret: Secret::new(plan.settings.client_secret.clone()),
            jwt: Secret::new(plan.settings.jwt.clone()),
        };
        let mut core = Simulator::new(plan.settings.clone(), origins());
        subscribe(&mut core, &plan.settings, knobs.verification);
        let vendor = Vendor {
            sender: Sender::Archiver,
            holder: Rc::from(""),
            core: Rc::new(RefCell::new(core)),
            crossing: crossing.clone(),
            bodies: plan.bodies,
            refusing: plan.refusing,
            poisoned: Rc::default(),
            received: Rc::default(),
            penalties: Rc::new(RefCell::new(Penalties::among(knobs.too_far_apart_ms()))),
            wrongs: Rc::default(),
        };
        let functions = Functions::deploy(Deployment {
            crossing,
            spawner: spawner.clone(),
            vendor: vendor.clone(),
            table: table.clone(),
            bucket: bucket.clone(),
            schedule: config.schedule.clone(),
            retention: config.retention,
            window: config.window,
            share: config.share,
            skew_ms: knobs.skew_ms,
            origins: config.origins,
            credentials,
            verification: knobs.accepted.iter().map(|token| Secret::new((*token).to_owned())).collect(),
        });
        let schedule = config.schedule;
        Self { time, dice, faults, trace, spawner, closures, table, bucket, vendor, functions, schedule, knobs }
    }

    /// From now on the vendor's notifications go to the webhook, each at its time.
    pub(crate) fn tell(&self) {
        self.spawner.spawn(tell(self.time.clone(), self.vendor.clone(), self.functions.clone()));
    }

    /// Somebody else signs in as the same user. The vendor keeps a few sessions and ends the oldest (API.md §2).
    pub(crate) fn others_sign_in(&self) {
        let mut core = self.vendor.core.borrow_mut();
        let settings = core.settings().clone();
        sign_in(&mut core, &settings, self.time.now_ms());
    }

    /// Somebody who watches this world.
    pub(crate) fn judge(&self, logs: Logs, foreseen: Foreseen) -> Judge {
        let (time, trace) = (self.time.clone(), self.trace.clone());
        let (table, bucket) = (self.table.clone(), self.bucket.clone());
        let deployed = (self.schedule.clone(), self.knobs.clone());
        Judge::new((time, trace, logs), table, bucket, self.vendor.clone(), deployed, foreseen)
    }

    /// Lets it run until nothing is left to happen, or `after_step` answers false. Answers how many steps were taken.
    pub(crate) fn run(&self, after_step: impl FnMut() -> bool) -> u64 {
        Executor::new(self.time.clone(), self.spawner.clone()).run(after_step)
    }
}

/// Hands the vendor's notifications to the webhook, each at its time.
async fn tell(time: Time, vendor: Vendor, functions: Rc<Functions>) {
    loop {
        let next_ms = vendor.core.borrow().next_ms();
        let Some(next_ms) = next_ms.filter(|next_ms| *next_ms < MIDNIGHT_MS + TOLD_FOR_MS) else { return };
        time.sleep_until(next_ms).await;
        let deliveries = vendor.core.borrow_mut().due_deliveries(time.now_ms());
        for delivery in deliveries {
            functions.deliver(delivery);
        }
    }
}

/// Creates the subscription, as the vendor's API has it done: with a token, and a handshake.
fn subscribe(core: &mut Simulator, settings: &Settings, verification: &str) {
    let bearer = format!("Bearer {}", sign_in(core, settings, MIDNIGHT_MS));
    let wanted = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "expiresIn": 315_360_000,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": WEBHOOK_URL,
            "verificationToken": verification,
        },
    });
    let request = post("/restapi/v1.0/subscription", bearer, wanted.to_string());
    let Answer::Handshake(handshake) = core.handle(&request, MIDNIGHT_MS) else {
        unreachable!("a subscription is created by a handshake")
    };
    let answer = echo(&handshake);
    core.finish_handshake(handshake, answer, MIDNIGHT_MS);
}

/// Signs in as the user; gives the token.
fn sign_in(core: &mut Simulator, settings: &Settings, now_ms: u64) -> String {
    let client = BASE64_STANDARD.encode(format!("{}:{}", settings.client_id, settings.client_secret));
    let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}", settings.jwt);
    let token = match core.handle(&post("/restapi/oauth/token", format!("Basic {client}"), form), now_ms) {
        Answer::Reply(reply) => serde_json::from_slice::<Value>(&reply.body).unwrap_or_default(),
        Answer::Handshake(_) => unreachable!("tokens need no handshake"),
    };
    token["access_token"].as_str().unwrap_or_default().to_owned()
}

fn post(target: &str, authorization: String, body: String) -> Request {
    Request {
        origin: Origin::Platform,
        method: "POST".to_owned(),
        target: target.to_owned(),
        headers: vec![("authorization".to_owned(), authorization)],
        body: Bytes::from(body),
    }
}
