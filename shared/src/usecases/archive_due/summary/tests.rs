use super::*;
use crate::{
    domain::{
        call_log::Listed,
        media::AudioFormat,
        session::{ArchivedBytes, RecordingResult, RecordingState, tests::id, tests::row},
    },
    ports::archive_store::ArchiveError,
    usecases::archive_due::Shift,
};

const SHIFT: Shift = Shift { deadline_ms: 0, stop_ms: 0, body_ms: 0 };

fn recording(text: &str) -> RecordingId {
    id(RecordingId::parse, text)
}

/// A look at the session `s-N`, which happened then, with recordings in these states.
fn look(session: u32, happened_ms: u64, states: &[RecordingState]) -> Look {
    let heard: Vec<_> = (0..states.len()).map(|n| format!("{}|p", n + 1)).collect();
    let heard: Vec<_> = heard.iter().map(String::as_str).collect();
    let mut row = row(&heard, &["p"]);
    row.key.session = id(crate::domain::ids::TelephonySessionId::parse, &format!("s-{session}"));
    row.happened_ms = happened_ms;
    for (n, state) in states.iter().enumerate() {
        let result = RecordingResult { state: *state, ..RecordingResult::default() };
        row.results.insert(recording(&(n + 1).to_string()), result);
    }
    Look::at(row, 0, SHIFT)
}

#[test]
fn each_session_is_counted_once_as_the_run_left_it() {
    use RecordingState::{Archived, Deleted, TooShort, Unavailable, Waiting};
    let mut summary = Summary::default();
    summary.count_session(&look(1, 0, &[Waiting, Waiting]));
    assert_eq!(summary.sessions_so_far(), 1);
    summary.count_session(&look(1, 0, &[Archived, Waiting]));
    let mut beside = Summary::default();
    beside.count_session(&look(2, 0, &[TooShort, TooShort, TooShort, Unavailable, Unavailable, Deleted, Archived]));
    summary.add(beside);
    assert_eq!(summary.sessions_so_far(), 2);
    summary.conclude(0, 0, 0);
    let counts = (summary.archived, summary.waiting, summary.too_short, summary.unavailable, summary.deleted);
    assert_eq!((summary.sessions, counts), (2, (2, 1, 3, 2, 1)));
}

#[test]
fn what_a_person_must_see_is_counted_by_what_it_is() {
    let mut summary = Summary::default();
    for session in [1, 2] {
        let mut barred = look(session, 0, &[RecordingState::Waiting; 3]);
        barred.barred.insert(recording("1"), Bar::Forbidden);
        barred.barred.insert(recording("2"), Bar::Forbidden);
        barred.barred.insert(recording("3"), Bar::ForeignHost);
        summary.count_session(&barred);
        let mut conflict = look(10 + session, 0, &[]);
        conflict.undescribed = Some(NotDescribed::Conflict);
        summary.count_closed(&conflict);
        let mut failed = look(20 + session, 0, &[]);
        failed.undescribed = Some(NotDescribed::Archive(ArchiveError::Unavailable("503".into())));
        summary.count_closed(&failed);
        summary.count_closed(&look(30 + session, 0, &[]));
    }
    assert_eq!((summary.forbidden, summary.foreign_hosts), (4, 2));
    assert_eq!((summary.undescribed, summary.conflicts), (4, 2));
}

#[test]
fn odd_durations_are_counted_where_this_run_tried() {
    let mut odd = look(1, 0, &[RecordingState::Archived; 3]);
    for (name, plays_ms) in [("1", 90_000), ("2", 60_000), ("3", 90_000)] {
        let result = odd.row.results.get_mut(&recording(name)).unwrap();
        result.listed = Some(Listed { duration_s: Some(60), ..Listed::default() });
        result.archived = Some(ArchivedBytes {
            sha256: String::new(),
            crc64nvme: None,
            etag: String::new(),
            size_bytes: 1,
            format: AudioFormat::Mp3,
            duration_ms: Some(plays_ms),
            way: Way::Direct,
        });
    }
    odd.tried = vec![recording("1"), recording("2")];
    let mut summary = Summary::default();
    summary.count_session(&odd);
    summary.count_session(&odd);
    assert_eq!(summary.durations_differ, 2, "one of the two tried, at each look");
}

#[test]
fn what_was_counted_beside_each_other_is_added() {
    let one = Summary {
        direct: 2,
        call_log: 3,
        adopted: 4,
        conflicts: 5,
        durations_differ: 6,
        undescribed: 7,
        unreadable: 8,
        forbidden: 9,
        foreign_hosts: 10,
        oldest_ms: Some(20),
        ..Summary::default()
    };
    let mut sum = Summary::default();
    sum.add(Summary { oldest_ms: Some(30), ..one.clone() });
    sum.add(one);
    let expected = Summary {
        direct: 4,
        call_log: 6,
        adopted: 8,
        conflicts: 10,
        durations_differ: 12,
        undescribed: 14,
        unreadable: 16,
        forbidden: 18,
        foreign_hosts: 20,
        oldest_ms: Some(20),
        ..Summary::default()
    };
    assert_eq!(sum, expected);
}

#[test]
fn each_recording_counts_for_the_way_it_came() {
    let mut summary = Summary::default();
    for (way, times) in [(Way::Direct, 2), (Way::CallLog, 3), (Way::Adopted, 4)] {
        (0..times).for_each(|_| summary.count_way(way));
    }
    assert_eq!((summary.direct, summary.call_log, summary.adopted), (2, 3, 4));
}

#[test]
fn the_oldest_call_that_is_left_decides_how_much_time_there_is() {
    use RecordingState::{Archived, Waiting};
    let slack = |backlog, pace_ms, looks: &[Look]| {
        let mut summary = Summary { backlog, ..Summary::default() };
        looks.iter().for_each(|look| summary.count_closed(look));
        summary.conclude(100_000, 500_000, pace_ms);
        summary.slack_seconds
    };
    assert_eq!(slack(1, 6_000, &[look(1, 5_000, &[Archived])]), None, "what is archived cannot be too late");
    let left = [look(1, 5_000, &[Archived]), look(2, 30_000, &[Waiting]), look(3, 40_000, &[Waiting])];
    assert_eq!(slack(0, 6_000, &left), Some(430));
    assert_eq!(slack(10, 6_000, &left), Some(370));
    assert_eq!(slack(72, 6_000, &left), Some(-2));
    assert_eq!(slack(usize::MAX, 6_000, &left), Some(i64::MIN));
    let mut for_ever = Summary { oldest_ms: Some(u64::MAX), ..Summary::default() };
    for_ever.conclude(0, u64::MAX, 0);
    assert_eq!(for_ever.slack_seconds, Some(i64::try_from(u64::MAX / 500).unwrap_or(i64::MAX)));
}
