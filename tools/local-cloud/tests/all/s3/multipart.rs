use std::fs;
use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, ServerSideEncryption, StorageClass};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{BUCKET, Fixture, KEY, PART_BYTES, bytes, code, streamed};

#[tokio::test]
async fn what_came_in_parts_is_one_object_and_one_plain_file() {
    let fixture = Fixture::start().await;
    let create = fixture.client.create_multipart_upload().bucket(BUCKET).key(KEY);
    let created = create
        .content_type("audio/mpeg")
        .metadata("recording-id", "2")
        .storage_class(StorageClass::StandardIa)
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
        .checksum_type(ChecksumType::FullObject)
        .send()
        .await
        .unwrap();
    assert_eq!((created.bucket(), created.key()), (Some(BUCKET), Some(KEY)));
    assert_eq!(created.checksum_algorithm(), Some(&ChecksumAlgorithm::Crc64Nvme));
    assert_eq!(created.checksum_type(), Some(&ChecksumType::FullObject));
    let id = created.upload_id().unwrap();
    assert_eq!(fixture.s3.open_uploads(BUCKET), [KEY]);

    let whole = bytes(PART_BYTES + 123_456);
    // The numbers may leave gaps, the order of arrival does not matter, and the last of a number counts.
    let second = fixture.part(id, 7, &whole[PART_BYTES..]).await;
    fixture.part(id, 2, b"replaced").await;
    let first = fixture.part(id, 2, &whole[..PART_BYTES]).await;
    assert!(fixture.s3.objects(BUCKET).is_empty());
    let completed = fixture.complete(id, vec![first.clone(), second.clone()]).send().await.unwrap();
    assert_eq!((completed.bucket(), completed.key()), (Some(BUCKET), Some(KEY)));
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::FullObject));
    let etag = completed.e_tag().unwrap();
    assert!(etag.trim_matches('"').ends_with("-2"), "{etag}");

    let [object] = &fixture.s3.objects(BUCKET)[..] else { panic!() };
    assert_eq!((object.storage_class.as_str(), object.metadata["recording-id"].as_str()), ("STANDARD_IA", "2"));
    assert_eq!(object.path, fixture.folder.join(BUCKET).join(KEY));
    assert!(fs::read(&object.path).unwrap() == whole);
    assert_eq!((fixture.s3.open_uploads(BUCKET), fixture.files_on_their_way()), (vec![], vec![]));
    assert_eq!(fixture.s3.writes(), 5);

    // S3 computes the checksum of the same bytes put in one piece.
    let put = fixture.client.put_object().bucket(BUCKET).key("whole").body(ByteStream::from(whole.clone()));
    let put = put.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
    assert!(put.checksum_crc64_nvme().is_some());
    assert_eq!(completed.checksum_crc64_nvme(), put.checksum_crc64_nvme());
    let head = || fixture.client.head_object().bucket(BUCKET).key(KEY);
    let asked = head().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(asked.checksum_crc64_nvme(), put.checksum_crc64_nvme());
    assert_eq!(asked.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!((asked.e_tag(), asked.content_type()), (Some(etag), Some("audio/mpeg")));
    assert_eq!(head().send().await.unwrap().checksum_type(), None);
    let got = fixture.client.get_object().bucket(BUCKET).key(KEY).checksum_mode(ChecksumMode::Enabled);
    let got = got.send().await.unwrap();
    assert_eq!(got.checksum_crc64_nvme(), put.checksum_crc64_nvme());
    assert_eq!(got.checksum_type(), Some(&ChecksumType::FullObject));
    assert!(got.body.collect().await.unwrap().to_vec() == whole);
}

#[tokio::test]
async fn the_etag_is_the_md5_of_the_md5s() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let part = fixture.part(&id, 1, b"music").await;
    let completed = fixture.complete(&id, vec![part]).send().await.unwrap();
    // printf music | openssl md5 -binary | openssl md5
    assert_eq!(completed.e_tag(), Some("\"1297c76ebec861b6c4bb3d0dc5271851-1\""));
}

#[tokio::test]
async fn an_upload_that_is_not_open_is_named() {
    let fixture = Fixture::start().await;
    let completed = fixture.create(KEY).await;
    let part = fixture.part(&completed, 1, b"music").await;
    fixture.complete(&completed, vec![part.clone()]).send().await.unwrap();
    fixture.s3.remove(BUCKET, KEY).unwrap();
    let aborted = fixture.create(KEY).await;
    fixture.part(&aborted, 1, b"music").await;
    fixture.abort(&aborted).await;
    let of_another_key = fixture.create("another").await;
    for id in [&completed, &aborted, &of_another_key, "unknown"] {
        let uploaded = fixture.upload_part(id, 2, &bytes(PART_BYTES)).send().await.unwrap_err();
        assert!(uploaded.raw_response().is_some());
        assert_eq!(code(&uploaded), Some("NoSuchUpload"), "{id}");
        assert_eq!(code(&fixture.complete(id, vec![part.clone()]).send().await.unwrap_err()), Some("NoSuchUpload"));
        let abort = fixture.client.abort_multipart_upload().bucket(BUCKET).key(KEY).upload_id(id).send().await;
        assert_eq!(code(&abort.unwrap_err()), Some("NoSuchUpload"));
    }
    let abort = fixture.client.abort_multipart_upload().bucket(BUCKET).key("another").upload_id(of_another_key);
    abort.send().await.unwrap();
    assert_eq!((fixture.s3.objects(BUCKET), fixture.files_on_their_way()), (vec![], vec![]));
}

#[tokio::test]
async fn a_part_that_is_not_as_promised_is_not_kept() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let part = |number| fixture.upload_part(&id, number, b"music");
    for number in [0, 10_001] {
        assert_eq!(code(&part(number).send().await.unwrap_err()), Some("InvalidArgument"), "{number}");
    }
    let wrong = part(1).checksum_crc64_nvme(STANDARD.encode([0; 8])).send().await.unwrap_err();
    assert_eq!(code(&wrong), Some("BadDigest"));
    let wrong = part(1).content_md5(STANDARD.encode([0; 16])).send().await.unwrap_err();
    assert_eq!(code(&wrong), Some("BadDigest"));
    let other = part(1).checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap_err();
    assert_eq!(code(&other), Some("InvalidRequest"), "the upload has another algorithm");
    let short = part(1).body(streamed(&[Bytes::from(vec![1; 100_000])])).content_length(200_000).send().await;
    assert!(short.is_err());
    assert!(fixture.files_on_their_way().is_empty());
    assert_eq!(fixture.s3.open_uploads(BUCKET), [KEY]);
    fixture.abort(&id).await;
    fixture.assert_nothing_is_stored();
}

#[tokio::test]
async fn a_part_goes_to_its_file_as_it_comes() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let (pieces, body) = mpsc::channel::<Bytes>(1);
    let frames =
        stream::unfold(body, async |mut body| Some((Ok::<_, std::io::Error>(Frame::data(body.recv().await?)), body)));
    let body = ByteStream::from_body_1_x(StreamBody::new(Box::pin(frames.fuse())));
    let whole = 3 * PART_BYTES;
    let part = fixture.upload_part(&id, 1, b"").body(body).content_length(i64::try_from(whole).unwrap());
    let sending = tokio::spawn(part.send());
    let piece = Bytes::from(bytes(PART_BYTES / 5));
    for _ in 0..10 {
        pieces.send(piece.clone()).await.unwrap();
    }
    while fixture.files_on_their_way().iter().sum::<u64>() < PART_BYTES as u64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!sending.is_finished(), "the rest is still to come");
    for _ in 0..5 {
        pieces.send(piece.clone()).await.unwrap();
    }
    drop(pieces);
    let answered = sending.await.unwrap().unwrap();
    assert_eq!(fixture.files_on_their_way(), [whole as u64]);
    assert!(answered.checksum_crc64_nvme().is_some());
}

#[tokio::test]
async fn open_uploads_are_listed_by_prefix() {
    let fixture = Fixture::start().await;
    for key in ["b/2", "a/1", "b/1"] {
        fixture.create(key).await;
    }
    let listed = fixture.client.list_multipart_uploads().bucket(BUCKET).prefix("b/").send().await.unwrap();
    let keys: Vec<_> = listed.uploads().iter().filter_map(|upload| upload.key()).collect();
    assert_eq!(keys, ["b/1", "b/2"]);
    assert!(listed.uploads().iter().all(|upload| upload.upload_id().is_some() && upload.initiated().is_some()));
    assert_eq!(fixture.s3.open_uploads(BUCKET), ["a/1", "b/1", "b/2"]);
}

#[tokio::test]
async fn an_upload_is_not_created_with_what_would_be_dropped() {
    let fixture = Fixture::start().await;
    let create = || fixture.client.create_multipart_upload().bucket(BUCKET).key(KEY);
    let refused = [
        (create().tagging("a=b"), "NotImplemented"),
        (create().server_side_encryption(ServerSideEncryption::Aes256), "NotImplemented"),
        (create().key("a/../../b"), "InvalidArgument"),
        (create().bucket("no-such-bucket"), "NoSuchBucket"),
        (create().checksum_type(ChecksumType::FullObject), "InvalidRequest"),
    ];
    for (create, expected) in refused {
        let error = create.send().await.unwrap_err();
        assert_eq!(error.as_service_error().and_then(ProvideErrorMetadata::code), Some(expected), "{error:?}");
    }
    fixture.assert_nothing_is_stored();
}

#[tokio::test]
async fn a_composite_checksum_is_that_of_the_parts() {
    let fixture = Fixture::start().await;
    let create = fixture.client.create_multipart_upload().bucket(BUCKET).key(KEY);
    let created = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    assert_eq!(created.checksum_type(), Some(&ChecksumType::Composite));
    let id = created.upload_id().unwrap();
    let (first, last) = (bytes(PART_BYTES), b"music");
    let mut parts = Vec::new();
    for (number, body) in [(1, first.as_slice()), (2, last)] {
        let part = fixture.upload_part(id, number, body).checksum_algorithm(ChecksumAlgorithm::Sha256);
        let part = part.send().await.unwrap();
        assert_eq!(part.checksum_sha256(), Some(STANDARD.encode(Sha256::digest(body)).as_str()));
        let named = aws_sdk_s3::types::CompletedPart::builder().part_number(number).e_tag(part.e_tag.unwrap());
        parts.push((named.clone().build(), named.set_checksum_sha256(part.checksum_sha256).build()));
    }
    let (bare, named): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let without = fixture.complete(id, bare).send().await.unwrap_err();
    assert_eq!(code(&without), Some("InvalidRequest"), "each part is named with its checksum");
    let completed = fixture.complete(id, named).send().await.unwrap();
    let of_parts = [Sha256::digest(&first), Sha256::digest(last)].concat();
    let expected = format!("{}-2", STANDARD.encode(Sha256::digest(of_parts)));
    assert_eq!(completed.checksum_sha256(), Some(expected.as_str()));
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::Composite));
    let head = fixture.client.head_object().bucket(BUCKET).key(KEY).checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!((head.checksum_sha256(), head.checksum_type()), (Some(expected.as_str()), completed.checksum_type()));
    assert_eq!(fixture.s3.objects(BUCKET)[0].checksum_sha256, None, "it is not that of the bytes");
}
