//! The JSON of API.md §6: every field optional, unknown fields and values ignored.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{MAX_FACTS_PER_EVENT, NotUnderstood, PartyAbout, PartyFacts, SessionFacts, account_in, is_end, short};
use crate::domain::{
    day::parse_time,
    ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
};

#[derive(Deserialize)]
pub(super) struct Envelope {
    pub(super) event: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    #[serde(default, deserialize_with = "id_text")]
    pub(super) telephony_session_id: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    session_id: Option<String>,
    event_time: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    account_id: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    extension_id: Option<String>,
    parties: Option<Vec<Party>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Party {
    #[serde(default, deserialize_with = "id_text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    account_id: Option<String>,
    #[serde(default, deserialize_with = "id_text")]
    extension_id: Option<String>,
    direction: Option<String>,
    to: Option<Side>,
    from: Option<Side>,
    recordings: Option<Vec<Recording>>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    phone_number: Option<String>,
}

#[derive(Deserialize)]
struct Recording {
    #[serde(default, deserialize_with = "id_text")]
    id: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<String>,
}

impl Body {
    pub(super) fn into_facts(self, event_path: &str, sent_ms: Option<u64>) -> Result<Vec<SessionFacts>, NotUnderstood> {
        let session = TelephonySessionId::parse(self.telephony_session_id.as_deref().unwrap_or_default())?;
        let session_id = self.session_id.as_deref().and_then(SessionId::of_call);
        let at_ms = self.event_time.as_deref().and_then(parse_time).or(sent_ms);
        let body_account = named(self.account_id);
        let fallback_account = body_account.as_deref().or_else(|| account_in(event_path));
        let parties = self.parties.unwrap_or_default();
        let recordings: usize = parties.iter().map(|party| party.recordings.as_ref().map_or(0, Vec::len)).sum();
        if parties.len() > MAX_FACTS_PER_EVENT || recordings > MAX_FACTS_PER_EVENT {
            return Err(NotUnderstood::TooMany);
        }
        let anybody = !parties.is_empty();
        let mut sessions: Vec<SessionFacts> = Vec::new();
        for party in parties {
            let own_account = named(party.account_id.clone());
            let Some(account) = own_account.as_deref().or(fallback_account) else { continue };
            let account = AccountId::parse(account)?;
            let facts = party.into_facts(self.extension_id.as_deref())?;
            match sessions.iter_mut().find(|known| known.account == account) {
                Some(known) => known.parties.push(facts),
                None => sessions.push(SessionFacts {
                    account,
                    session: session.clone(),
                    session_id: session_id.clone(),
                    at_ms,
                    parties: vec![facts],
                }),
            }
        }
        if anybody && sessions.is_empty() { Err(NotUnderstood::NoAccount) } else { Ok(sessions) }
    }
}

impl Party {
    fn into_facts(self, body_extension: Option<&str>) -> Result<PartyFacts, NotUnderstood> {
        let mut recordings = Vec::new();
        for named in self.recordings.unwrap_or_default().into_iter().filter_map(|recording| named(recording.id)) {
            let id = RecordingId::parse(&named)?;
            if !recordings.contains(&id) {
                recordings.push(id);
            }
        }
        let code = self.status.and_then(|status| status.code);
        Ok(PartyFacts {
            id: named(self.id).as_deref().map(PartyId::parse).transpose()?,
            ended: code.as_deref().is_some_and(is_end),
            recordings,
            about: PartyAbout {
                direction: short(self.direction),
                to: short(self.to.and_then(|side| side.phone_number)),
                from: short(self.from.and_then(|side| side.phone_number)),
                extension: short(self.extension_id.or_else(|| body_extension.map(str::to_owned))),
            },
        })
    }
}

/// An id, where there is one.
fn named(id: Option<String>) -> Option<String> {
    id.filter(|id| !id.is_empty())
}

/// Ids are strings in events, yet integers in some other places of the API: both are read.
fn id_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(u64),
        Other(serde::de::IgnoredAny),
    }
    match Option::<Id>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Id::Text(text)) => Ok(Some(text)),
        Some(Id::Number(number)) => Ok(Some(number.to_string())),
        Some(Id::Other(_)) => Err(D::Error::custom("an id is neither text nor a number")),
    }
}
