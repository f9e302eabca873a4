mod completing;
mod faults;
mod multipart;
mod reads;
mod refusals;
mod writes;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use local_cloud::s3::S3;

use crate::clients;

const BUCKET: &str = "recordings-test";
const KEY: &str = "recordings/account=1/date=2026-01-31/2.mp3";
/// The least S3 takes for a part that is not the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// S3 over a folder of its own, which goes with it.
struct Fixture {
    s3: S3,
    client: Client,
    folder: PathBuf,
}

impl Fixture {
    async fn start() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("local-cloud-s3-{}-{number}", std::process::id()));
        let s3 = S3::start(folder.clone()).await.unwrap();
        s3.create_bucket(BUCKET).unwrap();
        let client = clients::s3(&s3.endpoint());
        Self { s3, client, folder }
    }

    async fn put(&self, key: &str, body: &'static [u8]) {
        let body = ByteStream::from_static(body);
        self.client.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    }

    /// An upload that is to have the checksum the archive uses.
    async fn create(&self, key: &str) -> String {
        let create = self.client.create_multipart_upload().bucket(BUCKET).key(key);
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
        create.send().await.unwrap().upload_id.unwrap()
    }

    fn upload_part(&self, id: &str, number: i32, body: &[u8]) -> UploadPartFluentBuilder {
        let part = self.client.upload_part().bucket(BUCKET).key(KEY).upload_id(id).part_number(number);
        part.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(ByteStream::from(body.to_vec()))
    }

    /// Uploads a part of the upload of [`KEY`].
    async fn part(&self, id: &str, number: i32, body: &[u8]) -> CompletedPart {
        let part = self.upload_part(id, number, body).send().await.unwrap();
        CompletedPart::builder().part_number(number).e_tag(part.e_tag.unwrap()).build()
    }

    fn complete(&self, id: &str, parts: Vec<CompletedPart>) -> CompleteMultipartUploadFluentBuilder {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.client.complete_multipart_upload().bucket(BUCKET).key(KEY).upload_id(id).multipart_upload(parts)
    }

    async fn abort(&self, id: &str) {
        self.client.abort_multipart_upload().bucket(BUCKET).key(KEY).upload_id(id).send().await.unwrap();
    }

    /// The sizes of the files on their way.
    fn files_on_their_way(&self) -> Vec<u64> {
        let files = fs::read_dir(self.folder.join(".uploads")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).collect()
    }

    fn assert_nothing_is_stored(&self) {
        assert_eq!(self.s3.objects(BUCKET), []);
        assert_eq!(fs::read_dir(self.folder.join(BUCKET)).unwrap().count(), 0);
        assert_eq!((self.s3.open_uploads(BUCKET), self.files_on_their_way()), (vec![], vec![]));
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// A body of `pieces` whose length the client is told elsewhere.
fn streamed(pieces: &[Bytes]) -> ByteStream {
    let frames: Vec<Result<_, std::io::Error>> = pieces.iter().cloned().map(Frame::data).map(Ok).collect();
    ByteStream::from_body_1_x(StreamBody::new(stream::iter(frames)))
}

/// Bytes that are not the same everywhere.
fn bytes(length: usize) -> Vec<u8> {
    (0_usize..).map(|at| (at / 1000 % 251) as u8).take(length).collect()
}
