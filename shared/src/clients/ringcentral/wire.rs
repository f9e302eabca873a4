//! The call log's JSON (API.md §7), read leniently: one strange record must not hide the others.

use serde::Deserialize;

use crate::domain::{
    call_log::CallLogAnswer,
    ids::{PartyId, RecordingId},
};

#[derive(Deserialize)]
pub(super) struct TokenReply {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
}

#[derive(Deserialize)]
pub(super) struct CallLogPage {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    call: Part,
    legs: Option<Vec<Part>>,
}

/// What records and legs have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    party_id: Option<String>,
    result: Option<String>,
    recording: Option<Recording>,
    short_recording: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    id: String,
    content_uri: String,
}

impl CallLogPage {
    /// The union of all records and legs. A record of a running call offers what it offers, but marks nothing as too
    /// short: it will be rewritten (API.md §0.10).
    pub(super) fn into_answer(self) -> CallLogAnswer {
        let mut answer = CallLogAnswer { records: self.records.len(), ..CallLogAnswer::default() };
        for record in self.records {
            let running = record.call.result.as_deref() == Some("In Progress");
            let legs = record.legs.unwrap_or_default();
            let leg_is_marked = legs.iter().any(|leg| leg.short_recording == Some(true));
            for (part, is_leg) in std::iter::once((record.call, false)).chain(legs.into_iter().map(|leg| (leg, true))) {
                let party = part.party_id.as_deref().and_then(|text| PartyId::parse(text).ok());
                // A record repeats the mark of its leg: the leg knows better whose it is.
                let repeats = !is_leg && leg_is_marked;
                if part.short_recording == Some(true) && !running && !repeats {
                    answer.too_short.push(party);
                }
                if let Some(recording) = part.recording
                    && let Ok(id) = RecordingId::parse(&recording.id)
                {
                    answer.offered.entry(id).or_insert(recording.content_uri);
                }
            }
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(records: &str) -> CallLogAnswer {
        serde_json::from_str::<CallLogPage>(&format!(r#"{{"records":[{records}]}}"#)).unwrap().into_answer()
    }

    #[test]
    fn records_and_legs_are_one() {
        let answer = answer(
            r#"{"id":"x","recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"},"legs":[
                {"recording":{"id":"1","uri":"u","type":"Automatic","contentUri":"https://m/1"}},
                {"recording":{"id":"2","uri":"u","type":"Automatic","contentUri":"https://m/2"}}]},
               {"id":"y","recording":{"id":"../3","contentUri":"https://m/3"}}"#,
        );
        let offered: Vec<_> = answer.offered.iter().map(|(id, uri)| (id.as_str(), uri.as_str())).collect();
        assert_eq!(offered, [("1", "https://m/1"), ("2", "https://m/2")]);
        assert_eq!(answer.records, 2);
    }

    #[test]
    fn short_marks_name_their_party_where_they_can() {
        let party = PartyId::parse("p-2").unwrap();
        for (case, record, expected) in [
            ("nameless", r#"{"shortRecording":true}"#, vec![None]),
            ("named", r#"{"partyId":"p-2","shortRecording":true}"#, vec![Some(party.clone())]),
            ("leg", r#"{"shortRecording":true,"legs":[{"partyId":"p-2","shortRecording":true}]}"#, vec![Some(party)]),
            ("running", r#"{"result":"In Progress","shortRecording":true}"#, vec![]),
            ("false", r#"{"shortRecording":false}"#, vec![]),
        ] {
            assert_eq!(answer(record).too_short, expected, "{case}");
        }
    }
}
