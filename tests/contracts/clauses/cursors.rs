//! `CursorStore`.

use futures_util::future::join_all;
use shared::ports::{
    cursor_store::{Cursor, CursorStore, Job},
    session_store::SessionStore,
};

use super::{ended, record};
use crate::backends::Backend;

pub(crate) async fn a_job_nobody_wrote_of_has_no_state<B: Backend>(backend: &B) {
    assert_eq!(cursor(backend, "backfill").await, Cursor::default());
}

pub(crate) async fn what_a_job_writes_is_read_back_exactly<B: Backend>(backend: &B) {
    let states = [r#"{"next":1}"#, r##"{"text":"ü .\"#:\n","deep":[{"n":18446744073709551615}]}"##, "{}", "state"];
    for (rev, state) in (0..).zip(states) {
        assert!(advance(backend, "backfill", rev, state).await);
        let written = Cursor { rev: rev + 1, state: Some(state.to_owned()) };
        assert_eq!(cursor(backend, "backfill").await, written);
    }
}

pub(crate) async fn a_state_of_a_long_job_survives<B: Backend>(backend: &B) {
    let state = format!(r#"{{"open":"{}"}}"#, "2026-04-14,".repeat(2_000));
    assert!(advance(backend, "reports", 0, &state).await);
    assert_eq!(cursor(backend, "reports").await.state, Some(state));
}

pub(crate) async fn an_advance_on_another_rev_writes_nothing<B: Backend>(backend: &B) {
    assert!(!advance(backend, "backfill", 1, "early").await);
    assert_eq!(cursor(backend, "backfill").await, Cursor::default(), "and makes no row");
    assert!(advance(backend, "backfill", 0, "first").await);
    assert!(advance(backend, "backfill", 1, "second").await);
    let written = cursor(backend, "backfill").await;
    for rev in [0, 1, 3, u64::MAX] {
        assert!(!advance(backend, "backfill", rev, "other").await, "{rev}");
        assert_eq!(cursor(backend, "backfill").await, written, "{rev}");
    }
    assert!(advance(backend, "backfill", 2, "third").await);
}

pub(crate) async fn of_ten_advances_at_once_one_is_done<B: Backend>(backend: &B) {
    let states: Vec<String> = (0..10).map(|n| format!("run-{n}")).collect();
    for rev in [0, 1] {
        let done = join_all(states.iter().map(|state| advance(backend, "backfill", rev, state))).await;
        let kept = cursor(backend, "backfill").await;
        assert_eq!(kept.rev, rev + 1);
        let winners: Vec<_> = states.iter().zip(done).filter(|(_, done)| *done).map(|(state, _)| state).collect();
        assert_eq!(winners, [&kept.state.unwrap()]);
    }
}

pub(crate) async fn jobs_do_not_share_anything<B: Backend>(backend: &B) {
    assert!(advance(backend, "reports#800000001", 0, "one").await);
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    for other in ["reports#800000002", "reports", "reports#800000001#", "backfill"] {
        assert_eq!(cursor(backend, other).await, Cursor::default(), "{other}");
        assert!(advance(backend, other, 0, other).await, "{other}");
    }
    assert_eq!(cursor(backend, "reports#800000001").await, Cursor { rev: 1, state: Some("one".into()) });
    assert_eq!(backend.sessions().queued().await.unwrap().len(), 1, "nor with sessions");
}

async fn cursor<B: Backend>(backend: &B, job: &str) -> Cursor {
    backend.cursors().cursor(&Job::new(job)).await.unwrap()
}

async fn advance<B: Backend>(backend: &B, job: &str, rev: u64, state: &str) -> bool {
    backend.cursors().advance(&Job::new(job), rev, state).await.unwrap()
}
