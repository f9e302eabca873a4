//! The call log (API.md §7), read record by record and fact by fact: a strange one must not hide the others.

use serde::{Deserialize, de::IgnoredAny};

use crate::domain::{
    call_log::{CallLogAnswer, CallLogPage, Listed, LoggedCall, Offer, Offers, add_offers},
    day::parse_time,
    ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
    notification::{account_in, short},
};

/// A page of the call log as it comes: about one call, or about the calls of a window.
#[derive(Deserialize)]
pub struct LogReply {
    records: Vec<Readable<Box<Record>>>,
    navigation: Option<Navigation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Navigation {
    next_page: Option<IgnoredAny>,
}

/// Something we can read, or what stands in its place.
#[derive(Deserialize)]
#[serde(untagged)]
enum Readable<T> {
    Known(T),
    Strange(IgnoredAny),
}

impl<T> Readable<T> {
    fn known(self) -> Option<T> {
        match self {
            Self::Known(it) => Some(it),
            Self::Strange(_) => None,
        }
    }
}

/// A fact for the manifest: of another type than documented, it is none.
type Told<T> = Option<Readable<T>>;

fn known<T>(told: Told<T>) -> Option<T> {
    told.and_then(Readable::known)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: Option<String>,
    uri: Option<String>,
    session_id: Option<String>,
    result: Option<String>,
    legs: Option<Vec<Part>>,
    telephony_session_id: Option<String>,
    #[serde(flatten)]
    call: Part,
}

/// What records and legs have in common.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    party_id: Option<String>,
    recording: Option<Recording>,
    short_recording: Option<bool>,
    start_time: Told<String>,
    duration: Told<u64>,
    direction: Told<String>,
    from: Told<Side>,
    to: Told<Side>,
    extension: Told<Extension>,
    transfer_target: Told<OtherCall>,
    transferee: Told<OtherCall>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    id: Option<serde_json::Value>,
    #[serde(rename = "type")]
    kind: Told<String>,
    content_uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Side {
    phone_number: Option<String>,
    extension_number: Option<String>,
}

#[derive(Deserialize)]
struct Extension {
    id: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtherCall {
    telephony_session_id: Option<String>,
}

impl Part {
    fn party(&self) -> Option<PartyId> {
        PartyId::parse(self.party_id.as_deref()?).ok()
    }

    fn began_ms(&self) -> Option<u64> {
        match &self.start_time {
            Some(Readable::Known(text)) => parse_time(text),
            Some(Readable::Strange(_)) | None => None,
        }
    }

    /// Takes the recording out, with what is said of it.
    fn take(mut self) -> (Option<Recording>, Listed) {
        let mut recording = self.recording.take();
        let listed = Listed {
            kind: short(recording.as_mut().and_then(|recording| known(recording.kind.take()))),
            party: self.party(),
            started_ms: self.began_ms(),
            duration_s: known(self.duration),
            direction: short(known(self.direction)),
            from: short(known(self.from).and_then(Side::number)),
            to: short(known(self.to).and_then(Side::number)),
            extension: short(known(self.extension).and_then(Extension::text)),
            transfer_target: known(self.transfer_target).and_then(OtherCall::session),
            transferee: known(self.transferee).and_then(OtherCall::session),
        };
        (recording, listed)
    }
}

impl Recording {
    fn id(&self) -> Option<RecordingId> {
        RecordingId::parse(self.id.as_ref()?.as_str()?).ok()
    }

    fn usable(self) -> Option<(RecordingId, String)> {
        let id = self.id()?;
        Some((id, self.content_uri.filter(|address| address.len() <= MAX_CONTENT_URI_BYTES)?))
    }
}

impl Side {
    fn number(self) -> Option<String> {
        self.phone_number.or(self.extension_number)
    }
}

impl Extension {
    /// The log writes this id as an integer (API.md §6).
    fn text(self) -> Option<String> {
        let id = self.id?;
        id.as_u64().map(|id| id.to_string()).or_else(|| id.as_str().map(str::to_owned))
    }
}

impl OtherCall {
    fn session(self) -> Option<TelephonySessionId> {
        TelephonySessionId::parse(self.telephony_session_id.as_deref()?).ok()
    }
}

/// Longer addresses are none, and would not fit a row.
const MAX_CONTENT_URI_BYTES: usize = 2048;

impl LogReply {
    /// Whether there is a further page.
    fn goes_on(&self) -> bool {
        self.navigation.as_ref().is_some_and(|navigation| navigation.next_page.is_some())
    }

    /// What is said of each call; what cannot be read is passed over, and then the page is not whole.
    pub fn into_page(self) -> CallLogPage {
        let mut page = CallLogPage { more: self.goes_on(), ..CallLogPage::default() };
        for record in self.records {
            let Some((session, said)) = record.known().and_then(|record| Some((record.session()?, record.say())))
            else {
                page.unusable += 1;
                continue;
            };
            page.unusable += usize::from(!said.said.whole && !said.running);
            page.oldest_ms = [page.oldest_ms, said.began_ms].into_iter().flatten().min();
            if let Some(session_id) = &said.session_id {
                add_offers(page.by_session_id.entry(session_id.clone()).or_default(), &said.said.offered);
            }
            page.calls.entry(session).or_default().add(said);
        }
        page.whole = page.unusable == 0;
        page
    }

    /// The union of all records and legs about one call. `asked_of` is the telephony session asked about, where it was one: records of
    /// other calls are passed over. An answer with a record that cannot be read, or with a further page, is not whole.
    pub fn about(self, asked_of: Option<&TelephonySessionId>) -> CallLogAnswer {
        let mut answer = CallLogAnswer::default();
        let no_more = !self.goes_on();
        let mut all_read = true;
        for record in self.records {
            match record.known() {
                Some(record) if record.is_of(asked_of) => all_read &= record.add_to(&mut answer),
                Some(_) | None => all_read = false,
            }
        }
        answer.whole = no_more && all_read;
        answer
    }
}

impl Record {
    /// The call's key. Where the log names none, its legacy id stands for it, by which the archiver then asks, or the
    /// record's own.
    fn session(&self) -> Option<TelephonySessionId> {
        let named = self.telephony_session_id.as_deref().and_then(|id| TelephonySessionId::parse(id).ok());
        let legacy = || TelephonySessionId::parse(self.session_id.as_deref().filter(|id| *id != "0")?).ok();
        let own = || TelephonySessionId::parse(self.id.as_deref()?).ok();
        named.or_else(legacy).or_else(own)
    }

    fn is_running(&self) -> bool {
        self.result.as_deref() == Some("In Progress")
    }

    /// All the record says of its call.
    fn say(self) -> LoggedCall {
        let mut call = LoggedCall {
            account: self.uri.as_deref().and_then(account_in).and_then(|id| AccountId::parse(id).ok()),
            session_id: self.session_id.as_deref().and_then(SessionId::of_call),
            began_ms: self.call.began_ms(),
            running: self.is_running(),
            said: CallLogAnswer::default(),
        };
        call.said.whole = self.add_to(&mut call.said);
        call
    }

    fn is_of(&self, asked_of: Option<&TelephonySessionId>) -> bool {
        let named = self.telephony_session_id.as_deref().zip(asked_of);
        named.is_none_or(|(mine, asked_of)| mine == asked_of.as_str())
    }

    /// Adds what the record says; false if some of it cannot be used. A record of a running call offers what it offers,
    /// but marks nothing as too short: it will be rewritten (API.md §0.10).
    fn add_to(self, answer: &mut CallLogAnswer) -> bool {
        let running = self.is_running();
        let call = self.call;
        let legs = self.legs.unwrap_or_default();
        let marked_legs = legs.iter().filter(|leg| leg.short_recording == Some(true)).count();
        // A marked record names its party. If one leg repeats the mark, it is that party's, even where the leg names none.
        let marked_party = call.party().filter(|_| call.short_recording == Some(true) && marked_legs == 1);
        let mut usable = !running;
        answer.records += 1;
        answer.parts += legs.len().max(1);
        let marked_call = Some(&call).filter(|_| marked_legs == 0);
        for part in marked_call.into_iter().chain(&legs) {
            if part.short_recording == Some(true) && !running {
                answer.too_short.push(part.party().or_else(|| marked_party.clone()));
            }
        }
        let (repeated, of_call) = call.take();
        let repeated_id = repeated.as_ref().and_then(Recording::id);
        // The record repeats what a leg says; the leg knows better whose it is.
        let mut parts: Vec<_> = legs.into_iter().map(Part::take).collect();
        parts.push((repeated, of_call.clone()));
        for (recording, listed) in parts {
            match recording.map(Recording::usable) {
                Some(Some((id, content_uri))) => {
                    let is_the_calls = repeated_id.as_ref() == Some(&id);
                    let of_call = of_call.clone();
                    // The record speaks of one recording: whose another one is, it does not say.
                    let of_call = if is_the_calls {
                        of_call
                    } else {
                        Listed { kind: None, party: None, extension: None, ..of_call }
                    };
                    let mut listed = listed.or(of_call);
                    if running {
                        listed.duration_s = None;
                    }
                    add_offers(&mut answer.offered, &Offers::from([(id, Offer { content_uri, listed })]));
                }
                Some(None) => usable = false,
                None => {}
            }
        }
        usable
    }
}

#[cfg(test)]
mod tests;
