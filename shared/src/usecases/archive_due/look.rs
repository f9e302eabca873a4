//! A session in hand.

use std::collections::BTreeMap;

use super::{Shift, describe::NotDescribed};
use crate::{
    domain::{
        call_log::{CallLogAnswer, Listed, Offers},
        ids::RecordingId,
        session::{Heard, KeptManifest, RecordingResult, RecordingState, Schedule, SessionRow, Standing},
    },
    ports::session_store::Found,
};

/// The row as last read, with what this look has found out on top.
pub(super) struct Look {
    pub(super) row: SessionRow,
    /// Looks taken when it was claimed, this one included.
    pub(super) attempts: u32,
    pub(super) standing: Standing,
    /// The run that has it in hand: if this look comes to no end, the session becomes due again at its deadline.
    pub(super) shift: Shift,
    /// Results to be written back.
    pub(super) changed: BTreeMap<RecordingId, RecordingResult>,
    /// Facts to be written back.
    pub(super) found: Found,
    /// The session's manifest in the bucket, if this look found or wrote one.
    pub(super) manifest: Option<KeptManifest>,
    /// Why the session has no manifest although it should.
    pub(super) undescribed: Option<NotDescribed>,
    /// What the call log said of recordings, for their results.
    listed: BTreeMap<RecordingId, Listed>,
    /// Recordings this look is through with.
    pub(super) tried: Vec<RecordingId>,
    /// Recordings that did not come by the way that was known: the call log is to say what is wrong.
    pub(super) missed: BTreeMap<RecordingId, Missed>,
    /// What the call log said of this very call, or why it did not.
    pub(super) answer: Option<Result<CallLogAnswer, String>>,
    /// Recordings that a person must see to, and why.
    pub(super) barred: BTreeMap<RecordingId, Bar>,
}

/// Why no further attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// The vendor says that our user may not have it.
    Forbidden,
    /// The call log names a host that no token may go to.
    ForeignHost,
}

/// A way that did not lead to the recording.
pub(super) struct Missed {
    pub(super) why: String,
    /// The address asked, if the call log had given one.
    pub(super) content_uri: Option<String>,
    /// Why no further attempt can help, if that is so.
    pub(super) bar: Option<Bar>,
    /// Whether the vendor said that there is no such recording.
    pub(super) denied: bool,
}

impl Look {
    pub(super) fn at(row: SessionRow, due_at_ms: u64, shift: Shift) -> Self {
        let mut look = Self {
            attempts: row.attempts,
            row,
            standing: Standing { runs: false, due_at_ms },
            shift,
            changed: BTreeMap::new(),
            found: Found::default(),
            manifest: None,
            undescribed: None,
            listed: BTreeMap::new(),
            tried: Vec::new(),
            missed: BTreeMap::new(),
            answer: None,
            barred: BTreeMap::new(),
        };
        look.take_offers_in();
        look
    }

    /// Takes over a newer row. What was found out meanwhile stays, but `archived` is never left, and no ending for waiting.
    pub(super) fn renew(&mut self, row: SessionRow) {
        self.changed.retain(|recording, result| {
            let newer = row.result(recording).state;
            newer != RecordingState::Archived && (result.state.is_final() || !newer.is_final())
        });
        self.row = row;
        self.row.results.extend(self.changed.clone());
        self.row.heard.extend(self.found.heard.clone());
        self.row.ended.extend(self.found.ended.clone());
        self.row.manifest = self.manifest.clone().or(self.row.manifest.take());
        self.take_offers_in();
        for (recording, listed) in self.listed.clone() {
            self.list(&recording, listed);
        }
    }

    /// Changes a result. `archived` is never left: another look may have come there first.
    pub(super) fn set(&mut self, recording: &RecordingId, result: RecordingResult) {
        let is_archived = |state| state == RecordingState::Archived;
        if is_archived(self.row.result(recording).state) && !is_archived(result.state) {
            return;
        }
        self.row.results.insert(recording.clone(), result.clone());
        self.changed.insert(recording.clone(), result);
    }

    /// Recordings that are ready and this look is not through with.
    pub(super) fn todo(&self, schedule: &Schedule, now_ms: u64) -> Vec<RecordingId> {
        let mut todo = self.row.to_fetch(schedule, self.standing.runs, now_ms);
        todo.retain(|recording| !self.tried.contains(recording));
        todo
    }

    /// The address at which the call log offers a recording, unless it has just been asked in vain.
    pub(super) fn address(&self, recording: &RecordingId) -> Option<String> {
        let content_uri = self.row.address(recording)?;
        let in_vain =
            self.missed.get(recording).is_some_and(|missed| missed.content_uri.as_ref() == Some(&content_uri));
        (!in_vain).then_some(content_uri)
    }

    /// Merges what the call log offers into the row. A recording no event told of becomes a fact of it.
    pub(super) fn learn(&mut self, offers: &Offers) {
        for (recording, offer) in offers {
            if !self.row.recordings().contains(recording) {
                self.hear([Heard { recording: recording.clone(), party: offer.listed.party.clone() }]);
            }
            let mut result = self.row.result(recording);
            if !result.state.is_final() && result.content_uri.as_ref() != Some(&offer.content_uri) {
                result.content_uri = Some(offer.content_uri.clone());
                result.silent_since_ms = None;
                self.set(recording, result);
            }
            let known = self.listed.remove(recording).unwrap_or_default();
            self.listed.insert(recording.clone(), known.or(offer.listed.clone()));
            self.list(recording, offer.listed.clone());
        }
    }

    /// Facts nobody told this row of.
    pub(super) fn hear(&mut self, heard: impl IntoIterator<Item = Heard>) {
        for heard in heard {
            if self.row.heard.insert(heard.clone()) {
                self.found.heard.insert(heard);
            }
        }
    }

    /// The bucket has this manifest of the session.
    pub(super) fn keep_manifest(&mut self, kept: KeptManifest) {
        if self.row.manifest.as_ref() != Some(&kept) {
            self.row.manifest = Some(kept.clone());
            self.manifest = Some(kept);
        }
    }

    /// What other looks left in the row becomes part of its results: they are what the manifest tells of.
    fn take_offers_in(&mut self) {
        for (recording, offer) in self.row.offers.clone() {
            let mut result = self.row.result(&recording);
            if !result.state.is_final() && result.content_uri.is_none() && result.silent_since_ms.is_none() {
                result.content_uri = Some(offer.content_uri);
                self.set(&recording, result);
            }
            self.list(&recording, offer.listed);
        }
    }

    /// Fills what is not known of a recording yet. Its ending is not touched.
    fn list(&mut self, recording: &RecordingId, listed: Listed) {
        let mut result = self.row.result(recording);
        let filled = result.listed.clone().unwrap_or_default().or(listed);
        if !filled.is_empty() && result.listed.as_ref() != Some(&filled) {
            result.listed = Some(filled);
            self.set(recording, result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        call_log::Offer,
        ids::PartyId,
        session::tests::{id, row},
    };

    const SHIFT: Shift = Shift { deadline_ms: 0, stop_ms: 0, body_ms: 0 };

    fn ids(texts: [&str; 2]) -> [RecordingId; 2] {
        texts.map(|text| id(RecordingId::parse, text))
    }

    #[test]
    fn a_newer_row_keeps_what_was_found_out_but_not_over_an_archived_recording() {
        let [first, second] = ids(["1", "2"]);
        let state = |state| RecordingResult { state, ..RecordingResult::default() };
        let mut look = Look::at(row(&["1|p", "2|p"], &["p"]), 0, SHIFT);
        look.set(&first, state(RecordingState::Waiting));
        look.set(&second, state(RecordingState::TooShort));
        let mut newer = row(&["1|p", "2|p", "3|p"], &["p"]);
        newer.results.insert(first.clone(), state(RecordingState::Archived));
        look.renew(newer);
        assert_eq!(look.row.result(&first).state, RecordingState::Archived);
        assert_eq!(look.row.result(&second).state, RecordingState::TooShort);
        assert_eq!(look.changed.keys().collect::<Vec<_>>(), [&second]);
        assert_eq!(look.row.heard.len(), 3);
    }

    #[test]
    fn an_ending_is_not_left_for_waiting() {
        let [first, _] = ids(["1", "2"]);
        let mut look = Look::at(row(&["1|p"], &["p"]), 0, SHIFT);
        look.set(&first, RecordingResult { reason: Some("503".into()), ..RecordingResult::default() });
        let mut newer = row(&["1|p"], &["p"]);
        newer
            .results
            .insert(first.clone(), RecordingResult { state: RecordingState::TooShort, ..RecordingResult::default() });
        look.renew(newer.clone());
        assert!(look.changed.is_empty() && look.row == newer);
    }

    #[test]
    fn offers_are_merged_and_what_no_event_told_of_becomes_a_fact() {
        let [first, second] = ids(["1", "2"]);
        let party = Some(id(PartyId::parse, "q"));
        let listed = Listed { party: party.clone(), ..Listed::default() };
        let offer = |content_uri: &str| Offer { content_uri: content_uri.into(), listed: listed.clone() };
        let mut look = Look::at(row(&["1|p"], &[]), 0, SHIFT);
        let silent = RecordingResult { silent_since_ms: Some(7), ..RecordingResult::default() };
        look.set(&first, silent);
        look.learn(&Offers::from([(first.clone(), offer("https://a/1")), (second.clone(), offer("https://a/2"))]));
        assert_eq!((look.address(&first), look.row.result(&first).silent_since_ms), (Some("https://a/1".into()), None));
        let heard = Heard { recording: second.clone(), party: party.clone() };
        assert_eq!(look.found.heard, [heard.clone()].into());
        look.renew(row(&["1|p"], &[]));
        assert!(look.row.heard.contains(&heard), "it stays on a newer row");
        look.missed.insert(
            second.clone(),
            Missed { why: "404".into(), content_uri: look.address(&second), bar: None, denied: true },
        );
        assert_eq!(look.address(&second), None, "not twice in vain");
        look.learn(&Offers::from([(second.clone(), offer("https://b/2"))]));
        assert_eq!(look.address(&second), Some("https://b/2".into()));
    }

    #[test]
    fn archived_is_never_left() {
        let [first, _] = ids(["1", "2"]);
        let mut look = Look::at(row(&["1|p"], &["p"]), 0, SHIFT);
        let mut newer = row(&["1|p"], &["p"]);
        let archived = RecordingResult { state: RecordingState::Archived, ..RecordingResult::default() };
        newer.results.insert(first.clone(), archived);
        look.renew(newer);
        look.set(&first, RecordingResult { reason: Some("503".into()), ..RecordingResult::default() });
        assert_eq!(look.row.result(&first).state, RecordingState::Archived);
        assert!(look.changed.is_empty());
    }

    #[test]
    fn an_archived_recording_is_not_disturbed_by_an_offer() {
        let [first, _] = ids(["1", "2"]);
        let mut look = Look::at(row(&["1|p"], &[]), 0, SHIFT);
        let archived = RecordingResult { state: RecordingState::Archived, ..RecordingResult::default() };
        look.row.results.insert(first.clone(), archived.clone());
        let offer = |listed| Offers::from([(first.clone(), Offer { content_uri: "https://a/1".into(), listed })]);
        look.learn(&offer(Listed::default()));
        assert!(look.changed.is_empty() && look.found == Found::default());

        let said = Listed { kind: Some("Automatic".into()), duration_s: Some(60), ..Listed::default() };
        look.learn(&offer(said.clone()));
        let filled = RecordingResult { listed: Some(said.clone()), ..archived.clone() };
        assert_eq!(look.changed, [(first.clone(), filled.clone())].into(), "only what is said of it is added");

        let otherwise = Listed { duration_s: Some(61), extension: Some("101".into()), ..Listed::default() };
        look.learn(&offer(otherwise.clone()));
        let filled = RecordingResult { listed: Some(said.or(otherwise)), ..filled };
        assert_eq!(look.row.result(&first), filled, "what is known stands, what is not is filled");

        let mut newer = row(&["1|p"], &["p"]);
        newer.results.insert(first.clone(), RecordingResult { at_ms: 9, ..archived });
        look.renew(newer);
        let listed = look.row.result(&first).listed;
        assert_eq!(look.changed[&first].at_ms, 9, "the newer row's ending stands");
        assert_eq!(listed.and_then(|listed| listed.kind).as_deref(), Some("Automatic"), "it stays on a newer row");
    }

    #[test]
    fn what_other_looks_left_in_the_row_becomes_part_of_its_results() {
        let [open, silent] = ids(["1", "2"]);
        let listed = Listed { kind: Some("OnDemand".into()), ..Listed::default() };
        let mut offered = row(&["1|p", "2|p"], &["p"]);
        for recording in [&open, &silent] {
            let offer = Offer { content_uri: "https://a/x".into(), listed: listed.clone() };
            offered.offers.insert(recording.clone(), offer);
        }
        offered
            .results
            .insert(silent.clone(), RecordingResult { silent_since_ms: Some(7), ..RecordingResult::default() });
        let look = Look::at(offered, 0, SHIFT);
        let [open, silent] = [&open, &silent].map(|recording| look.changed[recording].clone());
        assert_eq!((open.content_uri.as_deref(), open.listed), (Some("https://a/x"), Some(listed.clone())));
        assert_eq!((silent.content_uri, silent.listed), (None, Some(listed)), "silence has taken the address back");
    }
}
