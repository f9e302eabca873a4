//! Days are proved and reports issued, over the table and the bucket in memory.

mod chain;
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
    Hour { account, touched: NONE, swept: true, now: false, until_ms, vendor, backfill_next_ms: None }
}

#[tokio::test]
async fn a_day_is_reported_once_with_the_versions_it_rests_on() {
    let ended = (recording("13"), Fate::Ended(RecordingState::Deleted));
    let world = World::after(&[call("s-1", 0, [archived("11")]), call("s-2", 0, [archived("12"), ended])]).await;
    let proof = world.prove(0).await;
    assert_eq!(proof.counts, Counts { archived: 2, deleted: 1, ..Counts::default() });
    assert!(proof.is_settled());
    for link in &proof.manifests {
        let version = link.version.as_ref().unwrap();
        assert!(world.bucket.read_version(&link.key, version).await.unwrap().is_some());
    }
    assert!(world.prover().issue(&proof).await.unwrap());
    let report = world.report(0).unwrap();
    assert_eq!((&report.proof, report.sequence, report.previous), (&proof, 1, None));
    world.clock.0.set(5);
    assert!(!world.prover().issue(&proof).await.unwrap(), "it would say the same");
    assert_eq!(world.report(0).unwrap().issued_ms, 0);
}

#[tokio::test]
async fn the_call_log_tells_what_no_row_has_heard_of() {
    let world = World::after(&[call("s-1", 0, [archived("11")])]).await;
    let offered = offering(&[("s-1", "11"), ("s-9", "19")]);
    let proof = world.prover().prove_day(&account(), day(0), offered).await.unwrap();
    assert_eq!(proof.defects, [Defect { class: DefectClass::MissingRow, about: about("19", "s-9") }].into());
    assert_eq!((proof.counts.offered(), proof.counts.missing), (2, 1));
    assert_eq!(proof.missing, [recording("19")].into());
}

#[tokio::test]
async fn an_object_of_ours_leads_to_its_row_through_its_metadata() {
    let world = World::after(&[call("s-1", 1, [archived("11")])]).await;
    for (name, id, of) in [("11.mp3", "11", "s-1"), ("12.wav", "12", "s-2"), ("13.mp3", "99", "s-3")] {
        let origin = ObjectOrigin { account: account(), session: session(of), recording: recording(id) };
        let object = NewObject { key: key(0, name), format: AudioFormat::Mp3, size_bytes: Some(0), origin };
        world.bucket.create(&object, Box::pin(futures_util::stream::empty())).await.unwrap();
    }
    let object = |class, name| Defect { class, about: About::Object(key(0, name)) };
    let expected = [
        Defect { class: DefectClass::MissingRow, about: about("12", "s-2") },
        object(DefectClass::Duplicate, "11.mp3"),
        object(DefectClass::StrayObject, "13.mp3"),
    ];
    assert_eq!(world.prove(0).await.defects, expected.into());
    assert!(world.prove(1).await.is_settled(), "the first object is where it belongs");
}

#[tokio::test]
async fn bytes_decide_where_neither_listing_nor_head_do() {
    let world = World::after(&[call("s-1", 0, [archived("11")])]).await;
    world.bucket.put_foreign(key(0, "11.mp3"), Bytes::from_static(b"AUDIO OF 11"));
    let expected = [Defect { class: DefectClass::ChangedBytes, about: about("11", "s-1") }];
    assert_eq!(world.prove(0).await.defects, expected.into());
    world.copy("s-1", "11");
    assert!(world.prove(0).await.is_settled());
}

#[tokio::test]
async fn a_stack_begins_with_the_day_of_its_first_run() {
    let world = World::after(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("12")])]).await;
    assert_eq!(world.run(1, "12:00:00").await, Completeness::default());
    assert_eq!(world.run(2, "00:04:59").await.days, 0, "the day is not closed yet");
    let found = world.run(2, "01:00:00").await;
    assert_eq!((found.days, found.issued, counts(&found).archived), (1, 1, 1));
    assert_eq!(world.reports(), [1]);
    assert_eq!(world.run(2, "02:00:00").await.days, 0, "a settled day is not proved again");
    assert_eq!(world.run(5, "02:00:00").await.days, 3, "days without calls are reported too");
    assert_eq!(world.reports(), [1, 2, 3, 4]);
    assert_eq!(world.report(4).unwrap().sequence, 4);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn a_day_stays_open_until_it_is_settled_and_is_corrected_in_the_chain() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11"), waiting("12")]), call("s-2", 1, [archived("13")])]).await;
    let found = world.run(2, "01:00:00").await;
    // 11 waits as well: its manifest is still to come.
    assert_eq!((found.days, counts(&found).waiting, counts(&found).archived), (2, 2, 1));
    assert_eq!(found.deadline_s, Some(88 * 86_400 + 11 * 3_600 - 6));
    assert_eq!(world.report(0).unwrap().proof.waiting, [session("s-1")].into());

    let found = world.run(2, "02:00:00").await;
    assert_eq!((found.days, found.issued), (1, 0), "looked at again, and nothing new to say");

    world.leave(&[call("s-1", 0, [archived("11"), archived("12")])]).await;
    let found = world.run(2, "03:00:00").await;
    assert_eq!((found.days, found.issued, counts(&found).archived, found.deadline_s), (1, 1, 2, None));
    let report = world.report(0).unwrap();
    assert_eq!((report.sequence, report.proof.is_settled()), (3, true));
    assert_eq!(report.previous.unwrap().key, ObjectKey::report(&account(), day(1)));
    assert_eq!(world.run(2, "04:00:00").await.days, 0);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn a_call_of_long_ago_that_comes_into_the_queue_is_reported_too() {
    let world = World::default();
    world.run(5, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 5, [waiting("12")])]).await;
    let found = world.run(5, "12:00:00").await;
    assert_eq!((found.days, counts(&found).waiting), (1, 1), "today is not closed");
    assert_eq!(world.reports(), [0]);
    world.leave(&[call("s-1", 0, [archived("11")])]).await;
    world.run(5, "13:00:00").await;
    assert!(world.report(0).unwrap().proof.is_settled());
}

#[tokio::test]
async fn the_deadline_knows_what_the_backfill_has_not_been_through() {
    let world = World::default();
    let account = account();
    world.clock.0.set(day(40).start_ms());
    let hour = Hour { backfill_next_ms: Some(day(0).start_ms()), ..hour(&account, u64::MAX) };
    assert_eq!(world.prover().run(hour).await.unwrap().found.unwrap().deadline_s, Some(50 * 86_400));
}

#[tokio::test]
async fn a_run_whose_time_is_over_leaves_the_rest_to_the_next() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.clock.0.set(day(3).start_ms() + HOUR_MS);
    let found = world.prover().run(hour(&account(), day(3).start_ms())).await.unwrap().found.unwrap();
    assert_eq!((found.days, found.unfinished), (0, true));
    assert_eq!(world.run(3, "02:00:00").await.days, 3);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn another_account_is_not_touched() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    let mut other = call("s-1", 0, [waiting("11")]);
    other.key.account = AccountId::parse("8000000010").unwrap();
    world.leave(&[other]).await;
    let found = world.run(1, "01:00:00").await;
    assert_eq!((counts(&found), found.deadline_s), (Counts::default(), None));
}

#[tokio::test]
async fn state_that_cannot_be_read_stops_the_run() {
    let world = World::default();
    let job = Job::new(format!("reports#{}", account()));
    assert!(world.table.advance(&job, 0, "{").await.unwrap());
    let error = world.prover().run(hour(&account(), u64::MAX)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read how far the reports have come");
    assert_eq!(Progress::parse("{").unwrap_err().to_string(), error.to_string());
}

#[tokio::test]
async fn open_days_take_turns_where_there_is_no_time_for_all() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 1, [waiting("12")])]).await;
    world.run(2, "01:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("12")])]).await;
    for time in ["02:00:00", "03:00:00"] {
        let found = world.run_for_one_day(time).await;
        assert_eq!(found.days, 1);
    }
    assert!([0, 1].iter().all(|n| world.report(*n).unwrap().proof.is_settled()));
}
