//! What the call log says about one call, and what that means for a recording (API.md §7, §8).

use std::collections::BTreeMap;

use super::{
    ids::{AccountId, PartyId, RecordingId, SessionId, TelephonySessionId},
    session::SessionRow,
};

/// A recording as the call log offers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The address of its bytes. It is untrusted.
    pub content_uri: String,
    /// What else the log says of it.
    pub listed: Listed,
}

/// What the call log says of a recording beside its address: that of the leg which carries it, and of the record where
/// the leg says nothing (API.md §7). For the manifest, never for a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// `Automatic` or `OnDemand`.
    pub kind: Option<String>,
    /// The party it is of.
    pub party: Option<PartyId>,
    /// When the leg began, epoch milliseconds.
    pub started_ms: Option<u64>,
    /// How long the leg lasted, seconds; not of a running call.
    pub duration_s: Option<u64>,
    /// `Inbound` or `Outbound`.
    pub direction: Option<String>,
    /// Number calling: a phone number, or an extension number where there is none.
    pub from: Option<String>,
    /// Number called, likewise.
    pub to: Option<String>,
    /// Id of the extension.
    pub extension: Option<String>,
    /// The call this one was transferred to.
    pub transfer_target: Option<TelephonySessionId>,
    /// The call of whoever was transferred.
    pub transferee: Option<TelephonySessionId>,
}

impl Listed {
    /// What is said, and from `other` what is not.
    pub fn or(self, other: Self) -> Self {
        Self {
            kind: self.kind.or(other.kind),
            party: self.party.or(other.party),
            started_ms: self.started_ms.or(other.started_ms),
            duration_s: self.duration_s.or(other.duration_s),
            direction: self.direction.or(other.direction),
            from: self.from.or(other.from),
            to: self.to.or(other.to),
            extension: self.extension.or(other.extension),
            transfer_target: self.transfer_target.or(other.transfer_target),
            transferee: self.transferee.or(other.transferee),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A successful answer of the call log about one call: the union of all its records and their legs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLogAnswer {
    /// How many records the answer holds; none means that the call is not listed (yet).
    pub records: usize,
    /// Whether it speaks for every call of the account: the company's log, every record of the answer read, no further
    /// page. The silence of any other answer says nothing.
    pub whole: bool,
    /// How many parts of calls it holds: the legs of each record, or the record itself where it has none.
    pub parts: usize,
    /// Recordings offered.
    pub offered: Offers,
    /// Marks of recordings too short to be kept, each with the party it stands on, where the log names one.
    pub too_short: Vec<Option<PartyId>>,
}

/// Recordings the call log offers, each with what it says of it.
pub type Offers = BTreeMap<RecordingId, Offer>;

/// A page of the call log about the calls of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLogPage {
    /// What it says, by call.
    pub calls: BTreeMap<TelephonySessionId, LoggedCall>,
    /// What it offers, by the legacy id of the call: its record may lack the other, or have another one.
    pub by_session_id: BTreeMap<SessionId, Offers>,
    /// Whether it is the company's log and every record of it can be used.
    pub whole: bool,
    /// How many records cannot be used, as a whole or in a recording they name.
    pub unusable: usize,
    /// When the oldest call on the page began, epoch milliseconds; the newest come first.
    pub oldest_ms: Option<u64>,
    /// Whether there is a further page.
    pub more: bool,
}

/// What pages of the call log say of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoggedCall {
    /// Whose call it is.
    pub account: Option<AccountId>,
    /// Its legacy id.
    pub session_id: Option<SessionId>,
    /// When it began, epoch milliseconds.
    pub began_ms: Option<u64>,
    /// Whether a part of it still runs: its records will be rewritten (API.md §0.10).
    pub running: bool,
    /// What its records say. A page that asks for recorded calls only says nothing by its silence: a recording too short to
    /// be kept makes a call unrecorded.
    pub said: CallLogAnswer,
}

impl CallLogPage {
    /// What is offered of a row's call.
    pub fn offers_of(&self, row: &SessionRow) -> Option<&Offers> {
        let by_session_id = || self.by_session_id.get(row.session_id.as_ref()?);
        let call = self.calls.get(&row.key.session);
        call.map(|call| &call.said.offered).or_else(by_session_id)
    }
}

impl LoggedCall {
    /// Adds what further records say of the same call.
    pub fn add(&mut self, other: Self) {
        self.account = self.account.take().or(other.account);
        self.session_id = self.session_id.take().or(other.session_id);
        self.began_ms = [self.began_ms, other.began_ms].into_iter().flatten().min();
        self.running |= other.running;
        // Nothing has been said before the first record.
        self.said.whole = other.said.whole && (self.said.whole || self.said.records == 0);
        self.said.records += other.said.records;
        self.said.parts += other.said.parts;
        self.said.too_short.extend(other.said.too_short);
        add_offers(&mut self.said.offered, &other.said.offered);
    }
}

/// Adds offers. Several legs and records may carry the same recording: the first stands, the others fill its gaps.
pub fn add_offers(offers: &mut Offers, more: &Offers) {
    for (recording, offer) in more {
        match offers.get_mut(recording) {
            Some(known) => known.listed = std::mem::take(&mut known.listed).or(offer.listed.clone()),
            None => drop(offers.insert(recording.clone(), offer.clone())),
        }
    }
}

/// What an answer means for one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Fetch it from here.
    Offered(String),
    /// It was too short to be kept.
    TooShort,
    /// The answer speaks for all calls, and not of it.
    Silent,
    /// The answer does not speak of it, and does not speak for all calls.
    Unsaid,
}

impl CallLogAnswer {
    /// Judges one recording of a row. `shortRecording` names no recording: it is matched by party; a mark without a party
    /// counts only where it can mean nothing else: every part of the call is marked, and the recording is the only one
    /// that is unexplained. What is ambiguous waits.
    pub fn verdict(&self, row: &SessionRow, recording: &RecordingId) -> Verdict {
        if let Some(offer) = self.offered.get(recording) {
            return Verdict::Offered(offer.content_uri.clone());
        }
        let unexplained: Vec<_> =
            row.unfinished().into_iter().filter(|other| !self.offered.contains_key(*other)).collect();
        let alone = unexplained.as_slice() == [recording];
        let mut parties = row.parties_of(recording);
        let marked = parties.any(|party| {
            let mine = self.too_short.iter().flatten().any(|marked| marked == party);
            mine && !unexplained
                .iter()
                .any(|other| *other != recording && row.parties_of(other).any(|its| its == party))
        });
        let nothing_else = self.too_short.contains(&None) && self.too_short.len() >= self.parts;
        match () {
            () if marked || (alone && nothing_else) => Verdict::TooShort,
            () if self.whole => Verdict::Silent,
            () => Verdict::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::tests::{id, row};

    fn answer(offered: &[&str], too_short: &[Option<&str>]) -> CallLogAnswer {
        CallLogAnswer {
            records: 1,
            whole: true,
            parts: offered.len() + too_short.len(),
            offered: offered
                .iter()
                .map(|text| {
                    let content_uri = format!("https://media/{text}");
                    (id(RecordingId::parse, text), Offer { content_uri, listed: Listed::default() })
                })
                .collect(),
            too_short: too_short.iter().map(|party| party.map(|text| id(PartyId::parse, text))).collect(),
        }
    }

    #[test]
    fn verdicts() {
        let two = row(&["1|p-1", "2|p-2"], &["p-1", "p-2"]);
        let shared = row(&["1|p-1", "2|p-1"], &["p-1"]);
        let one = row(&["1|p-1"], &["p-1"]);
        for (case, row, answer, expected) in [
            ("offered", &two, answer(&["1"], &[]), Verdict::Offered("https://media/1".into())),
            ("not listed", &two, answer(&[], &[]), Verdict::Silent),
            ("its party is marked", &two, answer(&[], &[Some("p-1")]), Verdict::TooShort),
            ("another party is marked", &two, answer(&[], &[Some("p-2")]), Verdict::Silent),
            ("the party has two recordings", &shared, answer(&[], &[Some("p-1")]), Verdict::Silent),
            ("the other one of the party is offered", &shared, answer(&["2"], &[Some("p-1")]), Verdict::TooShort),
            ("a nameless mark, the only one left", &one, answer(&[], &[None]), Verdict::TooShort),
            ("a nameless mark beside another part", &one, answer(&["2"], &[None]), Verdict::Silent),
            ("a nameless mark, two left", &two, answer(&[], &[None]), Verdict::Silent),
            ("offered and marked", &one, answer(&["1"], &[None]), Verdict::Offered("https://media/1".into())),
        ] {
            assert_eq!(answer.verdict(row, &id(RecordingId::parse, "1")), expected, "{case}");
        }
    }

    #[test]
    fn what_further_records_say_of_a_call_is_added() {
        let logged = |running, said| LoggedCall { running, said, ..LoggedCall::default() };
        let mut call = LoggedCall::default();
        call.add(logged(true, answer(&["1"], &[])));
        call.add(logged(false, answer(&["2"], &[Some("p-1")])));
        assert!(call.running, "a part of it still runs");
        assert_eq!((call.said.records, call.said.parts, call.said.offered.len()), (2, 3, 2));
        assert!(call.said.whole);
        call.add(logged(false, CallLogAnswer { whole: false, ..answer(&[], &[]) }));
        assert!(!call.said.whole, "one record that does not speak for all");
        call.add(logged(false, answer(&[], &[])));
        assert!(!call.said.whole, "is not made good by another one");
    }

    #[test]
    fn the_silence_of_an_answer_that_does_not_speak_for_all_says_nothing() {
        let row = row(&["1|p-1"], &["p-1"]);
        let partial = |answer| CallLogAnswer { whole: false, ..answer };
        let verdict = |answer: CallLogAnswer| answer.verdict(&row, &id(RecordingId::parse, "1"));
        assert_eq!(verdict(partial(answer(&[], &[]))), Verdict::Unsaid);
        assert_eq!(verdict(partial(answer(&[], &[Some("p-1")]))), Verdict::TooShort);
        assert_eq!(verdict(partial(answer(&["1"], &[]))), Verdict::Offered("https://media/1".into()));
    }
}
