use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, StorageClass};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use local_cloud::s3::{BucketError, S3};
use sha2::{Digest, Sha256};

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
        let folder =
            std::env::temp_dir().join(format!("local-cloud-s3-{}-{number}", std::process::id()));
        let s3 = S3::start(folder.clone()).await.unwrap();
        s3.create_bucket(BUCKET).unwrap();
        let client = clients::s3(&s3.endpoint());
        Self { s3, client, folder }
    }

    async fn put(&self, key: &str, body: &'static [u8]) {
        let body = ByteStream::from_static(body);
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
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
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// A body of `pieces` whose length the client is told elsewhere.
fn streamed(pieces: &[Bytes]) -> ByteStream {
    let frames: Vec<Result<_, std::io::Error>> =
        pieces.iter().cloned().map(Frame::data).map(Ok).collect();
    ByteStream::from_body_1_x(StreamBody::new(stream::iter(frames)))
}

#[tokio::test]
async fn what_is_put_is_got_and_is_a_plain_file() {
    let fixture = Fixture::start().await;
    let put = fixture
        .client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .body(ByteStream::from_static(b"ID3 music"));
    put.content_type("audio/mpeg")
        .metadata("recording-id", "2")
        .storage_class(StorageClass::StandardIa)
        .send()
        .await
        .unwrap();

    let [object] = &fixture.s3.objects(BUCKET)[..] else {
        panic!()
    };
    assert_eq!((object.key.as_str(), object.size_bytes), (KEY, 9));
    assert_eq!(object.storage_class, "STANDARD_IA");
    assert_eq!(object.path, fixture.folder.join(BUCKET).join(KEY));
    assert_eq!(fs::read(&object.path).unwrap(), b"ID3 music");
    assert_eq!(fixture.s3.puts(), 1);

    let got = fixture
        .client
        .get_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(got.content_type(), Some("audio/mpeg"));
    assert_eq!(got.content_encoding(), None);
    assert_eq!(got.metadata().unwrap()["recording-id"], "2");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"ID3 music");

    let head = fixture
        .client
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(9));
    assert_eq!(head.storage_class(), Some(&StorageClass::StandardIa));
    assert_eq!(head.metadata().unwrap()["recording-id"], "2");
}

#[tokio::test]
async fn a_range_and_a_known_etag_are_honoured() {
    let fixture = Fixture::start().await;
    fixture.put(KEY, b"0123456789").await;
    let get = || fixture.client.get_object().bucket(BUCKET).key(KEY);
    let part = get().range("bytes=2-4").send().await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await.unwrap().to_vec(), b"234");
    let beyond = get().range("bytes=10-").send().await.unwrap_err();
    assert_eq!(code(&beyond), Some("InvalidRange"));

    let etag = get().send().await.unwrap().e_tag().unwrap().to_owned();
    let unchanged = get().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    let changed = get().if_match("\"another\"").send().await.unwrap_err();
    assert_eq!(changed.raw_response().unwrap().status().as_u16(), 412);
}

#[tokio::test]
async fn one_of_many_conditional_writers_wins() {
    let fixture = Fixture::start().await;
    let writers = (0..32).map(|writer| {
        let body = ByteStream::from(format!("writer {writer}").into_bytes());
        fixture
            .client
            .put_object()
            .bucket(BUCKET)
            .key(KEY)
            .if_none_match("*")
            .body(body)
            .send()
    });
    let outcomes = join_all(writers).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    let losers: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .collect();
    assert_eq!(losers.len(), 31);
    for loser in losers {
        assert_eq!(code(loser), Some("PreconditionFailed"));
        assert_eq!(loser.raw_response().unwrap().status().as_u16(), 412);
    }
    let path = &fixture.s3.objects(BUCKET)[0].path;
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        format!("writer {winner}")
    );
    assert_eq!(fixture.s3.puts(), 32);
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing() {
    let fixture = Fixture::start().await;
    let put = || {
        fixture
            .client
            .put_object()
            .bucket(BUCKET)
            .key(KEY)
            .body(ByteStream::from_static(b"music"))
    };
    let crc = STANDARD.encode([0; 4]);
    let outcomes = [
        put().checksum_sha256(sha256(b"noise")).send().await,
        put().checksum_crc32(&crc).send().await,
        put().checksum_crc32_c(&crc).send().await,
        put()
            .checksum_crc64_nvme(STANDARD.encode([0; 8]))
            .send()
            .await,
        put().content_md5(STANDARD.encode([0; 16])).send().await,
    ];
    for outcome in outcomes {
        assert_eq!(code(&outcome.unwrap_err()), Some("BadDigest"));
        fixture.assert_nothing_is_stored();
    }
}

#[tokio::test]
async fn a_streamed_body_is_stored_with_the_checksum_of_its_trailer() {
    let fixture = Fixture::start().await;
    let pieces: Vec<Bytes> = (0..20)
        .map(|piece| Bytes::from(vec![piece; 70_000]))
        .collect();
    let whole = pieces.concat();
    let put = fixture
        .client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .body(streamed(&pieces));
    let put = put
        .content_length(i64::try_from(whole.len()).unwrap())
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .if_none_match("*")
        .send()
        .await
        .unwrap();
    assert_eq!(put.checksum_sha256(), Some(sha256(&whole).as_str()));

    let object = &fixture.s3.objects(BUCKET)[0];
    assert_eq!(object.checksum_sha256, Some(sha256(&whole)));
    assert!(fs::read(&object.path).unwrap() == whole);
    let head = || fixture.client.head_object().bucket(BUCKET).key(KEY);
    let asked = head()
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(asked.checksum_sha256(), Some(sha256(&whole).as_str()));
    assert_eq!(head().send().await.unwrap().checksum_sha256(), None);
    let got = fixture
        .client
        .get_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(got.content_encoding(), None);
    assert!(got.body.collect().await.unwrap().to_vec() == whole);
}

#[tokio::test]
async fn every_trailing_checksum_is_verified_and_answered() {
    let fixture = Fixture::start().await;
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
    ] {
        let pieces = [Bytes::from_static(b"mu"), Bytes::from_static(b"sic")];
        let put = fixture
            .client
            .put_object()
            .bucket(BUCKET)
            .key(KEY)
            .body(streamed(&pieces))
            .content_length(5);
        let put = put
            .checksum_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap();
        let answered = [
            put.checksum_crc32(),
            put.checksum_crc32_c(),
            put.checksum_crc64_nvme(),
        ];
        assert_eq!(
            answered.iter().flatten().count(),
            1,
            "{algorithm}: {answered:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_stores_nothing() {
    let fixture = Fixture::start().await;
    let pieces = [Bytes::from(vec![1; 100_000])];
    let put = fixture
        .client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .body(streamed(&pieces));
    let put = put
        .content_length(200_000)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .send()
        .await;
    assert!(put.is_err());
    fixture.assert_nothing_is_stored();
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let fixture = Fixture::start().await;
    let put = fixture
        .client
        .put_object()
        .bucket("no-such-bucket")
        .key(KEY)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&put), Some("NoSuchBucket"));
    let get = fixture
        .client
        .get_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&get), Some("NoSuchKey"));
    let head = fixture
        .client
        .head_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
    assert!(head.into_service_error().is_not_found());
}

#[tokio::test]
async fn a_listing_goes_by_prefix_and_page() {
    let fixture = Fixture::start().await;
    for key in ["b/3", "a/1", "b/1", "b/2", "c"] {
        fixture.put(key, b"x").await;
    }
    let mut pages = fixture
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("b/")
        .into_paginator()
        .page_size(2)
        .send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        seen.push(
            page.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(seen, [vec!["b/1", "b/2"], vec!["b/3"]]);
    let after = fixture
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .start_after("b/2")
        .send()
        .await
        .unwrap();
    assert_eq!(
        after
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["b/3", "c"]
    );
}

#[tokio::test]
async fn nothing_is_dropped_in_silence() {
    let fixture = Fixture::start().await;
    let tagged = fixture
        .client
        .put_object()
        .bucket(BUCKET)
        .key(KEY)
        .tagging("a=b")
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&tagged), Some("NotImplemented"));
    let deleted = fixture
        .client
        .delete_object()
        .bucket(BUCKET)
        .key(KEY)
        .send()
        .await
        .unwrap_err();
    assert_eq!(deleted.raw_response().unwrap().status().as_u16(), 501);
    let outside = fixture
        .client
        .put_object()
        .bucket(BUCKET)
        .key("a/../../b")
        .send()
        .await
        .unwrap_err();
    assert!(outside.raw_response().is_some());
    fixture.assert_nothing_is_stored();
}

#[tokio::test]
async fn puts_are_refused_while_told_to() {
    let fixture = Fixture::start().await;
    fixture.s3.refuse_puts(true);
    let put = || {
        fixture
            .client
            .put_object()
            .bucket(BUCKET)
            .key(KEY)
            .body(ByteStream::from_static(b"music"))
    };
    assert_eq!(
        code(&put().send().await.unwrap_err()),
        Some("ServiceUnavailable")
    );
    fixture.assert_nothing_is_stored();
    fixture.s3.refuse_puts(false);
    put().send().await.unwrap();
    assert_eq!(fixture.s3.puts(), 2);
}

#[tokio::test]
async fn a_wrong_secret_key_is_refused_and_a_stopped_store_answers_nobody() {
    let fixture = Fixture::start().await;
    let wrong = fixture
        .client
        .config()
        .to_builder()
        .credentials_provider(clients::credentials("wrong"))
        .build();
    let refused = Client::from_conf(wrong)
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err();
    assert_eq!(code(&refused), Some("SignatureDoesNotMatch"));
    fixture.s3.stop();
    let unanswered = fixture
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap_err();
    assert!(unanswered.raw_response().is_none());
}

#[tokio::test]
async fn a_bucket_does_not_take_over_a_folder() {
    let fixture = Fixture::start().await;
    assert!(matches!(
        fixture.s3.create_bucket(BUCKET),
        Err(BucketError::Exists { .. })
    ));
    assert!(matches!(
        fixture.s3.create_bucket("../b"),
        Err(BucketError::Name { .. })
    ));
}
