//! A day on which nothing is wrong but some recordings, of which nothing comes however often they are tried: the others must
//! not suffer by them.

use ringcentral_sim::{DeliverySettings, Settings, Sound, world::BodyFault};
use shared::domain::{
    ids::{AccountId, RecordingId, TelephonySessionId},
    session::SessionKey,
};

use crate::{
    calls::{Calls, Planned},
    faults::Fault,
    judge::Foreseen,
    knobs::Knobs,
    logs::Logs,
    poison::Poison,
    scene::Report,
    schedule::archive_every_minute,
    vendor::Bodies,
    world::{DAY_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// Calls a minute, and how many of them one is poison.
const RATE: f64 = 0.2;
const EVERY: usize = 25;

/// The others are archived so long after their calls' ends at the latest, milliseconds: the first attempt's delay, a minute of
/// the schedule, and one run that waits for poison as long as it waits for any recording.
const USUAL_MS: u64 = 6 * MINUTE_MS;

/// The poison is tried for another day.
const END_MS: u64 = MIDNIGHT_MS + 2 * DAY_MS;

/// What is wrong with a recording.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// The vendor's answers never end.
    Comes(Poison),
    /// The vendor serves something else, or half of it.
    Body(BodyFault),
    /// Its row cannot be read.
    Row,
}

const WRONGS: [Wrong; 7] = [
    Wrong::Comes(Poison::Mute),
    Wrong::Comes(Poison::Stalled),
    Wrong::Comes(Poison::Endless),
    Wrong::Body(BodyFault::Html),
    Wrong::Body(BodyFault::CutShort),
    Wrong::Body(BodyFault::WrongLength),
    Wrong::Row,
];

/// Simulates the day of a seed.
pub(crate) fn simulate(seed: u64, keep_trace: bool, logs: Logs) -> Report {
    let delivery = DeliverySettings { blacklist_after_ms: u64::MAX, ..DeliverySettings::default() };
    let settings = Settings { sound: Sound::Sketch, delivery, ..Settings::default() };
    let (faults_until_ms, knobs) = (MIDNIGHT_MS, Knobs::default());
    let world =
        World::new(Plan { seed, keep_trace, faults_until_ms, settings, knobs, bodies: Bodies::Prompt, refusing: None });
    let calls = Calls::of(seed).arrive(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, RATE).planned();
    // The same people speak in all calls.
    let mut foreseen = Foreseen::of(calls.first().map(Planned::script).as_ref());
    for (place, call) in calls.iter().enumerate() {
        let mut script = call.script();
        match wrong_with(place) {
            None => foreseen.add_lasting(&call.recording.id),
            Some(wrong) => {
                foreseen.add_waiting(&call.recording.id);
                world.faults.struck_by(Fault::RecordingPoisoned);
                match wrong {
                    Wrong::Comes(poison) => world.vendor.poison(&call.recording.id, poison, u64::MAX),
                    Wrong::Body(fault) => script.recordings.iter_mut().for_each(|one| one.body_fault = fault),
                    Wrong::Row => spoil(&world, call),
                }
            }
        }
        world.vendor.core.borrow_mut().schedule(script);
    }
    let mut judge = world.judge(logs, foreseen);
    world.tell();
    world.spawner.spawn(archive_every_minute(world.clone()));
    let steps = world.run(|| judge.look() && world.time.now_ms() < END_MS);
    if judge.violations().is_empty() {
        judge.conclude(&world.functions.acknowledged());
    }
    let mut slowest_ms = 0;
    for call in calls.iter().enumerate().filter(|(place, _)| wrong_with(*place).is_none()).map(|(_, call)| call) {
        let archived_ms = RecordingId::parse(&call.recording.id).ok().and_then(|one| judge.archived_at_ms(&one));
        let took_ms = archived_ms.map_or(u64::MAX, |at_ms| at_ms.saturating_sub(call.ended_at_ms));
        slowest_ms = slowest_ms.max(took_ms);
        if took_ms > USUAL_MS {
            judge.complain(format!("{} was archived {took_ms} ms after its call", call.recording.id));
        }
    }
    world.trace.line(format_args!("the others were archived within {slowest_ms} ms"));
    Report::of(seed, &world, &judge, calls.len(), steps)
}

fn wrong_with(place: usize) -> Option<Wrong> {
    let nth = place.checked_sub(EVERY / 2).filter(|place| place.is_multiple_of(EVERY))? / EVERY;
    Some(WRONGS[nth % WRONGS.len()])
}

/// A call's row cannot be read any more soon after it is written.
fn spoil(world: &World, call: &Planned) {
    let account = world.vendor.core.borrow().settings().account_id.clone();
    let (Ok(account), Ok(session)) = (AccountId::parse(&account), TelephonySessionId::parse(&call.session)) else {
        unreachable!("the world's ids are ids")
    };
    let (world, at_ms, key) = (world.clone(), call.ended_at_ms + 2_000, SessionKey { account, session });
    world.spawner.clone().spawn(async move {
        world.time.sleep_until(at_ms).await;
        world.table.spoil(&key);
    });
}
