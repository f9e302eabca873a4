//! `SessionStore::due`, `SessionStore::count_due` and `SessionStore::claim`.

use futures_util::future::join_all;
use shared::{
    domain::{notification::SessionFacts, session::Next},
    ports::session_store::{Due, Order, SessionStore},
};

use super::{
    DELAY_MS, EVENT_MS, FAR_MS, NOW_MS, QUIET_MS, claimed, due, due_in, ended, finish, heard, key, record, row,
};
use crate::backends::Backend;

pub(crate) async fn the_longest_due_come_first_and_no_more_than_asked<B: Backend>(backend: &B) {
    record_four(backend).await;
    assert_eq!(due(backend, FAR_MS, 10).await, ["s-a", "s-b", "s-c", "s-d"]);
    assert_eq!(due(backend, FAR_MS, 2).await, ["s-a", "s-b"]);
    assert_eq!(due(backend, four_due_ms(2), 10).await, ["s-a", "s-b"]);
}

pub(crate) async fn the_latest_due_come_first_where_they_are_asked_for<B: Backend>(backend: &B) {
    record_four(backend).await;
    let latest = async |now_ms, limit| due_in(Order::Latest, backend, now_ms, limit).await;
    assert_eq!(latest(FAR_MS, 10).await, ["s-d", "s-c", "s-b", "s-a"]);
    assert_eq!(latest(FAR_MS, 2).await, ["s-d", "s-c"]);
    assert_eq!(latest(four_due_ms(3) - 1, 1).await, ["s-b"], "what is not due yet is not the latest");
}

pub(crate) async fn what_is_due_says_since_when<B: Backend>(backend: &B) {
    record_four(backend).await;
    claimed(backend, "s-a", four_due_ms(1)).await;
    for order in [Order::Oldest, Order::Latest] {
        let mut due = backend.sessions().due(four_due_ms(2), order, 10).await.unwrap();
        due.sort_by_key(|due| due.key.clone());
        let pushed_on = Due { key: key("s-a"), due_at_ms: four_due_ms(2) };
        assert_eq!(due, [pushed_on, Due { key: key("s-b"), due_at_ms: four_due_ms(2) }], "{order:?}");
    }
}

pub(crate) async fn as_many_are_counted_as_are_due<B: Backend>(backend: &B) {
    let count = async |now_ms| backend.sessions().count_due(now_ms).await.unwrap();
    assert_eq!(count(FAR_MS).await, 0);
    record_four(backend).await;
    record(backend, &ended("s-e", "p-1", &[])).await;
    assert_eq!(count(four_due_ms(1) - 1).await, 0);
    assert_eq!(count(four_due_ms(3)).await, 3);
    assert_eq!(count(FAR_MS).await, 4, "what nobody recorded is no work");
    let row = claimed(backend, "s-a", FAR_MS).await;
    assert_eq!(count(FAR_MS).await, 3);
    backend.sessions().finish(&row.key, row.rev, &finish(Next::Settled)).await.unwrap();
    assert_eq!(count(u64::from(u32::MAX) * 1_000).await, 3);
}

pub(crate) async fn nothing_is_due_before_its_time<B: Backend>(backend: &B) {
    assert_eq!(due(backend, FAR_MS, 10).await, [""; 0]);
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    assert_eq!(due(backend, EVENT_MS + DELAY_MS - 1, 10).await, [""; 0]);
    assert_eq!(due(backend, EVENT_MS + DELAY_MS, 10).await, ["s-1"]);
    assert_eq!(due(backend, EVENT_MS + DELAY_MS, 10).await, ["s-1"], "a look at the queue takes nothing out");
}

pub(crate) async fn only_sessions_with_a_recording_are_due<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &[])).await;
    assert_eq!(due(backend, FAR_MS, 10).await, [""; 0]);
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    assert_eq!(due(backend, EVENT_MS + DELAY_MS, 10).await, ["s-1"], "the end that came first is not forgotten");
}

pub(crate) async fn an_end_decides_when_and_a_recording_only_where_nothing_has<B: Backend>(backend: &B) {
    let due_at_ms = async || backend.kept(&key("s-1")).await.unwrap().due_at_ms.unwrap();
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    assert_eq!(due_at_ms().await, NOW_MS + QUIET_MS);
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    assert_eq!(due_at_ms().await, EVENT_MS + DELAY_MS);
    record(backend, &heard("s-1", "p-2", &["9002"])).await;
    assert_eq!(due_at_ms().await, EVENT_MS + DELAY_MS);
    let from_the_future = SessionFacts { at_ms: Some(FAR_MS), ..ended("s-1", "p-2", &[]) };
    record(backend, &from_the_future).await;
    assert_eq!(due_at_ms().await, NOW_MS + DELAY_MS, "the last end decides, but never from the future");
}

pub(crate) async fn a_claim_takes_a_session_once_and_pushes_it_on<B: Backend>(backend: &B) {
    const UNTIL_MS: u64 = FAR_MS + 60_000;
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let claim = async |now_ms, until_ms| backend.sessions().claim(&key("s-1"), now_ms, until_ms).await.unwrap();
    let claimed = claim(FAR_MS, UNTIL_MS).await.unwrap();
    assert_eq!((claimed.rev, claimed.attempts), (2, 1));
    assert_eq!(claimed, row(backend, "s-1").await);
    assert_eq!(claim(FAR_MS, UNTIL_MS).await, None);
    assert_eq!(due(backend, UNTIL_MS - 1, 10).await, [""; 0]);
    assert_eq!(due(backend, UNTIL_MS, 10).await, ["s-1"], "a run that died blocks it no longer");
    assert_eq!(claim(UNTIL_MS, UNTIL_MS + 1).await.unwrap().attempts, 2);
}

pub(crate) async fn what_is_not_due_cannot_be_claimed<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    record(backend, &ended("s-2", "p-1", &[])).await;
    let early_ms = EVENT_MS + DELAY_MS - 1;
    for (session, now_ms) in [("s-1", early_ms), ("s-2", FAR_MS), ("s-3", FAR_MS)] {
        let claimed = backend.sessions().claim(&key(session), now_ms, FAR_MS + 1).await.unwrap();
        assert_eq!(claimed, None, "{session}");
    }
    for session in ["s-1", "s-2"] {
        let row = row(backend, session).await;
        assert_eq!((row.rev, row.attempts), (1, 0), "{session}");
    }
    assert_eq!(backend.kept(&key("s-3")).await, None);
}

pub(crate) async fn of_ten_claims_at_once_one_gets_the_row<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let key = key("s-1");
    let claims = join_all((0..10).map(|_| backend.sessions().claim(&key, FAR_MS, FAR_MS + 1))).await;
    assert_eq!(claims.iter().filter(|claimed| claimed.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(row(backend, "s-1").await.attempts, 1);
}

/// Four sessions, due a minute after one another.
async fn record_four<B: Backend>(backend: &B) {
    for (session, minute) in [("s-c", 3), ("s-a", 1), ("s-d", 4), ("s-b", 2)] {
        let at_ms = Some(four_due_ms(minute) - DELAY_MS);
        record(backend, &SessionFacts { at_ms, ..ended(session, "p-1", &["9001"]) }).await;
    }
}

/// When the `number`th of the four is due.
fn four_due_ms(number: u64) -> u64 {
    EVENT_MS - 3_600_000 + DELAY_MS + number * 60_000
}
