//! What only the real adapters have: rows and objects on a wire, where others may spoil them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::future::join_all;
use shared::{
    clients::dynamodb::schema,
    domain::{
        object_key::ObjectKey,
        permits::{Group, Ledger},
        session::SessionKey,
    },
    ports::{
        archive_store::ArchiveStore,
        cursor_store::{CursorStore, Job},
        permit_store::PermitStore,
        session_store::{Drain, SessionStore, StoreError},
        token_store::{Refusal, TokenStore},
    },
};

use super::{
    FAR_MS, NOW_MS,
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
        ("s-5", "p#p-1", AttributeValue::S("Inbound".into())),
        ("s-6", "o#9001", AttributeValue::S("https://a/1".into())),
        ("s-7", "manifest", AttributeValue::M(HashMap::new())),
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

pub(crate) async fn a_spoiled_row_is_told_apart_from_those_read_with_it(real: &Real) {
    for session in ["s-1", "s-2", "s-3"] {
        record(real, &ended(session, "p-1", &["9001"])).await;
    }
    real.spoil(&key("s-2"), "day", AttributeValue::S("2026-13-01".into())).await;
    let rows = real.sessions().rows(&["s-1", "s-2", "s-3", "s-4"].map(key)).await.unwrap();
    assert_eq!(rows.known.into_keys().collect::<Vec<_>>(), ["s-1", "s-3"].map(key));
    assert_eq!(rows.unreadable.into_iter().collect::<Vec<_>>(), [key("s-2")]);
}

pub(crate) async fn rows_of_many_megabytes_are_all_read(real: &Real) {
    // More than the 16 MB that DynamoDB puts into one answer: it leaves the rest unread.
    let ballast = AttributeValue::S("x".repeat(395_000));
    let names: Vec<String> = (0..45).map(|n| format!("s-{n}")).collect();
    for name in &names {
        record(real, &ended(name, "p-1", &["9001"])).await;
        real.spoil(&key(name), "ballast", ballast.clone()).await;
    }
    let keys: Vec<SessionKey> = names.iter().map(|name| key(name)).collect();
    let rows = real.sessions().rows(&keys).await.unwrap();
    assert!(keys.iter().all(|key| rows.known.contains_key(key)), "{}", rows.known.len());
}

pub(crate) async fn the_queue_and_its_count_go_through_all_pages(real: &Real) {
    const ROWS: usize = 600;
    const AT_ONCE: usize = 25;
    // With keys this long, DynamoDB's page of 1 MiB ends before the last row.
    let row = |number: usize| {
        let key = AttributeValue::S(format!("session#800000001#{number:02000}"));
        let due_at = AttributeValue::N(number.to_string());
        let put = PutRequest::builder().item(schema::KEY, key).item(schema::DUE_AT, due_at);
        let put = put.item(schema::QUEUE, AttributeValue::S(schema::DUE.into())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    for first in (0..ROWS).step_by(AT_ONCE) {
        let rows: Vec<_> = (first..first + AT_ONCE).map(row).collect();
        real.dynamodb.batch_write_item().request_items(&real.table_name, rows).send().await.unwrap();
    }
    assert_eq!(real.sessions().count_due(FAR_MS).await.unwrap(), ROWS);
    assert_eq!(real.sessions().count_due(9).await.unwrap(), 10);
    // No session has an id this long, so these rows are passed over.
    record(real, &ended("s-1", "p-1", &["9001"])).await;
    let queued = real.sessions().queued().await.unwrap();
    assert_eq!(queued.into_iter().map(|due| due.key).collect::<Vec<_>>(), [key("s-1")]);
}

pub(crate) async fn a_spoiled_cursor_cannot_be_read(real: &Real) {
    for (n, (attribute, value)) in (0..).zip([
        ("rev", AttributeValue::S("first".into())),
        ("state", AttributeValue::M(HashMap::new())),
        ("state", AttributeValue::Null(true)),
    ]) {
        let job = Job::new(format!("job-{n}"));
        assert!(real.cursors().advance(&job, 0, "{}").await.unwrap());
        real.spoil_row(&format!("vendor#cursor#job-{n}"), attribute, value).await;
        let read = real.cursors().cursor(&job).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{attribute}: {read:?}");
        assert!(!real.cursors().advance(&job, 0, "{}").await.unwrap(), "and it is not begun anew");
    }
}

pub(crate) async fn a_drain_lease_that_cannot_be_read_is_held(real: &Real) {
    assert_eq!(real.sessions().acquire_drain("a", NOW_MS, NOW_MS + 10).await.unwrap(), Drain::Ours);
    let half_a_ms = AttributeValue::N(format!("{}.5", NOW_MS + 10));
    real.spoil_row("vendor#drain", "held_until", half_a_ms).await;
    let held = real.sessions().acquire_drain("b", NOW_MS, NOW_MS + 20).await.unwrap();
    assert_eq!(held, Drain::Held { until_ms: NOW_MS + 20 });
    assert_eq!(real.sessions().acquire_drain("a", NOW_MS, NOW_MS + 10).await.unwrap(), Drain::Ours);
}

pub(crate) async fn a_spoiled_ledger_cannot_be_read(real: &Real) {
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let use_at = |at| AttributeValue::M(HashMap::from([("run-1/1".to_owned(), at)]));
    for (n, (attribute, value)) in (0..).zip([
        ("rev", AttributeValue::S("first".into())),
        ("limit", number("0")),
        ("window_ms", number("0.5")),
        ("frozen_until", AttributeValue::Bool(true)),
        ("uses", AttributeValue::Ss(vec!["run-1/1".into()])),
        ("uses", use_at(number("-1"))),
        ("uses", use_at(number("123456789012345678901234567890"))),
        ("uses", use_at(AttributeValue::Null(true))),
    ]) {
        let client_id = format!("client-{n}");
        let (rows, group) = (real.permit_rows(&client_id), Group::heavy());
        let ledger = Ledger::of(&group);
        rows.replace(&group, 0, &ledger).await.unwrap();
        real.spoil_row(&format!("vendor#permits#{client_id}#heavy"), attribute, value).await;
        let read = rows.ledger(&group).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{attribute}: {read:?}");
        let replaced = rows.replace(&group, 9, &ledger).await;
        assert!(matches!(replaced, Err(StoreError::Corrupt(_))), "{attribute}: {replaced:?}");
    }
}

pub(crate) async fn a_refusal_that_cannot_be_read_is_none(real: &Real) {
    let row = real.token_row("client-1");
    let refusal = Refusal { credentials: "fingerprint".into(), code: "invalid_grant".into(), at_ms: NOW_MS };
    row.refuse(&refusal).await.unwrap();
    real.spoil_row("vendor#token#client-1", "refusal", AttributeValue::M(HashMap::new())).await;
    assert_eq!(row.state().await.unwrap().refusal, None);
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

pub(crate) async fn a_listing_goes_through_all_pages(real: &Real) {
    let keys: Vec<_> = (1_000..2_001).map(|number| ObjectKey::from_listing(format!("recordings/{number}"))).collect();
    for some in keys.chunks(50) {
        join_all(some.iter().map(|key| real.put_foreign(key, b"x"))).await;
    }
    let listed = real.archive().list("recordings/").await.unwrap();
    assert_eq!(listed.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), keys);
}
