//! What must always hold (DESIGN §6), asked after every step, and what must hold in the end.

mod facts;
mod foreseen;
mod needless;
mod offered;
mod overseen;
mod share;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

pub(crate) use foreseen::Foreseen;
use shared::domain::{
    day::millis,
    ids::RecordingId,
    manifest::Manifest,
    object_key::ObjectKey,
    session::{RecordingResult, RecordingState, Schedule, SessionKey, SessionRow},
};

use crate::{
    executor::Time,
    functions::Acknowledged,
    knobs::Knobs,
    logs::Logs,
    memory::{MemoryBucket, MemoryTable, StoredObject},
    trace::Trace,
    vendor::Vendor,
    world::HOUR_MS,
};

/// Watches one world.
pub(crate) struct Judge {
    time: Time,
    trace: Trace,
    logs: Logs,
    table: MemoryTable,
    bucket: MemoryBucket,
    vendor: Vendor,
    schedule: Schedule,
    knobs: Knobs,
    confirmed: Rc<RefCell<BTreeSet<ObjectKey>>>,
    foreseen: Foreseen,
    rows: BTreeMap<SessionKey, SessionRow>,
    /// When each row has changed last, epoch milliseconds.
    changed_ms: BTreeMap<SessionKey, u64>,
    objects: BTreeMap<RecordingId, ObjectKey>,
    /// How much of what the vendor received has been looked at.
    received: usize,
    restores: u32,
    /// Recordings that lay in the bucket when the table was made an older one that did not know so.
    unknown_since_restore: BTreeSet<RecordingId>,
    violations: Vec<String>,
}

impl Judge {
    /// Watches a world in which happens what is foreseen.
    pub(crate) fn new(
        (time, trace, logs): (Time, Trace, Logs),
        table: MemoryTable,
        bucket: MemoryBucket,
        vendor: Vendor,
        (schedule, knobs): (Schedule, Knobs),
        foreseen: Foreseen,
    ) -> Self {
        Self {
            schedule,
            knobs,
            confirmed: vendor.crossing.confirmed.clone(),
            foreseen,
            time,
            trace,
            logs,
            table,
            bucket,
            vendor,
            rows: BTreeMap::new(),
            changed_ms: BTreeMap::new(),
            objects: BTreeMap::new(),
            received: 0,
            restores: 0,
            unknown_since_restore: BTreeSet::new(),
            violations: Vec::new(),
        }
    }

    /// Looks at what the last step changed; false if something is wrong.
    pub(crate) fn look(&mut self) -> bool {
        for key in self.bucket.changed() {
            self.look_at_object(&key);
        }
        if self.restores != self.table.restores() {
            self.follow_the_restore();
        }
        for key in self.table.changed() {
            self.look_at_row(&key);
        }
        for line in self.logs.take() {
            if let Some(private) = self.foreseen.private_in(&line) {
                self.complain(format!("a log line says {private:?}: {line}"));
            }
            self.trace.line(format_args!("log {line}"));
        }
        self.look_at_sign_ins();
        for wrong in self.vendor.wrongs.take() {
            self.complain(wrong);
        }
        self.violations.is_empty()
    }

    /// Looks at the whole once everything has come to rest. `acknowledged` is what the vendor was told had been recorded.
    pub(crate) fn conclude(&mut self, acknowledged: &[Acknowledged]) {
        for event in acknowledged {
            self.look_for(&serde_json::from_slice(event).unwrap_or_default());
        }
        self.compare_orders(acknowledged);
        self.look_at_endings(true);
    }

    /// Looks at what has become of every recording. One that still waits is wrong if everything has come to rest.
    pub(crate) fn look_at_endings(&mut self, at_rest: bool) {
        let keys: Vec<SessionKey> = self.table.with_rows(|rows| rows.keys().cloned().collect());
        let mut stray = self.objects.clone();
        for key in keys {
            let Some(stored) = self.table.row(&key) else { continue };
            let waits =
                |recording: &&RecordingId| !self.foreseen.truth(recording).is_some_and(|truth| truth.out_of_reach);
            if at_rest && stored.queued && stored.row.unfinished().iter().any(waits) {
                self.complain(format!("{} has not come to rest", stored.row.key.session));
            }
            if !stored.queued && !stored.row.heard.is_empty() {
                self.look_at_manifest(&stored.row);
            }
            for recording in stored.row.recordings() {
                let state = stored.row.result(recording).state;
                if at_rest || state.is_final() {
                    self.look_at_ending(&stored.row, recording);
                }
                if state == RecordingState::Archived {
                    stray.remove(recording);
                }
            }
        }
        // What no row knows since an older table took the place of the one that did, only the call log can tell of.
        stray.retain(|recording, _| !self.unknown_since_restore.contains(recording) || self.is_listed(recording));
        for key in stray.values().filter(|_| at_rest) {
            self.complain(format!("no row knows that {key} is archived"));
        }
    }

    /// The table is an older one: what its rows say now is what they must go on from.
    fn follow_the_restore(&mut self) {
        self.restores = self.table.restores();
        let rows =
            self.table.with_rows(|rows| rows.iter().map(|(key, stored)| (key.clone(), stored.row.clone())).collect());
        self.rows = rows;
        let is_archived = |row: &SessionRow, one: &RecordingId| row.result(one).state == RecordingState::Archived;
        let unknown = self.objects.keys().filter(|one| !self.rows.values().any(|row| is_archived(row, one)));
        self.unknown_since_restore.extend(unknown.cloned());
    }

    /// When a recording was archived, epoch milliseconds, if it is.
    pub(crate) fn archived_at_ms(&self, recording: &RecordingId) -> Option<u64> {
        self.table.with_rows(|rows| {
            let results = rows.values().filter_map(|stored| stored.row.results.get(recording));
            results.filter(|result| result.state == RecordingState::Archived).map(|result| result.at_ms).min()
        })
    }

    /// What was found wrong so far.
    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    fn look_at_object(&mut self, key: &ObjectKey) {
        let Some(object) = self.bucket.object(key) else { return self.complain(format!("{key} has vanished")) };
        let Some(origin) = object.origin else { return self.complain(format!("{key} says not whose it is")) };
        if let Some(other) = self.objects.insert(origin.recording.clone(), key.clone()) {
            self.complain(format!("{} was stored twice: {other}, {key}", origin.recording));
        }
        if self.vendor.core.borrow().audio_of(origin.recording.as_str()).as_deref() != Some(&object.bytes[..]) {
            self.complain(format!("{key} does not hold the vendor's bytes"));
        }
    }

    fn look_at_row(&mut self, key: &SessionKey) {
        let Some(stored) = self.table.row(key) else { return self.complain(format!("{} has vanished", key.session)) };
        let row = stored.row;
        let watched = stored.queued && stored.due_at_ms.is_some();
        if !row.unfinished().is_empty() && !watched {
            self.complain(format!("{} has unfinished recordings and nobody will look", key.session));
        }
        for (recording, result) in row.results.iter().filter(|(_, result)| result.state == RecordingState::Archived) {
            let confirmed = |key: &&ObjectKey| self.confirmed.borrow().contains(*key);
            let key = result.key.as_ref().filter(confirmed);
            let is_stored = |key, sha256: &String, size_bytes| {
                let object = |objects: &BTreeMap<ObjectKey, StoredObject>| {
                    objects.get(key).is_some_and(|object| {
                        let sized = object.bytes.len() as u64 == size_bytes;
                        sized && object.sha256 == *sha256 && object.verified.is_some()
                    })
                };
                self.bucket.with_objects(object)
            };
            let archived = result.archived.as_ref();
            let proven = key.zip(archived).is_some_and(|(key, it)| is_stored(key, &it.sha256, it.size_bytes));
            if !proven {
                self.complain(format!("{recording} is called archived, and the bucket has not confirmed it"));
            }
        }
        self.changed_ms.insert(key.clone(), self.time.now_ms());
        if let Some(before) = self.rows.remove(key) {
            self.compare(&before, &row);
        }
        self.rows.insert(key.clone(), row);
    }

    /// A settled session is described in the bucket, as it stands in the row.
    fn look_at_manifest(&mut self, row: &SessionRow) {
        let kept = row.manifest.as_ref().map(|kept| self.bucket.document(&kept.key));
        let Some(manifest) = kept.flatten().and_then(|json| Manifest::parse(&json).ok()).filter(|it| it.key == row.key)
        else {
            return self.complain(format!("{} is settled without a manifest", row.key.session));
        };
        for recording in row.recordings() {
            let (told, result) = (manifest.recordings.get(recording).map(|told| &told.result), row.result(recording));
            // An object that a later look found again is told of as the first one that stored it did.
            let sha256 = |result: &RecordingResult| result.archived.as_ref().map(|archived| archived.sha256.clone());
            let ending = |result: &RecordingResult| (result.state, result.key.clone().zip(sha256(result)));
            if told.map(ending) != Some(ending(&result)) {
                self.complain(format!("the manifest tells of {recording} otherwise than the row"));
            }
        }
    }

    fn compare(&mut self, before: &SessionRow, after: &SessionRow) {
        let session = &after.key.session;
        if !before.heard.is_subset(&after.heard) || !before.ended.is_subset(&after.ended) {
            self.complain(format!("{session} has forgotten facts"));
        }
        if before.day != after.day {
            self.complain(format!("{session} has changed its day"));
        }
        for (recording, result) in &before.results {
            let now = after.result(recording);
            if result.state == RecordingState::Archived && now.archived != result.archived {
                self.complain(format!("{recording} was archived and no longer is"));
            }
            if result.state.is_final() && !now.state.is_final() {
                self.complain(format!("{recording} had ended and waits again"));
            }
        }
    }

    fn look_at_ending(&mut self, row: &SessionRow, recording: &RecordingId) {
        let result = row.result(recording);
        let Some(truth) = self.foreseen.truth(recording) else {
            return self.complain(format!("{recording} is none of the vendor's"));
        };
        let fits = match result.state {
            RecordingState::Waiting => truth.out_of_reach,
            RecordingState::Archived => !truth.too_short,
            RecordingState::TooShort => truth.too_short,
            RecordingState::Unavailable => !truth.must_be_archived && !truth.never_denied,
            RecordingState::Deleted => !truth.never_denied && self.was_listed_and_deleted(recording, result.at_ms),
        };
        let silent_ms = result.silent_since_ms.map(|since_ms| result.at_ms.saturating_sub(since_ms));
        let evident = match result.state {
            RecordingState::Waiting | RecordingState::Archived => true,
            RecordingState::TooShort => result.reason.is_some(),
            RecordingState::Deleted => silent_ms.is_some_and(|ms| ms >= HOUR_MS),
            RecordingState::Unavailable => silent_ms.is_some_and(|ms| ms >= millis(self.schedule.unlisted_after)),
        };
        if !fits || !evident {
            let reason = result.reason.unwrap_or_default();
            self.complain(format!("{recording} ended as {}: {reason}", result.state.name()));
        }
    }

    /// Says that something is wrong.
    pub(crate) fn complain(&mut self, what: String) {
        self.trace.line(format_args!("VIOLATION {what}"));
        self.violations.push(format!("at {}: {what}", self.time.now_ms()));
    }

    /// How many recordings the table knows, by state in the order archived, waiting, too short, unavailable, deleted.
    pub(crate) fn counts(&self) -> [usize; 5] {
        self.table.with_rows(|rows| {
            rows.values()
                .map(|stored| stored.row.counts())
                .fold([0; 5], |sum, row| [0, 1, 2, 3, 4].map(|n| sum[n] + row[n]))
        })
    }
}
