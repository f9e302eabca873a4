//! The operations of a multipart upload.

use std::collections::BTreeSet;

use s3s::dto::{
    AbortMultipartUploadInput, CompleteMultipartUploadInput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload, StorageClass, UploadPartInput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::agreed::Agreed;
use super::assembly::assemble;
use super::backend::Backend;
use super::checksums::{self, Checksums, Promise};
use super::conditions::Conditions;
use super::description::{Description, refuse};
use super::faults::Operation;
use super::store::{Draft, Object};
use super::upload::{self, hex};
use super::uploads::OpenUpload;

impl Backend {
    pub(super) async fn create_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let mut input = request.input;
        let create = async {
            let description = Description::of_upload(&mut input)?;
            let agreed = Agreed::of(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
            let id = self.store.open_upload((&input.bucket, &input.key), description, agreed)?;
            Ok(CreateMultipartUploadOutput {
                bucket: Some(input.bucket),
                key: Some(input.key),
                upload_id: Some(id),
                checksum_algorithm: input.checksum_algorithm,
                checksum_type: agreed.is_asked_for.then(|| agreed.kind.into()),
                ..CreateMultipartUploadOutput::default()
            })
        };
        self.store.faults.around(Operation::CreateUpload, &request.extensions, create).await
    }

    /// The ETag and the checksums to answer. Like PutObject, it reads the body to its end before it refuses.
    pub(super) async fn keep_part(&self, request: S3Request<UploadPartInput>) -> S3Result<(ETag, Checksums)> {
        let mut input = request.input;
        let agreed = self
            .store
            .with_bucket(&input.bucket, |bucket| Ok(bucket.uploads.find(&input.upload_id, &input.key)?.agreed));
        let unless_promised = agreed.as_ref().map_or(checksums::DEFAULT, |agreed| agreed.algorithm);
        let (body, file) = (input.body.take(), self.store.temporary_file());
        let trailer = request.trailing_headers.as_ref();
        let received = upload::receive(body, &request.headers, trailer, file, unless_promised).await?;
        let keep = async {
            refuse(&[("server-side encryption", input.sse_customer_algorithm.is_some())])?;
            let sent: BTreeSet<_> = Promise::of(&request.headers).algorithms().collect();
            agreed?.allow_part(&sent)?;
            let answer = (ETag::Strong(hex(received.digests.md5)), received.digests.checksums.clone());
            self.store.with_bucket(&input.bucket, |bucket| {
                bucket.uploads.find(&input.upload_id, &input.key)?.keep(input.part_number, received)
            })?;
            Ok(answer)
        };
        self.store.faults.around(Operation::UploadPart, &request.extensions, keep).await
    }

    pub(super) async fn complete_upload(&self, request: S3Request<CompleteMultipartUploadInput>) -> S3Result<Object> {
        let complete = async {
            let mut input = request.input;
            refuse(&[("server-side encryption", input.sse_customer_algorithm.is_some())])?;
            let named = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
            let (parts, agreed, description) = self.store.with_bucket(&input.bucket, |bucket| {
                let upload = bucket.uploads.find(&input.upload_id, &input.key)?;
                Ok((upload.chosen(&named)?, upload.agreed, upload.description.clone()))
            })?;
            let whole = assemble(parts, self.store.temporary_file(), agreed, description).await?;
            verify(&input, &checksums::read(&request.headers), agreed, &whole)?;
            let conditions = Conditions { if_match: input.if_match, if_none_match: input.if_none_match };
            self.store.commit((&input.bucket, &input.key), whole, &conditions, Some(&input.upload_id))
        };
        self.store.faults.around(Operation::CompleteUpload, &request.extensions, complete).await
    }

    pub(super) fn abort_upload(&self, input: &AbortMultipartUploadInput) -> S3Result<()> {
        refuse(&[("the condition of an abort", input.if_match_initiated_time.is_some())])?;
        self.store.with_bucket(&input.bucket, |bucket| bucket.uploads.remove(&input.upload_id, &input.key))
    }

    pub(super) fn list_uploads(&self, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
        refuse(&[
            ("a delimiter of uploads", input.delimiter.is_some()),
            ("pages of uploads", input.max_uploads.is_some() || input.key_marker.is_some()),
        ])?;
        let prefix = input.prefix.as_deref().unwrap_or_default();
        let uploads = self.store.with_bucket(&input.bucket, |bucket| {
            let uploads = bucket.uploads.in_order().into_iter();
            Ok(uploads.filter(|(_, upload)| upload.key.starts_with(prefix)).map(listed).collect())
        })?;
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix,
            is_truncated: Some(false),
            uploads: Some(uploads),
            ..ListMultipartUploadsOutput::default()
        })
    }
}

/// Holds what the request says of the whole against the whole.
fn verify(input: &CompleteMultipartUploadInput, sent: &Checksums, agreed: Agreed, whole: &Draft) -> S3Result<()> {
    if input.mpu_object_size.is_some_and(|said| u64::try_from(said) != Ok(whole.size_bytes)) {
        return Err(s3_error!(InvalidRequest, "the parts are {} bytes in all", whole.size_bytes));
    }
    if input.checksum_type.as_ref().is_some_and(|kind| *kind != agreed.kind.into()) {
        return Err(s3_error!(BadDigest, "the upload was created with another checksum type"));
    }
    for (algorithm, value) in sent {
        if *algorithm != agreed.algorithm {
            return Err(s3_error!(InvalidRequest, "expected a checksum {}", agreed.algorithm.name()));
        }
        if whole.checksums.get(algorithm) != Some(value) {
            return Err(s3_error!(BadDigest, "the {} of the whole is another", algorithm.name()));
        }
    }
    Ok(())
}

fn listed((id, upload): (&str, &OpenUpload)) -> MultipartUpload {
    let agreed = upload.agreed;
    MultipartUpload {
        upload_id: Some(id.to_owned()),
        key: Some(upload.key.clone()),
        initiated: Some(upload.initiated.into()),
        storage_class: Some(StorageClass::from(upload.description.storage_class.clone())),
        checksum_algorithm: agreed.is_asked_for.then(|| agreed.algorithm.name().to_owned().into()),
        checksum_type: agreed.is_asked_for.then(|| agreed.kind.into()),
        ..MultipartUpload::default()
    }
}
