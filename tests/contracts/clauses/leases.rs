//! The drain lease of `SessionStore`.

use futures_util::future::join_all;
use shared::ports::session_store::{Drain, SessionStore};

use super::NOW_MS;
use crate::backends::Backend;

const UNTIL_MS: u64 = NOW_MS + 60_000;

pub(crate) async fn the_drain_has_one_holder_at_a_time<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    assert!(!drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    assert!(!drain(backend, "b", UNTIL_MS - 1, UNTIL_MS * 2).await);
}

pub(crate) async fn who_does_not_get_the_drain_is_told_until_when<B: Backend>(backend: &B) {
    let acquire =
        async |holder, now_ms, until_ms| backend.sessions().acquire_drain(holder, now_ms, until_ms).await.unwrap();
    assert_eq!(acquire("a", NOW_MS, UNTIL_MS).await, Drain::Ours);
    for _ in 0..2 {
        let held = acquire("b", NOW_MS + 1, UNTIL_MS * 2).await;
        assert_eq!(held, Drain::Held { until_ms: UNTIL_MS }, "and asking moves nothing");
    }
    assert_eq!(acquire("a", NOW_MS + 2, UNTIL_MS + 7).await, Drain::Ours);
    assert_eq!(acquire("b", UNTIL_MS, UNTIL_MS * 2).await, Drain::Held { until_ms: UNTIL_MS + 7 });
    assert_eq!(acquire("b", UNTIL_MS + 7, UNTIL_MS * 2).await, Drain::Ours);
}

pub(crate) async fn its_holder_may_take_the_drain_again<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, NOW_MS + 10).await);
    assert!(drain(backend, "a", NOW_MS + 1, UNTIL_MS).await);
    assert!(!drain(backend, "b", NOW_MS + 11, UNTIL_MS).await, "it was prolonged");
    assert!(drain(backend, "a", NOW_MS + 12, NOW_MS + 20).await);
    assert!(drain(backend, "b", NOW_MS + 20, UNTIL_MS).await, "and cut short");
}

pub(crate) async fn the_drain_runs_out<B: Backend>(backend: &B) {
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    assert!(drain(backend, "b", UNTIL_MS, UNTIL_MS + 60_000).await);
    assert!(!drain(backend, "a", UNTIL_MS + 1, UNTIL_MS * 2).await);
}

pub(crate) async fn only_its_holder_gives_the_drain_back<B: Backend>(backend: &B) {
    backend.sessions().release_drain("a").await.unwrap();
    assert!(drain(backend, "a", NOW_MS, UNTIL_MS).await);
    backend.sessions().release_drain("b").await.unwrap();
    assert!(!drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    backend.sessions().release_drain("a").await.unwrap();
    assert!(drain(backend, "b", NOW_MS + 1, UNTIL_MS).await);
    backend.sessions().release_drain("a").await.unwrap();
    assert!(!drain(backend, "a", NOW_MS + 2, UNTIL_MS).await, "who had it before has no say any more");
}

pub(crate) async fn of_ten_who_want_the_drain_at_once_one_gets_it<B: Backend>(backend: &B) {
    let holders: Vec<String> = (0..10).map(|n| format!("run-{n}")).collect();
    let taken = join_all(holders.iter().map(|holder| drain(backend, holder, NOW_MS, UNTIL_MS))).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
}

async fn drain<B: Backend>(backend: &B, holder: &str, now_ms: u64, until_ms: u64) -> bool {
    backend.sessions().acquire_drain(holder, now_ms, until_ms).await.unwrap() == Drain::Ours
}
