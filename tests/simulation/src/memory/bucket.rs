//! [`ArchiveStore`] in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use shared::{
    domain::{media::AudioFormat, object_key::ObjectKey},
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Held, NewObject, ObjectOrigin},
        recording_source::ByteStream,
    },
};

/// The bucket. It takes a body chunk by chunk as its source gives it; what it holds changes at once at the body's end.
#[derive(Debug, Clone, Default)]
pub struct MemoryBucket(Rc<RefCell<Objects>>);

#[derive(Debug, Default)]
struct Objects {
    objects: BTreeMap<ObjectKey, StoredObject>,
    changed: BTreeSet<ObjectKey>,
    creates: u64,
}

/// An object with what the bucket keeps beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The bytes.
    pub bytes: Bytes,
    /// Their SHA-256, base64; objects of other hands have none.
    pub sha256: Option<String>,
    /// What they were stored as; objects of other hands do not say.
    pub format: Option<AudioFormat>,
    /// Whose they are; objects of other hands do not say.
    pub origin: Option<ObjectOrigin>,
}

impl MemoryBucket {
    /// Reads all objects where they lie. The bucket cannot be written meanwhile.
    pub fn with_objects<T>(&self, read: impl FnOnce(&BTreeMap<ObjectKey, StoredObject>) -> T) -> T {
        read(&self.0.borrow().objects)
    }

    /// One object.
    pub fn object(&self, key: &ObjectKey) -> Option<StoredObject> {
        self.with_objects(|objects| objects.get(key).cloned())
    }

    /// Keys of the objects stored since this was last asked, each once.
    pub fn changed(&self) -> Vec<ObjectKey> {
        std::mem::take(&mut self.0.borrow_mut().changed).into_iter().collect()
    }

    /// How many creates have begun, whatever came of them.
    pub fn creates(&self) -> u64 {
        self.0.borrow().creates
    }

    /// Stores an object as other hands would: over whatever is there, without a checksum and without our ids.
    pub fn put_foreign(&self, key: ObjectKey, bytes: Bytes) {
        self.0.borrow_mut().store(key, StoredObject { bytes, sha256: None, format: None, origin: None });
    }
}

impl ArchiveStore for MemoryBucket {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        self.0.borrow_mut().creates += 1;
        let bytes = read_whole(body, object.size_bytes).await?;
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&bytes));
        let mut objects = self.0.borrow_mut();
        if objects.objects.contains_key(&object.key) {
            return Ok(Created::Occupied);
        }
        let stored = StoredObject {
            bytes,
            sha256: Some(sha256.clone()),
            format: Some(object.format),
            origin: Some(object.origin.clone()),
        };
        objects.store(object.key.clone(), stored);
        Ok(Created::Stored { sha256 })
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        let held = |stored: &StoredObject| Held {
            size_bytes: stored.bytes.len() as u64,
            sha256: stored.sha256.clone(),
            origin: stored.origin.clone(),
        };
        Ok(self.with_objects(|objects| objects.get(key).map(held)))
    }
}

impl Objects {
    fn store(&mut self, key: ObjectKey, object: StoredObject) {
        self.changed.insert(key.clone());
        self.objects.insert(key, object);
    }
}

/// Everything a body has, if that is as much as was said. Like the SDK, whose request breaks off in the middle, it
/// cannot tell what the other side made of a body that is not whole.
async fn read_whole(mut body: ByteStream, size_bytes: u64) -> Result<Bytes, ArchiveError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&chunk.map_err(|interrupted| ArchiveError::Indeterminate(interrupted.to_string()))?);
    }
    if whole.len() as u64 != size_bytes {
        return Err(ArchiveError::Indeterminate(format!("{} bytes came for {size_bytes}", whole.len())));
    }
    Ok(whole.freeze())
}
