//! [`ArchiveStore`] in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use shared::{
    domain::{
        checksum::{Digests, Fingerprint, Verified},
        media::AudioFormat,
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Entry, Held, NewObject, ObjectOrigin, Reading, Written},
        recording_source::ByteStream,
    },
};

/// A body of undeclared length that has as many bytes is uploaded in parts.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// The bucket. It takes a body chunk by chunk as its source gives it; what it holds changes at once at the body's end.
#[derive(Debug, Clone, Default)]
pub struct MemoryBucket(Rc<RefCell<Objects>>);

#[derive(Debug, Default)]
struct Objects {
    objects: BTreeMap<ObjectKey, StoredObject>,
    /// All versions of each, the last one current.
    documents: BTreeMap<ObjectKey, Vec<Document>>,
    writes: u64,
    changed: BTreeSet<ObjectKey>,
    creates: u64,
}

#[derive(Debug, Clone)]
struct Document {
    version: String,
    etag: String,
    json: Bytes,
}

/// An object with what the bucket keeps beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The bytes.
    pub bytes: Bytes,
    /// Their SHA-256, base64.
    pub sha256: String,
    /// Their entity tag.
    pub etag: String,
    /// The checksum of the whole that was verified; objects of other hands have none.
    pub verified: Option<Verified>,
    /// What they were stored as; objects of other hands do not say.
    pub format: Option<AudioFormat>,
    /// Whose they are; objects of other hands do not say.
    pub origin: Option<ObjectOrigin>,
}

impl MemoryBucket {
    /// Reads all recordings where they lie. The bucket cannot be written meanwhile.
    pub fn with_objects<T>(&self, read: impl FnOnce(&BTreeMap<ObjectKey, StoredObject>) -> T) -> T {
        read(&self.0.borrow().objects)
    }

    /// One recording.
    pub fn object(&self, key: &ObjectKey) -> Option<StoredObject> {
        self.with_objects(|objects| objects.get(key).cloned())
    }

    /// One document.
    pub fn document(&self, key: &ObjectKey) -> Option<Bytes> {
        self.0.borrow().document(key).map(|document| document.json.clone())
    }

    /// Every version of every document whose key begins with a prefix, in the order in which they were written: key,
    /// version and bytes.
    pub fn versions(&self, prefix: &str) -> Vec<(ObjectKey, String, Bytes)> {
        let objects = self.0.borrow();
        let documents = objects.documents.iter().filter(|(key, _)| key.as_str().starts_with(prefix));
        let mut versions: Vec<_> = documents
            .flat_map(|(key, versions)| {
                versions.iter().map(move |one| (key.clone(), one.version.clone(), one.json.clone()))
            })
            .collect();
        versions.sort_by_key(|(_, version, _)| version.parse::<u64>().unwrap_or_default());
        versions
    }

    /// Keys of the recordings stored since this was last asked, each once.
    pub fn changed(&self) -> Vec<ObjectKey> {
        std::mem::take(&mut self.0.borrow_mut().changed).into_iter().collect()
    }

    /// How many creates have begun, whatever came of them.
    pub fn creates(&self) -> u64 {
        self.0.borrow().creates
    }

    /// Stores an object as other hands would: over whatever is there, without a checksum and without our ids.
    pub fn put_foreign(&self, key: ObjectKey, bytes: Bytes) {
        let Fingerprint { sha256, crc64nvme, .. } = fingerprint(&bytes);
        let stored =
            StoredObject { bytes, sha256, etag: quoted(&crc64nvme), verified: None, format: None, origin: None };
        self.0.borrow_mut().store(key, stored);
    }

    /// Removes a recording, or a document with all its versions, as other hands would.
    pub fn remove(&self, key: &ObjectKey) {
        let mut objects = self.0.borrow_mut();
        objects.objects.remove(key);
        objects.documents.remove(key);
    }
}

impl ArchiveStore for MemoryBucket {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        self.0.borrow_mut().creates += 1;
        let bytes = read_whole(body, object.size_bytes).await?;
        let Fingerprint { sha256, crc64nvme, .. } = fingerprint(&bytes);
        let etag = quoted(&crc64nvme);
        let in_parts = object.size_bytes.is_none() && bytes.len() >= PART_BYTES;
        let verified = if in_parts { Verified::Crc64Nvme(crc64nvme) } else { Verified::Sha256(sha256.clone()) };
        let mut objects = self.0.borrow_mut();
        if objects.objects.contains_key(&object.key) {
            return Ok(Created::Occupied);
        }
        let stored = StoredObject {
            bytes,
            sha256,
            etag: etag.clone(),
            verified: Some(verified.clone()),
            format: Some(object.format),
            origin: Some(object.origin.clone()),
        };
        objects.store(object.key.clone(), stored);
        Ok(Created::Stored { etag, verified })
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        let held = |stored: &StoredObject| Held {
            size_bytes: stored.bytes.len() as u64,
            etag: stored.etag.clone(),
            verified: stored.verified.clone(),
            origin: stored.origin.clone(),
        };
        Ok(self.with_objects(|objects| objects.get(key).map(held)))
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        let objects = self.0.borrow();
        let stored = objects.objects.get(key).map(|stored| reading(&stored.bytes, &stored.etag, None));
        Ok(objects.document(key).map(Document::reading).or(stored))
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        let objects = self.0.borrow();
        let mut versions = objects.documents.get(key).into_iter().flatten();
        Ok(versions.find(|document| document.version == version).map(Document::reading))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        let objects = self.0.borrow();
        let from = ObjectKey::from_listing(prefix.to_owned());
        let documents = objects.documents.range(from.clone()..).take_while(|(key, _)| key.as_str().starts_with(prefix));
        let documents = documents.filter_map(|(key, versions)| {
            let Document { json, etag, .. } = versions.last()?;
            Some(Entry { key: key.clone(), size_bytes: json.len() as u64, etag: etag.clone() })
        });
        let recordings = objects.objects.range(from..).take_while(|(key, _)| key.as_str().starts_with(prefix));
        let recordings = recordings.map(|(key, stored)| Entry {
            key: key.clone(),
            size_bytes: stored.bytes.len() as u64,
            etag: stored.etag.clone(),
        });
        let mut entries: Vec<_> = documents.chain(recordings).collect();
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(entries)
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        let mut objects = self.0.borrow_mut();
        if objects.document(key).map(|document| document.etag.as_str()) != replacing {
            return Ok(Written::Changed);
        }
        objects.writes += 1;
        let version = objects.writes.to_string();
        let document = Document { version: version.clone(), etag: quoted(&fingerprint(&json).crc64nvme), json };
        objects.documents.entry(key.clone()).or_default().push(document);
        Ok(Written::Done { version: Some(version) })
    }

    async fn settle(&self) {}
}

impl Document {
    fn reading(&self) -> Reading {
        reading(&self.json, &self.etag, Some(&self.version))
    }
}

impl Objects {
    fn document(&self, key: &ObjectKey) -> Option<&Document> {
        self.documents.get(key)?.last()
    }

    fn store(&mut self, key: ObjectKey, object: StoredObject) {
        self.changed.insert(key.clone());
        self.objects.insert(key, object);
    }
}

fn reading(bytes: &Bytes, etag: &str, version: Option<&String>) -> Reading {
    let body = Box::pin(stream::iter([Ok(bytes.clone())]));
    Reading { etag: etag.to_owned(), version: version.cloned(), body }
}

fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

fn fingerprint(bytes: &Bytes) -> Fingerprint {
    let mut digests = Digests::default();
    digests.add(bytes);
    digests.finish()
}

/// Everything a body has, if that is as much as was said. Like the SDK, whose request breaks off in the middle, it
/// cannot tell what the other side made of a body that is not whole.
async fn read_whole(mut body: ByteStream, size_bytes: Option<u64>) -> Result<Bytes, ArchiveError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&chunk.map_err(|interrupted| ArchiveError::Indeterminate(interrupted.to_string()))?);
    }
    if let Some(size_bytes) = size_bytes.filter(|size_bytes| *size_bytes != whole.len() as u64) {
        return Err(ArchiveError::Indeterminate(format!("{} bytes came for {size_bytes}", whole.len())));
    }
    Ok(whole.freeze())
}
