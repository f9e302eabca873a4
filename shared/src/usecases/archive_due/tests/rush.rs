//! Under a backlog.

use super::*;
use crate::ports::recording_source::SourceError;

/// So many calls, the first the oldest, each with one recording of its number.
fn backlog(number: u64) -> Vec<SessionRow> {
    let texts = (1..=number).map(|n| (format!("s-{n:02}"), format!("{n}")));
    texts.zip(1..).map(|((session, text), n)| call(&session, &[text.as_str()], 10_000_000 - n * 60_000)).collect()
}

/// A page that offers one recording of each of these calls.
fn page_of(numbers: std::ops::RangeInclusive<u64>) -> crate::domain::call_log::CallLogPage {
    let texts: Vec<_> = numbers.map(|n| (format!("s-{n:02}"), n.to_string())).collect();
    let offered: Vec<_> = texts.iter().map(|(session, text)| (session.as_str(), [text.as_str()])).collect();
    let calls: Vec<_> = offered.iter().map(|(session, texts)| (*session, texts.as_slice())).collect();
    page(&calls)
}

fn addresses(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|n| format!("https://media/{n}")).collect()
}

fn give<'a>(world: World<'a>, numbers: std::ops::RangeInclusive<u64>) -> World<'a> {
    let places: Vec<_> = addresses(numbers);
    world.give(&places.iter().map(String::as_str).collect::<Vec<_>>(), Gives::Audio)
}

#[test]
fn the_log_is_asked_once_for_all_and_every_request_after_it_brings_a_recording() {
    let clock = Jumping::at(NOW_MS);
    let rows = backlog(18);
    let world = give(World::new(&clock, &rows), 1..=18);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=18)));
    let summary = world.run();
    assert_eq!((summary.sessions, summary.archived, summary.call_log, summary.backlog), (18, 18, 18, 18));
    let mut said = world.said();
    assert_eq!(said.remove(0), "page 1");
    said.sort_by_key(|said| said.rsplit('/').next().and_then(|n| n.parse::<u64>().ok()));
    assert_eq!(said, addresses(1..=18), "no request is made twice or in vain");
    let window = world.vendor.windows.borrow()[0].clone();
    let oldest_ms = NOW_MS - 10_000_000 + 60_000;
    assert_eq!((window.from_ms, window.to_ms), (9 * DAY_MS, oldest_ms + 800 * 6_000 + 60_000));
}

#[test]
fn ten_sessions_are_a_backlog_and_nine_are_none() {
    for (number, first) in [(9, "direct 1"), (10, "page 1")] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, &backlog(number));
        world.run();
        assert_eq!(world.said()[0], first, "{number}");
    }
}

#[test]
fn ten_are_fetched_beside_each_other() {
    let clock = Jumping::at(NOW_MS);
    let mut world = give(World::new(&clock, &backlog(18)), 1..=18);
    world.vendor.takes_ms = 1_000;
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=18)));
    world.run();
    assert_eq!(clock.now_ms(), NOW_MS + 3_000, "one second for the page, two for two tens");
}

#[test]
fn the_latest_are_taken_beside_the_oldest_and_tried_at_once() {
    let clock = Jumping::at(NOW_MS);
    let world = give(World::new(&clock, &backlog(40)), 1..=38).give(&["direct 39", "direct 40"], Gives::Audio);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=38)));
    let summary = world.run();
    assert_eq!((summary.archived, summary.direct, summary.call_log), (40, 2, 38));
    let said = world.said();
    assert_eq!(said[0], "page 1");
    let direct: Vec<_> = said.iter().filter(|said| said.starts_with("direct")).collect();
    assert_eq!(direct, ["direct 40", "direct 39"]);
}

#[test]
fn who_is_told_by_a_page_need_not_ask_again() {
    let clock = Jumping::at(NOW_MS);
    let rows = backlog(40);
    let world = give(World::new(&clock, &rows), 1..=40);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=40)));
    world.table.fails.borrow_mut().push(("offer s-30", || StoreError::Corrupt("spoiled")));
    let summary = world.run();
    assert_eq!(summary.stopped, None, "one row that does not take it is no table that fails");
    assert_eq!((summary.archived, summary.waiting), (37, 3), "that one, and the two latest that came before the page");
    assert!(world.said().iter().filter(|said| said.starts_with("page")).count() <= 2);

    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, &rows);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=40)));
    world.table.fails.borrow_mut().push(("offer s-30", || StoreError::Unavailable("503".into())));
    assert!(matches!(world.try_run(), Err(StoreError::Unavailable(_))));
}

#[test]
fn what_a_page_does_not_offer_climbs_the_ladder_at_its_first_look_and_is_asked_about_at_its_second() {
    let clock = Jumping::at(NOW_MS);
    let mut rows = backlog(18);
    rows[17].attempts = 1;
    let world = give(World::new(&clock, &rows), 1..=16).give(&["direct 18"], Gives::Audio);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=16)));
    let summary = world.run();
    assert_eq!((summary.archived, summary.direct, summary.sessions), (17, 1, 17));
    let said = world.said();
    assert!(said.contains(&"ask s-18".to_owned()) && !said.contains(&"direct 17".to_owned()), "{said:?}");
    assert_eq!(world.reason(&rows[16], "17"), "call log: not offered on its pages");
    assert_eq!(world.standing(&rows[16]).0, 1, "the look counts");
}

#[test]
fn where_pages_cannot_be_read_the_media_url_comes_first_again() {
    let clock = Jumping::at(NOW_MS);
    let mut rows = backlog(40);
    rows[1].attempts = 1;
    let mut world = World::new(&clock, &rows);
    for n in 1..=40 {
        world = world.give(&[format!("direct {n}").as_str()], Gives::Audio);
    }
    world.vendor.pages.borrow_mut().push_back(Err(SourceError::Malformed("no page")));
    let summary = world.run();
    assert_eq!((summary.archived, summary.direct), (40, 40));
    let said = world.said();
    assert_eq!(said.iter().filter(|said| said.starts_with("page")).count(), 1, "it is not asked again");
    assert_eq!(said.iter().filter(|said| said.starts_with("ask")).collect::<Vec<_>>(), ["ask s-02"]);
}

#[test]
fn what_was_tried_before_and_is_offered_in_vain_is_asked_about() {
    let clock = Jumping::at(NOW_MS);
    let mut rows = backlog(10);
    let tried = crate::domain::session::RecordingResult {
        content_uri: Some("https://media/old".into()),
        at_ms: 7,
        ..crate::domain::session::RecordingResult::default()
    };
    rows[0].results.insert(recording("1"), tried);
    let mut world = give(World::new(&clock, &rows), 1..=10);
    world.vendor.answers.insert("s-01".into(), Ok(silent(&["1"])));
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(2..=10)));
    let summary = world.run();
    assert_eq!(summary.archived, 10);
    let said: Vec<_> = world.said().into_iter().filter(|said| said.contains("old") || said.contains("ask")).collect();
    assert_eq!(said, ["https://media/old", "ask s-01"]);
}

#[test]
fn a_page_that_ends_too_far_from_the_oldest_is_followed_by_one_nearer_to_it() {
    let clock = Jumping::at(NOW_MS);
    let rows = backlog(18);
    let oldest_ms = NOW_MS - 10_000_000 + 60_000;
    let world = World::new(&clock, &rows);
    for _ in 0..6 {
        let far =
            crate::domain::call_log::CallLogPage { more: true, oldest_ms: Some(oldest_ms + 1_020_001), ..page(&[]) };
        world.vendor.pages.borrow_mut().push_back(Ok(far));
    }
    world.run();
    let ends: Vec<_> =
        world.vendor.windows.borrow().iter().filter(|window| window.page == 1).map(|window| window.to_ms).collect();
    let ahead = |from_ms: u64, shift: u32| from_ms + ((800 * 6_000) >> shift) + 60_000;
    assert_eq!(ends[..2], [ahead(oldest_ms, 0), ahead(oldest_ms + 60_000, 2)]);
}

#[test]
fn a_vendor_that_closes_puts_back_what_is_in_hand() {
    let clock = Jumping::at(NOW_MS);
    let rows = backlog(18);
    let world = give(World::new(&clock, &rows), 1..=18);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=18)));
    world.vendor.permits.set(6);
    let summary = world.run();
    assert_eq!((summary.stopped, summary.archived), (Some(Stopped::Throttled), 5));
    for row in &rows {
        let kept = world.table.kept(&row.key);
        let archived =
            kept.row.result(&recording(row.key.session.as_str().trim_start_matches("s-").trim_start_matches('0')));
        if archived.state == RecordingState::Archived {
            assert_eq!(kept.due_at_ms, None);
        } else {
            assert_eq!((kept.due_at_ms, kept.row.attempts), (Some(row.seen_at_ms), 0), "{}", row.key.session);
        }
    }
}

#[test]
fn a_row_that_cannot_be_written_does_not_keep_a_backlog() {
    let clock = Jumping::at(NOW_MS);
    let rows = backlog(12);
    let world = give(World::new(&clock, &rows), 1..=12);
    world.vendor.pages.borrow_mut().push_back(Ok(page_of(1..=12)));
    world.table.fails.replace(vec![("finish s-03", (|| StoreError::Corrupt("spoiled")) as fn() -> StoreError); 9]);
    let summary = world.run();
    assert_eq!((summary.unreadable, summary.archived, summary.stopped), (1, 11, None));
}

#[test]
fn of_what_is_put_back_a_spoiled_row_is_passed_over_and_a_table_that_fails_is_told() {
    let rows = backlog(18);
    let throttled = || {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, &rows);
        world.vendor.permits.set(0);
        world.table.fails.borrow_mut().push(("finish s-05", || StoreError::Corrupt("spoiled")));
        world.run()
    };
    let summary = throttled();
    assert_eq!((summary.unreadable, summary.stopped), (1, Some(Stopped::Throttled)));
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, &rows);
    world.vendor.permits.set(0);
    world.table.fails.borrow_mut().push(("finish s-05", || StoreError::Unavailable("503".into())));
    assert!(matches!(world.try_run(), Err(StoreError::Unavailable(_))));
}
