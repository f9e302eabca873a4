//! The operations S3 clients call. Every one that is not here answers 501.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use s3s::dto::{
    ChecksumMode, ChecksumType, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
    ListObjectsV2Output, PutObjectInput, PutObjectOutput, StorageClass, StreamingBlob,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::io::AsyncReadExt;

use super::checksums::{Algorithm, Checksums};
use super::conditions::Conditions;
use super::store::{Description, Object, Store};
use super::{listing, upload};

const READ_BYTES: usize = 256 * 1024;

pub(super) struct Backend {
    store: Arc<Store>,
}

impl Backend {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn put(&self, request: S3Request<PutObjectInput>) -> S3Result<Object> {
        let mut input = request.input;
        refuse_unsupported(&input)?;
        let body = input.body.take();
        let file = self.store.temporary_file();
        let upload = upload::receive(body, &request.headers, request.trailing_headers.as_ref(), file).await?;
        let conditions = Conditions { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        self.store.commit((&bucket, &key), upload, describe(input), &conditions)
    }
}

#[async_trait::async_trait]
impl s3s::S3 for Backend {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let outcome = self.put(request).await;
        self.store.count_put();
        let object = outcome?;
        let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(object.etag.clone()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)),
            ..PutObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let (object, mut file) = self.store.read(&input.bucket, &input.key, &conditions)?;
        let range = match input.range {
            Some(range) => range.check(object.size_bytes)?,
            None => 0..object.size_bytes,
        };
        file.seek(SeekFrom::Start(range.start)).map_err(S3Error::internal_error)?;
        let length = range.end - range.start;
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{}", range.start, range.end - 1, object.size_bytes));
        // A checksum of the whole says nothing about a part.
        let checksums = answered(&object, input.checksum_mode.filter(|_| input.range.is_none()));
        let checksum = |algorithm| checksums.get(&algorithm).cloned();
        Ok(S3Response::new(GetObjectOutput {
            body: Some(read(tokio::fs::File::from_std(file), length)),
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(length).ok(),
            content_range,
            content_type: object.description.content_type.clone(),
            content_encoding: object.description.content_encoding.clone(),
            metadata: Some(object.description.metadata.clone().into_iter().collect()),
            storage_class: storage_class(&object),
            e_tag: Some(object.etag.clone()),
            last_modified: Some(object.last_modified.into()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: checksum_type(&checksums),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let (object, _) = self.store.read(&input.bucket, &input.key, &conditions)?;
        let checksums = answered(&object, input.checksum_mode);
        let checksum = |algorithm| checksums.get(&algorithm).cloned();
        Ok(S3Response::new(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(object.size_bytes).ok(),
            content_type: object.description.content_type.clone(),
            content_encoding: object.description.content_encoding.clone(),
            metadata: Some(object.description.metadata.clone().into_iter().collect()),
            storage_class: storage_class(&object),
            e_tag: Some(object.etag.clone()),
            last_modified: Some(object.last_modified.into()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: checksum_type(&checksums),
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let bucket = input.bucket.clone();
        self.store.with_bucket(&bucket, |objects| listing::page(objects, input)).map(S3Response::new)
    }
}

/// Refuses what would otherwise be dropped in silence.
fn refuse_unsupported(input: &PutObjectInput) -> S3Result<()> {
    let asked = [
        ("an ACL", input.acl.is_some()),
        ("tags", input.tagging.is_some()),
        ("server-side encryption", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some()),
        ("Object Lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
        ("a write offset", input.write_offset_bytes.is_some()),
    ];
    match asked.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((what, _)) => Err(s3_error!(NotImplemented, "the local S3 does not keep {what}")),
        None => Ok(()),
    }
}

fn describe(input: PutObjectInput) -> Description {
    Description {
        content_type: input.content_type,
        content_encoding: input.content_encoding.as_deref().and_then(without_chunking),
        metadata: input.metadata.unwrap_or_default().into_iter().collect::<BTreeMap<_, _>>(),
        storage_class: input.storage_class.as_ref().map_or(StorageClass::STANDARD, StorageClass::as_str).to_owned(),
    }
}

/// `aws-chunked` says how the bytes travelled, not what they are.
fn without_chunking(encoding: &str) -> Option<String> {
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|coding| !coding.is_empty() && *coding != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// The checksums, if the reader asked for them.
fn answered(object: &Object, mode: Option<ChecksumMode>) -> Checksums {
    let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if asked { object.checksums.clone() } else { Checksums::new() }
}

fn checksum_type(checksums: &Checksums) -> Option<ChecksumType> {
    (!checksums.is_empty()).then(|| ChecksumType::from_static(ChecksumType::FULL_OBJECT))
}

/// Like S3, which does not name the standard class when asked for an object.
fn storage_class(object: &Object) -> Option<StorageClass> {
    let class = &object.description.storage_class;
    (class != StorageClass::STANDARD).then(|| StorageClass::from(class.clone()))
}

fn read(file: tokio::fs::File, length: u64) -> StreamingBlob {
    let chunks = stream::try_unfold(file.take(length), |mut file| async move {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        file.read_buf(&mut buffer).await?;
        Ok::<_, std::io::Error>((!buffer.is_empty()).then(|| (Bytes::from(buffer), file)))
    });
    StreamingBlob::wrap(chunks)
}
