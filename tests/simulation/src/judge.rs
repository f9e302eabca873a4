//! What must always hold (DESIGN §6), asked after every step, and what must hold in the end.

use std::collections::BTreeMap;

use ringcentral_sim::{
    core::RateGroup,
    world::{Direct, ListedAt, Script},
};
use shared::domain::{
    ids::RecordingId,
    notification::SessionFacts,
    object_key::ObjectKey,
    session::{Heard, RecordingState, SessionKey, SessionRow},
};

use crate::{
    executor::Time,
    logs::Logs,
    memory::{MemoryBucket, MemoryTable},
    trace::Trace,
    vendor::Vendor,
};

/// Parts of secrets, tokens, numbers and names of the simulated world; none may be in a log line.
const PRIVATE: [&str; 6] = ["SIM", "sim-secret", "sim.jwt", "+1650555", "CALLER", "Agent"];

/// Length of the vendor's penalty, milliseconds.
const PENALTY_MS: u64 = 60_000;

/// What the vendor will do with a recording, known beforehand.
struct Truth {
    too_short: bool,
    /// Sooner or later it can be had, and stays.
    must_be_archived: bool,
}

/// Watches one world.
pub(crate) struct Judge {
    time: Time,
    trace: Trace,
    logs: Logs,
    table: MemoryTable,
    bucket: MemoryBucket,
    vendor: Vendor,
    truth: BTreeMap<String, Truth>,
    rows: BTreeMap<SessionKey, SessionRow>,
    objects: BTreeMap<RecordingId, ObjectKey>,
    requests: usize,
    refused_ms: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
}

impl Judge {
    /// Watches a world in which `scripts` will happen.
    pub(crate) fn new(
        (time, trace, logs): (Time, Trace, Logs),
        table: MemoryTable,
        bucket: MemoryBucket,
        vendor: Vendor,
        scripts: &[Script],
    ) -> Self {
        Self {
            time,
            trace,
            logs,
            table,
            bucket,
            vendor,
            truth: scripts.iter().flat_map(truths).collect(),
            rows: BTreeMap::new(),
            objects: BTreeMap::new(),
            requests: 0,
            refused_ms: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// Looks at what the last step changed; false if something is wrong.
    pub(crate) fn look(&mut self) -> bool {
        for key in self.bucket.changed() {
            self.look_at_object(&key);
        }
        for key in self.table.changed() {
            self.look_at_row(&key);
        }
        self.look_at_requests();
        for line in self.logs.take() {
            if let Some(private) = PRIVATE.iter().find(|private| line.contains(**private)) {
                self.complain(format!("a log line says {private:?}: {line}"));
            }
            self.trace.line(format_args!("log {line}"));
        }
        for host in self.vendor.leaks.take() {
            self.complain(format!("a token was sent to {host}"));
        }
        self.violations.is_empty()
    }

    /// Looks at the whole once everything has come to rest. `acknowledged` is what the vendor was told had been recorded.
    pub(crate) fn conclude(&mut self, acknowledged: &[SessionFacts]) {
        for facts in acknowledged {
            self.look_for(facts);
        }
        let rows: Vec<_> = self.table.with_rows(|rows| rows.values().cloned().collect());
        let mut stray = self.objects.clone();
        for stored in rows {
            if stored.queued {
                self.complain(format!("{} has not come to rest", stored.row.key.session));
            }
            for recording in stored.row.recordings() {
                self.look_at_ending(&stored.row, recording);
                if stored.row.result(recording).state == RecordingState::Archived {
                    stray.remove(recording);
                }
            }
        }
        for key in stray.values() {
            self.complain(format!("no row knows that {key} is archived"));
        }
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
            let object = result.key.as_ref().and_then(|key| self.bucket.object(key));
            let proven = object.zip(result.archived.as_ref()).is_some_and(|(object, archived)| {
                object.sha256.as_ref() == Some(&archived.sha256) && object.bytes.len() as u64 == archived.size_bytes
            });
            if !proven {
                self.complain(format!("{recording} is called archived, and the bucket does not hold it"));
            }
        }
        if let Some(before) = self.rows.insert(key.clone(), row.clone()) {
            self.compare(&before, &row);
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

    /// A request inside the penalty of a refusal restarts it (API.md §0.2).
    fn look_at_requests(&mut self) {
        let core = self.vendor.core.borrow();
        let new: Vec<_> = core.requests()[self.requests..].iter().map(|served| (served.group, served.status)).collect();
        drop(core);
        self.requests += new.len();
        for (group, status) in new {
            let Some(group) = group.map(RateGroup::name) else { continue };
            let now_ms = self.time.now_ms();
            let inside = self.refused_ms.get(group).is_some_and(|refused_ms| now_ms < refused_ms + PENALTY_MS);
            if inside {
                self.complain(format!("a request of group {group} was sent inside a penalty"));
            }
            if status == 429 {
                self.refused_ms.insert(group, now_ms);
            }
        }
    }

    /// What was acknowledged must be in the table: the vendor says nothing twice.
    fn look_for(&mut self, facts: &SessionFacts) {
        let key = SessionKey { account: facts.account.clone(), session: facts.session.clone() };
        let row = self.table.row(&key).map(|stored| stored.row);
        for party in facts.parties.iter().filter(|_| facts.of_interest()) {
            let heard = |recording: &RecordingId| Heard { recording: recording.clone(), party: party.id.clone() };
            let all_heard = |row: &SessionRow| party.recordings.iter().all(|it| row.heard.contains(&heard(it)));
            let end_known = |row: &SessionRow| !party.ended || party.id.iter().all(|id| row.ended.contains(id));
            if !row.as_ref().is_some_and(|row| all_heard(row) && end_known(row)) {
                self.complain(format!("{} lacks what was acknowledged", key.session));
            }
        }
    }

    fn look_at_ending(&mut self, row: &SessionRow, recording: &RecordingId) {
        let result = row.result(recording);
        let Some(truth) = self.truth.get(recording.as_str()) else {
            return self.complain(format!("{recording} is none of the vendor's"));
        };
        let fits = match result.state {
            RecordingState::Waiting => false,
            RecordingState::Archived => !truth.too_short,
            RecordingState::TooShort => truth.too_short,
            RecordingState::Unavailable => !truth.must_be_archived,
        };
        let evident = result.state == RecordingState::Archived || result.reason.is_some();
        if !fits || !evident {
            let reason = result.reason.unwrap_or_default();
            self.complain(format!("{recording} ended as {}: {reason}", result.state.name()));
        }
    }

    fn complain(&mut self, what: String) {
        self.trace.line(format_args!("VIOLATION {what}"));
        self.violations.push(format!("at {}: {what}", self.time.now_ms()));
    }

    /// How many recordings the table knows, by state in the order archived, waiting, too short, unavailable.
    pub(crate) fn counts(&self) -> [usize; 4] {
        self.table.with_rows(|rows| {
            rows.values()
                .map(|stored| stored.row.counts())
                .fold([0; 4], |sum, row| [0, 1, 2, 3].map(|n| sum[n] + row[n]))
        })
    }
}

fn truths(script: &Script) -> impl Iterator<Item = (String, Truth)> {
    let listed = script.call.listed_after_ms.is_some();
    script.recordings.iter().map(move |recording| {
        let heals = recording.spoilt_answers != u32::MAX;
        let moved = recording.listed_at != ListedAt::Media;
        let by_direct = !moved && (heals || recording.direct == Direct::Served);
        let by_log = listed && !matches!(recording.listed_at, ListedAt::Other(_));
        let stays = recording.ready_after_ms.is_some() && recording.deleted_after_ms.is_none();
        let must_be_archived = !recording.too_short && stays && (by_direct || by_log);
        (recording.id.clone(), Truth { too_short: recording.too_short, must_be_archived })
    })
}
