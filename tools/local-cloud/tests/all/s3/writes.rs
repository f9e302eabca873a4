use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};

use super::{BUCKET, Fixture, KEY, code, streamed};

fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

#[tokio::test]
async fn one_of_many_conditional_writers_wins() {
    let fixture = Fixture::start().await;
    let writers = (0..32).map(|writer| {
        let body = ByteStream::from(format!("writer {writer}").into_bytes());
        fixture.client.put_object().bucket(BUCKET).key(KEY).if_none_match("*").body(body).send()
    });
    let outcomes = join_all(writers).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), 31);
    for loser in losers {
        assert_eq!(code(loser), Some("PreconditionFailed"));
        assert_eq!(loser.raw_response().unwrap().status().as_u16(), 412);
    }
    let path = &fixture.s3.objects(BUCKET)[0].path;
    assert_eq!(fs::read_to_string(path).unwrap(), format!("writer {winner}"));
    assert_eq!(fixture.s3.writes(), 32);
}

#[tokio::test]
async fn what_is_there_is_replaced_by_who_knows_it() {
    let fixture = Fixture::start().await;
    let put = |body| fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(body));
    let missing = put(b"first").if_match("\"another\"").send().await.unwrap_err();
    assert_eq!(code(&missing), Some("NoSuchKey"));
    let etag = put(b"first").send().await.unwrap().e_tag.unwrap();
    put(b"second").if_match(&etag).send().await.unwrap();
    let late = put(b"third").if_match(&etag).send().await.unwrap_err();
    assert_eq!(code(&late), Some("PreconditionFailed"));
    assert_eq!(fs::read(&fixture.s3.objects(BUCKET)[0].path).unwrap(), b"second");
}

#[tokio::test]
async fn what_was_replaced_stays_readable_as_its_version() {
    let fixture = Fixture::start().await;
    let put = |body| fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(body));
    let first = put(b"first").send().await.unwrap().version_id.unwrap();
    let second = put(b"second").send().await.unwrap().version_id.unwrap();
    assert_ne!(first, second);
    let get = || fixture.client.get_object().bucket(BUCKET).key(KEY);
    for (version, text) in [(&first, "first"), (&second, "second")] {
        let got = get().version_id(version).send().await.unwrap();
        assert_eq!(got.version_id(), Some(version.as_str()));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), text.as_bytes());
    }
    let current = fixture.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_eq!((current.version_id(), current.content_length()), (Some(second.as_str()), Some(6)));
    let other = fixture.client.get_object().bucket(BUCKET).key("another").version_id(&first).send().await.unwrap_err();
    assert_eq!(code(&other), Some("NoSuchVersion"));
    assert_eq!(fixture.s3.objects(BUCKET).len(), 1);
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing() {
    let fixture = Fixture::start().await;
    let put = || fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(b"music"));
    let crc = STANDARD.encode([0; 4]);
    let outcomes = [
        put().checksum_sha256(sha256(b"noise")).send().await,
        put().checksum_crc32(&crc).send().await,
        put().checksum_crc32_c(&crc).send().await,
        put().checksum_crc64_nvme(STANDARD.encode([0; 8])).send().await,
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
    let pieces: Vec<Bytes> = (0..20).map(|piece| Bytes::from(vec![piece; 70_000])).collect();
    let whole = pieces.concat();
    let put = fixture.client.put_object().bucket(BUCKET).key(KEY).body(streamed(&pieces));
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
    let asked = head().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(asked.checksum_sha256(), Some(sha256(&whole).as_str()));
    assert_eq!(head().send().await.unwrap().checksum_sha256(), None);
    let got = fixture.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_eq!(got.content_encoding(), None);
    assert!(got.body.collect().await.unwrap().to_vec() == whole);
}

#[tokio::test]
async fn every_trailing_checksum_is_verified_and_answered() {
    let fixture = Fixture::start().await;
    for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Crc32C, ChecksumAlgorithm::Crc64Nvme] {
        let pieces = [Bytes::from_static(b"mu"), Bytes::from_static(b"sic")];
        let put = fixture.client.put_object().bucket(BUCKET).key(KEY).body(streamed(&pieces)).content_length(5);
        let put = put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let answered = [put.checksum_crc32(), put.checksum_crc32_c(), put.checksum_crc64_nvme()];
        assert_eq!(answered.iter().flatten().count(), 1, "{algorithm}: {answered:?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_stores_nothing() {
    let fixture = Fixture::start().await;
    let pieces = [Bytes::from(vec![1; 100_000])];
    let put = fixture.client.put_object().bucket(BUCKET).key(KEY).body(streamed(&pieces));
    let put = put.content_length(200_000).checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
    assert!(put.is_err());
    fixture.assert_nothing_is_stored();
}
