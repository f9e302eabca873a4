mod reads;
mod refusals;
mod writes;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use local_cloud::s3::S3;

use crate::clients;

const BUCKET: &str = "recordings-test";
const KEY: &str = "recordings/account=1/date=2026-01-31/2.mp3";

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

    fn assert_nothing_is_stored(&self) {
        assert_eq!(self.s3.objects(BUCKET), []);
        assert_eq!(fs::read_dir(self.folder.join(BUCKET)).unwrap().count(), 0);
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
