//! One simulated day: calls happen, the stack works, faults strike; then faults stop and all must come to rest.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use ringcentral_sim::{
    DeliverySettings, Settings, Sound,
    calls::{Day, Mix, Shape, Troubles},
    core::{HandshakeAnswer, Origin, Outcome as Answer, Request, Simulator},
    world::{BodyFault, Direct, ListedAt, Recording},
};
use serde_json::{Value, json};
use shared::{clients::secrets::RingCentralCredentials, config::ArchiverConfig, secret::Secret};

use crate::{
    chance::Dice,
    crossing::Crossing,
    executor::{Executor, Spawner, Time},
    faults::Faults,
    functions::{Deployment, Functions},
    judge::Judge,
    logs::Logs,
    memory::{MemoryBucket, MemoryTable},
    trace::Trace,
    vendor::{Vendor, origins},
};

/// 2026-03-02T00:00:00Z.
const MIDNIGHT_MS: u64 = 1_772_409_600_000;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// The longest way to an ending: the call log's silence for three days, and the ladder's last steps. A world that has
/// not come to rest by then never will.
const REST_WITHIN_MS: u64 = 8 * DAY_MS;

/// Calls of a day: each brings about one recording.
const CALLS: u32 = 40;

/// The verification token of the simulated subscription.
const VERIFICATION: &str = "simulated-verification-token";

/// A day has at least so many recordings and faults, or it proves too little.
pub const LEAST_RECORDINGS: usize = 40;
/// See [`LEAST_RECORDINGS`].
pub const LEAST_FAULTS: u32 = 50;

/// And at least so many of its recordings are archived: a world in which nothing works has no violations either.
const LEAST_ARCHIVED: usize = 25;

/// How a simulated day went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed it grew from.
    pub seed: u64,
    /// What was wrong, each with its time in epoch milliseconds.
    pub violations: Vec<String>,
    /// SHA-256 of the trace, in hex: equal for two runs of one seed.
    pub trace_hash: String,
    /// The trace, if it was to be kept.
    pub trace: Vec<String>,
    /// Recordings the vendor offered, too short ones included.
    pub recordings: usize,
    /// Recordings the table knows, by state in the order archived, waiting, too short, unavailable.
    pub endings: [usize; 4],
    /// Faults by name; those the vendor's own recordings brought with them are `RecordingSpoilt`.
    pub faults: BTreeMap<String, u32>,
    /// Simulated time from midnight to rest, milliseconds.
    pub simulated_ms: u64,
    /// Steps after each of which the invariants were looked at.
    pub steps: u64,
}

/// Simulates the day of a seed.
pub fn simulate(seed: u64, keep_trace: bool) -> Report {
    let logs = Logs::default();
    tracing::subscriber::with_default(logs.clone(), || run(seed, keep_trace, logs))
}

fn run(seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let time = Time::starting_at(MIDNIGHT_MS);
    let dice = Dice::of(seed);
    let trace = Trace::new(time.clone(), keep_trace);
    let faults = Faults::until(MIDNIGHT_MS + DAY_MS, time.clone(), dice.clone(), trace.clone());
    let crossing = Crossing {
        time: time.clone(),
        dice: dice.clone(),
        faults: faults.clone(),
        trace: trace.clone(),
        confirmed: Rc::default(),
    };
    let spawner = Spawner::default();
    let config = config();
    let (table, bucket) = (MemoryTable::default(), MemoryBucket::default());

    // Nobody repairs a blacklisted subscription yet: it must not come to that.
    let delivery = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
    let settings = Settings { sound: Sound::Sketch, delivery, ..Settings::default() };
    let credentials = RingCentralCredentials {
        client_id: settings.client_id.clone(),
        client_secret: Secret::new(settings.client_secret.clone()),
        jwt: Secret::new(settings.jwt.clone()),
    };
    // A call handed on begins to be recorded anew while its first recording is fetched: where races are.
    let mix = Mix::default().with(Shape::BlindTransfer, 8);
    let troubles = Troubles { elsewhere: 0.02, ..Troubles::default() };
    let scripts = Day { calls: CALLS, mix, troubles, ..Day::new(seed, MIDNIGHT_MS) }.scripts();
    let offered = || scripts.iter().flat_map(|script| &script.recordings);
    let (recordings, spoilt) = (offered().count(), offered().filter(|recording| is_spoilt(recording)).count());
    let mut core = Simulator::new(settings.clone(), origins());
    subscribe(&mut core, &settings);
    let vendor = Vendor {
        core: Rc::new(RefCell::new(core)),
        crossing: crossing.clone(),
        penalty_until_ms: Rc::default(),
        wrongs: Rc::default(),
    };

    let functions = Functions::deploy(Deployment {
        crossing,
        spawner: spawner.clone(),
        vendor: vendor.clone(),
        table: table.clone(),
        bucket: bucket.clone(),
        schedule: config.schedule.clone(),
        origins: config.origins,
        credentials,
        verification: Secret::new(VERIFICATION.to_owned()),
    });
    spawner.spawn(tell(time.clone(), vendor.clone(), functions.clone()));
    spawner.spawn(tick(time.clone(), dice, faults.clone(), table.clone(), vendor.clone(), functions.clone()));

    let mut judge =
        Judge::new((time.clone(), trace.clone(), logs), table, bucket, vendor.clone(), config.schedule, &scripts);
    scripts.into_iter().for_each(|script| vendor.core.borrow_mut().schedule(script));
    let steps = Executor::new(time.clone(), spawner).run(|| judge.look());
    if judge.violations().is_empty() {
        judge.conclude(&functions.acknowledged());
    }
    let struck = faults.struck().into_iter().map(|(fault, times)| (format!("{fault:?}"), times));
    let mut report = Report {
        seed,
        violations: judge.violations().to_vec(),
        trace_hash: trace.hash(),
        trace: trace.take(),
        recordings,
        endings: judge.counts(),
        faults: struck.chain([("RecordingSpoilt".to_owned(), u32::try_from(spoilt).unwrap_or(u32::MAX))]).collect(),
        simulated_ms: time.now_ms() - MIDNIGHT_MS,
        steps,
    };
    report.violations.extend(report.thinness());
    report
}

impl Report {
    /// How many faults struck, of any kind.
    pub fn faults_in_all(&self) -> u32 {
        self.faults.values().sum()
    }

    /// A day that proves too little is a failure of the test, not a success of the program.
    fn thinness(&self) -> Option<String> {
        let (recordings, faults, [archived, ..]) = (self.recordings, self.faults_in_all(), self.endings);
        let thin = recordings < LEAST_RECORDINGS || faults < LEAST_FAULTS || archived < LEAST_ARCHIVED;
        let said = || format!("a thin day: {recordings} recordings, {archived} archived, {faults} faults");
        (self.violations.is_empty() && thin).then(said)
    }
}

/// The archiver's configuration where nothing but what is required is set.
fn config() -> ArchiverConfig {
    let addresses = origins();
    let config = ArchiverConfig::read(|name| match name {
        "RINGCENTRAL_SERVER_URL" => Some(addresses.platform.clone()),
        "RINGCENTRAL_MEDIA_URL" => Some(addresses.media.clone()),
        "TABLE_NAME" | "BUCKET_NAME" | "RINGCENTRAL_SECRET_ID" => Some("simulated".to_owned()),
        _ => None,
    });
    let Ok(config) = config else { unreachable!("the required variables are set") };
    config
}

/// Hands the vendor's notifications to the webhook, each at its time.
async fn tell(time: Time, vendor: Vendor, functions: Rc<Functions>) {
    loop {
        let next_ms = vendor.core.borrow().next_ms();
        let Some(next_ms) = next_ms else { return };
        time.sleep_until(next_ms).await;
        let deliveries = vendor.core.borrow_mut().due_deliveries(time.now_ms());
        for delivery in deliveries {
            functions.deliver(delivery);
        }
    }
}

/// Starts the archiver every minute. A minute in which nothing can be due is passed over: its run would only take the
/// lease and give it back.
async fn tick(time: Time, dice: Dice, faults: Faults, table: MemoryTable, vendor: Vendor, functions: Rc<Functions>) {
    use crate::faults::Fault::{TickMissed, TickTwice};
    let mut minute_ms = MIDNIGHT_MS;
    while minute_ms < MIDNIGHT_MS + REST_WITHIN_MS {
        minute_ms += MINUTE_MS;
        time.sleep_until(minute_ms + dice.between(0..=MINUTE_MS - 1)).await;
        let next_ms = [table.next_due_ms(), vendor.core.borrow().next_ms()].into_iter().flatten().min();
        match next_ms {
            None if functions.busy() => {}
            None => return,
            Some(next_ms) if next_ms > time.now_ms() => {
                let idle_minutes = (next_ms - minute_ms) / MINUTE_MS;
                minute_ms += if functions.busy() { 0 } else { idle_minutes.saturating_sub(1) * MINUTE_MS };
            }
            Some(_) if faults.strikes(TickMissed) => {}
            Some(_) => {
                functions.start_archiver("schedule");
                if faults.strikes(TickTwice) {
                    functions.start_archiver("schedule, again");
                }
            }
        }
    }
}

/// Whether the vendor does something wrong with a recording.
fn is_spoilt(recording: &Recording) -> bool {
    recording.direct != Direct::Served
        || recording.listed_at != ListedAt::Media
        || recording.body_fault != BodyFault::None
        || recording.ready_after_ms.is_none()
        || recording.deleted_after_ms.is_some()
}

/// Creates the subscription, as the vendor's API has it done: with a token, and a handshake.
fn subscribe(core: &mut Simulator, settings: &Settings) {
    let client = BASE64_STANDARD.encode(format!("{}:{}", settings.client_id, settings.client_secret));
    let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}", settings.jwt);
    let token = match core.handle(&post("/restapi/oauth/token", format!("Basic {client}"), form), MIDNIGHT_MS) {
        Answer::Reply(reply) => serde_json::from_slice::<Value>(&reply.body).unwrap_or_default(),
        Answer::Handshake(_) => unreachable!("tokens need no handshake"),
    };
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap_or_default());
    let wanted = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "expiresIn": 315_360_000,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": "https://webhook.test/",
            "verificationToken": VERIFICATION,
        },
    });
    let request = post("/restapi/v1.0/subscription", bearer, wanted.to_string());
    let Answer::Handshake(handshake) = core.handle(&request, MIDNIGHT_MS) else {
        unreachable!("a subscription is created by a handshake")
    };
    let mut headers: Vec<(String, String)> = vec![("content-type".to_owned(), "application/json".to_owned())];
    let echo = handshake.headers.iter().find(|(name, _)| *name == "Validation-Token");
    headers.extend(echo.map(|(name, value)| ((*name).to_owned(), value.clone())));
    let answer = HandshakeAnswer::Reply { status: 200, headers, body_bytes: 2, elapsed_ms: 40 };
    core.finish_handshake(handshake, answer, MIDNIGHT_MS);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_byte_for_byte() {
        let first = simulate(1, true);
        assert!(first.trace.len() > 1_000, "{} lines", first.trace.len());
        assert_eq!(first, simulate(1, true));
        assert_ne!(first.trace_hash, simulate(2, false).trace_hash);
    }

    #[test]
    fn some_days_hold() {
        let reports: Vec<_> = (1..=10).map(|seed| simulate(seed, false)).collect();
        let violations: Vec<_> = reports.iter().map(|report| (report.seed, &report.violations)).collect();
        assert!(violations.iter().all(|(_, violations)| violations.is_empty()), "{violations:#?}");
        let struck: std::collections::BTreeSet<_> = reports.iter().flat_map(|report| report.faults.keys()).collect();
        assert_eq!(struck.len(), 19, "every fault strikes on some day: {struck:?}");
    }
}
