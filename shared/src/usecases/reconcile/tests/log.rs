//! How the call log is read.

use super::*;
use crate::ports::recording_source::Closed;

#[test]
fn a_call_belongs_to_the_window_it_began_in_and_the_end_to_the_last() {
    let table = Table::default();
    let clock = Jumping::at(NOW_MS);
    let vendor = Vendor::new(&clock);
    let two = 10 * DAY_MS..12 * DAY_MS;
    let first = [logged("s-1", 11 * DAY_MS - 1, &["1"]), logged("s-2", 11 * DAY_MS, &["2"])];
    let second = [logged("s-3", 12 * DAY_MS - 1, &["3"]), logged("s-4", 12 * DAY_MS, &["4"])];
    vendor.pages.borrow_mut().extend([Ok(page(first, false)), Ok(page(second, false))]);
    let swept = sweep(&table, &vendor, &Task::Range(two), FAR_MS).unwrap();
    assert_eq!((swept.calls, swept.unheard), (3, 3));
    let learned: Vec<_> = table.rows.borrow().keys().map(|key| key.session.to_string()).collect();
    assert_eq!(learned, ["s-1", "s-3", "s-4"], "the second one is on the next window's page");
}

#[test]
fn what_cannot_be_used_is_counted_on_every_page() {
    let nobody = |session| {
        let (session, call) = logged(session, 10 * DAY_MS + 5, &["1"]);
        (session, LoggedCall { account: None, ..call })
    };
    let pages = [
        CallLogPage { unusable: 2, ..page([nobody("s-1")], true) },
        CallLogPage { unusable: 0, ..page([nobody("s-2")], true) },
        CallLogPage { unusable: 3, ..page([], false) },
    ];
    let swept = swept_over(&Table::default(), pages).unwrap();
    assert_eq!((swept.unreadable, swept.pages, swept.calls), (7, 3, 0));
}

#[test]
fn a_window_of_more_than_eight_pages_is_made_shorter() {
    let clock = Jumping::at(NOW_MS);
    let vendor = Vendor::new(&clock);
    vendor.pages.borrow_mut().extend((0..8).map(|_| Ok(page([], true))));
    let swept = sweep(&Table::default(), &vendor, &Task::Range(STRETCH), FAR_MS).unwrap();
    assert!(swept.is_done());
    let windows = vendor.windows.borrow();
    let pages: Vec<_> = windows.iter().map(|window| window.page).collect();
    assert_eq!(pages[..9], [1, 2, 3, 4, 5, 6, 7, 8, 1]);
    assert_eq!(windows[8].to_ms - windows[8].from_ms, DAY_MS / 4);
}

#[test]
fn the_shortest_window_is_read_to_its_end() {
    let clock = Jumping::at(NOW_MS);
    let vendor = Vendor::new(&clock);
    let second = 10 * DAY_MS..10 * DAY_MS + 1_000;
    // It is made shorter until it cannot be.
    vendor.pages.borrow_mut().extend((0..100).map(|_| Ok(page([], true))));
    vendor.pages.borrow_mut().push_back(Ok(page([], false)));
    assert!(sweep(&Table::default(), &vendor, &Task::Range(second), FAR_MS).unwrap().is_done());
    assert!(vendor.windows.borrow().iter().any(|window| window.page > 8));
}

#[test]
fn a_page_that_cannot_be_read_is_asked_for_four_times_with_longer_and_longer_waits() {
    let run = |failures: usize, until_ms| {
        let clock = Jumping::at(NOW_MS);
        let vendor = Vendor::new(&clock);
        let failure = || Err(SourceError::Unreachable("reset".to_owned()));
        vendor.pages.borrow_mut().extend((0..failures).map(|_| failure()));
        let swept = sweep(&Table::default(), &vendor, &Task::Range(STRETCH), until_ms).unwrap();
        (swept.stopped, clock.now_ms() - NOW_MS)
    };
    assert_eq!(run(0, FAR_MS), (None, 10));
    assert_eq!(run(1, FAR_MS), (None, 2_020));
    assert_eq!(run(3, FAR_MS), (None, 14_040));
    assert_eq!(run(4, FAR_MS), (Some(Stopped::LogUnreadable), 14_040));
    assert_eq!(run(4, NOW_MS + 10), (Some(Stopped::LogUnreadable), 10), "there is no time to ask again");
    assert_eq!(run(1, NOW_MS + 11), (None, 2_020));
    assert_eq!(run(1, NOW_MS), (Some(Stopped::Deadline), 0));
}

#[test]
fn what_a_run_cannot_read_to_its_end_is_read_in_shorter_windows_and_a_first_page_that_is_refused_is_not() {
    let throttled = || Err(Closed::Throttled { retry_after: std::time::Duration::from_secs(60) }.into());
    for (pages, span_ms) in [(0, DAY_MS), (1, DAY_MS / 4)] {
        let clock = Jumping::at(NOW_MS);
        let vendor = Vendor::new(&clock);
        let table = Table::default();
        vendor.pages.borrow_mut().extend((0..pages).map(|_| Ok(page([], true))));
        vendor.pages.borrow_mut().push_back(throttled());
        let swept = sweep(&table, &vendor, &Task::Range(STRETCH), FAR_MS).unwrap();
        assert_eq!(swept.stopped, Some(Stopped::Throttled));
        vendor.windows.borrow_mut().clear();
        sweep(&table, &vendor, &Task::Range(STRETCH), FAR_MS).unwrap();
        let window = vendor.windows.borrow()[0].clone();
        assert_eq!(window.to_ms - window.from_ms, span_ms, "{pages}");
    }
}

#[test]
fn a_backfill_goes_on_up_to_its_horizon_and_below_fresh_work() {
    let backfill = Task::Backfill { stretch: Some(STRETCH), retention_ms: 90 * DAY_MS };
    // Each recording takes six seconds of its turn: two hundred fill the twenty minutes.
    let calls: Vec<_> = (0..205).map(|n| logged(&format!("s-{n:03}"), 10 * DAY_MS + n, &[&n.to_string()])).collect();
    let clock = Jumping::at(NOW_MS);
    let vendor = Vendor::new(&clock);
    let table = Table::default();
    vendor.pages.borrow_mut().push_back(Ok(page(calls.clone(), false)));
    let swept = sweep(&table, &vendor, &backfill, FAR_MS).unwrap();
    assert_eq!((swept.stopped, swept.unheard), (Some(Stopped::Paced), 200));
    let due: Vec<_> = table.rows.borrow().values().filter_map(|kept| kept.due_at_ms).collect();
    assert_eq!((due[0], due[1], due[199]), (NOW_MS + 6_010, NOW_MS + 12_010, NOW_MS + 1_200_010));
    assert_eq!(swept.next_ms, 10 * DAY_MS + 200, "the next run begins with the first that had no turn");

    for (busy, stopped) in [(9, None), (10, Some(Stopped::FreshWork))] {
        let rows = (0..busy).map(|n| {
            let key = key(&format!("f-{n}"));
            (SessionRow { key, ..crate::domain::session::tests::row(&["1|p"], &["p"]) }, NOW_MS)
        });
        let swept = sweep(&Table::with(rows), &Vendor::new(&clock), &backfill, FAR_MS).unwrap();
        assert_eq!(swept.stopped, stopped, "{busy}");
    }
}

#[test]
fn another_run_that_is_at_it_ends_this_one() {
    let backfill = Task::Backfill { stretch: Some(STRETCH), retention_ms: 90 * DAY_MS };
    for (task, asked) in [(backfill, 0), (Task::Range(STRETCH), 1)] {
        let clock = Jumping::at(NOW_MS);
        let vendor = Vendor::new(&clock);
        let table = Table::default();
        table.fails.borrow_mut().push(("advance", || StoreError::Corrupt("another")));
        let swept = sweep(&table, &vendor, &task, FAR_MS).unwrap();
        assert_eq!((swept.stopped, vendor.windows.borrow().len()), (Some(Stopped::AnotherRun), asked));
    }
}
