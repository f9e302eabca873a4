//! What cannot be looked at keeps its own day open, and no other.

use shared::ports::{
    archive_store::{ArchiveError, Created, Entry, Held, Reading, Written},
    recording_source::ByteStream,
};

use super::*;

/// A bucket that answers with an error of its own where it is asked for an object.
struct Refusing<'a> {
    bucket: &'a MemoryBucket,
    keys: Vec<ObjectKey>,
    error: fn(String) -> ArchiveError,
}

impl Refusing<'_> {
    fn ask(&self, key: &ObjectKey) -> Result<(), ArchiveError> {
        if self.keys.contains(key) { Err((self.error)("AccessDenied".to_owned())) } else { Ok(()) }
    }
}

impl ArchiveStore for Refusing<'_> {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        self.bucket.create(object, body).await
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        self.ask(key)?;
        self.bucket.held(key).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        self.ask(key)?;
        self.bucket.read(key).await
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        self.bucket.read_version(key, version).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        self.bucket.list(prefix).await
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        self.bucket.write(key, json, replacing).await
    }

    async fn settle(&self) {}
}

/// A copy, whose tag does not prove it, on day 0, and a sound call on the day after.
async fn world() -> World {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("21")])]).await;
    world.copy("s-1", "11");
    world.clock.0.set(day(2).start_ms() + HOUR_MS);
    world
}

#[tokio::test]
async fn an_object_of_which_the_bucket_says_nothing_waits_and_others_are_proved() {
    let manifest = ObjectKey::manifest(&account(), day(0), &session("s-1"));
    for refused in [key(0, "11.mp3"), manifest] {
        let world = world().await;
        let bucket = Refusing { bucket: &world.bucket, keys: vec![refused.clone()], error: ArchiveError::Rejected };
        let prover = Prover { sessions: &world.table, archive: &bucket, cursors: &world.table, clock: &world.clock };
        let found = prover.run(hour(&account(), u64::MAX)).await.unwrap().found.unwrap();
        assert_eq!((found.days, &found.defects), (2, &BTreeMap::new()), "{refused}");
        assert_eq!(counts(&found), Counts { archived: 1, waiting: 1, ..Counts::default() }, "{refused}");
        assert_eq!(world.report(0).unwrap().proof.waiting, [session("s-1")].into());
        world.run(2, "02:00:00").await;
        assert!(world.report(0).unwrap().proof.is_settled(), "{refused}: it is open until it can be looked at");
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_looked_at_breaks_the_chain_and_keeps_its_day_open() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 1, [waiting("21")])]).await;
    world.run(2, "01:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("21")])]).await;
    world.clock.0.set(day(2).start_ms() + 2 * HOUR_MS);
    let keys = vec![ObjectKey::report(&account(), day(0))];
    let bucket = Refusing { bucket: &world.bucket, keys, error: ArchiveError::Rejected };
    let prover = Prover { sessions: &world.table, archive: &bucket, cursors: &world.table, clock: &world.clock };
    let found = prover.run(hour(&account(), u64::MAX)).await.unwrap().found.unwrap();
    assert_eq!((found.days, found.issued), (2, 1));
    assert_eq!(found.defects, BTreeMap::from([(DefectClass::BrokenChain, 1)]));
    assert!(!world.report(0).unwrap().proof.is_settled() && world.report(1).unwrap().proof.is_settled());
    let found = world.run(2, "03:00:00").await;
    assert_eq!((found.issued, found.defects), (1, BTreeMap::new()));
    assert!(world.report(0).unwrap().proof.is_settled());
}

#[tokio::test]
async fn a_bucket_that_cannot_be_reached_ends_the_run() {
    let world = world().await;
    let bucket = Refusing { bucket: &world.bucket, keys: vec![key(0, "11.mp3")], error: ArchiveError::Unavailable };
    let prover = Prover { sessions: &world.table, archive: &bucket, cursors: &world.table, clock: &world.clock };
    prover.run(hour(&account(), u64::MAX)).await.unwrap_err();
    assert_eq!(world.reports(), [0; 0]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_its_day_open() {
    let world = world().await;
    world.table.spoil(&call("s-2", 1, []).key);
    let found = world.run(2, "01:00:00").await;
    assert_eq!((counts(&found).waiting, found.defects), (1, BTreeMap::new()));
    assert_eq!(world.report(1).unwrap().proof.waiting, [session("s-2")].into());
    assert_eq!(world.run(2, "02:00:00").await.days, 1);
}

#[tokio::test]
async fn what_is_wrong_is_looked_at_for_five_weeks_after_it_was_told() {
    let world = World::after(&[call("s-1", 0, [archived("11")])]).await;
    world.run(0, "00:00:00").await;
    world.run(1, "01:00:00").await;
    world.table.tamper(&call("s-1", 0, []).key, |_| None);
    let turn = world.turn(20, "01:00:00", &[0]).await.found.unwrap();
    assert_eq!(turn.defects, BTreeMap::from([(DefectClass::MissingRow, 1)]));
    assert_eq!((counts(&turn).archived, counts(&turn).missing), (1, 0), "manifest and object prove it");
    assert_eq!(world.run(20 + 35, "00:59:59").await.days, 35, "34 that have closed, and that one");
    assert_eq!(world.run(20 + 35, "01:59:59").await.days, 2, "one that has closed, and that one");
    assert_eq!(world.run(20 + 35, "02:59:59").await.days, 0);
}
