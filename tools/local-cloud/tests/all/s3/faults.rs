use std::io::ErrorKind;

use aws_sdk_s3::primitives::ByteStream;
use local_cloud::s3::{Failure, Operation};

use super::{BUCKET, Fixture, KEY, code};

#[tokio::test]
async fn as_many_puts_fail_as_told() {
    let fixture = Fixture::start().await;
    let put = || fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(b"music"));
    fixture.s3.fail(Operation::Put, usize::MAX, Failure::Unavailable);
    for _ in 0..3 {
        assert_eq!(code(&put().send().await.unwrap_err()), Some("ServiceUnavailable"));
    }
    fixture.s3.fail(Operation::Put, 1, Failure::Conflict);
    let conflict = put().send().await.unwrap_err();
    assert_eq!(code(&conflict), Some("ConditionalRequestConflict"));
    assert_eq!(conflict.raw_response().unwrap().status().as_u16(), 409);
    fixture.assert_nothing_is_stored();
    put().send().await.unwrap();
    fixture.s3.fail(Operation::Put, 1, Failure::Conflict);
    fixture.s3.fail(Operation::Put, 0, Failure::Conflict);
    put().send().await.unwrap();
    assert_eq!(fixture.s3.writes(), 6);
}

#[tokio::test]
async fn an_unanswered_write_took_effect() {
    let fixture = Fixture::start().await;
    fixture.s3.fail(Operation::Put, 1, Failure::Unanswered);
    let put = || fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(b"music"));
    assert!(put().send().await.unwrap_err().raw_response().is_none());
    assert_eq!(fixture.s3.objects(BUCKET)[0].size_bytes, 5);
    put().send().await.unwrap();
}

#[tokio::test]
async fn every_step_of_an_upload_can_fail() {
    let fixture = Fixture::start().await;
    let create = || fixture.client.create_multipart_upload().bucket(BUCKET).key(KEY);
    fixture.s3.fail(Operation::CreateUpload, 1, Failure::Unavailable);
    assert_eq!(code(&create().send().await.unwrap_err()), Some("ServiceUnavailable"));
    fixture.assert_nothing_is_stored();
    fixture.s3.fail(Operation::CreateUpload, 1, Failure::Unanswered);
    assert!(create().send().await.unwrap_err().raw_response().is_none());
    assert_eq!(fixture.s3.open_uploads(BUCKET), [KEY], "one nobody knows the id of");

    let id = fixture.create(KEY).await;
    fixture.s3.fail(Operation::UploadPart, 1, Failure::Unavailable);
    let refused = fixture.upload_part(&id, 1, b"music").send().await.unwrap_err();
    assert_eq!(code(&refused), Some("ServiceUnavailable"));
    assert!(fixture.files_on_their_way().is_empty());
    fixture.s3.fail(Operation::UploadPart, 1, Failure::Unanswered);
    assert!(fixture.upload_part(&id, 1, b"music").send().await.unwrap_err().raw_response().is_none());
    assert_eq!(fixture.files_on_their_way(), [5]);

    let part = fixture.part(&id, 1, b"music").await;
    let complete = || fixture.complete(&id, vec![part.clone()]).send();
    fixture.s3.fail(Operation::CompleteUpload, 1, Failure::Conflict);
    assert_eq!(code(&complete().await.unwrap_err()), Some("ConditionalRequestConflict"));
    assert_eq!((fixture.s3.objects(BUCKET).len(), fixture.s3.open_uploads(BUCKET).len()), (0, 2));
    fixture.s3.fail(Operation::CompleteUpload, 1, Failure::Unanswered);
    assert!(complete().await.unwrap_err().raw_response().is_none());
    assert_eq!((fixture.s3.objects(BUCKET).len(), fixture.s3.open_uploads(BUCKET).len()), (1, 1));
    assert_eq!(code(&complete().await.unwrap_err()), Some("NoSuchUpload"));
    assert_eq!(fixture.s3.writes(), 9);
}

#[tokio::test]
async fn an_object_can_vanish() {
    let fixture = Fixture::start().await;
    fixture.put("music", b"music").await;
    let path = fixture.s3.objects(BUCKET)[0].path.clone();
    fixture.s3.remove(BUCKET, "music").unwrap();
    assert!(!path.exists());
    let get = fixture.client.get_object().bucket(BUCKET).key("music").send().await.unwrap_err();
    assert_eq!(code(&get), Some("NoSuchKey"));
    assert_eq!(fixture.s3.remove(BUCKET, "music").unwrap_err().kind(), ErrorKind::NotFound);
}
