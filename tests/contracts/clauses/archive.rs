//! `ArchiveStore`.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{Either, join_all, pending, select},
    stream,
};
use shared::{
    domain::{
        checksum::{Digests, Fingerprint, Verified},
        day::Day,
        media::AudioFormat,
        object_key::ObjectKey,
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveStore, Created, Entry, Held, NewObject, ObjectOrigin},
        recording_source::{ByteStream, Interrupted},
    },
};
use tokio::sync::oneshot;

use super::{EVENT_MS, key, recording};
use crate::backends::Backend;

/// What is sent piece by piece: more than one read and one write, in sizes that are no power of two.
const PIECES: [usize; 4] = [12, 70_001, 1, 131_072];

pub(crate) async fn a_created_object_is_held_with_its_digest_and_origin<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    let (etag, verified) = stored(created).unwrap();
    assert_eq!(verified, Verified::Sha256(fingerprint(&bytes).sha256));
    let (size_bytes, origin) = (bytes.len() as u64, Some(object.origin.clone()));
    let held = Held { size_bytes, etag, verified: Some(verified), origin };
    assert_eq!(backend.archive().held(&object.key).await.unwrap(), Some(held));
    assert_eq!(backend.bytes_of(&object.key).await, Some(bytes));
}

pub(crate) async fn a_body_without_bytes_is_an_object_too<B: Backend>(backend: &B) {
    let object = object("9001", 0);
    let created = backend.archive().create(&object, Box::pin(stream::empty())).await.unwrap();
    assert_is_stored(created, b"");
    let held = backend.archive().held(&object.key).await.unwrap().unwrap();
    assert_eq!((held.size_bytes, held.origin), (0, Some(object.origin)));
}

pub(crate) async fn a_short_body_of_undeclared_length_is_an_object_like_others<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = NewObject { size_bytes: None, ..object("9001", 0) };
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    assert_is_stored(created, &bytes);
    assert_eq!(backend.bytes_of(&object.key).await, Some(bytes));
}

pub(crate) async fn an_object_is_read_as_it_was_stored<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    let reading = backend.archive().read(&object.key).await.unwrap().unwrap();
    assert_eq!(Some(reading.etag), stored(created).map(|(etag, _)| etag));
    assert_eq!(collected(reading.body).await, bytes);
    assert!(backend.archive().read(&object_key("9002")).await.unwrap().is_none());
}

pub(crate) async fn nothing_is_held_where_nothing_lies<B: Backend>(backend: &B) {
    assert!(is_free(backend, &object("9001", 1)).await);
    let bytes = audio(1);
    backend.archive().create(&object("9001", bytes.len()), whole(&bytes)).await.unwrap();
    assert!(is_free(backend, &object("9002", 1)).await);
    assert!(is_free(backend, &object("900", 1)).await);
}

pub(crate) async fn a_second_create_stores_nothing<B: Backend>(backend: &B) {
    let (first, second) = (audio(1), audio(2));
    let object = object("9001", first.len());
    backend.archive().create(&object, whole(&first)).await.unwrap();
    for bytes in [&second, &first] {
        let created = backend.archive().create(&object, whole(bytes)).await.unwrap();
        assert_eq!(created, Created::Occupied);
    }
    assert_eq!(backend.bytes_of(&object.key).await, Some(first));
}

pub(crate) async fn of_ten_creates_at_once_one_stores<B: Backend>(backend: &B) {
    let bodies: Vec<_> = (0..10).map(audio).collect();
    let object = object("9001", bodies[0].len());
    let creates = bodies.iter().map(|bytes| backend.archive().create(&object, whole(bytes)));
    let created: Vec<_> = join_all(creates).await.into_iter().map(Result::unwrap).collect();
    let stored: Vec<_> = created.iter().cloned().filter_map(stored).collect();
    assert_eq!(stored.len(), 1, "{created:?}");
    let held = backend.bytes_of(&object.key).await.unwrap();
    assert!(fingerprint(&held).is(&stored[0].1), "and its bytes are what lies there");
}

pub(crate) async fn a_stream_that_breaks_off_leaves_no_object<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let breaks = stream::iter([Err(Interrupted("the vendor hung up".into()))]);
    leaves_no_object(backend, bytes.len(), Box::pin(whole(&bytes[..80_000]).chain(breaks))).await;
}

pub(crate) async fn a_stream_that_ends_early_leaves_no_object<B: Backend>(backend: &B) {
    let bytes = audio(1);
    leaves_no_object(backend, bytes.len(), whole(&bytes[..80_000])).await;
}

pub(crate) async fn a_stream_that_runs_over_leaves_no_object<B: Backend>(backend: &B) {
    let bytes = audio(1);
    leaves_no_object(backend, bytes.len() - 1, whole(&bytes)).await;
}

pub(crate) async fn a_create_that_is_dropped_leaves_no_object<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    let (stalls, stalled) = oneshot::channel();
    let stall = stream::once(async move {
        stalls.send(()).unwrap();
        pending().await
    });
    let create = backend.archive().create(&object, Box::pin(whole(&bytes[..80_000]).chain(stall)));
    assert!(matches!(select(pin!(create), stalled).await, Either::Right(_)), "nothing comes of half a body");
    assert!(is_free(backend, &object).await);
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    assert_is_stored(created, &bytes);
}

pub(crate) async fn an_object_of_other_hands_is_seen_and_never_replaced<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    backend.put_foreign(&object.key, b"foreign").await;
    let held = backend.archive().held(&object.key).await.unwrap().unwrap();
    assert_eq!((held.size_bytes, held.verified, held.origin), (7, None, None));
    assert_eq!(backend.archive().create(&object, whole(&bytes)).await.unwrap(), Created::Occupied);
    assert_eq!(backend.bytes_of(&object.key).await.as_deref(), Some(&b"foreign"[..]));
}

pub(crate) async fn what_lies_below_a_prefix_is_listed_as_it_is_held<B: Backend>(backend: &B) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    let (etag, _) = stored(created).unwrap();
    let foreign = ObjectKey::from_listing(object.key.as_str().replace("9001.wav", "readme"));
    backend.put_foreign(&foreign, b"foreign").await;
    backend.put_foreign(&ObjectKey::from_listing("recordings/account=8000000010/x".into()), b"foreign").await;
    let listed = backend.archive().list("recordings/account=800000001/").await.unwrap();
    let [first, second] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(*first, Entry { key: object.key, size_bytes: bytes.len() as u64, etag });
    assert_eq!((&second.key, second.size_bytes), (&foreign, 7));
    assert_eq!(backend.archive().list("recordings/account=8000000011/").await.unwrap(), []);
}

/// An error after which the caller may try again, nothing under the key, and room for the whole.
async fn leaves_no_object<B: Backend>(backend: &B, size_bytes: usize, body: ByteStream) {
    let object = object("9001", size_bytes);
    let error = backend.archive().create(&object, body).await.unwrap_err();
    assert_ne!(error.class(), Class::Permanent, "{error}");
    assert!(is_free(backend, &object).await);
    let bytes = vec![7; size_bytes];
    let created = backend.archive().create(&object, whole(&bytes)).await.unwrap();
    assert_is_stored(created, &bytes);
}

pub(super) async fn is_free<B: Backend>(backend: &B, object: &NewObject) -> bool {
    backend.archive().held(&object.key).await.unwrap().is_none()
}

pub(super) fn object(id: &str, size_bytes: usize) -> NewObject {
    let origin = ObjectOrigin { account: key("s-1").account, session: key("s-1").session, recording: recording(id) };
    NewObject { key: object_key(id), format: AudioFormat::Wav, size_bytes: Some(size_bytes as u64), origin }
}

pub(super) fn object_key(id: &str) -> ObjectKey {
    ObjectKey::of(&key("s-1").account, Day::of(EVENT_MS), &recording(id), AudioFormat::Wav)
}

/// Bytes of a length that is the same for every seed.
pub(super) fn audio(seed: u8) -> Vec<u8> {
    (0..PIECES.iter().sum()).map(|n: usize| seed.wrapping_add((n % 251) as u8)).collect()
}

/// The bytes in [`PIECES`], as far as they go.
pub(super) fn whole(bytes: &[u8]) -> ByteStream {
    let mut rest = Bytes::copy_from_slice(bytes);
    let pieces = PIECES.map(|size| rest.split_to(size.min(rest.len())));
    Box::pin(stream::iter(pieces.into_iter().filter(|piece| !piece.is_empty()).map(Ok)))
}

pub(super) async fn collected(mut body: ByteStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    bytes
}

pub(super) fn stored(created: Created) -> Option<(String, Verified)> {
    match created {
        Created::Stored { etag, verified } => Some((etag, verified)),
        Created::Occupied | Created::Contended => None,
    }
}

fn assert_is_stored(created: Created, bytes: &[u8]) {
    let (_, verified) = stored(created).unwrap();
    assert!(fingerprint(bytes).is(&verified), "{verified:?}");
}

pub(super) fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let mut digests = Digests::default();
    digests.add(bytes);
    digests.finish()
}
