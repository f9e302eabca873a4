//! A limit that moves while there is more to do than it lets through.

use super::{CEILING, CeilingReport, Figure, Load, Worst, stage::Stage};
use crate::{
    calls::Calls,
    logs::Logs,
    received::WINDOW_MS,
    world::{HOUR_MS, MIDNIGHT_MS, MINUTE_MS},
};

/// Recordings for each request that the first limit lets through.
const OVER: f64 = 3.0;

const LOWERED: usize = 5;
const LOWERED_MS: u64 = MIDNIGHT_MS + 8 * HOUR_MS;
const RAISED: usize = 40;
const RAISED_MS: u64 = MIDNIGHT_MS + 16 * HOUR_MS;
const END_MS: u64 = MIDNIGHT_MS + 24 * HOUR_MS;

/// How long before it decides a lower limit stands in the headers, milliseconds: a window, in which whoever works at the
/// limit sends at least one request, and the time its reply may take. Sooner nobody could know.
const ANNOUNCED_MS: u64 = WINDOW_MS + 5_000;

pub(super) fn simulate(seed: u64, logs: Logs) -> CeilingReport {
    let calls = Calls::of(seed).arrive(MIDNIGHT_MS, END_MS, CEILING as f64 * OVER);
    let stage = Stage::of(Load::LimitMoves, seed, calls.planned(), None, logs);
    stage.schedule(stage.world.functions.archiver(), MIDNIGHT_MS + MINUTE_MS);
    stage.change(LOWERED_MS, |settings| settings.announced_heavy_limit = Some(LOWERED));
    stage.change(LOWERED_MS + ANNOUNCED_MS, |settings| {
        (settings.announced_heavy_limit, settings.heavy_limit) = (None, LOWERED);
    });
    stage.change(RAISED_MS, |settings| settings.heavy_limit = RAISED);
    let played = stage.play(END_MS);

    let in_the_hour = |from_ms, limit| played.share(from_ms + WINDOW_MS, from_ms + HOUR_MS, limit);
    let fullest = |from_ms, until_ms| played.fullest_window(from_ms, until_ms) as f64;
    let figures = [
        Figure::at_least("share_after_lowering", 0.95, in_the_hour(LOWERED_MS, LOWERED)),
        Figure::at_most("fullest_window_after_lowering", LOWERED as f64, fullest(LOWERED_MS + ANNOUNCED_MS, RAISED_MS)),
        Figure::at_least("share_after_raising", 0.95, in_the_hour(RAISED_MS, RAISED)),
        Figure::told("first_window_after_raising", Worst::Least, fullest(RAISED_MS, RAISED_MS + 2 * WINDOW_MS)),
        Figure::at_most("fullest_window_after_raising", RAISED as f64, fullest(RAISED_MS + WINDOW_MS, END_MS)),
        Figure::told("heavy_per_recording", Worst::Greatest, played.heavy_per_recording()),
        played.self_caused_429(),
    ];
    played.report(figures)
}
