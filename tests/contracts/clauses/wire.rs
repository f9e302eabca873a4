//! What only the real adapters have: rows and objects on a wire, where others may spoil them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{
    clients::dynamodb::schema,
    ports::{
        archive_store::ArchiveStore,
        session_store::{SessionStore, StoreError},
    },
};

use super::{
    FAR_MS,
    archive::{audio, object, whole},
    due, ended, key, record,
};
use crate::backends::{Backend, Real, STORAGE_CLASS};

pub(crate) async fn a_spoiled_row_is_due_but_cannot_be_read(real: &Real) {
    for (session, attribute, value) in [
        ("s-1", "day", AttributeValue::S("2026-13-01".into())),
        ("s-2", "heard", AttributeValue::Ss(vec!["../9001|p-1".into()])),
        ("s-3", "r#9001", AttributeValue::M(HashMap::new())),
        ("s-4", "seen_at", AttributeValue::S("yesterday".into())),
    ] {
        record(real, &ended(session, "p-1", &["9001"])).await;
        real.spoil(&key(session), attribute, value).await;
        assert_eq!(due(real, FAR_MS, 10).await, [session]);
        let claimed = real.sessions().claim(&key(session), FAR_MS, FAR_MS + 60_000).await;
        assert!(matches!(claimed, Err(StoreError::Corrupt(_))), "{attribute}: {claimed:?}");
        assert_eq!(due(real, FAR_MS, 10).await, [""; 0], "{attribute}: it does not stand in the way of others");
    }
}

pub(crate) async fn a_row_whose_key_is_spoiled_is_passed_over(real: &Real) {
    record(real, &ended("s-1", "p-1", &["9001"])).await;
    let put = real.dynamodb.put_item().table_name(&real.table_name);
    let put = put.item(schema::KEY, AttributeValue::S("session#no-second-id".into()));
    let put = put.item(schema::QUEUE, AttributeValue::S(schema::DUE.into()));
    put.item(schema::DUE_AT, AttributeValue::N("1".into())).send().await.unwrap();
    assert_eq!(due(real, FAR_MS, 10).await, ["s-1"]);
}

pub(crate) async fn an_object_has_its_content_type_and_storage_class(real: &Real) {
    let bytes = audio(1);
    let object = object("9001", bytes.len());
    real.archive().create(&object, whole(&bytes)).await.unwrap();
    let head = real.s3.head_object().bucket(&real.bucket_name).key(object.key.as_str()).send().await.unwrap();
    assert_eq!(head.content_type(), Some("audio/wav"));
    assert_eq!(head.storage_class().map(|class| class.as_str()), Some(STORAGE_CLASS));
    assert_eq!(head.content_encoding(), None, "how the bytes travelled is not what they are");
}
