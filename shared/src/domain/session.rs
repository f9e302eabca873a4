//! The session row: grow-only facts, one result for each recording, and what to do next, derived from them.

mod learn;
mod plan;
mod result;

use std::collections::{BTreeMap, BTreeSet};

pub use learn::{Learned, Write};
pub use plan::{Next, Schedule, Standing};
pub use result::{ArchivedBytes, DurationCheck, RecordingResult, RecordingState, Silence, Way};

use super::{
    call_log::Offers,
    day::Day,
    ids::{AccountId, InvalidId, PartyId, RecordingId, SessionId, TelephonySessionId},
    notification::PartyAbout,
    object_key::ObjectKey,
};

/// What a row is about: one call of one account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey {
    /// The account.
    pub account: AccountId,
    /// The call.
    pub session: TelephonySessionId,
}

/// "This recording was heard of on this party." A party-less event leaves the party open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// The recording.
    pub recording: RecordingId,
    /// The party whose end makes it due.
    pub party: Option<PartyId>,
}

impl Heard {
    /// `recordingId|partyId`, the element of the row's `heard` set.
    pub fn to_element(&self) -> String {
        format!("{}|{}", self.recording, self.party.as_ref().map_or("", PartyId::as_str))
    }

    /// Reads [`Heard::to_element`].
    ///
    /// # Errors
    /// Refuses text that no `Heard` writes.
    pub fn from_element(element: &str) -> Result<Self, InvalidId> {
        let (recording, party) = element.split_once('|').unwrap_or((element, ""));
        Ok(Self {
            recording: RecordingId::parse(recording)?,
            party: if party.is_empty() { None } else { Some(PartyId::parse(party)?) },
        })
    }
}

/// A session as the table holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Which call.
    pub key: SessionKey,
    /// Recordings somebody told us of.
    pub heard: BTreeSet<Heard>,
    /// Parties that ended.
    pub ended: BTreeSet<PartyId>,
    /// Who the parties are, as the first event that named each says.
    pub parties: BTreeMap<PartyId, PartyAbout>,
    /// UTC day of the call as first known; object keys use it.
    pub day: Day,
    /// When the event that first told of the call happened, epoch milliseconds: the moment `day` is taken from.
    pub happened_ms: u64,
    /// The call log's legacy id, where an event named it.
    pub session_id: Option<SessionId>,
    /// When we first heard of the session, epoch milliseconds.
    pub seen_at_ms: u64,
    /// Counts the writes: the optimistic lock of the finish.
    pub rev: u64,
    /// Looks taken.
    pub attempts: u32,
    /// What the call log offers, as written by looks at other sessions. The addresses are untrusted.
    pub offers: Offers,
    /// What became of each recording so far.
    pub results: BTreeMap<RecordingId, RecordingResult>,
    /// The session's manifest as last written to the bucket.
    pub manifest: Option<KeptManifest>,
}

/// A session's manifest in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptManifest {
    /// Where it lies.
    pub key: ObjectKey,
    /// SHA-256 of its bytes, base64.
    pub sha256: String,
}

impl SessionRow {
    /// The result of a recording so far; a fresh one where there is none.
    pub fn result(&self, recording: &RecordingId) -> RecordingResult {
        self.results.get(recording).cloned().unwrap_or_default()
    }

    /// Where the call log says a recording is, as far as this row knows. Silence after an offer takes it back.
    pub fn address(&self, recording: &RecordingId) -> Option<String> {
        match self.results.get(recording) {
            Some(result) if result.content_uri.is_some() || result.silent_since_ms.is_some() => {
                result.content_uri.clone()
            }
            Some(_) | None => self.offers.get(recording).map(|offer| offer.content_uri.clone()),
        }
    }

    /// Whether the call log has ever offered a recording, as far as this row knows.
    pub fn was_offered(&self, recording: &RecordingId) -> bool {
        let result = self.results.get(recording);
        let said = |result: &RecordingResult| result.content_uri.is_some() || result.listed.is_some();
        self.offers.contains_key(recording) || result.is_some_and(said)
    }

    /// Every recording heard of, once.
    pub fn recordings(&self) -> BTreeSet<&RecordingId> {
        self.heard.iter().map(|heard| &heard.recording).collect()
    }

    /// The parties a recording was heard on.
    pub fn parties_of<'a>(&'a self, recording: &'a RecordingId) -> impl Iterator<Item = &'a PartyId> {
        self.heard.iter().filter(move |heard| heard.recording == *recording).filter_map(|heard| heard.party.as_ref())
    }

    /// Recordings that have not ended.
    pub fn unfinished(&self) -> Vec<&RecordingId> {
        self.recordings().into_iter().filter(|recording| !self.result(recording).state.is_final()).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::call_log::{Listed, Offer};

    pub(crate) fn id<T>(parse: fn(&str) -> Result<T, InvalidId>, text: &str) -> T {
        parse(text).unwrap()
    }

    /// A row whose `heard` is written as `recording|party`.
    pub(crate) fn row(heard: &[&str], ended: &[&str]) -> SessionRow {
        SessionRow {
            key: SessionKey { account: id(AccountId::parse, "800"), session: id(TelephonySessionId::parse, "s-1") },
            heard: heard.iter().map(|element| Heard::from_element(element).unwrap()).collect(),
            ended: ended.iter().map(|party| id(PartyId::parse, party)).collect(),
            parties: BTreeMap::new(),
            day: Day::of(0),
            happened_ms: 0,
            session_id: None,
            seen_at_ms: 1_000_000,
            rev: 1,
            attempts: 1,
            offers: BTreeMap::new(),
            results: BTreeMap::new(),
            manifest: None,
        }
    }

    #[test]
    fn heard_elements_survive_a_round_trip() {
        for element in ["1|p-1", "1|"] {
            assert_eq!(Heard::from_element(element).unwrap().to_element(), element);
        }
        assert!(Heard::from_element("1|p|q").is_err());
        assert!(Heard::from_element("|p").is_err());
    }

    #[test]
    fn silence_takes_an_offer_back_and_the_log_may_make_it_anew() {
        let mut row = row(&["1|p-1"], &[]);
        let one = id(RecordingId::parse, "1");
        assert_eq!(row.address(&one), None);
        let offer = Offer { content_uri: "https://media/1".into(), listed: Listed::default() };
        row.offers.insert(one.clone(), offer);
        assert_eq!(row.address(&one), Some("https://media/1".into()));
        row.results.insert(one.clone(), RecordingResult { at_ms: 1, ..RecordingResult::default() });
        assert_eq!(row.address(&one), Some("https://media/1".into()), "a look that heard nothing of the log");
        let silent = RecordingResult { silent_since_ms: Some(1), ..RecordingResult::default() };
        row.results.insert(one.clone(), silent.clone());
        assert_eq!(row.address(&one), None);
        let again = RecordingResult { content_uri: Some("https://media/2".into()), ..silent };
        row.results.insert(one.clone(), again);
        assert_eq!(row.address(&one), Some("https://media/2".into()));
    }

    #[test]
    fn a_recording_on_two_parties_is_one_recording() {
        let row = row(&["1|p-1", "1|p-2", "2|p-2"], &[]);
        assert_eq!(row.unfinished().len(), 2);
        assert_eq!(row.parties_of(&id(RecordingId::parse, "1")).count(), 2);
    }
}
