//! The bucket.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{Failures, failure};
use crate::{
    domain::{
        checksum::{Digests, Verified},
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Entry, Held, NewObject, ObjectOrigin, Reading, Written},
        recording_source::ByteStream,
    },
};

/// Objects by key, each with whose it is, where that is said.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: RefCell<BTreeMap<ObjectKey, (Bytes, Option<ObjectOrigin>)>>,
    pub(crate) said: RefCell<Vec<String>>,
    pub(crate) fails: Failures<ArchiveError>,
    /// Whether it says that a key is taken before it has taken the body.
    pub(crate) hasty: Cell<bool>,
    /// What it says it verified, whatever came.
    pub(crate) verifies: RefCell<Option<Verified>>,
}

fn sha256(bytes: &[u8]) -> String {
    let mut digests = Digests::default();
    digests.add(bytes);
    digests.finish().sha256
}

impl Bucket {
    pub(crate) fn put(&self, key: &ObjectKey, bytes: &[u8], origin: Option<ObjectOrigin>) {
        self.objects.borrow_mut().insert(key.clone(), (Bytes::copy_from_slice(bytes), origin));
    }

    pub(crate) fn bytes(&self, key: &ObjectKey) -> Option<Bytes> {
        self.objects.borrow().get(key).map(|(bytes, _)| bytes.clone())
    }

    fn hear(&self, what: String) -> Result<(), ArchiveError> {
        self.said.borrow_mut().push(what.clone());
        failure(&self.fails, &what)
    }
}

impl ArchiveStore for Bucket {
    async fn create(&self, object: &NewObject, mut body: ByteStream) -> Result<Created, ArchiveError> {
        if self.hasty.get() && self.bytes(&object.key).is_some() {
            return Ok(Created::Occupied);
        }
        let mut whole = Vec::new();
        while let Some(chunk) = body.next().await {
            whole.extend_from_slice(&chunk.map_err(|broken| ArchiveError::Indeterminate(broken.to_string()))?);
        }
        self.hear(format!("create {}", object.key.as_str()))?;
        if self.bytes(&object.key).is_some() {
            return Ok(Created::Occupied);
        }
        self.put(&object.key, &whole, Some(object.origin.clone()));
        let sha256 = sha256(&whole);
        let verified = self.verifies.borrow().clone().unwrap_or_else(|| Verified::Sha256(sha256.clone()));
        Ok(Created::Stored { etag: sha256, verified })
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        self.hear(format!("held {}", key.as_str()))?;
        Ok(self.objects.borrow().get(key).map(|(bytes, origin)| Held {
            size_bytes: bytes.len() as u64,
            etag: sha256(bytes),
            verified: origin
                .as_ref()
                .map(|_| self.verifies.borrow().clone().unwrap_or_else(|| Verified::Sha256(sha256(bytes)))),
            origin: origin.clone(),
        }))
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        self.hear(format!("read {}", key.as_str()))?;
        Ok(self.bytes(key).map(|bytes| Reading {
            etag: sha256(&bytes),
            version: Some(sha256(&bytes)),
            body: Box::pin(stream::iter([Ok(bytes)])),
        }))
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        Ok(self.read(key).await?.filter(|reading| reading.etag == version))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        self.hear(format!("list {prefix}"))?;
        let objects = self.objects.borrow();
        let listed = objects.iter().filter(|(key, _)| key.as_str().starts_with(prefix));
        Ok(listed
            .map(|(key, (bytes, _))| Entry { key: key.clone(), size_bytes: bytes.len() as u64, etag: sha256(bytes) })
            .collect())
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        self.hear(format!("write {}", key.as_str()))?;
        if self.bytes(key).map(|bytes| sha256(&bytes)).as_deref() != replacing {
            return Ok(Written::Changed);
        }
        self.put(key, &json, None);
        Ok(Written::Done { version: Some(sha256(&json)) })
    }

    async fn settle(&self) {
        self.said.borrow_mut().push("settle".to_owned());
    }
}
