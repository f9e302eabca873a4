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
    assert_eq!(write(backend, "{}", None).await, Written::Done);
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
    assert_eq!(write(backend, "[1]", Some(&first)).await, Written::Done);
    assert_eq!(write(backend, "[2]", Some(&first)).await, Written::Changed);
    let (second, text) = read(backend).await.unwrap();
    assert_eq!(text, "[1]");
    assert_eq!(write(backend, "[3]", Some(&second)).await, Written::Done);
}

pub(crate) async fn a_document_that_is_not_there_is_not_replaced<B: Backend>(backend: &B) {
    assert_eq!(write(backend, "{}", Some("\"0123456789abcdef0123456789abcdef\"")).await, Written::Changed);
    assert!(read(backend).await.is_none());
}

pub(crate) async fn of_ten_writes_at_once_one_is_done<B: Backend>(backend: &B) {
    let writes: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    let written = join_all(writes.iter().map(|json| write(backend, json, None))).await;
    assert_eq!(written.iter().filter(|written| **written == Written::Done).count(), 1, "{written:?}");
}

fn key() -> ObjectKey {
    ObjectKey::from_row("sessions/account=800000001/date=2026-03-02/s-1.json".into())
}

async fn write<B: Backend>(backend: &B, json: &str, replacing: Option<&str>) -> Written {
    backend.archive().write(&key(), Bytes::copy_from_slice(json.as_bytes()), replacing).await.unwrap()
}

/// Its entity tag and its text.
async fn read<B: Backend>(backend: &B) -> Option<(String, String)> {
    let reading = backend.archive().read(&key()).await.unwrap()?;
    Some((reading.etag, String::from_utf8(collected(reading.body).await).unwrap()))
}
