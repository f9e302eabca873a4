//! What starts the functions: every minute the archiver, every quarter of an hour the reconciler.

use std::ops::RangeInclusive;

use crate::{
    faults::Fault,
    world::{DAY_MS, MIDNIGHT_MS, MINUTE_MS, World},
};

/// The longest way to an ending: the call log's silence for three days, and the ladder's last steps. A world that has
/// not come to rest by then never will.
const REST_WITHIN_MS: u64 = 8 * DAY_MS;

/// From one start of the reconciler to the next, milliseconds; as the template has it.
const QUARTER_MS: u64 = 15 * MINUTE_MS;

/// So many minutes in a row are left out, and so many runs are started at once.
const MISSED: RangeInclusive<u64> = 5..=90;
const AT_ONCE: RangeInclusive<u64> = 2..=6;

/// At which moment of each minute a schedule ticks, milliseconds.
const TICK_MS: u64 = 20_000;

/// Starts the archiver every minute. A minute in which nothing can be due is passed over: its run would only take the
/// lease and give it back.
pub(crate) async fn archive_every_minute(world: World) {
    let World { time, dice, faults, table, vendor, functions, .. } = world;
    let archiver = functions.archiver();
    let mut minute_ms = MIDNIGHT_MS;
    while minute_ms < MIDNIGHT_MS + REST_WITHIN_MS {
        minute_ms += MINUTE_MS;
        time.sleep_until(minute_ms + dice.between(0..=MINUTE_MS - 1)).await;
        let happens_ms = [table.next_due_ms(), vendor.core.borrow().next_ms(), functions.reconciles_at_ms()];
        match happens_ms.into_iter().flatten().min() {
            None if functions.busy() => {}
            None => return,
            Some(next_ms) if next_ms > time.now_ms() => {
                let idle_minutes = (next_ms - minute_ms) / MINUTE_MS;
                minute_ms += if functions.busy() { 0 } else { idle_minutes.saturating_sub(1) * MINUTE_MS };
            }
            Some(_) if faults.strikes(Fault::TickMissed) => {}
            Some(_) if faults.strikes(Fault::TicksMissed) => {
                let until_ms = minute_ms + dice.between(MISSED) * MINUTE_MS;
                minute_ms = until_ms.min(faults.until_ms());
            }
            Some(_) => {
                functions.start(&archiver, "schedule");
                if faults.strikes(Fault::TickTwice) {
                    functions.start(&archiver, "schedule, again");
                }
                if faults.strikes(Fault::TicksAtOnce) {
                    (0..dice.between(AT_ONCE)).for_each(|_| functions.start(&archiver, "schedule, once more"));
                }
            }
        }
    }
}

/// Starts the archiver every minute until `until_ms`, epoch milliseconds, whether or not anything is due.
pub(crate) async fn archive_each_minute(world: World, until_ms: u64) {
    let World { time, functions, .. } = world;
    let archiver = functions.archiver();
    for minute_ms in (MIDNIGHT_MS..until_ms).step_by(MINUTE_MS as usize) {
        time.sleep_until(minute_ms + TICK_MS).await;
        functions.start(&archiver, "schedule");
    }
}

/// Starts the reconciler every quarter of an hour, until `until_ms`, epoch milliseconds.
pub(crate) async fn reconcile_every_quarter(world: World, until_ms: u64) {
    let World { time, dice, faults, functions, .. } = world;
    let reconciler = functions.reconciler();
    let mut quarter_ms = MIDNIGHT_MS;
    while quarter_ms < until_ms {
        let at_ms = quarter_ms + dice.between(0..=MINUTE_MS - 1);
        functions.reconcile_at_ms(Some(at_ms));
        time.sleep_until(at_ms).await;
        quarter_ms += QUARTER_MS;
        if faults.strikes(Fault::TickMissed) {
            continue;
        }
        functions.start(&reconciler, "schedule");
        if faults.strikes(Fault::TickTwice) {
            functions.start(&reconciler, "schedule, again");
        }
    }
    functions.reconcile_at_ms(None);
}
