//! `ArchiveStore::create` of bodies whose length nobody declared and that are too long for one request.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{Either, join_all, pending, select},
    stream,
};
use shared::{
    domain::checksum::Verified,
    failure::Class,
    ports::{
        archive_store::{ArchiveStore, Created, NewObject},
        recording_source::{ByteStream, Interrupted},
    },
};
use tokio::sync::oneshot;

use super::archive::{fingerprint, is_free, object, stored};
use crate::backends::Backend;

/// The smallest part S3 takes that is not the last.
const PART: usize = 5 * 1024 * 1024;

pub(crate) async fn a_long_body_is_held_whole<B: Backend>(backend: &B) {
    for (id, length) in [("9001", PART), ("9002", 2 * PART + 77)] {
        let (bytes, object) = (long(length), undeclared(id));
        let created = backend.archive().create(&object, pieces(&bytes)).await.unwrap();
        let (etag, _) = stored(created).unwrap();
        let held = backend.archive().held(&object.key).await.unwrap().unwrap();
        assert_eq!((held.size_bytes, held.etag, held.origin), (length as u64, etag, Some(object.origin)));
        assert!(backend.bytes_of(&object.key).await == Some(bytes), "{length}");
    }
    assert_eq!(backend.unfinished().await, 0);
}

pub(crate) async fn a_long_body_is_verified_as_a_whole<B: Backend>(backend: &B) {
    let (bytes, object) = (long(2 * PART), undeclared("9001"));
    let created = backend.archive().create(&object, pieces(&bytes)).await.unwrap();
    let (etag, verified) = stored(created).unwrap();
    assert_eq!(verified, Verified::Crc64Nvme(fingerprint(&bytes).crc64nvme));
    let held = backend.archive().held(&object.key).await.unwrap().unwrap();
    assert_eq!((held.etag, held.verified), (etag, Some(verified)));
}

pub(crate) async fn a_long_body_that_breaks_off_leaves_nothing<B: Backend>(backend: &B) {
    let (bytes, object) = (long(2 * PART), undeclared("9001"));
    for at in [0, 1, PART - 1, PART, PART + 1, 2 * PART - 1, 2 * PART] {
        let breaks = stream::iter([Err(Interrupted("the vendor hung up".into()))]);
        let create = backend.archive().create(&object, Box::pin(pieces(&bytes[..at]).chain(breaks)));
        let error = create.await.unwrap_err();
        assert_ne!(error.class(), Class::Permanent, "{at}: {error}");
        assert!(is_free(backend, &object).await, "{at}");
        assert_eq!(backend.unfinished().await, 0, "{at}");
    }
}

pub(crate) async fn a_long_body_never_replaces_an_object<B: Backend>(backend: &B) {
    let (bytes, object) = (long(PART + 1), undeclared("9001"));
    backend.put_foreign(&object.key, b"foreign").await;
    assert_eq!(backend.archive().create(&object, pieces(&bytes)).await.unwrap(), Created::Occupied);
    assert_eq!(backend.bytes_of(&object.key).await.as_deref(), Some(&b"foreign"[..]));
    assert_eq!(backend.unfinished().await, 0);
}

pub(crate) async fn of_three_long_creates_at_once_one_stores<B: Backend>(backend: &B) {
    let (bytes, object) = (long(PART + 1), undeclared("9001"));
    let creates = (0..3).map(|_| backend.archive().create(&object, pieces(&bytes)));
    let created: Vec<_> = join_all(creates).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(created.iter().cloned().filter_map(stored).count(), 1, "{created:?}");
    assert_eq!(backend.unfinished().await, 0);
}

pub(crate) async fn a_long_create_that_is_dropped_is_swept_up<B: Backend>(backend: &B) {
    let (bytes, object) = (long(PART + 1), undeclared("9001"));
    let (stalls, stalled) = oneshot::channel();
    let stall = stream::once(async move {
        stalls.send(()).unwrap();
        pending().await
    });
    {
        let create = backend.archive().create(&object, Box::pin(pieces(&bytes).chain(stall)));
        assert!(matches!(select(pin!(create), stalled).await, Either::Right(_)), "nothing comes of half a body");
    }
    backend.archive().settle().await;
    assert_eq!(backend.unfinished().await, 0);
    assert!(is_free(backend, &object).await);
}

fn undeclared(id: &str) -> NewObject {
    NewObject { size_bytes: None, ..object(id, 0) }
}

fn long(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// The bytes in pieces whose borders are no borders of parts.
fn pieces(bytes: &[u8]) -> ByteStream {
    let pieces: Vec<_> = bytes.chunks(1_000_003).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Box::pin(stream::iter(pieces))
}
