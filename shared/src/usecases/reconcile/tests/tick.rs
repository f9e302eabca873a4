//! What a scheduled run reads.

use super::*;
use crate::ports::recording_source::Closed;

const WINDOW_MS: u64 = 26 * 3_600_000;

fn tick(table: &Table, vendor: &Vendor<'_>) -> Ticked {
    let schedule = schedule();
    let reconciler =
        Reconciler { table, source: vendor, clock: vendor.clock, schedule: &schedule, share: Share::WHOLE };
    let tick = Tick { window_ms: WINDOW_MS, now: true, retention_ms: 4 * DAY_MS };
    vendor.clock.run(reconciler.tick(tick, FAR_MS)).unwrap()
}

#[test]
fn the_last_hours_reach_back_before_the_stack_began_only_when_the_backfill_is_done() {
    let clock = Jumping::at(NOW_MS);
    let (table, vendor) = (Table::default(), Vendor::new(&clock));
    let throttled = Closed::Throttled { retry_after: std::time::Duration::from_secs(60) };
    vendor.pages.borrow_mut().push_back(Err(throttled.into()));
    let ticked = tick(&table, &vendor);
    assert_eq!((ticked.backfilled.is_done(), ticked.reconciled.from_ms), (false, NOW_MS));

    let late = logged("s-1", NOW_MS - 60_000, &["1"]);
    // Three windows of the backfill, and the first of the last hours' two.
    vendor.pages.borrow_mut().extend((0..4).map(|_| Ok(page([], false))));
    vendor.pages.borrow_mut().push_back(Ok(page([late], false)));
    let ticked = tick(&table, &vendor);
    assert!(ticked.backfilled.is_done() && ticked.reconciled.is_done(), "{ticked:?}");
    assert_eq!(ticked.reconciled.unheard, 1, "the log had not listed it when the backfill read that far");
    assert!((NOW_MS - WINDOW_MS..NOW_MS - WINDOW_MS + 1_000).contains(&ticked.reconciled.from_ms));
}
