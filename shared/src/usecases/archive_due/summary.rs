//! What a run says of itself.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    describe::NotDescribed,
    look::{Bar, Look},
};
use crate::{
    domain::{
        ids::RecordingId,
        session::{SessionKey, SessionRow, Way},
    },
    usecases::stopped::Stopped,
};

/// Counts of one run. Recordings are counted as they stood when the run left their session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Sessions looked at.
    pub sessions: usize,
    /// Recordings in the bucket.
    pub archived: usize,
    /// Recordings to be tried again.
    pub waiting: usize,
    /// Recordings too short to be kept.
    pub too_short: usize,
    /// Recordings the call log never offered.
    pub unavailable: usize,
    /// Recordings the call log offered once and does not any more.
    pub deleted: usize,
    /// Recordings this run archived by the direct media URL.
    pub direct: usize,
    /// Recordings this run archived by the call log's `contentUri`.
    pub call_log: usize,
    /// Recordings this run found in the bucket already.
    pub adopted: usize,
    /// Keys, of recordings or of manifests, under which something else lies.
    pub conflicts: usize,
    /// Sessions that should be settled and have no manifest.
    pub undescribed: usize,
    /// Recordings archived by this run that are longer than the call log says, or shorter although recorded automatically.
    pub durations_differ: usize,
    /// Rows that cannot be read or written.
    pub unreadable: usize,
    /// Recordings the vendor lets our user not have.
    pub forbidden: usize,
    /// Recordings for which the call log names a host that no token may go to.
    pub foreign_hosts: usize,
    /// Sessions that were due when the run began.
    pub backlog: usize,
    /// How long the one due longest had been due then, seconds.
    pub oldest_due_seconds: u64,
    /// Time to the vendor's deletion of the oldest call that was left with a recording to fetch, less the time it takes to drain
    /// the backlog at the vendor's limit; seconds. None where no such call was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_seconds: Option<i64>,
    /// Why the run ended before everything due was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Each session's recordings by state, as they stood when the run left it.
    #[serde(skip)]
    looked_at: BTreeMap<SessionKey, [usize; 5]>,
    /// When the oldest call happened that was left with a recording to fetch, epoch milliseconds.
    #[serde(skip)]
    oldest_ms: Option<u64>,
}

impl Summary {
    /// A session was left like this.
    pub(super) fn count_session(&mut self, look: &Look) {
        self.looked_at.insert(look.row.key.clone(), look.row.counts());
        let barred = |by| look.barred.values().filter(|bar| **bar == by).count();
        self.forbidden += barred(Bar::Forbidden);
        self.foreign_hosts += barred(Bar::ForeignHost);
        let differs = |recording: &&RecordingId| look.row.result(recording).duration_is_odd();
        self.durations_differ += look.tried.iter().filter(differs).count();
        self.count_closed(look);
    }

    /// A session was closed, looked at or not.
    pub(super) fn count_closed(&mut self, look: &Look) {
        self.left(&look.row);
        self.undescribed += usize::from(look.undescribed.is_some());
        self.conflicts += usize::from(matches!(look.undescribed, Some(NotDescribed::Conflict)));
    }

    /// A row as it was left: only what is not archived yet can be too late.
    fn left(&mut self, row: &SessionRow) {
        let happened_ms = (!row.unfinished().is_empty()).then_some(row.happened_ms);
        self.oldest_ms = [self.oldest_ms, happened_ms].into_iter().flatten().min();
    }

    /// Adds what was counted beside it.
    pub(super) fn add(&mut self, other: Self) {
        self.direct += other.direct;
        self.call_log += other.call_log;
        self.adopted += other.adopted;
        self.conflicts += other.conflicts;
        self.durations_differ += other.durations_differ;
        self.undescribed += other.undescribed;
        self.unreadable += other.unreadable;
        self.forbidden += other.forbidden;
        self.foreign_hosts += other.foreign_hosts;
        self.looked_at.extend(other.looked_at);
        self.oldest_ms = [self.oldest_ms, other.oldest_ms].into_iter().flatten().min();
    }

    /// How many sessions were looked at so far.
    pub(super) fn sessions_so_far(&self) -> usize {
        self.looked_at.len()
    }

    /// Sums up. The vendor keeps a recording for `retention_ms` and gives out one in `pace_ms`, milliseconds.
    pub(super) fn conclude(&mut self, now_ms: u64, retention_ms: u64, pace_ms: u64) {
        let [archived, waiting, too_short, unavailable, deleted] =
            self.looked_at.values().fold([0; 5], |sum, row| [0, 1, 2, 3, 4].map(|state| sum[state] + row[state]));
        self.sessions = self.looked_at.len();
        (self.archived, self.waiting) = (archived, waiting);
        (self.too_short, self.unavailable, self.deleted) = (too_short, unavailable, deleted);
        self.slack_seconds = self.oldest_ms.map(|happened_ms| {
            let deleted_ms = i128::from(happened_ms) + i128::from(retention_ms);
            let drained_ms = i128::from(now_ms) + self.backlog as i128 * i128::from(pace_ms);
            let slack_s = (deleted_ms - drained_ms).div_euclid(1000);
            i64::try_from(slack_s).unwrap_or(if slack_s < 0 { i64::MIN } else { i64::MAX })
        });
    }

    pub(super) fn count_way(&mut self, way: Way) {
        match way {
            Way::Direct => self.direct += 1,
            Way::CallLog => self.call_log += 1,
            Way::Adopted => self.adopted += 1,
        }
    }
}

#[cfg(test)]
mod tests;
