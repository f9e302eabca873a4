//! RingCentral's JSON. The call log (API.md §7) is read record by record: a strange one must not hide the others.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::domain::{
    call_log::{CallLogAnswer, CallLogPage, Offer},
    day::parse_time,
    ids::{PartyId, RecordingId, SessionId, TelephonySessionId},
    notification::is_end,
};

#[derive(Deserialize)]
pub(super) struct TokenReply {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
}

/// The status of a live session (API.md §6).
#[derive(Deserialize)]
pub(super) struct LiveReply {
    #[serde(default)]
    parties: Vec<LiveParty>,
}

#[derive(Deserialize)]
struct LiveParty {
    id: Option<String>,
    status: Option<LiveStatus>,
}

#[derive(Deserialize)]
struct LiveStatus {
    code: Option<String>,
}

impl LiveReply {
    /// Parties that have left the call.
    pub(super) fn ended(&self) -> BTreeSet<PartyId> {
        let gone = |party: &&LiveParty| {
            let code = party.status.as_ref().and_then(|status| status.code.as_deref());
            code.is_some_and(is_end)
        };
        self.parties.iter().filter(gone).filter_map(|party| PartyId::parse(party.id.as_deref()?).ok()).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct LogReply {
    records: Vec<Readable>,
    navigation: Option<Navigation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Navigation {
    next_page: Option<serde::de::IgnoredAny>,
}

/// A record, or what stands in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Readable {
    Record(Box<Record>),
    Strange(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    telephony_session_id: Option<String>,
    session_id: Option<String>,
    start_time: Option<String>,
    party_id: Option<String>,
    result: Option<String>,
    recording: Option<Recording>,
    short_recording: Option<bool>,
    legs: Option<Vec<Part>>,
}

/// What records and legs have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    party_id: Option<String>,
    recording: Option<Recording>,
    short_recording: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    id: Option<serde_json::Value>,
    content_uri: Option<String>,
}

impl Part {
    fn party(&self) -> Option<PartyId> {
        PartyId::parse(self.party_id.as_deref()?).ok()
    }
}

impl Recording {
    fn usable(self) -> Option<(RecordingId, String)> {
        let id = RecordingId::parse(self.id?.as_str()?).ok()?;
        Some((id, self.content_uri.filter(|address| address.len() <= MAX_CONTENT_URI_BYTES)?))
    }
}

/// Longer addresses are none, and would not fit a row.
const MAX_CONTENT_URI_BYTES: usize = 2048;

impl LogReply {
    /// Whether there is a further page.
    fn goes_on(&self) -> bool {
        self.navigation.as_ref().is_some_and(|navigation| navigation.next_page.is_some())
    }

    /// What is offered, by call; what cannot be read is passed over.
    pub(super) fn into_page(self) -> CallLogPage {
        let mut page = CallLogPage { more: self.goes_on(), ..CallLogPage::default() };
        for record in self.records {
            let Readable::Record(record) = record else { continue };
            let session = record.telephony_session_id.as_deref().and_then(|id| TelephonySessionId::parse(id).ok());
            let session_id = record.session_id.as_deref().and_then(SessionId::of_call);
            let began_ms = record.start_time.as_deref().and_then(parse_time);
            page.oldest_ms = [page.oldest_ms, began_ms].into_iter().flatten().min();
            let mut answer = CallLogAnswer::default();
            record.add_to(&mut answer);
            if let Some(session) = session {
                page.by_session.entry(session).or_default().extend(answer.offered.clone());
            }
            if let Some(session_id) = session_id {
                page.by_session_id.entry(session_id).or_default().extend(answer.offered);
            }
        }
        page
    }

    /// The union of all records and legs about one call. `asked_of` is the telephony session asked about, where it was one: records of
    /// other calls are passed over. An answer with a record that cannot be read, or with a further page, is not whole.
    pub(super) fn about(self, asked_of: Option<&TelephonySessionId>) -> CallLogAnswer {
        let mut answer = CallLogAnswer::default();
        let no_more = !self.goes_on();
        let mut all_read = true;
        for record in self.records {
            match record {
                Readable::Record(record) if record.is_of(asked_of) => all_read &= record.add_to(&mut answer),
                Readable::Record(_) | Readable::Strange(_) => all_read = false,
            }
        }
        answer.whole = no_more && all_read;
        answer
    }
}

impl Record {
    fn is_of(&self, asked_of: Option<&TelephonySessionId>) -> bool {
        let named = self.telephony_session_id.as_deref().zip(asked_of);
        named.is_none_or(|(mine, asked_of)| mine == asked_of.as_str())
    }

    /// Adds what the record says; false if some of it cannot be used. A record of a running call offers what it offers,
    /// but marks nothing as too short: it will be rewritten (API.md §0.10).
    fn add_to(self, answer: &mut CallLogAnswer) -> bool {
        let running = self.result.as_deref() == Some("In Progress");
        let call = Part { party_id: self.party_id, recording: self.recording, short_recording: self.short_recording };
        let legs = self.legs.unwrap_or_default();
        let marked_legs = legs.iter().filter(|leg| leg.short_recording == Some(true)).count();
        // A marked record names its party. If one leg repeats the mark, it is that party's, even where the leg names none.
        let marked_party = call.party().filter(|_| call.short_recording == Some(true) && marked_legs == 1);
        let mut usable = !running;
        answer.records += 1;
        answer.parts += legs.len().max(1);
        for (part, is_leg) in std::iter::once((call, false)).chain(legs.into_iter().map(|leg| (leg, true))) {
            let repeats = !is_leg && marked_legs > 0;
            if part.short_recording == Some(true) && !running && !repeats {
                answer.too_short.push(part.party().or_else(|| marked_party.clone()));
            }
            let party = part.party();
            if let Some(recording) = part.recording {
                match recording.usable() {
                    // The record repeats what a leg says; the leg knows better whose it is.
                    Some((id, content_uri)) if is_leg => {
                        answer.offered.insert(id, Offer { content_uri, party });
                    }
                    Some((id, content_uri)) => {
                        answer.offered.entry(id).or_insert(Offer { content_uri, party });
                    }
                    None => usable = false,
                }
            }
        }
        usable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(records: &str) -> CallLogAnswer {
        let page = format!(r#"{{"records":[{records}],"navigation":{{"firstPage":{{"uri":"u"}}}}}}"#);
        let asked_of = TelephonySessionId::parse("s-1").unwrap();
        serde_json::from_str::<LogReply>(&page).unwrap().about(Some(&asked_of))
    }

    #[test]
    fn records_and_legs_are_one() {
        let answer = answer(
            r#"{"id":"x","recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"},"legs":[
                {"recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"}},
                {"recording":{"id":"2","uri":"u","type":"Automatic","contentUri":"https://m/2"}}]},
               {"id":"y","recording":{"id":"../3","contentUri":"https://m/3"}}"#,
        );
        let offered: Vec<_> =
            answer.offered.iter().map(|(id, offer)| (id.as_str(), offer.content_uri.as_str())).collect();
        assert_eq!(offered, [("1", "https://m/1"), ("2", "https://m/2")]);
        assert_eq!((answer.records, answer.parts), (2, 3));
        assert!(!answer.whole, "one recording cannot be used");
    }

    #[test]
    fn short_marks_name_their_party_where_they_can() {
        let party = PartyId::parse("p-2").unwrap();
        for (case, record, expected) in [
            ("nameless", r#"{"shortRecording":true}"#, vec![None]),
            ("named", r#"{"partyId":"p-2","shortRecording":true}"#, vec![Some(party.clone())]),
            (
                "leg",
                r#"{"shortRecording":true,"legs":[{"partyId":"p-2","shortRecording":true}]}"#,
                vec![Some(party.clone())],
            ),
            (
                "a nameless leg under a record that names its party",
                r#"{"partyId":"p-2","shortRecording":true,"legs":[{"shortRecording":true},{}]}"#,
                vec![Some(party)],
            ),
            (
                "two nameless legs",
                r#"{"partyId":"p-2","shortRecording":true,"legs":[{"shortRecording":true},{"shortRecording":true}]}"#,
                vec![None, None],
            ),
            (
                "a nameless leg under a record without a mark",
                r#"{"partyId":"p-2","legs":[{"shortRecording":true}]}"#,
                vec![None],
            ),
            ("running", r#"{"result":"In Progress","shortRecording":true}"#, vec![]),
            ("false", r#"{"shortRecording":false}"#, vec![]),
        ] {
            assert_eq!(answer(record).too_short, expected, "{case}");
        }
    }

    #[test]
    fn one_strange_record_hides_no_other_but_the_answer_is_not_whole() {
        let fine = r#"{"telephonySessionId":"s-1","recording":{"id":"1","contentUri":"https://m/1"}}"#;
        assert!(answer(fine).whole);
        for (case, strange) in [
            ("a recording without an address", r#"{"recording":{"id":"2"}}"#.to_owned()),
            ("a numeric id", r#"{"recording":{"id":2,"contentUri":"https://m/2"}}"#.to_owned()),
            ("an endless address", format!(r#"{{"recording":{{"id":"2","contentUri":"{}"}}}}"#, "u".repeat(2049))),
            (
                "a leg",
                r#"{"legs":[{"recording":{"id":"2"}},{"recording":{"id":"1","contentUri":"https://m/1"}}]}"#.to_owned(),
            ),
            ("another call", r#"{"telephonySessionId":"s-2","shortRecording":true}"#.to_owned()),
            ("a running call", r#"{"telephonySessionId":"s-1","result":"In Progress"}"#.to_owned()),
            ("no record", "7".to_owned()),
        ] {
            let answer = answer(&format!("{fine},{strange}"));
            assert_eq!((answer.offered.len(), answer.too_short.len(), answer.whole), (1, 0, false), "{case}");
        }
        let page = r#"{"records":[],"navigation":{"nextPage":{"uri":"u"}}}"#;
        assert!(!serde_json::from_str::<LogReply>(page).unwrap().about(None).whole);
    }
}
