//! [`ArchiveStore`] over S3.

mod body;
mod parts;

use std::{collections::HashMap, error::Error, sync::Arc};

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        get_object::builders::GetObjectFluentBuilder,
        head_object::{HeadObjectError, HeadObjectOutput},
        put_object::builders::PutObjectFluentBuilder,
    },
    primitives::ByteStream as S3Stream,
    types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, Object, StorageClass},
};
use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::{
    clients::aws::{class_of, describe},
    domain::{
        checksum::Verified,
        ids::{AccountId, RecordingId, TelephonySessionId},
        object_key::ObjectKey,
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Entry, Held, NewObject, ObjectOrigin, Reading, Written},
        recording_source::ByteStream,
    },
};
use parts::Unfinished;

/// Names of the ids in an object's user metadata.
mod metadata {
    pub(super) const ACCOUNT: &str = "account-id";
    pub(super) const SESSION: &str = "telephony-session-id";
    pub(super) const RECORDING: &str = "recording-id";
}

/// What is known of a HEAD that is refused.
const NOT_TOLD: &str = "HEAD: 403 AccessDenied: the role lacks s3:GetObject there, s3:ListBucket where nothing lies, or \
    kms:Decrypt for the key it is encrypted with";

/// S3 takes no longer object in one request.
const LONGEST_PUT_BYTES: u64 = 5_000_000_000;

/// A body of undeclared length holds parts in memory: so many at once, the others wait.
const UNDECLARED_AT_ONCE: usize = 2;

/// The archive bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    storage_class: StorageClass,
    undeclared: Arc<Semaphore>,
    unfinished: Unfinished,
}

impl Bucket {
    /// A bucket reached through `client`; recordings are stored in `storage_class`.
    pub fn new(client: Client, name: String, storage_class: &str) -> Self {
        Self {
            client,
            name,
            storage_class: StorageClass::from(storage_class),
            undeclared: Arc::new(Semaphore::new(UNDECLARED_AT_ONCE)),
            unfinished: Unfinished::default(),
        }
    }

    /// One request that stores the whole.
    async fn put(&self, object: &NewObject, size_bytes: u64, body: S3Stream) -> Result<Created, ArchiveError> {
        let put = self
            .put_object(&object.key, object.format.content_type())
            .content_length(signed(size_bytes)?)
            .storage_class(self.storage_class.clone())
            .set_metadata(Some(metadata_of(object)))
            .if_none_match("*")
            .body(body)
            .send()
            .await;
        match put {
            Ok(reply) => stored(reply.e_tag, reply.checksum_sha256.map(Verified::Sha256)),
            Err(error) => refused(error),
        }
    }

    fn put_object(&self, key: &ObjectKey, content_type: &str) -> PutObjectFluentBuilder {
        let put = self.client.put_object().bucket(&self.name).key(key.as_str()).content_type(content_type);
        put.checksum_algorithm(ChecksumAlgorithm::Sha256)
    }

    fn get_object(&self, key: &ObjectKey) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.name).key(key.as_str())
    }
}

impl ArchiveStore for Bucket {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        match object.size_bytes {
            Some(size_bytes) if size_bytes <= LONGEST_PUT_BYTES => {
                self.put(object, size_bytes, body::streamed(body, size_bytes)).await
            }
            Some(_) | None => self.create_in_parts(object, body).await,
        }
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        let head = self.client.head_object().bucket(&self.name).key(key.as_str());
        match head.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(reply) => Ok(Some(held(reply)?)),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(None),
            // A reply to HEAD has no body to say why.
            Err(error) if error.raw_response().is_some_and(|reply| reply.status().as_u16() == 403) => {
                Err(ArchiveError::Rejected(NOT_TOLD.to_owned()))
            }
            Err(error) => Err(translate(error)),
        }
    }

    async fn read(&self, key: &ObjectKey) -> Result<Option<Reading>, ArchiveError> {
        reading(self.get_object(key)).await
    }

    async fn read_version(&self, key: &ObjectKey, version: &str) -> Result<Option<Reading>, ArchiveError> {
        reading(self.get_object(key).version_id(version)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ArchiveError> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = pages.next().await {
            for object in page.map_err(translate)?.contents.unwrap_or_default() {
                entries.push(entry(object)?);
            }
        }
        Ok(entries)
    }

    async fn write(&self, key: &ObjectKey, json: Bytes, replacing: Option<&str>) -> Result<Written, ArchiveError> {
        let put = self.put_object(key, "application/json").body(S3Stream::from(json));
        let put = match replacing {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        match put.send().await {
            Ok(reply) => Ok(Written::Done { version: reply.version_id }),
            Err(error) => match error.code() {
                Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey") => Ok(Written::Changed),
                Some(_) | None => Err(translate(error)),
            },
        }
    }

    async fn settle(&self) {
        self.abort_unfinished().await;
    }
}

async fn reading(get: GetObjectFluentBuilder) -> Result<Option<Reading>, ArchiveError> {
    match get.send().await {
        Ok(reply) => {
            let etag = reply.e_tag.ok_or_else(|| unanswered("the reply names no entity tag"))?;
            Ok(Some(Reading { etag, version: reply.version_id, body: body::read(reply.body) }))
        }
        Err(error) => match error.code() {
            Some("NoSuchKey" | "NoSuchVersion") => Ok(None),
            Some(_) | None => Err(translate(error)),
        },
    }
}

fn entry(object: Object) -> Result<Entry, ArchiveError> {
    let size_bytes = object.size.and_then(|size| u64::try_from(size).ok());
    Ok(Entry {
        key: ObjectKey::from_listing(object.key.ok_or_else(|| unanswered("the listing names no key"))?),
        size_bytes: size_bytes.ok_or_else(|| unanswered("the listing names no length"))?,
        etag: object.e_tag.ok_or_else(|| unanswered("the listing names no entity tag"))?,
    })
}

/// A create that S3 confirms.
fn stored(etag: Option<String>, verified: Option<Verified>) -> Result<Created, ArchiveError> {
    match etag.zip(verified) {
        Some((etag, verified)) => Ok(Created::Stored { etag, verified }),
        None => Err(unanswered("the reply names no entity tag or no checksum")),
    }
}

/// A create that S3 refuses.
fn refused<E: Error + ProvideErrorMetadata + 'static>(
    error: SdkError<E, HttpResponse>,
) -> Result<Created, ArchiveError> {
    match error.code() {
        Some("PreconditionFailed") => Ok(Created::Occupied),
        Some("ConditionalRequestConflict") => Ok(Created::Contended),
        Some(_) | None => Err(translate(error)),
    }
}

fn metadata_of(object: &NewObject) -> HashMap<String, String> {
    let origin = &object.origin;
    HashMap::from([
        (metadata::ACCOUNT.to_owned(), origin.account.to_string()),
        (metadata::SESSION.to_owned(), origin.session.to_string()),
        (metadata::RECORDING.to_owned(), origin.recording.to_string()),
    ])
}

fn held(reply: HeadObjectOutput) -> Result<Held, ArchiveError> {
    let id = |name: &str| reply.metadata.as_ref().and_then(|metadata| metadata.get(name)).map(String::as_str);
    let account = id(metadata::ACCOUNT).and_then(|text| AccountId::parse(text).ok());
    let session = id(metadata::SESSION).and_then(|text| TelephonySessionId::parse(text).ok());
    let recording = id(metadata::RECORDING).and_then(|text| RecordingId::parse(text).ok());
    let origin = account.zip(session).zip(recording);
    // A checksum of checksums says nothing that can be computed from the bytes alone.
    let whole = reply.checksum_type != Some(ChecksumType::Composite);
    let sha256 = reply.checksum_sha256.filter(|sha256| !sha256.contains('-')).map(Verified::Sha256);
    let verified = sha256.or(reply.checksum_crc64_nvme.map(Verified::Crc64Nvme)).filter(|_| whole);
    let size_bytes = reply.content_length.and_then(|length| u64::try_from(length).ok());
    Ok(Held {
        size_bytes: size_bytes.ok_or_else(|| unanswered("the reply names no length"))?,
        etag: reply.e_tag.ok_or_else(|| unanswered("the reply names no entity tag"))?,
        verified,
        origin: origin.map(|((account, session), recording)| ObjectOrigin { account, session, recording }),
    })
}

/// A length as the SDK takes it.
fn signed(size_bytes: u64) -> Result<i64, ArchiveError> {
    let too_long = |_| ArchiveError::Rejected("the recording is larger than any object".to_owned());
    i64::try_from(size_bytes).map_err(too_long)
}

fn unanswered(why: &str) -> ArchiveError {
    ArchiveError::Indeterminate(why.to_owned())
}

/// Error codes after which the request has not happened and may be made again.
const REFUSED_FOR_NOW: [&str; 5] = ["BadDigest", "IncompleteBody", "RequestTimeout", "ServiceUnavailable", "SlowDown"];

fn translate<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E, HttpResponse>) -> ArchiveError {
    let text = describe(&error);
    // S3 says it even below a 200.
    if error.code() == Some("InternalError") {
        return ArchiveError::Indeterminate(text);
    }
    match class_of(&error, &REFUSED_FOR_NOW) {
        Class::Transient { .. } => ArchiveError::Unavailable(text),
        Class::Indeterminate => ArchiveError::Indeterminate(text),
        Class::Permanent => ArchiveError::Rejected(text),
    }
}
