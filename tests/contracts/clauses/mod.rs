//! The clauses, each a test of one promise that a port's documentation makes.

pub(crate) mod archive;
pub(crate) mod cursors;
pub(crate) mod documents;
pub(crate) mod due;
pub(crate) mod facts;
pub(crate) mod leases;
pub(crate) mod parts;
pub(crate) mod permits;
pub(crate) mod results;
pub(crate) mod rows;
pub(crate) mod signals;
pub(crate) mod tokens;
pub(crate) mod wire;

use std::{collections::BTreeMap, time::Duration};

use shared::{
    domain::{
        ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
        ladder::Ladder,
        notification::{PartyAbout, PartyFacts, SessionFacts},
        session::{Learned, Next, Schedule, SessionKey, SessionRow},
    },
    ports::session_store::{Finish, Finished, Found, Order, Recorded, SessionStore},
};

use crate::backends::Backend;

/// When events of these tests happen, epoch milliseconds: 2026-04-14, 09:30 UTC.
const EVENT_MS: u64 = 1_776_159_000_000;
/// When we hear of them.
const NOW_MS: u64 = EVENT_MS + 2_000;
/// A party's end → the first fetch.
const DELAY_MS: u64 = 60_000;
/// The first event → a look without an end.
const QUIET_MS: u64 = 900_000;
/// How long a row with recordings stays, seconds.
const ROW_TTL_S: u64 = 400 * 86_400;
/// Longer than anything here takes.
const FAR_MS: u64 = NOW_MS + 10 * 86_400_000;

fn schedule() -> Schedule {
    Schedule {
        first_attempt_delay: Duration::from_millis(DELAY_MS),
        ladder: Ladder::new(vec![Duration::from_secs(60)]).unwrap(),
        quiet_period: Duration::from_millis(QUIET_MS),
        unlisted_after: Duration::from_secs(3_600),
        row_ttl: Duration::from_secs(ROW_TTL_S),
    }
}

fn key(session: &str) -> SessionKey {
    SessionKey { account: AccountId::parse("800000001").unwrap(), session: TelephonySessionId::parse(session).unwrap() }
}

fn recording(id: &str) -> RecordingId {
    RecordingId::parse(id).unwrap()
}

fn party(id: &str) -> PartyId {
    PartyId::parse(id).unwrap()
}

/// An event of the test account that tells of no party yet.
fn event(session: &str) -> SessionFacts {
    let SessionKey { account, session } = key(session);
    let session_id = Some(SessionId::parse("71000000001").unwrap());
    SessionFacts { account, session, session_id, at_ms: Some(EVENT_MS), parties: Vec::new() }
}

/// Recordings heard on a party.
fn heard(session: &str, on: &str, recordings: &[&str]) -> SessionFacts {
    said(session, on, false, recordings)
}

/// A party's end, and recordings the same event tells of.
fn ended(session: &str, on: &str, recordings: &[&str]) -> SessionFacts {
    said(session, on, true, recordings)
}

fn said(session: &str, on: &str, ended: bool, recordings: &[&str]) -> SessionFacts {
    let about = PartyAbout { extension: Some(format!("extension of {on}")), ..PartyAbout::default() };
    let recordings = recordings.iter().map(|id| recording(id)).collect();
    SessionFacts { parties: vec![PartyFacts { id: Some(party(on)), ended, recordings, about }], ..event(session) }
}

/// Records an event at [`NOW_MS`].
async fn record<B: Backend>(backend: &B, facts: &SessionFacts) -> Recorded {
    backend.sessions().record(&learned(facts, NOW_MS)).await.unwrap()
}

/// What an event changes if we hear of it at `now_ms`.
fn learned(facts: &SessionFacts, now_ms: u64) -> Learned {
    Learned::of(facts, &schedule(), now_ms)
}

/// The row as it stands: a finish that names a `rev` no row has writes nothing and answers it.
async fn row<B: Backend>(backend: &B, session: &str) -> SessionRow {
    match backend.sessions().finish(&key(session), u64::MAX, &finish(Next::Settled)).await.unwrap() {
        Finished::Changed(row) => *row,
        Finished::Done => panic!("a row has been written {} times", u64::MAX),
    }
}

/// A finish without results and facts, after no look that counts.
fn finish(next: Next) -> Finish {
    Finish {
        results: BTreeMap::new(),
        found: Found::default(),
        manifest: None,
        next,
        attempts: 0,
        expires_s: NOW_MS / 1_000 + ROW_TTL_S,
    }
}

/// Takes a session that is due.
async fn claimed<B: Backend>(backend: &B, session: &str, now_ms: u64) -> SessionRow {
    let until_ms = now_ms + 60_000;
    backend.sessions().claim(&key(session), now_ms, until_ms).await.unwrap().unwrap()
}

/// Sessions due, by name, the longest due first.
async fn due<B: Backend>(backend: &B, now_ms: u64, limit: usize) -> Vec<String> {
    due_in(Order::Oldest, backend, now_ms, limit).await
}

/// Sessions due, by name.
async fn due_in<B: Backend>(order: Order, backend: &B, now_ms: u64, limit: usize) -> Vec<String> {
    let due = backend.sessions().due(now_ms, order, limit).await.unwrap();
    due.into_iter().map(|due| due.key.session.to_string()).collect()
}
