//! Bodies whose length nobody declared. What fits into one part is stored by one request; longer ones are uploaded part by
//! part, each asked of the source only when the one before is in the bucket.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_s3::{
    error::ProvideErrorMetadata,
    primitives::ByteStream as S3Stream,
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{Bucket, metadata_of, refused, signed, stored, translate, unanswered};
use crate::{
    domain::{
        checksum::{Digests, Verified},
        object_key::ObjectKey,
    },
    ports::{
        archive_store::{ArchiveError, Created, NewObject},
        recording_source::ByteStream,
    },
};

/// The smallest part S3 takes that is not the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

const NO_SUCH_UPLOAD: &str = "NoSuchUpload";

/// Uploads that have been begun and neither completed nor aborted, by id. Who drops an upload half-way leaves it here.
#[derive(Debug, Clone, Default)]
pub(super) struct Unfinished(Arc<Mutex<BTreeMap<String, ObjectKey>>>);

impl Unfinished {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, ObjectKey>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bucket {
    pub(super) async fn create_in_parts(&self, object: &NewObject, body: ByteStream) -> Result<Created, ArchiveError> {
        let _turn = self.undeclared.acquire().await;
        let mut parts = Parts { body, rest: Bytes::new() };
        let first = parts.next().await?;
        if first.len() < PART_BYTES {
            return self.put(object, first.len() as u64, S3Stream::from(first)).await;
        }
        let id = self.begin(object).await?;
        let created = self.upload(object, &id, first, parts).await;
        match &created {
            Ok(Created::Stored { .. }) => self.unfinished.with(|unfinished| drop(unfinished.remove(&id))),
            Ok(Created::Occupied | Created::Contended) | Err(_) => self.abort(&id, &object.key).await,
        }
        created
    }

    async fn begin(&self, object: &NewObject) -> Result<String, ArchiveError> {
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(object.key.as_str())
            .content_type(object.format.content_type())
            .storage_class(self.storage_class.clone())
            .set_metadata(Some(metadata_of(object)))
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .checksum_type(ChecksumType::FullObject)
            .send()
            .await
            .map_err(translate)?;
        let id = begun.upload_id.ok_or_else(|| unanswered("the reply names no upload"))?;
        self.unfinished.with(|unfinished| unfinished.insert(id.clone(), object.key.clone()));
        Ok(id)
    }

    async fn upload(
        &self,
        object: &NewObject,
        id: &str,
        first: Bytes,
        mut parts: Parts,
    ) -> Result<Created, ArchiveError> {
        let mut digests = Digests::default();
        let mut uploaded = CompletedMultipartUpload::builder();
        let mut part = first;
        for number in 1.. {
            digests.add(&part);
            let last = part.len() < PART_BYTES;
            uploaded = uploaded.parts(self.upload_part(object, id, number, part).await?);
            if last {
                break;
            }
            part = parts.next().await?;
            if part.is_empty() {
                break;
            }
        }
        let whole = digests.finish();
        let completed = self
            .client
            .complete_multipart_upload()
            .bucket(&self.name)
            .key(object.key.as_str())
            .upload_id(id)
            .multipart_upload(uploaded.build())
            .checksum_crc64_nvme(&whole.crc64nvme)
            .checksum_type(ChecksumType::FullObject)
            .mpu_object_size(signed(whole.size_bytes)?)
            .if_none_match("*")
            .send()
            .await;
        match completed {
            Ok(reply) => stored(reply.e_tag, reply.checksum_crc64_nvme.map(Verified::Crc64Nvme)),
            // An answer was lost, and the request made again: the upload may have been completed before.
            Err(error) if error.code() == Some(NO_SUCH_UPLOAD) => Err(unanswered("the upload has gone")),
            Err(error) => refused(error),
        }
    }

    async fn upload_part(
        &self,
        object: &NewObject,
        id: &str,
        number: i32,
        part: Bytes,
    ) -> Result<CompletedPart, ArchiveError> {
        let uploaded = self
            .client
            .upload_part()
            .bucket(&self.name)
            .key(object.key.as_str())
            .upload_id(id)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
            .body(S3Stream::from(part))
            .send()
            .await
            .map_err(translate)?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(uploaded.e_tag);
        Ok(part.set_checksum_crc64_nvme(uploaded.checksum_crc64_nvme).build())
    }

    /// Aborts an upload. If that fails, it is tried again when the run settles, and in the end the bucket's own rule
    /// sweeps it away.
    async fn abort(&self, id: &str, key: &ObjectKey) {
        let abort = self.client.abort_multipart_upload().bucket(&self.name).key(key.as_str()).upload_id(id);
        match abort.send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some(NO_SUCH_UPLOAD) => {}
            Err(error) => return tracing::warn!(error = %translate(error), "could not abort an upload"),
        }
        self.unfinished.with(|unfinished| drop(unfinished.remove(id)));
    }

    pub(super) async fn abort_unfinished(&self) {
        for (id, key) in self.unfinished.with(|unfinished| unfinished.clone()) {
            self.abort(&id, &key).await;
        }
    }
}

/// A stream cut into parts.
struct Parts {
    body: ByteStream,
    /// What came beyond the last part.
    rest: Bytes,
}

impl Parts {
    /// The next part; one that is shorter than a part, or empty, is the last.
    async fn next(&mut self) -> Result<Bytes, ArchiveError> {
        let mut part = BytesMut::with_capacity(PART_BYTES);
        loop {
            let taken = self.rest.len().min(PART_BYTES - part.len());
            part.extend_from_slice(&self.rest.split_to(taken));
            if part.len() == PART_BYTES {
                return Ok(part.freeze());
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.rest = chunk,
                Some(Err(interrupted)) => return Err(ArchiveError::Unavailable(interrupted.to_string())),
                None => return Ok(part.freeze()),
            }
        }
    }
}
