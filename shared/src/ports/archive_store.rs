//! The bucket.

use super::recording_source::ByteStream;
use crate::{
    domain::{
        ids::{AccountId, RecordingId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
    },
    failure::Class,
};

/// An object to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObject {
    /// Where.
    pub key: ObjectKey,
    /// What.
    pub format: AudioFormat,
    /// Exact length in bytes.
    pub size_bytes: u64,
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

/// What S3 holds under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Length in bytes.
    pub size_bytes: u64,
    /// SHA-256 that S3 verified when the object came, base64; objects of other hands may have none.
    pub sha256: Option<String>,
    /// Account, session and recording of the metadata, if it has all three and they are ids.
    pub origin: Option<ObjectOrigin>,
}

/// How a create ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// S3 confirmed the bytes.
    Stored {
        /// The SHA-256 S3 computed, base64.
        sha256: String,
    },
    /// Another object lies there; nothing was written.
    Occupied,
}

/// Objects, created once and never overwritten.
pub trait ArchiveStore {
    /// Creates an object from a stream, with a SHA-256 that S3 verifies. A stream that fails, ends early or runs over
    /// leaves no object. Of several creates of one key at most one stores.
    ///
    /// # Errors
    /// The store's; after an indeterminate one [`ArchiveStore::held`] tells.
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError>;

    /// What lies under a key, if anything does.
    ///
    /// # Errors
    /// The store's.
    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError>;
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
