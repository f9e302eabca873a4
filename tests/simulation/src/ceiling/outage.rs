//! Three days in which the vendor answers nothing but errors, and what comes after.

use ringcentral_sim::{Outage, OutageAnswer};

use super::{
    CEILING, CeilingReport, Figure, Load, Worst,
    stage::{Played, Stage},
};
use crate::{
    calls::Calls,
    logs::Logs,
    received::WINDOW_MS,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS},
};

const BEGINS_MS: u64 = MIDNIGHT_MS + 6 * HOUR_MS;
const ENDS_MS: u64 = BEGINS_MS + 3 * DAY_MS;

/// Recordings for each request that the limit lets through, before and during the outage; and after it. At nine tenths
/// the backlog of three days would take four weeks to go, all alike; at a half it takes five days and a half.
const LOAD: f64 = 0.9;
const LOAD_AFTER: f64 = 0.5;
const CALLS_END_MS: u64 = ENDS_MS + 6 * DAY_MS + DAY_MS / 2;

/// A program that has not come to rest by then never will.
const END_MS: u64 = CALLS_END_MS + 10 * DAY_MS;

/// A recording that has waited so long since its party's end is backlog, milliseconds. Without one it takes the first
/// attempt's delay, a minute or two of the schedule and a few seconds.
const LATE_MS: u64 = 10 * MINUTE_MS;

pub(super) fn simulate(seed: u64, logs: Logs) -> CeilingReport {
    let calls = Calls::of(seed).arrive(MIDNIGHT_MS, ENDS_MS, CEILING as f64 * LOAD);
    let calls = calls.arrive(ENDS_MS, CALLS_END_MS, CEILING as f64 * LOAD_AFTER);
    let stage = Stage::of(Load::Outage, seed, calls.planned(), None, logs);
    stage.schedule(stage.world.functions.archiver(), MIDNIGHT_MS + MINUTE_MS);
    let outage = |path_part: &str| Outage {
        from_ms: BEGINS_MS,
        until_ms: ENDS_MS,
        share: 1.0,
        path_part: path_part.to_owned(),
        answer: OutageAnswer::Error(503),
    };
    let outages = ["/recording/", "/call-log"].map(outage).to_vec();
    stage.change(MIDNIGHT_MS, |settings| settings.outages = outages);
    let played = stage.play(END_MS);

    let backlog = played.waiting_at(ENDS_MS);
    let gone_ms = played.caught_up_at(ENDS_MS);
    let surplus_per_ms = CEILING as f64 * (1.0 - LOAD_AFTER) / MINUTE_MS as f64;
    let expected_ms = backlog as f64 / surplus_per_ms;
    let took_ms = (gone_ms - ENDS_MS) as f64;
    let figures = [
        Figure::never("lost", played.calls.len() - played.archived()),
        Figure::never("ended_otherwise", played.ended_otherwise),
        Figure::told("backlog", Worst::Greatest, backlog as f64),
        Figure::told("days_to_catch_up", Worst::Greatest, took_ms / DAY_MS as f64),
        Figure::at_most("catch_up_over_expected", 1.1, took_ms / expected_ms),
        Figure::at_least("share_of_ceiling", 0.98, played.share(ENDS_MS + WINDOW_MS, gone_ms, CEILING)),
        played.self_caused_429(),
    ];
    played.report(figures)
}

impl Played {
    /// How many recordings of calls that were over at a time, epoch milliseconds, were not archived then.
    fn waiting_at(&self, at_ms: u64) -> usize {
        let over = self.calls.iter().zip(&self.archived_at_ms).take_while(|(call, _)| call.ended_at_ms <= at_ms);
        over.filter(|(_, archived_at_ms)| archived_at_ms.is_none_or(|archived_at_ms| archived_at_ms > at_ms)).count()
    }

    /// The first time from `from_ms` on, epoch milliseconds, at which no recording is late.
    fn caught_up_at(&self, from_ms: u64) -> u64 {
        let late = self
            .calls
            .iter()
            .zip(&self.archived_at_ms)
            .map(|(call, archived_at_ms)| (call.ended_at_ms + LATE_MS, archived_at_ms.unwrap_or(END_MS)));
        late.fold(
            from_ms,
            |caught_up_ms, (since_ms, until_ms)| {
                if since_ms <= caught_up_ms { caught_up_ms.max(until_ms) } else { caught_up_ms }
            },
        )
    }
}
