//! What was found of a day, and what it comes to.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Counts, DayProof, Defect, DefectClass, Link, Offered};
use crate::domain::{
    day::Day,
    ids::{AccountId, RecordingId, TelephonySessionId},
    manifest::{Disagreement, Found, Manifest, ManifestRecording},
    object_key::ObjectKey,
    session::{ArchivedBytes, KeptManifest, RecordingState, SessionKey, SessionRow},
};

/// A document that lies under a manifest's key.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestRead {
    /// Which version of it was read.
    pub version: Option<String>,
    /// SHA-256 of its bytes, base64.
    pub sha256: String,
    /// What it says; none if it is no manifest of the call its key names.
    pub manifest: Option<Manifest>,
}

/// What was found of one account and UTC day. Rows are read after the queue and the listings, and what then seems to be
/// missing is looked for once more, so that nothing is taken for wrong that was only on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Whose.
    pub account: AccountId,
    /// The day of the keys.
    pub day: Day,
    /// Rows of every session that anything below names.
    pub rows: BTreeMap<SessionKey, SessionRow>,
    /// Sessions in the queue: their manifest may be yet to come, or older than the row.
    pub queued: BTreeSet<SessionKey>,
    /// Sessions whose row has changed while all this was read: what seems wrong with them is looked at another time.
    pub moving: BTreeSet<SessionKey>,
    /// Sessions whose row is not what this version writes.
    pub unreadable: BTreeSet<SessionKey>,
    /// Keys of which the bucket says nothing, whatever lies there.
    pub refused: BTreeSet<ObjectKey>,
    /// What lies under the manifests' keys of the day.
    pub manifests: BTreeMap<ObjectKey, ManifestRead>,
    /// What lies under the recordings' keys of the day, and under others that a row or a manifest names.
    pub objects: BTreeMap<ObjectKey, Found>,
    /// The session that an object of ours names in its metadata, where nothing else told.
    pub origins: BTreeMap<ObjectKey, TelephonySessionId>,
    /// What the call log offers of the day, as far as it was asked.
    pub offered: Offered,
}

impl Evidence {
    /// Nothing yet.
    pub fn new(account: AccountId, day: Day) -> Self {
        Self {
            account,
            day,
            rows: BTreeMap::new(),
            queued: BTreeSet::new(),
            moving: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            refused: BTreeSet::new(),
            manifests: BTreeMap::new(),
            objects: BTreeMap::new(),
            origins: BTreeMap::new(),
            offered: Offered::new(),
        }
    }

    /// Where the day's manifests lie.
    pub fn manifests_prefix(&self) -> String {
        format!("sessions/account={}/date={}/", self.account, self.day)
    }

    /// Where the day's recordings lie.
    pub fn recordings_prefix(&self) -> String {
        format!("recordings/account={}/date={}/", self.account, self.day)
    }

    /// Sessions that manifests, objects and the call log name.
    pub fn sessions(&self) -> BTreeSet<SessionKey> {
        let of_manifests = self.manifests.keys().chain(&self.refused).filter_map(ObjectKey::session);
        let named = of_manifests.chain(self.offered.keys().cloned()).chain(self.origins.values().cloned());
        named.map(|session| self.key_of(session)).collect()
    }

    /// Keys under which rows of the day say that archived bytes lie, or manifests of recordings no row has heard of, where
    /// what was found does not prove it.
    pub fn unproven(&self) -> Vec<(ObjectKey, Disagreement)> {
        let mut unproven = Vec::new();
        for row in self.rows.values().filter(|row| self.is_home(row)) {
            let proofs = row.recordings().into_iter().filter_map(|recording| self.proof(row, recording));
            unproven.extend(proofs.filter_map(|proof| Some((proof.0.clone(), self.disagreement(proof)?))));
        }
        unproven.extend(self.told_alone().filter_map(|proof| Some((proof.0.clone(), self.disagreement(proof)?))));
        unproven
    }

    /// Keys of manifests that rows of the day know otherwise.
    pub fn unlike(&self) -> Vec<ObjectKey> {
        let home = self.rows.values().filter(|row| self.is_home(row));
        home.filter_map(|row| self.spoiled_manifest(row)).map(|(_, kept)| kept.key.clone()).collect()
    }

    /// What it all comes to.
    pub fn judge(&self) -> DayProof {
        let mut proof = DayProof {
            account: self.account.clone(),
            day: self.day,
            counts: Counts::default(),
            missing: BTreeSet::new(),
            defects: BTreeSet::new(),
            waiting: BTreeSet::new(),
            manifests: self.manifests.iter().map(link).collect(),
        };
        for row in self.rows.values().filter(|row| self.is_home(row)) {
            self.judge_row(row, &mut proof);
        }
        self.judge_unheard(&mut proof);
        for (class, key) in self.strays() {
            proof.add(class, About::Object(key));
        }
        self.leave_undecided(&mut proof);
        proof.counts.missing = proof.missing.len();
        proof
    }

    fn judge_row(&self, row: &SessionRow, proof: &mut DayProof) {
        let settled = !self.queued.contains(&row.key) && !self.moving.contains(&row.key);
        if let Some((class, kept)) = self.spoiled_manifest(row).filter(|_| settled) {
            proof.add(class, About::Object(kept.key.clone()));
        }
        for recording in row.recordings() {
            let state = row.result(recording).state;
            if state != RecordingState::Archived {
                if !state.is_final() {
                    proof.wait(row);
                }
                count_ended(state, &mut proof.counts);
                continue;
            }
            match self.wrong(row, recording) {
                None if self.is_described(row, recording) => proof.counts.archived += 1,
                Some(_) | None if self.is_undecided(row, recording) => proof.wait(row),
                // A row that settles has its manifest first.
                None if !settled || row.manifest.is_none() => proof.wait(row),
                Some(_) if self.moving.contains(&row.key) => proof.wait(row),
                wrong => {
                    proof.missing.insert(recording.clone());
                    if let Some(class) = wrong {
                        let session = row.key.session.clone();
                        proof.add(class, About::Recording { recording: recording.clone(), session });
                    }
                }
            }
        }
    }

    /// Whether the bucket says nothing of the manifest or of the object of a recording.
    fn is_undecided(&self, row: &SessionRow, recording: &RecordingId) -> bool {
        let object = self.proof(row, recording).is_some_and(|(key, _)| self.refused.contains(key));
        object || self.refused.contains(&manifest_key(row))
    }

    /// What is wrong with the object of a recording that its row calls archived.
    fn wrong(&self, row: &SessionRow, recording: &RecordingId) -> Option<DefectClass> {
        let Some(proof) = self.proof(row, recording) else { return Some(DefectClass::EarlyArchived) };
        self.disagreement(proof).map(|disagreement| match disagreement {
            Disagreement::Missing if self.told(row, recording).is_some() => DefectClass::MissingObject,
            Disagreement::Missing => DefectClass::EarlyArchived,
            Disagreement::Size => DefectClass::WrongSize,
            Disagreement::Checksum | Disagreement::Unproven => DefectClass::ChangedBytes,
        })
    }

    /// The archived bytes, as the row knows them, and where it does not, as the manifest does.
    fn proof<'a>(&'a self, row: &'a SessionRow, recording: &RecordingId) -> Option<(&'a ObjectKey, &'a ArchivedBytes)> {
        let result = row.results.get(recording).filter(|result| result.state == RecordingState::Archived)?;
        let known = result.key.as_ref().zip(result.archived.as_ref());
        known.or_else(|| object_of(self.told(row, recording)?))
    }

    pub(super) fn disagreement(&self, (key, bytes): (&ObjectKey, &ArchivedBytes)) -> Option<Disagreement> {
        bytes.disagreement(self.objects.get(key))
    }

    /// What the session's manifest says of a recording that is archived.
    fn told(&self, row: &SessionRow, recording: &RecordingId) -> Option<&ManifestRecording> {
        let manifest = self.manifests.get(&manifest_key(row))?.manifest.as_ref()?;
        manifest.recordings.get(recording).filter(|told| told.result.state == RecordingState::Archived)
    }

    /// Whether the manifest says the same of a recording as its row.
    fn is_described(&self, row: &SessionRow, recording: &RecordingId) -> bool {
        let told = self.told(row, recording).and_then(object_of);
        let same = |(told, known): ((&ObjectKey, &ArchivedBytes), (&ObjectKey, &ArchivedBytes))| {
            told.0 == known.0 && told.1.sha256 == known.1.sha256
        };
        told.zip(self.proof(row, recording)).is_some_and(same)
    }

    /// The manifest a row has written, and how what lies there is not it.
    fn spoiled_manifest<'a>(&self, row: &'a SessionRow) -> Option<(DefectClass, &'a KeptManifest)> {
        let kept = row.manifest.as_ref()?;
        match self.manifests.get(&kept.key) {
            None if self.refused.contains(&kept.key) => None,
            None => Some((DefectClass::MissingObject, kept)),
            Some(read) if read.sha256 != kept.sha256 => Some((DefectClass::ChangedBytes, kept)),
            Some(_) => None,
        }
    }

    fn is_home(&self, row: &SessionRow) -> bool {
        row.key.account == self.account && day_of(row) == self.day
    }

    pub(super) fn key_of(&self, session: TelephonySessionId) -> SessionKey {
        SessionKey { account: self.account.clone(), session }
    }
}

impl DayProof {
    pub(super) fn add(&mut self, class: DefectClass, about: About) {
        self.defects.insert(Defect { class, about });
    }

    fn wait(&mut self, row: &SessionRow) {
        self.counts.waiting += 1;
        self.waiting.insert(row.key.session.clone());
    }
}

/// The day whose report tells of a session: where its manifest lies decides, or where it will lie.
pub fn day_of(row: &SessionRow) -> Day {
    manifest_key(row).day().unwrap_or(row.day)
}

/// Where the manifest of a session lies, or will.
fn manifest_key(row: &SessionRow) -> ObjectKey {
    let kept = row.manifest.as_ref().map(|kept| kept.key.clone());
    kept.unwrap_or_else(|| ObjectKey::manifest(&row.key.account, row.day, &row.key.session))
}

pub(super) fn object_of(told: &ManifestRecording) -> Option<(&ObjectKey, &ArchivedBytes)> {
    told.result.key.as_ref().zip(told.result.archived.as_ref())
}

fn link((key, read): (&ObjectKey, &ManifestRead)) -> Link {
    Link { key: key.clone(), version: read.version.clone(), sha256: read.sha256.clone() }
}

/// Counts a recording that does not wait.
pub(super) fn count_ended(state: RecordingState, counts: &mut Counts) {
    match state {
        RecordingState::TooShort => counts.too_short += 1,
        RecordingState::Unavailable => counts.unavailable += 1,
        RecordingState::Deleted => counts.deleted += 1,
        RecordingState::Archived => counts.archived += 1,
        RecordingState::Waiting => {}
    }
}
