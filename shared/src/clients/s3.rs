//! [`ArchiveStore`] over S3.

use std::{
    error::Error,
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use aws_sdk_s3::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::head_object::HeadObjectError,
    primitives::ByteStream as S3Stream,
    types::{ChecksumAlgorithm, ChecksumMode, StorageClass},
};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{
    clients::aws::{class_of, describe},
    domain::{
        ids::{AccountId, RecordingId, TelephonySessionId},
        object_key::ObjectKey,
    },
    failure::Class,
    ports::{
        archive_store::{ArchiveError, ArchiveStore, Created, Held, NewObject, ObjectOrigin},
        recording_source::{ByteStream, Interrupted},
    },
};

/// Names of the ids in an object's user metadata.
mod metadata {
    pub(super) const ACCOUNT: &str = "account-id";
    pub(super) const SESSION: &str = "telephony-session-id";
    pub(super) const RECORDING: &str = "recording-id";
}

/// The archive bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    storage_class: StorageClass,
}

impl Bucket {
    /// A bucket reached through `client`; audio is stored in `storage_class`.
    pub fn new(client: Client, name: String, storage_class: &str) -> Self {
        Self { client, name, storage_class: StorageClass::from(storage_class) }
    }
}

impl ArchiveStore for Bucket {
    async fn create(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        let length = i64::try_from(object.size_bytes)
            .map_err(|_| ArchiveError::Rejected("the recording is larger than any object".to_owned()))?;
        let body = SizedBody { stream: Mutex::new(body), remaining: object.size_bytes };
        let put = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(object.key.as_str())
            .content_type(object.format.content_type())
            .content_length(length)
            .storage_class(self.storage_class.clone())
            .metadata(metadata::ACCOUNT, object.origin.account.as_str())
            .metadata(metadata::SESSION, object.origin.session.as_str())
            .metadata(metadata::RECORDING, object.origin.recording.as_str())
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .if_none_match("*")
            .body(S3Stream::from_body_1_x(body))
            .send()
            .await;
        match put {
            Ok(reply) => match reply.checksum_sha256 {
                Some(sha256) => Ok(Created::Stored { sha256 }),
                None => Err(ArchiveError::Indeterminate("the reply names no checksum".to_owned())),
            },
            Err(error) if error.code() == Some("PreconditionFailed") => Ok(Created::Occupied),
            Err(error) => Err(translate(error)),
        }
    }

    async fn held(&self, key: &ObjectKey) -> Result<Option<Held>, ArchiveError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.name)
            .key(key.as_str())
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        match head {
            Ok(reply) => {
                let id =
                    |name: &str| reply.metadata.as_ref().and_then(|metadata| metadata.get(name)).map(String::as_str);
                let account = id(metadata::ACCOUNT).and_then(|text| AccountId::parse(text).ok());
                let session = id(metadata::SESSION).and_then(|text| TelephonySessionId::parse(text).ok());
                let recording = id(metadata::RECORDING).and_then(|text| RecordingId::parse(text).ok());
                let origin = account.zip(session).zip(recording);
                Ok(Some(Held {
                    size_bytes: reply.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0),
                    sha256: reply.checksum_sha256.clone(),
                    origin: origin.map(|((account, session), recording)| ObjectOrigin { account, session, recording }),
                }))
            }
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(None),
            Err(error) => Err(translate(error)),
        }
    }
}

/// Error codes after which the request has not happened and may be made again.
const REFUSED_FOR_NOW: [&str; 6] =
    ["BadDigest", "ConditionalRequestConflict", "IncompleteBody", "RequestTimeout", "ServiceUnavailable", "SlowDown"];

fn translate<E: Error + ProvideErrorMetadata + 'static>(error: SdkError<E, HttpResponse>) -> ArchiveError {
    let text = describe(&error);
    match class_of(&error, &REFUSED_FOR_NOW) {
        Class::Transient { .. } => ArchiveError::Unavailable(text),
        Class::Indeterminate => ArchiveError::Indeterminate(text),
        Class::Permanent => ArchiveError::Rejected(text),
    }
}

/// A stream of known length as an HTTP body. The mutex is never locked: it makes the stream `Sync`, which the SDK asks
/// for although it polls from one place.
struct SizedBody {
    stream: Mutex<ByteStream>,
    remaining: u64,
}

impl Body for SizedBody {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        let stream = self.stream.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let polled = stream.as_mut().poll_next(context);
        polled.map(|next| {
            next.map(|chunk| {
                let chunk = chunk?;
                self.remaining = self.remaining.saturating_sub(chunk.len() as u64);
                Ok(Frame::data(chunk))
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
