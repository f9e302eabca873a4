//! Days are proved and reports issued, over the table and the bucket in memory.

mod chain;
mod days;
mod erased;
mod hours;
mod kills;
mod races;
mod rounds;
mod undecided;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use shared::{
    domain::{
        call_log::{Listed, Offer, Offers},
        completeness::{About, Counts, DayProof, Defect, DefectClass, Offered, Progress, Report, Vendor},
        day::{DAY_MS, Day, parse_time},
        ids::{AccountId, RecordingId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
        session::{RecordingState, SessionKey},
    },
    ports::{
        archive_store::{ArchiveStore, NewObject, ObjectOrigin},
        clock::Clock,
        cursor_store::{CursorStore, Job},
    },
    usecases::prove::{Completeness, Hour, Prover, Turn},
};
use simulation::memory::{Fate, MemoryBucket, MemoryTable, PastCall, StoppedClock};

/// The first day of these tests.
const DAY: &str = "2026-03-02";
const HOUR_MS: u64 = 3_600_000;
const TICK_MS: u64 = 60_000;

/// A clock that goes on by [`TICK_MS`] whenever it is looked at.
struct Ticking(Cell<u64>);

impl Clock for Ticking {
    fn now_ms(&self) -> u64 {
        self.0.replace(self.0.get() + TICK_MS)
    }

    async fn sleep(&self, _duration: Duration) {}
}

#[derive(Default)]
struct World {
    table: MemoryTable,
    bucket: MemoryBucket,
    clock: StoppedClock,
}

fn account() -> AccountId {
    AccountId::parse("800000001").unwrap()
}

fn day(n: u64) -> Day {
    Day::of(Day::parse(DAY).unwrap().start_ms() + n * DAY_MS)
}

fn recording(id: &str) -> RecordingId {
    RecordingId::parse(id).unwrap()
}

fn session(id: &str) -> TelephonySessionId {
    TelephonySessionId::parse(id).unwrap()
}

fn archived(id: &str) -> (RecordingId, Fate) {
    (recording(id), Fate::Archived(Bytes::from(format!("audio of {id}"))))
}

fn waiting(id: &str) -> (RecordingId, Fate) {
    (recording(id), Fate::Waiting)
}

/// A call at noon of day `n`.
fn call<const N: usize>(id: &str, n: u64, recordings: [(RecordingId, Fate); N]) -> PastCall {
    PastCall {
        key: SessionKey { account: account(), session: session(id) },
        happened_ms: day(n).start_ms() + 12 * HOUR_MS,
        recordings: recordings.into(),
    }
}

fn key(n: u64, name: &str) -> ObjectKey {
    ObjectKey::from_row(format!("recordings/account={}/date={}/{name}", account(), day(n)))
}

fn about(id: &str, of: &str) -> About {
    About::Recording { recording: recording(id), session: session(of) }
}

fn offering(calls: &[(&str, &str)]) -> Offered {
    let offer =
        |id: &str| Offer { content_uri: format!("https://media.ringcentral.com/{id}"), listed: Listed::default() };
    let offers = |id| Offers::from([(recording(id), offer(id))]);
    calls.iter().map(|(of, id)| (session(of), offers(id))).collect()
}

impl World {
    async fn after(calls: &[PastCall]) -> Self {
        let world = Self::default();
        world.leave(calls).await;
        world
    }

    async fn leave(&self, calls: &[PastCall]) {
        for call in calls {
            call.leave_in(&self.table, &self.bucket).await.unwrap();
        }
    }

    fn prover(&self) -> Prover<'_, MemoryTable, MemoryBucket, MemoryTable, StoppedClock> {
        Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &self.clock }
    }

    async fn prove(&self, n: u64) -> DayProof {
        self.prover().prove_day(&account(), day(n), Offered::new()).await.unwrap()
    }

    /// A run at this time of day `n` that is due, with all the time it needs.
    async fn run(&self, n: u64, time: &str) -> Completeness {
        self.turn(n, time, &[]).await.found.unwrap()
    }

    /// A run at this time of day `n`, with all the time it needs, after a sweep that has learned of calls of other days.
    async fn turn(&self, n: u64, time: &str, touched: &[u64]) -> Turn {
        self.clock.0.set(parse_time(&format!("{}T{time}Z", day(n))).unwrap());
        let touched = touched.iter().map(|n| day(*n)).collect();
        self.prover().run(Hour { touched: &touched, ..hour(&account(), u64::MAX) }).await.unwrap()
    }

    /// A run at this time of day 2 that has time for a single day.
    async fn run_for_one_day(&self, time: &str) -> Completeness {
        let began_ms = parse_time(&format!("{}T{time}Z", day(2))).unwrap();
        let clock = Ticking(Cell::new(began_ms));
        let prover = Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &clock };
        prover.run(hour(&account(), began_ms + TICK_MS * 3 / 2)).await.unwrap().found.unwrap()
    }

    async fn broken(&self) -> Vec<Defect> {
        self.prover().verify_chain(&account()).await.unwrap()
    }

    fn report(&self, n: u64) -> Option<Report> {
        let json = self.bucket.document(&ObjectKey::report(&account(), day(n)))?;
        Some(Report::parse(&json).unwrap())
    }

    /// Replaces a document as other hands would.
    async fn overwrite(&self, key: &ObjectKey, text: &str) {
        let there = self.bucket.read(key).await.unwrap().map(|reading| reading.etag);
        self.bucket.write(key, Bytes::copy_from_slice(text.as_bytes()), there.as_deref()).await.unwrap();
    }

    /// Puts the same bytes there under a tag that the row does not know, as a copy has it.
    fn copy(&self, of: &str, id: &str) {
        self.bucket.put_foreign(key(0, &format!("{id}.mp3")), Bytes::from(format!("audio of {id}")));
        self.table.tamper(&call(of, 0, []).key, |mut row| {
            let archived = row.results.get_mut(&recording(id)).and_then(|result| result.archived.as_mut());
            archived.unwrap().etag = "\"another\"".to_owned();
            Some(row)
        });
    }

    fn reports(&self) -> Vec<u64> {
        (0..10).filter(|n| self.report(*n).is_some()).collect()
    }
}

fn counts(found: &Completeness) -> Counts {
    found.counts.unwrap()
}

fn hour(account: &AccountId, until_ms: u64) -> Hour<'_> {
    let vendor = Vendor { retention_ms: 90 * DAY_MS, pace_ms: 6_000 };
    const NONE: &BTreeSet<Day> = &BTreeSet::new();
    Hour { account, touched: NONE, swept: true, now: false, until_ms, vendor, began_ms: None, backfill_next_ms: None }
}
