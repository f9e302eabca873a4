//! The bucket: audio that is created once, and documents that describe it.

use bytes::Bytes;

use super::recording_source::ByteStream;
use crate::{
    domain::{
        checksum::Verified,
        ids::{AccountId, RecordingId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
    },
    failure::Class,
};

/// A recording to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Where.
    pub key: ObjectKey,
    /// What.
    pub format: AudioFormat,
    /// Exact length in bytes, where it is known beforehand.
    pub size_bytes: Option<u64>,
    /// Whose; kept in the object's metadata.
    pub origin: ObjectOrigin,
}

/// The ids an object carries, by which it is known as ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectOrigin {
    /// The account.
    pub account: AccountId,
    /// The call.
    pub session: TelephonySessionId,
    /// The recording.
    pub recording: RecordingId,
}

/// What the bucket holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Entity tag.
    pub etag: String,
    /// The checksum over the whole that the bucket verified; objects of other hands may have none.
    pub verified: Option<Verified>,
    /// Account, session and recording of the metadata, if it has all three and they are ids.
    pub origin: Option<ObjectOrigin>,
}

/// How a create ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The bucket confirmed the bytes.
    Stored {
        /// The entity tag it gave them.
        etag: String,
        /// The checksum it computed.
        verified: Verified,
    },
    /// Another object lies there; nothing was written.
    Occupied,
    /// Somebody else was writing there at the same time; nothing was written.
    Contended,
}

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub key: ObjectKey,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Entity tag.
    pub etag: String,
}

/// Something read from the bucket.
pub struct Reading {
    /// Its entity tag.
    pub etag: String,
    /// Which version of what lies under the key it is; none where the bucket keeps no versions.
    pub version: Option<String>,
    /// Its bytes.
    pub body: ByteStream,
}

/// How the write of a document ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It lies there.
    Done {
        /// As which version; none where the bucket keeps no versions.
        version: Option<String>,
    },
    /// What lies there is not what was to be replaced, or somebody else was writing it; nothing was written.
    Changed,
}

/// Recordings, created once and never overwritten, and small documents.
pub trait ArchiveStore {
    /// Creates an object from a stream, with a checksum that the bucket verifies. A stream that fails, or that ends before
    /// or after a length known beforehand, leaves no object. Of several creates of one key at most one stores.
    ///
    /// # Errors
    /// The store's; after an indeterminate one [`ArchiveStore::held`] tells.
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError>;

    /// What lies under a key, if anything does.
    ///
    /// # Errors
    /// The store's.
    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError>;

    /// Reads what lies under a key, if anything does.
    ///
    /// # Errors
    /// The store's.
    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError>;

    /// Reads what lay under a key as this version, if the bucket still has it.
    ///
    /// # Errors
    /// The store's.
    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError>;

    /// Everything whose key begins with `prefix`, in the order of keys.
    ///
    /// # Errors
    /// The store's.
    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError>;

    /// Writes a document of JSON where nothing lies, or over the one with the entity tag `replacing`.
    ///
    /// # Errors
    /// The store's; after an indeterminate one it may have been written.
    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError>;

    /// Removes what creates that were given up have left behind. For the end of a run.
    async fn settle(&self);
}

/// Why the bucket did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It refused for now, or could not be reached, or the bytes did not arrive whole.
    #[error("could not store the object: {0}")]
    Unavailable(String),
    /// No answer came: the object may be there.
    #[error("the bucket did not answer: {0}")]
    Indeterminate(String),
    /// It will never do this: rights, names or the request itself are wrong.
    #[error("cannot use the bucket: {0}")]
    Rejected(String),
}

impl ArchiveError {
    /// What this means for the caller.
    pub fn class(&self) -> Class {
        match self {
            Self::Unavailable(_) => Class::Transient { retry_after: None },
            Self::Indeterminate(_) => Class::Indeterminate,
            Self::Rejected(_) => Class::Permanent,
        }
    }
}
