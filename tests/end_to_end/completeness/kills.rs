//! A run that is killed at any await leaves nothing that the next one does not put right.

use std::{future::poll_fn, pin::pin, task::Poll};

use futures_util::future::poll_immediate;
use shared::ports::{
    archive_store::{ArchiveError, Created, Entry, Held, Reading, Written},
    cursor_store::Cursor,
    recording_source::ByteStream,
    session_store::StoreError,
};

use super::*;

/// A port that is waited for once before it acts and once after.
pub(super) struct Slow<'a, P>(pub(super) &'a P);

/// Not yet, but at once.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn slowly<T>(act: impl Future<Output = T>) -> T {
    pause().await;
    let answer = act.await;
    pause().await;
    answer
}

impl ArchiveStore for Slow<'_, MemoryBucket> {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        slowly(self.0.create(object, body)).await
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        slowly(self.0.held(key)).await
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        slowly(self.0.read(key)).await
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        slowly(self.0.read_version(key, version)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        slowly(self.0.list(prefix)).await
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        slowly(self.0.write(key, json, replacing)).await
    }

    async fn settle(&self) {}
}

impl CursorStore for Slow<'_, MemoryTable> {
    async fn cursor(&self, job: &Job) -> Result<Cursor, StoreError> {
        slowly(self.0.cursor(job)).await
    }

    async fn advance(&self, job: &Job, rev: u64, state: &str) -> Result<bool, StoreError> {
        slowly(self.0.advance(job, rev, state)).await
    }
}

/// Three days to report, one of them for the second time.
async fn world() -> World {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")])]).await;
    world.run(1, "01:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("12")])]).await;
    world.clock.0.set(day(3).start_ms() + HOUR_MS);
    world
}

/// Runs until it has been waited for `most` times; true if it came to its end.
async fn run_for(world: &World, most: usize) -> bool {
    let (bucket, table) = (Slow(&world.bucket), Slow(&world.table));
    let prover = Prover { sessions: &world.table, archive: &bucket, cursors: &table, clock: &world.clock };
    let account = account();
    let mut run = pin!(prover.run(hour(&account, u64::MAX)));
    for _ in 0..most {
        if let Some(found) = poll_immediate(run.as_mut()).await {
            found.unwrap();
            return true;
        }
    }
    false
}

/// What the reports say, without when, and their places in the chain.
fn said(world: &World) -> Vec<(DayProof, u64)> {
    let reports = (0..3).map(|n| world.report(n).unwrap());
    reports.map(|report| (report.proof, report.sequence)).collect()
}

#[tokio::test]
async fn a_run_killed_at_any_await_is_gone_on_with_by_the_next() {
    let whole = world().await;
    assert!(run_for(&whole, usize::MAX).await);
    let expected = said(&whole);
    let mut kills = 0;
    loop {
        let world = world().await;
        if run_for(&world, kills).await {
            break;
        }
        let found = world.run(3, "02:00:00").await;
        assert_eq!(found.defects, BTreeMap::new(), "after {kills} awaits");
        assert_eq!(said(&world), expected, "after {kills} awaits");
        assert_eq!(world.broken().await, [], "after {kills} awaits");
        assert_eq!(world.run(3, "03:00:00").await.issued, 0, "after {kills} awaits");
        kills += 1;
    }
    assert!(kills > 30, "{kills}");
}

#[tokio::test]
async fn a_run_killed_again_and_again_comes_to_the_same_end() {
    for step in 20..40 {
        let world = world().await;

        let mut ended = false;
        for run in 0..100 {
            ended = run_for(&world, step + run).await;
            if ended {
                break;
            }
        }
        assert!(ended, "step {step}");
        assert_eq!(world.broken().await, [], "step {step}");
        assert!(said(&world).iter().all(|(proof, _)| proof.is_settled()), "step {step}");
    }
}
