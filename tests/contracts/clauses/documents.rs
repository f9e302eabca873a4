//! `ArchiveStore::write`.

use bytes::Bytes;
use futures_util::future::join_all;
use shared::{
    domain::object_key::ObjectKey,
    ports::archive_store::{ArchiveStore, Written},
};

use super::archive::collected;
use crate::backends::Backend;

pub(crate) async fn a_document_is_read_as_it_was_written<B: Backend>(backend: &B) {
    assert!(read(backend).await.is_none());
    assert!(is_written(backend, "{}", None).await);
    assert_eq!(read(backend).await.unwrap().1, "{}");
}

pub(crate) async fn a_document_is_not_written_over_another<B: Backend>(backend: &B) {
    write(backend, "{}", None).await;
    assert_eq!(write(backend, "[]", None).await, Written::Changed);
    assert_eq!(read(backend).await.unwrap().1, "{}");
}

pub(crate) async fn a_document_is_replaced_if_it_is_the_one_that_was_read<B: Backend>(backend: &B) {
    write(backend, "{}", None).await;
    let (first, _) = read(backend).await.unwrap();
    assert!(is_written(backend, "[1]", Some(&first)).await);
    assert_eq!(write(backend, "[2]", Some(&first)).await, Written::Changed);
    let (second, text) = read(backend).await.unwrap();
    assert_eq!(text, "[1]");
    assert!(is_written(backend, "[3]", Some(&second)).await);
}

pub(crate) async fn a_document_that_is_not_there_is_not_replaced<B: Backend>(backend: &B) {
    assert_eq!(write(backend, "{}", Some("\"0123456789abcdef0123456789abcdef\"")).await, Written::Changed);
    assert!(read(backend).await.is_none());
}

pub(crate) async fn a_replaced_document_is_read_by_its_version<B: Backend>(backend: &B) {
    let first = write(backend, "{}", None).await;
    let (etag, _) = read(backend).await.unwrap();
    let second = write(backend, "[1]", Some(&etag)).await;
    assert_ne!(first, second);
    for (written, text) in [(first, "{}"), (second, "[1]")] {
        let Written::Done { version: Some(version) } = written else { panic!("{written:?}") };
        let reading = backend.archive().read_version(&key(), &version).await.unwrap().unwrap();
        assert_eq!(reading.version, Some(version.clone()));
        assert_eq!(collected(reading.body).await, text.as_bytes());
        let elsewhere = ObjectKey::from_row("sessions/account=800000001/date=2026-03-02/s-2.json".into());
        assert!(backend.archive().read_version(&elsewhere, &version).await.unwrap().is_none());
    }
    let current = backend.archive().read(&key()).await.unwrap().unwrap();
    assert_eq!(collected(current.body).await, b"[1]");
}

pub(crate) async fn of_ten_writes_at_once_one_is_done<B: Backend>(backend: &B) {
    let writes: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    let written = join_all(writes.iter().map(|json| write(backend, json, None))).await;
    assert_eq!(written.iter().filter(|written| **written != Written::Changed).count(), 1, "{written:?}");
}

fn key() -> ObjectKey {
    ObjectKey::from_row("sessions/account=800000001/date=2026-03-02/s-1.json".into())
}

async fn write<B: Backend>(backend: &B, json: &str, replacing: Option<&str>) -> Written {
    backend.archive().write(&key(), Bytes::copy_from_slice(json.as_bytes()), replacing).await.unwrap()
}

async fn is_written<B: Backend>(backend: &B, json: &str, replacing: Option<&str>) -> bool {
    matches!(write(backend, json, replacing).await, Written::Done { .. })
}

/// Its entity tag and its text.
async fn read<B: Backend>(backend: &B) -> Option<(String, String)> {
    let reading = backend.archive().read(&key()).await.unwrap()?;
    Some((reading.etag, String::from_utf8(collected(reading.body).await).unwrap()))
}
