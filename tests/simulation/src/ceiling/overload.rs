//! More recordings than the limit lets through.

use std::time::Duration;

use ringcentral_sim::{
    core::{Origin, RateGroup},
    world::{Direct, ListedAt},
};
use shared::ports::{
    clock::Clock,
    recording_source::{self, RecordingSource, Window},
};

use super::{CEILING, CeilingReport, Figure, Load, Worst, stage::Stage};
use crate::{
    calls::Calls,
    chance::SimulatedClock,
    logs::Logs,
    received::Sender,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS},
};

/// Recordings for each request that the limit lets through.
const OVER: f64 = 1.5;

/// Share of the recordings that are answered with 404 at first, where some are.
const MISSING: f64 = 0.2;

/// How often the reconciler asks, milliseconds.
const RECONCILED_EVERY_MS: u64 = 20_000;

/// An overload, measured for `hours` after the first hour.
pub(super) fn simulate(load: Load, seed: u64, hours: u64, logs: Logs) -> CeilingReport {
    let (measured_ms, end_ms) = (MIDNIGHT_MS + HOUR_MS, MIDNIGHT_MS + (1 + hours) * HOUR_MS);
    let calls = Calls::of(seed).arrive(MIDNIGHT_MS, end_ms, CEILING as f64 * OVER);
    let calls = if load == Load::EarlyMissing { early_missing(calls) } else { calls };
    let stage = Stage::of(load, seed, calls.planned(), None, logs);
    stage.schedule(stage.world.functions.archiver(), MIDNIGHT_MS + MINUTE_MS);
    if load == Load::ThreeAtOnce {
        stage.schedule(stage.world.functions.heedless_archiver(), MIDNIGHT_MS + MINUTE_MS);
        stage.world.spawner.spawn(reconcile(&stage, end_ms));
    }
    let played = stage.play(end_ms);
    let share = played.share(measured_ms, end_ms, CEILING);
    let per_recording = played.heavy_per_recording();
    let (share, per_recording) = match load {
        Load::Overload => (
            Figure::at_least("share_of_ceiling", 0.98, share),
            Figure::at_most("heavy_per_recording", 1.005, per_recording),
        ),
        Load::EarlyMissing => (
            Figure::at_least("share_of_ceiling", 0.97, share),
            Figure::at_most("heavy_per_recording", 1.10, per_recording),
        ),
        Load::ThreeAtOnce | Load::LimitMoves | Load::OneShotForty | Load::Outage | Load::ColdStarts => (
            Figure::told("share_of_ceiling", Worst::Least, share),
            Figure::told("heavy_per_recording", Worst::Greatest, per_recording),
        ),
    };
    let figures = [share, per_recording, played.self_caused_429()];
    played.report(figures)
}

/// Half of those that are missing at first are made late, half are served late where hand-built addresses lead.
fn early_missing(calls: Calls) -> Calls {
    calls.with(|recording, rng| {
        let place = rng.f64();
        if place < MISSING / 2.0 {
            recording.ready_after_ms = Some(rng.u64(120_000..=300_000));
        } else if place < MISSING {
            (recording.direct, recording.spoilt_answers) = (Direct::Status(404), rng.u32(1..=2));
        }
    })
}

/// Stands in for the reconciler: a client of its own that asks the call log about the last hour, again and again.
fn reconcile(stage: &Stage, until_ms: u64) -> impl Future<Output = ()> + 'static {
    let source = stage.world.functions.sign_in(Sender::Reconciler, "reconciler");
    let clock = SimulatedClock { time: stage.world.time.clone(), dice: stage.world.dice.clone(), ahead_ms: 0 };
    async move {
        while clock.now_ms() < until_ms {
            clock.sleep(Duration::from_millis(RECONCILED_EVERY_MS)).await;
            let to_ms = clock.now_ms();
            // What it hears is of no interest, nor that it must wait.
            let _ = source
                .page(
                    &Window {
                        from_ms: to_ms - HOUR_MS,
                        to_ms,
                        page: 1,
                        calls: recording_source::Calls::Recorded,
                        whose: recording_source::Whose::Company,
                    },
                    to_ms,
                )
                .await;
        }
    }
}

/// Forty recordings due at once, none of which is where a hand-built address leads.
pub(super) fn forty_at_once(seed: u64, logs: Logs) -> CeilingReport {
    const FORTY: usize = 40;
    let calls = Calls::of(seed).end_at_once(MIDNIGHT_MS, FORTY);
    let calls = calls.with(|recording, _| recording.listed_at = ListedAt::Platform);
    let stage = Stage::of(Load::OneShotForty, seed, calls.planned(), Some(Origin::Media), logs);
    stage.schedule(stage.world.functions.archiver(), MIDNIGHT_MS + 2 * MINUTE_MS);
    let played = stage.play(MIDNIGHT_MS + DAY_MS);
    let heavy = played.counted_in(RateGroup::Heavy).count();
    let last_ms = played.archived_at_ms.iter().flatten().max().map_or(0, |last_ms| last_ms - MIDNIGHT_MS);
    let figures = [
        Figure::at_least("archived", FORTY as f64, played.archived() as f64),
        Figure::at_most("heavy_requests", 42.0, heavy as f64),
        Figure::told("minutes_to_the_last", Worst::Greatest, last_ms as f64 / MINUTE_MS as f64),
        played.self_caused_429(),
    ];
    played.report(figures)
}
