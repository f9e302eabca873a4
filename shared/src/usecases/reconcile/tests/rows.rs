//! What becomes of the rows.

use super::*;
use crate::domain::{
    ids::RecordingId,
    session::{Heard, RecordingResult, RecordingState, tests::row},
};

/// A row of the stretch with recordings that stand like this.
fn known(session: &str, results: &[(&str, RecordingState, Option<&str>)]) -> SessionRow {
    let heard: Vec<_> = results.iter().map(|(text, ..)| format!("{text}|p-{text}")).collect();
    let heard: Vec<_> = heard.iter().map(String::as_str).collect();
    let mut row = SessionRow { key: key(session), happened_ms: 10 * DAY_MS + DAY_MS / 2, ..row(&heard, &[]) };
    row.day = Day::of(row.happened_ms);
    for (text, state, address) in results {
        let content_uri = address.map(str::to_owned);
        let result = RecordingResult { state: *state, content_uri, ..RecordingResult::default() };
        row.results.insert(id(RecordingId::parse, text), result);
    }
    row
}

#[test]
fn what_no_event_told_of_is_learned_and_due_at_once() {
    let table = Table::default();
    let began_ms = 10 * DAY_MS + 5;
    let calls =
        [logged("s-1", began_ms, &["1", "2", "4"]), logged("s-2", began_ms, &["3"]), logged("s-3", began_ms, &[])];
    let swept = swept_over(&table, [page(calls, false)]).unwrap();
    assert_eq!((swept.pages, swept.calls, swept.offered, swept.unheard, swept.amended), (1, 3, 4, 4, 0));
    assert_eq!((swept.is_done(), swept.days.len(), swept.accounts.len()), (true, 1, 1));
    let kept = table.kept(&key("s-1"));
    assert_eq!((kept.row.heard.len(), kept.due_at_ms, kept.row.day), (3, Some(NOW_MS + 10), Day::of(began_ms)));
    assert!(!table.rows.borrow().contains_key(&key("s-3")), "a call without recordings makes no row");
}

#[test]
fn what_a_row_lacks_is_added_and_counted_by_what_it_is() {
    use RecordingState::{Archived, TooShort, Unavailable, Waiting};
    let reopened = known("s-1", &[("1", TooShort, None), ("2", Unavailable, None), ("3", Archived, None)]);
    let short = known("s-2", &[("4", Waiting, None), ("5", Waiting, None)]);
    let gone = known("s-3", &[("6", Waiting, Some("https://media/6"))]);
    let table = Table::with([reopened, short, gone].map(|row| (row, u64::MAX)));
    let began_ms = 10 * DAY_MS + DAY_MS / 2;
    let marks = ["p-4", "p-5"].map(|party| Some(id(crate::domain::ids::PartyId::parse, party)));
    let (session, call) = logged("s-2", began_ms, &[]);
    let said = CallLogAnswer { too_short: marks.to_vec(), parts: 2, ..call.said.clone() };
    let calls = [
        logged("s-1", began_ms, &["1", "2", "3", "7"]),
        (session, LoggedCall { said, ..call }),
        logged("s-3", began_ms, &[]),
    ];
    let swept = swept_over(&table, [page(calls, false)]).unwrap();
    assert_eq!((swept.amended, swept.unheard, swept.reopened, swept.too_short, swept.silent), (3, 1, 2, 2, 1));
    assert_eq!(swept.days, [Day::of(began_ms)].into());
    let kept = table.kept(&key("s-1"));
    assert_eq!(kept.due_at_ms, Some(NOW_MS + 10), "it is due at once");
    assert!(kept.row.heard.contains(&Heard { recording: id(RecordingId::parse, "7"), party: None }));
    let state = |session, text| table.kept(&key(session)).row.result(&id(RecordingId::parse, text)).state;
    assert_eq!(["1", "2", "3"].map(|text| state("s-1", text)), [Waiting, Waiting, Archived]);
    assert_eq!((state("s-2", "4"), state("s-3", "6")), (TooShort, Waiting), "the archiver looks into the bucket first");
}

#[test]
fn where_a_page_does_not_speak_for_all_nothing_ends() {
    let table = Table::with([(known("s-1", &[("1", RecordingState::Waiting, Some("https://media/1"))]), u64::MAX)]);
    let calls = || [logged("s-1", 10 * DAY_MS + DAY_MS / 2, &[])];
    let partial = CallLogPage { whole: false, ..page(calls(), true) };
    let swept = swept_over(&table, [partial, page([], false)]).unwrap();
    assert_eq!(swept.amended, 0);
    let swept = swept_over(&table, [page(calls(), true), page([], false)]).unwrap();
    assert_eq!((swept.amended, swept.pages), (1, 2));
}

#[test]
fn rows_that_cannot_be_read_or_written_are_counted_and_the_others_go_on() {
    let calls = || ["s-1", "s-2", "s-3", "s-4"].map(|session| logged(session, 10 * DAY_MS + 5, &["1"]));
    let spoiled: fn() -> StoreError = || StoreError::Corrupt("spoiled");
    let table = Table::default();
    let failures = ["read s-1", "read s-2", "record s-3"].map(|call| (call, spoiled));
    table.fails.replace(failures.to_vec());
    let swept = swept_over(&table, [page(calls(), false)]).unwrap();
    assert_eq!((swept.unreadable, swept.unheard, swept.stopped), (3, 1, None));

    let table = Table::default();
    table.fails.replace(["record s-1", "record s-2", "record s-3", "record s-4"].map(|call| (call, spoiled)).to_vec());
    let refused = swept_over(&table, [page(calls(), false)]);
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "a table that takes nothing at all");
}

#[test]
fn a_write_that_failed_is_tried_again_three_times() {
    let calls = || [logged("s-1", 10 * DAY_MS + 5, &["1"])];
    let busy: fn() -> StoreError = || StoreError::Unavailable("503".into());
    for (failures, fails) in [(3, false), (4, true)] {
        let table = Table::default();
        table.fails.replace(vec![("record", busy); failures]);
        let swept = swept_over(&table, [page(calls(), false)]);
        assert_eq!(swept.is_err(), fails, "{failures}");
        assert!(swept.is_err() || swept.unwrap().unreadable == 0);
    }
}
