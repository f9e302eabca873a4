use std::fs;

use aws_sdk_s3::types::{ChecksumType, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;

use super::{BUCKET, Fixture, KEY, PART_BYTES, bytes, code};

#[tokio::test]
async fn parts_are_named_in_order_as_they_are_and_large_enough() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let first = fixture.part(&id, 1, &bytes(PART_BYTES)).await;
    let small = fixture.part(&id, 2, &bytes(PART_BYTES - 1)).await;
    let last = fixture.part(&id, 3, b"music").await;
    let named = |number: i32, etag: Option<&str>| {
        CompletedPart::builder().part_number(number).set_e_tag(etag.map(str::to_owned)).build()
    };
    let misnamed = CompletedPart::builder().part_number(1).e_tag(first.e_tag().unwrap());
    let misnamed = misnamed.checksum_crc64_nvme(STANDARD.encode([0; 8])).build();
    let cases = [
        (vec![last.clone(), first.clone()], "InvalidPartOrder"),
        (vec![first.clone(), first.clone()], "InvalidPartOrder"),
        (vec![first.clone(), named(4, last.e_tag())], "InvalidPart"),
        (vec![first.clone(), named(3, first.e_tag())], "InvalidPart"),
        (vec![named(1, None)], "InvalidPart"),
        (vec![misnamed], "InvalidPart"),
        (vec![first.clone(), small.clone(), last.clone()], "EntityTooSmall"),
        (vec![], "MalformedXML"),
    ];
    for (parts, expected) in cases {
        let refused = fixture.complete(&id, parts).send().await.unwrap_err();
        assert_eq!(code(&refused), Some(expected));
    }
    assert!(fixture.s3.objects(BUCKET).is_empty());
    fixture.complete(&id, vec![first, small]).send().await.unwrap();
    assert_eq!(fixture.s3.objects(BUCKET)[0].size_bytes, 2 * PART_BYTES as u64 - 1);
    assert!(fixture.files_on_their_way().is_empty(), "the part nobody named is gone too");
}

#[tokio::test]
async fn what_is_said_of_the_whole_must_hold() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let body = bytes(PART_BYTES);
    let parts = vec![fixture.part(&id, 1, &body).await, fixture.part(&id, 2, b"music").await];
    let complete = || fixture.complete(&id, parts.clone());
    let size = i64::try_from(PART_BYTES).unwrap() + 5;
    let wrong = [
        (complete().checksum_crc64_nvme(STANDARD.encode([0; 8])).checksum_type(ChecksumType::FullObject), "BadDigest"),
        (complete().checksum_type(ChecksumType::Composite), "BadDigest"),
        (complete().checksum_crc32(STANDARD.encode([0; 4])), "InvalidRequest"),
        (complete().mpu_object_size(size - 1), "InvalidRequest"),
    ];
    for (complete, expected) in wrong {
        assert_eq!(code(&complete.send().await.unwrap_err()), Some(expected));
        assert!(fixture.s3.objects(BUCKET).is_empty());
        assert_eq!(fixture.s3.open_uploads(BUCKET), [KEY]);
        assert_eq!(fixture.files_on_their_way().len(), 2);
    }
    let whole = fixture.client.put_object().bucket(BUCKET).key("whole").body([body, b"music".to_vec()].concat().into());
    let whole = whole.checksum_algorithm("CRC64NVME".into()).send().await.unwrap();
    let right = complete().mpu_object_size(size).checksum_type(ChecksumType::FullObject);
    let right = right.set_checksum_crc64_nvme(whole.checksum_crc64_nvme).send().await;
    assert!(right.is_ok(), "{right:?}");
}

#[tokio::test]
async fn one_of_many_conditional_completions_wins() {
    let fixture = Fixture::start().await;
    let uploads = join_all((0..10).map(async |writer| {
        let id = fixture.create(KEY).await;
        let part = fixture.part(&id, 1, format!("writer {writer}").as_bytes()).await;
        (id, part)
    }));
    let uploads = uploads.await;
    let complete = |(id, part): &(String, CompletedPart)| fixture.complete(id, vec![part.clone()]);
    let outcomes = join_all(uploads.iter().map(|upload| complete(upload).if_none_match("*").send())).await;
    let winner = outcomes.iter().position(Result::is_ok).unwrap();
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), 9);
    for loser in losers {
        assert_eq!(code(loser), Some("PreconditionFailed"));
        assert_eq!(loser.raw_response().unwrap().status().as_u16(), 412);
    }
    let path = &fixture.s3.objects(BUCKET)[0].path;
    assert_eq!(fs::read_to_string(path).unwrap(), format!("writer {winner}"));

    // A lost upload stays open, with its part, until it is aborted.
    assert_eq!((fixture.s3.open_uploads(BUCKET).len(), fixture.files_on_their_way().len()), (9, 9));
    for (loser, (id, _)) in uploads.iter().enumerate() {
        if loser != winner {
            fixture.abort(id).await;
        }
    }
    assert_eq!((fixture.s3.open_uploads(BUCKET), fixture.files_on_their_way()), (vec![], vec![]));
}

#[tokio::test]
async fn a_completion_replaces_only_what_it_knows() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let part = fixture.part(&id, 1, b"second").await;
    let complete = |etag: &str| fixture.complete(&id, vec![part.clone()]).if_match(etag).send();
    assert_eq!(code(&complete("\"another\"").await.unwrap_err()), Some("NoSuchKey"));
    fixture.put(KEY, b"first").await;
    assert_eq!(code(&complete("\"another\"").await.unwrap_err()), Some("PreconditionFailed"));
    assert_eq!(fixture.s3.open_uploads(BUCKET), [KEY]);
    let there = fixture.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    complete(there.e_tag().unwrap()).await.unwrap();
    assert_eq!(fs::read(&fixture.s3.objects(BUCKET)[0].path).unwrap(), b"second");
}

#[tokio::test]
async fn an_upload_completes_once() {
    let fixture = Fixture::start().await;
    let id = fixture.create(KEY).await;
    let parts = vec![fixture.part(&id, 1, &bytes(PART_BYTES)).await, fixture.part(&id, 2, b"music").await];
    let outcomes = join_all((0..4).map(|_| fixture.complete(&id, parts.clone()).send())).await;
    let lost: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(code).collect();
    assert_eq!(lost, [Some("NoSuchUpload"); 3]);
    assert_eq!(fixture.s3.objects(BUCKET)[0].size_bytes, PART_BYTES as u64 + 5);
    assert!(fixture.files_on_their_way().is_empty());
}

/// Clients that agree on no checksum send CRC-32 with each part, and complete without it.
#[tokio::test]
async fn an_upload_without_an_agreed_checksum_gets_one() {
    let fixture = Fixture::start().await;
    let created = fixture.client.create_multipart_upload().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_eq!((created.checksum_algorithm(), created.checksum_type()), (None, None));
    let id = created.upload_id().unwrap();
    let part = fixture.client.upload_part().bucket(BUCKET).key(KEY).upload_id(id).part_number(1);
    let part = part.body(b"music".to_vec().into()).send().await.unwrap();
    assert!(part.checksum_crc32().is_some());
    let named = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap());
    let forgotten = named.clone().checksum_crc32(part.checksum_crc32().unwrap()).build();
    assert_eq!(code(&fixture.complete(id, vec![forgotten]).send().await.unwrap_err()), Some("InvalidPart"));
    let completed = fixture.complete(id, vec![named.build()]).send().await.unwrap();
    assert!(completed.checksum_crc64_nvme().is_some());
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::FullObject));
}
