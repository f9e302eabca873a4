//! Rows to domain and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    schema,
    told::{LISTED, decode_about, decode_listed, decode_offer, encode_listed},
};
use crate::{
    domain::{
        day::Day,
        ids::{AccountId, InvalidId, PartyId, RecordingId, SessionId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
        session::{ArchivedBytes, Heard, KeptManifest, RecordingResult, RecordingState, SessionKey, SessionRow, Way},
    },
    ports::session_store::{Due, StoreError},
};

pub(super) type Item = HashMap<String, AttributeValue>;

/// Prefixes of a party's map, of a recording's result, and of what the call log offers.
const PARTY: &str = "p#";
const RESULT: &str = "r#";
const OFFER: &str = "o#";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn pk(key: &SessionKey) -> String {
    format!("session#{}#{}", key.account, key.session)
}

pub(super) fn party_name(party: &PartyId) -> String {
    format!("{PARTY}{party}")
}

pub(super) fn result_name(recording: &RecordingId) -> String {
    format!("{RESULT}{recording}")
}

pub(super) fn offer_name(recording: &RecordingId) -> String {
    format!("{OFFER}{recording}")
}

/// Reads [`pk`].
pub(super) fn key_of(item: &Item) -> Result<SessionKey, StoreError> {
    let pk = get_text(item, schema::KEY).ok_or(StoreError::Corrupt("no key"))?;
    let ids = pk.strip_prefix("session#").and_then(|ids| ids.split_once('#'));
    let (account, session) = ids.ok_or(StoreError::Corrupt("the key is not a session's"))?;
    Ok(SessionKey {
        account: AccountId::parse(account).map_err(bad_id)?,
        session: TelephonySessionId::parse(session).map_err(bad_id)?,
    })
}

/// Reads what the index knows of a row.
pub(super) fn due_of(item: &Item) -> Result<Due, StoreError> {
    let due_at_ms = get_number(item, schema::DUE_AT).ok_or(StoreError::Corrupt("no due_at"))?;
    Ok(Due { key: key_of(item)?, due_at_ms })
}

/// Reads a whole session row.
pub(super) fn decode(item: &Item) -> Result<SessionRow, StoreError> {
    let day = get_text(item, "day").and_then(Day::parse).ok_or(StoreError::Corrupt("no day"))?;
    let (mut parties, mut results, mut offers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (name, value) in item {
        if let Some(party) = name.strip_prefix(PARTY) {
            let map = value.as_m().map_err(|_| StoreError::Corrupt("a party is not a map"))?;
            parties.insert(PartyId::parse(party).map_err(bad_id)?, decode_about(map));
        }
        if let Some(recording) = name.strip_prefix(OFFER) {
            let map = value.as_m().map_err(|_| StoreError::Corrupt("an offer is not a map"))?;
            offers.insert(RecordingId::parse(recording).map_err(bad_id)?, decode_offer(map)?);
        }
        if let Some(recording) = name.strip_prefix(RESULT) {
            let map = value.as_m().map_err(|_| StoreError::Corrupt("a result is not a map"))?;
            results.insert(RecordingId::parse(recording).map_err(bad_id)?, decode_result(map)?);
        }
    }
    Ok(SessionRow {
        key: key_of(item)?,
        heard: set(item, "heard", Heard::from_element)?,
        ended: set(item, "ended", PartyId::parse)?,
        parties,
        day,
        happened_ms: get_number(item, "happened_at").ok_or(StoreError::Corrupt("no happened_at"))?,
        session_id: get_text(item, "session_id").map(SessionId::parse).transpose().map_err(bad_id)?,
        seen_at_ms: get_number(item, "seen_at").ok_or(StoreError::Corrupt("no seen_at"))?,
        rev: get_number(item, "rev").ok_or(StoreError::Corrupt("no rev"))?,
        attempts: get_number(item, "attempts").map_or(0, |attempts| u32::try_from(attempts).unwrap_or(u32::MAX)),
        offers,
        results,
        manifest: item.get("manifest").map(decode_manifest).transpose()?,
    })
}

pub(super) fn encode_manifest(manifest: &KeptManifest) -> AttributeValue {
    AttributeValue::M(Item::from([
        ("key".to_owned(), text(manifest.key.as_str())),
        ("sha256".to_owned(), text(&manifest.sha256)),
    ]))
}

fn decode_manifest(value: &AttributeValue) -> Result<KeptManifest, StoreError> {
    let part = |name| Some(get_text(value.as_m().ok()?, name)?.to_owned());
    let (key, sha256) =
        part("key").zip(part("sha256")).ok_or(StoreError::Corrupt("a manifest without key or digest"))?;
    Ok(KeptManifest { key: ObjectKey::from_row(key), sha256 })
}

/// Writes a recording's result; parts that are not known yet are left out.
pub(super) fn encode_result(result: &RecordingResult) -> AttributeValue {
    let mut map =
        Item::from([("state".to_owned(), text(result.state.name())), ("at".to_owned(), number(result.at_ms))]);
    let texts = [
        ("reason", result.reason.clone()),
        ("content_uri", result.content_uri.clone()),
        ("key", result.key.as_ref().map(ToString::to_string)),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            map.insert(name.to_owned(), text(value));
        }
    }
    if let Some(since_ms) = result.silent_since_ms {
        map.insert("silent_since".to_owned(), number(since_ms));
    }
    if let Some(listed) = &result.listed {
        map.insert(LISTED.to_owned(), encode_listed(listed));
    }
    if let Some(archived) = &result.archived {
        map.insert("sha256".to_owned(), text(&archived.sha256));
        map.insert("etag".to_owned(), text(&archived.etag));
        if let Some(crc64nvme) = &archived.crc64nvme {
            map.insert("crc64nvme".to_owned(), text(crc64nvme));
        }
        if let Some(duration_ms) = archived.duration_ms {
            map.insert("duration_ms".to_owned(), number(duration_ms));
        }
        map.insert("size_bytes".to_owned(), number(archived.size_bytes));
        map.insert("content_type".to_owned(), text(archived.format.content_type()));
        map.insert("way".to_owned(), text(archived.way.name()));
    }
    AttributeValue::M(map)
}

fn decode_result(map: &Item) -> Result<RecordingResult, StoreError> {
    let state = get_text(map, "state").and_then(RecordingState::from_name);
    let key = get_text(map, "key").map(|key| ObjectKey::from_row(key.to_owned()));
    let archived = match get_text(map, "sha256") {
        None => None,
        Some(sha256) => Some(ArchivedBytes {
            sha256: sha256.to_owned(),
            crc64nvme: get_text(map, "crc64nvme").map(str::to_owned),
            etag: get_text(map, "etag").ok_or(StoreError::Corrupt("an archived result without entity tag"))?.to_owned(),
            duration_ms: get_number(map, "duration_ms"),
            size_bytes: get_number(map, "size_bytes").ok_or(StoreError::Corrupt("an archived result without size"))?,
            format: key
                .as_ref()
                .and_then(ObjectKey::format)
                .or_else(|| get_text(map, "content_type").and_then(format_of))
                .ok_or(StoreError::Corrupt("an archived result without type"))?,
            way: get_text(map, "way")
                .and_then(Way::from_name)
                .ok_or(StoreError::Corrupt("an archived result without way"))?,
        }),
    };
    Ok(RecordingResult {
        state: state.ok_or(StoreError::Corrupt("a result of an unknown state"))?,
        reason: get_text(map, "reason").map(str::to_owned),
        content_uri: get_text(map, "content_uri").map(str::to_owned),
        silent_since_ms: get_number(map, "silent_since"),
        key,
        archived,
        listed: decode_listed(map)?,
        at_ms: get_number(map, "at").unwrap_or(0),
    })
}

fn format_of(content_type: &str) -> Option<AudioFormat> {
    [AudioFormat::Mp3, AudioFormat::Wav].into_iter().find(|format| format.content_type() == content_type)
}

pub(super) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(super) fn get_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn set<T: Ord>(
    item: &Item,
    name: &str,
    parse: impl Fn(&str) -> Result<T, InvalidId>,
) -> Result<BTreeSet<T>, StoreError> {
    match item.get(name) {
        None => Ok(BTreeSet::new()),
        Some(AttributeValue::Ss(elements)) => {
            elements.iter().map(|element| parse(element)).collect::<Result<_, _>>().map_err(bad_id)
        }
        Some(_) => Err(StoreError::Corrupt("a set of facts is not a set")),
    }
}

pub(super) fn bad_id(_: InvalidId) -> StoreError {
    StoreError::Corrupt("an id is not one")
}

#[cfg(test)]
mod tests;
