//! Rows to domain and back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::schema;
use crate::{
    domain::{
        day::Day,
        ids::{AccountId, InvalidId, PartyId, RecordingId, SessionId, TelephonySessionId},
        media::AudioFormat,
        object_key::ObjectKey,
        session::{ArchivedBytes, Heard, RecordingResult, RecordingState, SessionKey, SessionRow, Way},
    },
    ports::session_store::{Due, StoreError},
};

pub(super) type Item = HashMap<String, AttributeValue>;

/// Prefix of a recording's result, and of the address the call log offers it at.
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

pub(super) fn result_name(recording: &RecordingId) -> String {
    format!("{RESULT}{recording}")
}

pub(super) fn offer_name(recording: &RecordingId) -> String {
    format!("{OFFER}{recording}")
}

/// Reads [`pk`].
fn key_of(item: &Item) -> Result<SessionKey, StoreError> {
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
    let (mut results, mut offers) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in item {
        if let Some(recording) = name.strip_prefix(OFFER) {
            let address = value.as_s().map_err(|_| StoreError::Corrupt("an offer is not an address"))?;
            offers.insert(RecordingId::parse(recording).map_err(bad_id)?, address.clone());
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
        day,
        session_id: get_text(item, "session_id").map(SessionId::parse).transpose().map_err(bad_id)?,
        seen_at_ms: get_number(item, "seen_at").ok_or(StoreError::Corrupt("no seen_at"))?,
        rev: get_number(item, "rev").ok_or(StoreError::Corrupt("no rev"))?,
        attempts: get_number(item, "attempts").map_or(0, |attempts| u32::try_from(attempts).unwrap_or(u32::MAX)),
        offers,
        results,
    })
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
    if let Some(archived) = &result.archived {
        map.insert("sha256".to_owned(), text(&archived.sha256));
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

fn bad_id(_: InvalidId) -> StoreError {
    StoreError::Corrupt("an id is not one")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let result = RecordingResult {
            state: RecordingState::Archived,
            reason: None,
            content_uri: Some("https://media.ringcentral.com/x".into()),
            silent_since_ms: Some(4),
            key: Some(ObjectKey::from_row("recordings/account=1/date=2026-03-02/9.mp3".into())),
            archived: Some(ArchivedBytes {
                sha256: "c2hh".into(),
                size_bytes: 7,
                format: AudioFormat::Mp3,
                way: Way::CallLog,
            }),
            at_ms: 5,
        };
        Item::from([
            ("pk".into(), text("session#800#s-1")),
            ("heard".into(), AttributeValue::Ss(vec!["9|p-1".into()])),
            ("day".into(), text("2026-03-02")),
            ("seen_at".into(), number(1)),
            ("rev".into(), number(3)),
            ("r#9".into(), encode_result(&result)),
            ("o#9".into(), text("https://media.ringcentral.com/9")),
        ])
    }

    #[test]
    fn a_row_survives_a_round_trip() {
        let row = decode(&item()).unwrap();
        assert_eq!((pk(&row.key).as_str(), row.rev, row.attempts), ("session#800#s-1", 3, 0));
        let recording = RecordingId::parse("9").unwrap();
        assert_eq!(encode_result(&row.results[&recording]), item()["r#9"]);
        assert_eq!(row.offers[&recording], "https://media.ringcentral.com/9");
    }

    #[test]
    fn a_spoiled_row_says_what_is_wrong() {
        for (name, value, complaint) in [
            ("pk", text("vendor#drain"), "the key is not a session's"),
            ("day", text("2026-13-01"), "no day"),
            ("heard", text("9|p-1"), "a set of facts is not a set"),
            ("heard", AttributeValue::Ss(vec!["../9|p".into()]), "an id is not one"),
            ("r#9", text("archived"), "a result is not a map"),
            ("o#9", number(9), "an offer is not an address"),
            ("r#9", AttributeValue::M(Item::new()), "a result of an unknown state"),
        ] {
            let mut item = item();
            item.insert(name.into(), value);
            assert!(matches!(decode(&item), Err(StoreError::Corrupt(found)) if found == complaint), "{complaint}");
        }
    }
}
