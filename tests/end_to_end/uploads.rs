//! An upload that is killed wherever its adapter waits: for bytes, and for S3 on either side of what a request does. Over
//! sockets the number of polls is nobody's promise; these waits are the same every time.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{Either, pending, select},
    stream,
};
use local_cloud::s3::{Hold, S3};
use ringvault::stack::BUCKET;
use shared::{
    clients::s3::Bucket,
    domain::{
        day::Day,
        ids::{AccountId, RecordingId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveStore, Created, NewObject, ObjectOrigin},
        recording_source::ByteStream,
    },
};
use tempfile::TempDir;
use tests::clients;
use tokio::sync::oneshot;

/// The smallest part S3 takes that is not the last.
const PART: usize = 5 * 1024 * 1024;

/// Borders of pieces are no borders of parts.
const PIECE: usize = 3_000_001;

/// A body, and how it is stored.
struct Upload {
    length: usize,
    declared: bool,
    /// Requests it takes.
    requests: u64,
    in_parts: bool,
}

const UPLOADS: [Upload; 3] = [
    Upload { length: PIECE + 1, declared: true, requests: 1, in_parts: false },
    Upload { length: PIECE + 1, declared: false, requests: 1, in_parts: false },
    Upload { length: 2 * PART + 77, declared: false, requests: 5, in_parts: true },
];

/// Where it waits when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// For bytes, after so many pieces.
    Bytes(usize),
    /// For the answer to its nth request.
    Answer(u64, Hold),
}

#[tokio::test]
async fn an_upload_killed_wherever_it_waits_is_made_again_by_the_next_run() {
    let mut kills = 0;
    for upload in &UPLOADS {
        for wait in upload.waits() {
            for lives_on in [false, true] {
                upload.killed(wait, lives_on).await;
                kills += 1;
            }
        }
    }
    assert_eq!(kills, 2 * ((3 + 2) + (3 + 2) + (5 + 10)), "no wait was left out");
}

#[tokio::test]
async fn an_upload_that_is_left_alone_makes_as_many_requests_as_are_killed() {
    for upload in &UPLOADS {
        let (s3, _folder) = s3().await;
        let created = bucket(&s3).create(&upload.object(), upload.pieces(usize::MAX)).await.unwrap();
        assert!(matches!(created, Created::Stored { .. }), "{created:?}");
        assert_eq!((s3.writes(), s3.open_uploads(BUCKET)), (upload.requests, vec![]));
    }
}

impl Upload {
    /// Every place where it waits.
    fn waits(&self) -> impl Iterator<Item = Wait> {
        let answers =
            (0..self.requests).flat_map(|nth| [Hold::Before, Hold::After].map(|hold| Wait::Answer(nth, hold)));
        (0..=self.length.div_ceil(PIECE)).map(Wait::Bytes).chain(answers)
    }

    /// Kills it there. Its run `lives_on` where it has only given it up, and clears up when it settles; or else the process
    /// is gone. Then the next run makes it again.
    async fn killed(&self, wait: Wait, lives_on: bool) {
        let (s3, _folder) = s3().await;
        let killed = bucket(&s3);
        self.begin(&killed, wait, &s3).await;
        let happened = wait == Wait::Answer(self.requests - 1, Hold::After);
        // Whether there is an upload that was begun and not completed.
        let mut left = match wait {
            Wait::Bytes(pieces) => self.in_parts && pieces * PIECE >= PART,
            Wait::Answer(nth, hold) => self.in_parts && (nth > 0 || hold == Hold::After) && !happened,
        };
        let next = if lives_on {
            killed.settle().await;
            // Of an upload whose id never came only the bucket's own rule knows.
            left &= wait == Wait::Answer(0, Hold::After);
            killed
        } else {
            bucket(&s3)
        };
        let created = next.create(&self.object(), self.pieces(usize::MAX)).await.unwrap();
        assert_eq!(created == Created::Occupied, happened, "{wait:?}: {created:?}");
        let objects = s3.objects(BUCKET);
        let [object] = &objects[..] else { panic!("{wait:?}: {objects:?}") };
        assert_eq!(object.key, self.object().key.as_str());
        assert!(std::fs::read(&object.path).unwrap() == self.bytes(), "{wait:?}");
        let uploads = s3.open_uploads(BUCKET);
        assert_eq!(uploads.len(), usize::from(left), "{wait:?}, lives on: {lives_on}: {uploads:?}");
    }

    /// Begins it, and gives it up where it waits.
    async fn begin(&self, bucket: &Bucket, wait: Wait, s3: &S3) {
        let object = self.object();
        match wait {
            Wait::Bytes(pieces) => {
                let (stalls, stalled) = oneshot::channel();
                let stall = stream::once(async move {
                    stalls.send(()).unwrap();
                    pending().await
                });
                let create = bucket.create(&object, Box::pin(self.pieces(pieces).chain(stall)));
                assert!(matches!(select(pin!(create), stalled).await, Either::Right(_)), "{wait:?}");
            }
            Wait::Answer(nth, hold) => {
                s3.hold(nth, hold);
                let create = bucket.create(&object, self.pieces(usize::MAX));
                assert!(matches!(select(pin!(create), pin!(s3.held())).await, Either::Right(_)), "{wait:?}");
            }
        }
    }

    fn object(&self) -> NewObject {
        let account = AccountId::parse("800000001").unwrap();
        let recording = RecordingId::parse("9001").unwrap();
        let day = Day::parse("2026-03-02").unwrap();
        NewObject {
            key: ObjectKey::of(&account, day, &recording, AudioFormat::Mp3),
            format: AudioFormat::Mp3,
            size_bytes: self.declared.then_some(self.length as u64),
            origin: ObjectOrigin { account, session: TelephonySessionId::parse("s-1").unwrap(), recording },
        }
    }

    fn bytes(&self) -> Vec<u8> {
        (0..self.length).map(|n| (n % 251) as u8).collect()
    }

    /// The first so many pieces.
    fn pieces(&self, most: usize) -> ByteStream {
        let bytes = self.bytes();
        let pieces: Vec<_> = bytes.chunks(PIECE).take(most).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Box::pin(stream::iter(pieces))
    }
}

async fn s3() -> (S3, TempDir) {
    let folder = TempDir::new().unwrap();
    let s3 = S3::start(folder.path().to_owned()).await.unwrap();
    s3.create_bucket(BUCKET).unwrap();
    (s3, folder)
}

/// The adapter of a process that has just started.
fn bucket(s3: &S3) -> Bucket {
    Bucket::new(clients::s3(&s3.endpoint()), BUCKET.to_owned(), "STANDARD")
}
