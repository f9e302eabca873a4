//! Objects that nobody names under this key.

use std::collections::{BTreeMap, BTreeSet};

use super::{DefectClass, Evidence, evidence::object_of};
use crate::domain::{
    ids::RecordingId,
    manifest::Found,
    object_key::ObjectKey,
    session::{RecordingState, SessionRow},
};

impl Evidence {
    /// Recordings of the day that no row and no manifest knows anything of: their metadata must tell whose they are.
    pub fn unknown(&self) -> Vec<ObjectKey> {
        let (named, heard) = (self.named(), self.heard());
        let told = self.archived_by_manifests();
        let unnamed = self.unnamed(&named);
        unnamed
            .filter(|key| self.recording_at(key).is_some_and(|id| !heard.contains_key(&id) && !told.contains(&id)))
            .cloned()
            .collect()
    }

    /// Objects that should not lie where they lie.
    pub(super) fn strays(&self) -> Vec<(DefectClass, ObjectKey)> {
        let (named, heard) = (self.named(), self.heard());
        let told = self.archived_by_manifests();
        let recordings = self.unnamed(&named).filter_map(|key| {
            let Some(recording) = self.recording_at(key) else { return Some((DefectClass::StrayObject, key)) };
            let row = heard.get(&recording);
            if row.is_some_and(|row| self.moving.contains(&row.key)) {
                return None;
            }
            if told.contains(&recording) {
                return Some((DefectClass::Duplicate, key));
            }
            match row.map(|row| row.result(&recording).state) {
                Some(RecordingState::Archived) => Some((DefectClass::Duplicate, key)),
                // Somebody may be about to adopt it.
                Some(RecordingState::Waiting) => None,
                Some(RecordingState::TooShort | RecordingState::Unavailable | RecordingState::Deleted) => {
                    Some((DefectClass::StrayObject, key))
                }
                None if self.is_ours(key, &recording) => None,
                None => Some((DefectClass::StrayObject, key)),
            }
        });
        let documents = self.manifests.iter().filter(|(_, read)| read.manifest.is_none());
        let documents = documents.filter(|(key, _)| !self.is_kept(key)).map(|(key, _)| (DefectClass::StrayObject, key));
        recordings.chain(documents).map(|(class, key)| (class, key.clone())).collect()
    }

    /// Whether the recording is told of as one without a row, which is defect enough.
    fn is_ours(&self, key: &ObjectKey, recording: &RecordingId) -> bool {
        self.origins.contains_key(key) || self.offered.values().any(|offers| offers.contains_key(recording))
    }

    /// Whether a row knows a document as its manifest.
    fn is_kept(&self, key: &ObjectKey) -> bool {
        self.rows.values().any(|row| row.manifest.as_ref().is_some_and(|kept| kept.key == *key))
    }

    fn unnamed<'a>(&'a self, named: &BTreeSet<&ObjectKey>) -> impl Iterator<Item = &'a ObjectKey> {
        let prefix = self.recordings_prefix();
        let of_the_day = self.objects.iter().filter(move |(key, _)| key.as_str().starts_with(&prefix));
        of_the_day.map(|(key, _): (_, &Found)| key).filter(move |key| !named.contains(key))
    }

    /// Keys that rows and manifests name.
    fn named(&self) -> BTreeSet<&ObjectKey> {
        let of_rows = self.rows.values().flat_map(|row| row.results.values()).filter_map(|result| result.key.as_ref());
        let manifests = self.manifests.values().filter_map(|read| read.manifest.as_ref());
        let of_manifests = manifests.flat_map(|manifest| manifest.recordings.values()).filter_map(object_of);
        of_rows.chain(of_manifests.map(|(key, _)| key)).collect()
    }

    /// Recordings by the row that has heard of them.
    fn heard(&self) -> BTreeMap<RecordingId, &SessionRow> {
        let recordings = |row: &SessionRow| -> Vec<_> { row.recordings().into_iter().cloned().collect() };
        let of_rows = self.rows.values().flat_map(|row| recordings(row).into_iter().map(move |id| (id, row)));
        of_rows.collect()
    }

    fn archived_by_manifests(&self) -> BTreeSet<RecordingId> {
        let manifests = self.manifests.values().filter_map(|read| read.manifest.as_ref());
        let recordings = manifests.flat_map(|manifest| &manifest.recordings);
        recordings.filter(|(_, told)| object_of(told).is_some()).map(|(id, _)| id.clone()).collect()
    }

    /// The recording an object is of, if its key is one that this program writes.
    fn recording_at(&self, key: &ObjectKey) -> Option<RecordingId> {
        key.recording().filter(|recording| key.is_of(&self.account, recording))
    }
}
