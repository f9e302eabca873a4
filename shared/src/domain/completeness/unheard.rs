//! What manifests, objects and the call log know, and no row says.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    About, DayProof, DefectClass, Evidence,
    evidence::{count_ended, object_of},
};
use crate::domain::{
    ids::{RecordingId, TelephonySessionId},
    object_key::ObjectKey,
    session::{ArchivedBytes, RecordingState, SessionRow},
};

/// A recording that somebody knows and no row has heard of.
struct Unheard {
    session: TelephonySessionId,
    /// How a manifest says it ended, if nobody knows it otherwise; archived only where the object proves it.
    ended: Option<RecordingState>,
}

impl Evidence {
    /// Recordings that no row has heard of. What a manifest and its object prove is archived all the same.
    pub(super) fn judge_unheard(&self, proof: &mut DayProof) {
        for (recording, Unheard { session, ended }) in self.unheard() {
            match ended {
                Some(state) => count_ended(state, &mut proof.counts),
                None => drop(proof.missing.insert(recording.clone())),
            }
            proof.add(DefectClass::MissingRow, About::Recording { recording, session });
        }
    }

    /// What cannot be looked at waits: it is neither proved nor missing.
    pub(super) fn leave_undecided(&self, proof: &mut DayProof) {
        let manifests = self.manifests.values().filter_map(|read| read.manifest.as_ref());
        for manifest in manifests.filter(|manifest| self.unreadable.contains(&manifest.key)) {
            for told in manifest.recordings.values() {
                match ended_without_object(told.result.state) {
                    Some(state) => count_ended(state, &mut proof.counts),
                    None => proof.counts.waiting += 1,
                }
            }
        }
        proof.waiting.extend(self.unreadable.iter().map(|key| key.session.clone()));
        proof.waiting.extend(self.refused.iter().filter_map(ObjectKey::session));
    }

    /// What manifests say to be archived of recordings that no row has heard of.
    pub(super) fn told_alone(&self) -> impl Iterator<Item = (&ObjectKey, &ArchivedBytes)> {
        let heard = self.heard_of();
        let manifests = self.manifests.values().filter_map(|read| read.manifest.as_ref());
        let told = manifests.flat_map(|manifest| &manifest.recordings);
        told.filter(move |(recording, _)| !heard.contains(recording)).filter_map(|(_, told)| object_of(told))
    }

    fn heard_of(&self) -> BTreeSet<&RecordingId> {
        self.rows.values().flat_map(SessionRow::recordings).collect()
    }

    /// Recordings that no row has heard of. Where a row has changed meanwhile or cannot be read, it may have.
    fn unheard(&self) -> BTreeMap<RecordingId, Unheard> {
        let heard = self.heard_of();
        let mut unheard = BTreeMap::new();
        let mut tell = |recording: &RecordingId, session: &TelephonySessionId, ended| {
            let key = self.key_of(session.clone());
            if heard.contains(recording) || self.moving.contains(&key) || self.unreadable.contains(&key) {
                return;
            }
            let known = unheard.entry(recording.clone());
            let known = known.or_insert(Unheard { session: session.clone(), ended });
            known.ended = known.ended.filter(|state| ended.is_some() || *state == RecordingState::Archived);
        };
        for manifest in self.manifests.values().filter_map(|read| read.manifest.as_ref()) {
            for (recording, told) in &manifest.recordings {
                let proved = object_of(told).is_some_and(|proof| self.disagreement(proof).is_none());
                let archived = Some(RecordingState::Archived).filter(|_| proved);
                tell(recording, &manifest.key.session, ended_without_object(told.result.state).or(archived));
            }
        }
        for (session, offers) in &self.offered {
            offers.keys().for_each(|recording| tell(recording, session, None));
        }
        for (key, session) in &self.origins {
            if let Some(recording) = key.recording() {
                tell(&recording, session, None);
            }
        }
        unheard
    }
}

/// An ending that leaves nothing to look for.
fn ended_without_object(state: RecordingState) -> Option<RecordingState> {
    match state {
        RecordingState::TooShort | RecordingState::Unavailable | RecordingState::Deleted => Some(state),
        RecordingState::Waiting | RecordingState::Archived => None,
    }
}
