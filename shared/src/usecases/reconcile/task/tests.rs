use std::collections::BTreeSet;

use super::*;

const NOW_MS: u64 = 1_776_159_000_000;
const HOUR_MS: u64 = 3_600_000;
const WINDOW_MS: u64 = 26 * HOUR_MS;

fn trailing(now: bool) -> Task {
    Task::Trailing { window_ms: WINDOW_MS, now, since_ms: None }
}

fn done(stretch: Range<u64>) -> Sweep {
    let mut sweep = Sweep::over(stretch.clone());
    sweep.advance(stretch.end, 1_000);
    sweep
}

#[test]
fn a_trailing_window_is_read_once_an_hour() {
    assert_eq!(trailing(false).begin(None, NOW_MS).left(), NOW_MS - WINDOW_MS..NOW_MS);
    let last = done(NOW_MS - 30 * HOUR_MS..NOW_MS - HOURLY_MS + 1);
    assert!(trailing(false).begin(Some(last.clone()), NOW_MS).is_done(), "it is not an hour yet");
    let end_ms = last.stretch().end;
    assert_eq!(trailing(true).begin(Some(last.clone()), NOW_MS).left(), end_ms - WINDOW_MS..NOW_MS);
    assert_eq!(trailing(false).begin(Some(last), NOW_MS + 1).left(), end_ms - WINDOW_MS..NOW_MS + 1);
}

#[test]
fn after_a_long_pause_it_reaches_back_to_where_the_last_one_ended() {
    let last = done(0..NOW_MS - 100 * HOUR_MS);
    let left = trailing(false).begin(Some(last), NOW_MS).left();
    assert_eq!(left, NOW_MS - 126 * HOUR_MS..NOW_MS);
    let from_the_future = done(0..NOW_MS + HOUR_MS);
    assert_eq!(trailing(true).begin(Some(from_the_future), NOW_MS).left(), NOW_MS - WINDOW_MS..NOW_MS);
}

#[test]
fn it_does_not_reach_back_before_the_stack_began() {
    let since = |since_ms| Task::Trailing { window_ms: WINDOW_MS, now: true, since_ms: Some(since_ms) };
    let last = done(NOW_MS - 2 * HOUR_MS..NOW_MS - HOUR_MS);
    for (since_ms, from_ms) in [(NOW_MS - 3 * HOUR_MS, NOW_MS - 3 * HOUR_MS), (0, NOW_MS - 27 * HOUR_MS)] {
        assert_eq!(since(since_ms).begin(Some(last.clone()), NOW_MS).left(), from_ms..NOW_MS);
    }
    assert_eq!(since(NOW_MS - 7).begin(None, NOW_MS).left(), NOW_MS - 7..NOW_MS);
    assert!(since(NOW_MS).begin(None, NOW_MS).is_done(), "a stack that has just begun");
    let began_ms = NOW_MS - 100 * HOUR_MS;
    let left = since(began_ms).begin(None, NOW_MS).left();
    assert_eq!(left, began_ms..NOW_MS, "no log could be read since: the backfill does not go that far");
}

#[test]
fn what_was_broken_off_is_gone_on_with() {
    let mut half = Sweep::over(5..100);
    half.advance(50, 1_000);
    for task in [
        trailing(true),
        Task::Range(5..100),
        Task::Backfill { stretch: None, retention_ms: 7 },
        Task::Backfill { stretch: Some(5..100), retention_ms: 7 },
    ] {
        assert_eq!(task.begin(Some(half.clone()), NOW_MS), half, "{task:?}");
    }
}

#[test]
fn a_backfill_begins_by_itself_once_and_a_stretch_as_often_as_it_is_asked_for() {
    let by_itself = Task::Backfill { stretch: None, retention_ms: 90 * 24 * HOUR_MS };
    assert_eq!(by_itself.begin(None, NOW_MS).left(), NOW_MS - 90 * 24 * HOUR_MS..NOW_MS);
    assert!(by_itself.begin(Some(done(0..7)), NOW_MS).is_done());
    for task in [Task::Range(5..100), Task::Backfill { stretch: Some(5..100), retention_ms: 0 }] {
        assert_eq!(task.begin(Some(done(5..100)), NOW_MS).left(), 5..100, "{task:?}");
    }
}

#[test]
fn every_task_has_a_cursor_of_its_own() {
    let tasks = [
        trailing(false),
        Task::Range(5..100),
        Task::Range(5..101),
        Task::Backfill { stretch: None, retention_ms: 7 },
        Task::Backfill { stretch: Some(5..100), retention_ms: 7 },
    ];
    let jobs: BTreeSet<_> = tasks.iter().map(Task::job).collect();
    assert_eq!(jobs.len(), tasks.len());
}
