use std::fs;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::StorageClass;

use super::{BUCKET, Fixture, KEY, code};

#[tokio::test]
async fn what_is_put_is_got_and_is_a_plain_file() {
    let fixture = Fixture::start().await;
    let put = fixture.client.put_object().bucket(BUCKET).key(KEY).body(ByteStream::from_static(b"ID3 music"));
    put.content_type("audio/mpeg")
        .metadata("recording-id", "2")
        .storage_class(StorageClass::StandardIa)
        .send()
        .await
        .unwrap();

    let [object] = &fixture.s3.objects(BUCKET)[..] else { panic!() };
    assert_eq!((object.key.as_str(), object.size_bytes), (KEY, 9));
    assert_eq!(object.storage_class, "STANDARD_IA");
    assert_eq!(object.path, fixture.folder.join(BUCKET).join(KEY));
    assert_eq!(fs::read(&object.path).unwrap(), b"ID3 music");
    assert_eq!(fixture.s3.writes(), 1);

    let got = fixture.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap();
    assert_eq!(got.content_type(), Some("audio/mpeg"));
    assert_eq!(got.content_encoding(), None);
    assert_eq!(got.metadata().unwrap()["recording-id"], "2");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"ID3 music");

    let head = fixture.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap();
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
async fn what_is_missing_is_named() {
    let fixture = Fixture::start().await;
    let put = fixture.client.put_object().bucket("no-such-bucket").key(KEY).send().await.unwrap_err();
    assert_eq!(code(&put), Some("NoSuchBucket"));
    let get = fixture.client.get_object().bucket(BUCKET).key(KEY).send().await.unwrap_err();
    assert_eq!(code(&get), Some("NoSuchKey"));
    let head = fixture.client.head_object().bucket(BUCKET).key(KEY).send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 404);
    assert!(head.into_service_error().is_not_found());
}

#[tokio::test]
async fn a_listing_goes_by_prefix_and_page() {
    let fixture = Fixture::start().await;
    for key in ["b/3", "a/1", "b/1", "b/2", "c"] {
        fixture.put(key, b"x").await;
    }
    let mut pages = fixture.client.list_objects_v2().bucket(BUCKET).prefix("b/").into_paginator().page_size(2).send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        seen.push(page.contents().iter().map(|object| object.key().unwrap().to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(seen, [vec!["b/1", "b/2"], vec!["b/3"]]);
    let after = fixture.client.list_objects_v2().bucket(BUCKET).start_after("b/2").send().await.unwrap();
    assert_eq!(after.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["b/3", "c"]);
}
