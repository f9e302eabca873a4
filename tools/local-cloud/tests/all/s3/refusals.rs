use aws_sdk_s3::Client;
use local_cloud::s3::BucketError;

use super::{BUCKET, Fixture, KEY, code};
use crate::clients;

#[tokio::test]
async fn nothing_is_dropped_in_silence() {
    let fixture = Fixture::start().await;
    let tagged = fixture.client.put_object().bucket(BUCKET).key(KEY).tagging("a=b").send().await.unwrap_err();
    assert_eq!(code(&tagged), Some("NotImplemented"));
    let deleted = fixture.client.delete_object().bucket(BUCKET).key(KEY).send().await.unwrap_err();
    assert_eq!(deleted.raw_response().unwrap().status().as_u16(), 501);
    let outside = fixture.client.put_object().bucket(BUCKET).key("a/../../b").send().await.unwrap_err();
    assert!(outside.raw_response().is_some());
    fixture.assert_nothing_is_stored();
}

#[tokio::test]
async fn a_wrong_secret_key_is_refused_and_a_stopped_store_answers_nobody() {
    let fixture = Fixture::start().await;
    let wrong = fixture.client.config().to_builder().credentials_provider(clients::credentials("wrong")).build();
    let refused = Client::from_conf(wrong).list_objects_v2().bucket(BUCKET).send().await.unwrap_err();
    assert_eq!(code(&refused), Some("SignatureDoesNotMatch"));
    fixture.s3.stop();
    let unanswered = fixture.client.list_objects_v2().bucket(BUCKET).send().await.unwrap_err();
    assert!(unanswered.raw_response().is_none());
}

#[tokio::test]
async fn a_bucket_does_not_take_over_a_folder() {
    let fixture = Fixture::start().await;
    assert!(matches!(fixture.s3.create_bucket(BUCKET), Err(BucketError::Exists { .. })));
    assert!(matches!(fixture.s3.create_bucket("../b"), Err(BucketError::Name { .. })));
}
