//! `SessionStore::rows` and `SessionStore::queued`.

use std::collections::{BTreeMap, BTreeSet};

use shared::{
    domain::{
        notification::SessionFacts,
        session::{Next, SessionKey, SessionRow},
    },
    ports::session_store::{Due, Rows, SessionStore},
};

use super::{DELAY_MS, EVENT_MS, FAR_MS, NOW_MS, QUIET_MS, claimed, ended, finish, heard, key, record, row};
use crate::backends::Backend;

pub(crate) async fn rows_come_as_they_stand_and_only_those_that_are_there<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    record(backend, &ended("s-2", "p-1", &[])).await;
    record(backend, &heard("s-3", "p-1", &["9003"])).await;
    let settled = claimed(backend, "s-1", FAR_MS).await;
    backend.sessions().finish(&settled.key, settled.rev, &finish(Next::Settled)).await.unwrap();
    let expected = rows_of(backend, &["s-1", "s-2"]).await;
    assert_eq!(read(backend, &["s-2", "s-4", "s-1"]).await, expected, "settled and unrecorded ones too");
    assert_eq!(read(backend, &["s-4", "s-5"]).await, Rows::default());
    assert_eq!(read(backend, &[]).await, Rows::default());
}

pub(crate) async fn a_key_asked_for_twice_is_one_row<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let expected = rows_of(backend, &["s-1"]).await;
    assert_eq!(read(backend, &["s-1", "s-2", "s-1", "s-2"]).await, expected);
}

pub(crate) async fn hundreds_of_rows_are_read_at_once<B: Backend>(backend: &B) {
    let names: Vec<String> = (0..250).map(|n| format!("s-{n}")).collect();
    for name in names.iter().step_by(2) {
        record(backend, &ended(name, "p-1", &["9001"])).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = read(backend, &names).await;
    let expected: BTreeSet<SessionKey> = names.iter().step_by(2).map(|name| key(name)).collect();
    assert_eq!(rows.known.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(rows.known.iter().all(|(key, row)| row.key == *key));
    assert!(rows.unreadable.is_empty());
}

pub(crate) async fn a_read_sees_the_last_write<B: Backend>(backend: &B) {
    for n in 1..=5 {
        record(backend, &heard("s-1", "p-1", &[&format!("900{n}")])).await;
        assert_eq!(read(backend, &["s-1"]).await.known[&key("s-1")].rev, n);
    }
}

pub(crate) async fn the_queue_holds_what_is_due_and_what_is_not<B: Backend>(backend: &B) {
    assert_eq!(queued(backend).await, []);
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    record(backend, &heard("s-2", "p-1", &["9002"])).await;
    record(backend, &ended("s-3", "p-1", &[])).await;
    let due = |session, due_at_ms| Due { key: key(session), due_at_ms };
    let ended_at = EVENT_MS + DELAY_MS;
    assert_eq!(queued(backend).await, [due("s-1", ended_at), due("s-2", NOW_MS + QUIET_MS)]);
    let row = claimed(backend, "s-1", ended_at).await;
    assert_eq!(queued(backend).await, [due("s-1", ended_at + 60_000), due("s-2", NOW_MS + QUIET_MS)]);
    let far = finish(Next::At(u64::from(u32::MAX) * 10_000));
    backend.sessions().finish(&row.key, row.rev, &far).await.unwrap();
    assert_eq!(queued(backend).await, [due("s-1", u64::from(u32::MAX) * 10_000), due("s-2", NOW_MS + QUIET_MS)]);
    backend.sessions().finish(&row.key, row.rev + 1, &finish(Next::Settled)).await.unwrap();
    assert_eq!(queued(backend).await, [due("s-2", NOW_MS + QUIET_MS)], "what is settled has left it");
    record(backend, &SessionFacts { at_ms: Some(EVENT_MS), ..heard("s-1", "p-1", &["9009"]) }).await;
    assert_eq!(queued(backend).await.len(), 2, "and comes back with a recording");
}

/// The rows of these sessions, each read alone.
async fn rows_of<B: Backend>(backend: &B, sessions: &[&str]) -> Rows {
    let mut known: BTreeMap<SessionKey, SessionRow> = BTreeMap::new();
    for session in sessions {
        known.insert(key(session), row(backend, session).await);
    }
    Rows { known, unreadable: BTreeSet::new() }
}

async fn read<B: Backend>(backend: &B, sessions: &[&str]) -> Rows {
    let keys: Vec<SessionKey> = sessions.iter().map(|session| key(session)).collect();
    backend.sessions().rows(&keys).await.unwrap()
}

/// The queue in the order of keys: the port promises none.
async fn queued<B: Backend>(backend: &B) -> Vec<Due> {
    let mut queued = backend.sessions().queued().await.unwrap();
    queued.sort_by_key(|due| due.key.clone());
    queued
}
