//! The operations S3 clients call. Every one that is not here answers 501.

use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumMode, ChecksumType, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsV2Input, ListObjectsV2Output, PutObjectInput, PutObjectOutput, StorageClass, StreamingBlob,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3Request, S3Response, S3Result};
use tokio::io::AsyncReadExt;

use super::access::Access;
use super::checksums::{self, Algorithm, Checksums};
use super::conditions::Conditions;
use super::description::Description;
use super::faults::Operation;
use super::store::{Draft, Object, Store};
use super::{listing, upload};

const READ_BYTES: usize = 256 * 1024;

pub(super) struct Backend {
    pub(super) store: Arc<Store>,
    access: Access,
}

impl Backend {
    pub(super) fn new(store: Arc<Store>, access: Access) -> Self {
        Self { store, access }
    }

    async fn put(&self, request: S3Request<PutObjectInput>) -> S3Result<Object> {
        let mut input = request.input;
        let description = Description::of_put(&mut input)?;
        let (body, file) = (input.body.take(), self.store.temporary_file());
        let trailer = request.trailing_headers.as_ref();
        let received = upload::receive(body, &request.headers, trailer, file, checksums::DEFAULT).await?;
        let commit = async {
            let draft = Draft::new(received, description);
            let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
            self.store.commit((&input.bucket, &input.key), draft, &conditions, None)
        };
        self.store.faults.around(Operation::Put, &request.extensions, commit).await
    }
}

#[async_trait::async_trait]
impl s3s::S3 for Backend {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.store.count_write();
        let object = self.put(request).await?;
        let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(object.etag.clone()),
            version_id: Some(object.version.clone()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: Some(object.kind.into()),
            ..PutObjectOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let found = self.store.read((&input.bucket, &input.key), input.version_id.as_deref(), &conditions);
        let missing = |error| self.access.of_missing(error, request.credentials.as_ref(), &input.bucket);
        let (object, mut file) = found.map_err(missing)?;
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
            version_id: Some(object.version.clone()),
            last_modified: Some(object.last_modified.into()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: checksum_type(&object, &checksums),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
        let found = self.store.read((&input.bucket, &input.key), input.version_id.as_deref(), &conditions);
        let missing = |error| self.access.of_missing(error, request.credentials.as_ref(), &input.bucket);
        let (object, _) = found.map_err(missing)?;
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
            version_id: Some(object.version.clone()),
            last_modified: Some(object.last_modified.into()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: checksum_type(&object, &checksums),
            ..HeadObjectOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let bucket = input.bucket.clone();
        self.store.with_bucket(&bucket, |bucket| listing::page(&bucket.objects, input)).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.store.count_write();
        self.create_upload(request).await.map(S3Response::new)
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.store.count_write();
        let (etag, checksums) = self.keep_part(request).await?;
        let checksum = |algorithm| checksums.get(&algorithm).cloned();
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(etag),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            ..UploadPartOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.store.count_write();
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let object = self.complete_upload(request).await?;
        let checksum = |algorithm| object.checksums.get(&algorithm).cloned();
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            e_tag: Some(object.etag.clone()),
            version_id: Some(object.version.clone()),
            checksum_crc32: checksum(Algorithm::Crc32),
            checksum_crc32c: checksum(Algorithm::Crc32c),
            checksum_crc64nvme: checksum(Algorithm::Crc64Nvme),
            checksum_sha1: checksum(Algorithm::Sha1),
            checksum_sha256: checksum(Algorithm::Sha256),
            checksum_type: Some(object.kind.into()),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.abort_upload(&request.input)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.list_uploads(request.input).map(S3Response::new)
    }
}

/// The checksums, if the reader asked for them.
fn answered(object: &Object, mode: Option<ChecksumMode>) -> Checksums {
    let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    if asked { object.checksums.clone() } else { Checksums::new() }
}

fn checksum_type(object: &Object, checksums: &Checksums) -> Option<ChecksumType> {
    (!checksums.is_empty()).then(|| object.kind.into())
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
