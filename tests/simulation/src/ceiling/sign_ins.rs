//! Five archivers that all need a token at once.

use ringcentral_sim::core::RateGroup;

use super::{
    CeilingReport, Figure, Load, Worst,
    stage::{Played, Stage},
};
use crate::{
    calls::Calls,
    logs::Logs,
    world::{DAY_MS, MIDNIGHT_MS, MINUTE_MS},
};

const ARCHIVERS: usize = 5;

/// Enough recordings, each time, that every archiver finds some due.
const CALLS: usize = 120;

/// From now on others sign in as the same user, once a minute, as often as the vendor keeps sessions.
const EVICTED_MS: u64 = MIDNIGHT_MS + 30 * MINUTE_MS;
const SIGN_INS: u64 = 5;

/// A token lives an hour and is renewed a little before its end: only what is asked for earlier is asked for too often.
const TOKEN_MS: u64 = 50 * MINUTE_MS;

/// When the second batch of calls ends: before the token would have been renewed for its age.
const AGAIN_MS: u64 = EVICTED_MS + 5 * MINUTE_MS;

pub(super) fn simulate(seed: u64, logs: Logs) -> CeilingReport {
    let calls = Calls::of(seed).end_at_once(MIDNIGHT_MS, CALLS).end_at_once(AGAIN_MS, CALLS);
    let stage = Stage::of(Load::ColdStarts, seed, calls.planned(), None, logs);
    for _ in 0..ARCHIVERS {
        stage.schedule(stage.world.functions.heedless_archiver(), MIDNIGHT_MS + 2 * MINUTE_MS);
    }
    for number in 0..SIGN_INS {
        let world = stage.world.clone();
        stage.world.spawner.spawn(async move {
            world.time.sleep_until(EVICTED_MS + number * MINUTE_MS).await;
            world.others_sign_in();
        });
    }
    let played = stage.play(MIDNIGHT_MS + DAY_MS);
    let figures = [
        Figure::at_most("token_requests", 1.0, played.token_requests(MIDNIGHT_MS, EVICTED_MS)),
        Figure::at_most("token_requests_after_eviction", 1.0, played.token_requests(EVICTED_MS, AGAIN_MS + TOKEN_MS)),
        Figure::told("heavy_per_recording", Worst::Greatest, played.heavy_per_recording()),
        played.self_caused_429(),
    ];
    played.report(figures)
}

impl Played {
    fn token_requests(&self, from_ms: u64, until_ms: u64) -> f64 {
        let asked = self.counted_in(RateGroup::Auth).filter(|one| (from_ms..until_ms).contains(&one.at_ms));
        asked.count() as f64
    }
}
