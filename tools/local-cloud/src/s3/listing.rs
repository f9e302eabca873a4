//! A page of a bucket's keys.

use std::ops::Bound;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{ListObjectsV2Input, ListObjectsV2Output, Object as ListedObject, ObjectStorageClass};
use s3s::{S3Result, s3_error};

use super::store::{Object, Objects};

const MAX_KEYS: i32 = 1000;

pub(super) fn page(objects: &Objects, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    if input.delimiter.is_some() {
        return Err(s3_error!(NotImplemented, "the local S3 lists without a delimiter"));
    }
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = match &input.continuation_token {
        Some(token) => Some(key_of(token)?),
        None => input.start_after.clone(),
    };
    let max_keys = input.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
    let limit = usize::try_from(max_keys).unwrap_or_default();
    let begin = match &after {
        Some(after) if *after >= prefix => Bound::Excluded(after.as_str()),
        Some(_) | None => Bound::Included(prefix.as_str()),
    };
    let mut matching =
        objects.range::<str, _>((begin, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(&prefix));
    let contents: Vec<ListedObject> = matching.by_ref().take(limit).map(|(key, object)| listed(key, object)).collect();
    let is_truncated = limit > 0 && matching.next().is_some();
    let last = contents.last().and_then(|object| object.key.as_deref());
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix,
        max_keys: Some(max_keys),
        key_count: i32::try_from(contents.len()).ok(),
        is_truncated: Some(is_truncated),
        next_continuation_token: last.filter(|_| is_truncated).map(|key| URL_SAFE_NO_PAD.encode(key)),
        continuation_token: input.continuation_token,
        start_after: input.start_after,
        contents: Some(contents),
        ..ListObjectsV2Output::default()
    })
}

fn key_of(token: &str) -> S3Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not one of ours"))
}

fn listed(key: &str, object: &Object) -> ListedObject {
    ListedObject {
        key: Some(key.to_owned()),
        size: i64::try_from(object.size_bytes).ok(),
        e_tag: Some(object.etag.clone()),
        last_modified: Some(object.last_modified.into()),
        storage_class: Some(ObjectStorageClass::from(object.description.storage_class.clone())),
        ..ListedObject::default()
    }
}
