//! Nothing that the vendor's call log lists may be unknown in the end.

use shared::domain::{ids::RecordingId, session::SessionRow};

use super::Judge;

impl Judge {
    /// Whether the call log had listed a recording before the vendor deleted it, and that was before `at_ms`, epoch
    /// milliseconds.
    pub(super) fn was_listed_and_deleted(&self, recording: &RecordingId, at_ms: u64) -> bool {
        let core = self.vendor.core.borrow();
        let deleted = core.offered().find(|one| one.recording_id == recording.as_str()).and_then(|one| {
            let (listed_at_ms, deleted_at_ms) = (one.listed_at_ms?, one.deleted_at_ms?);
            Some(listed_at_ms <= deleted_at_ms && deleted_at_ms <= at_ms)
        });
        deleted.unwrap_or(false)
    }

    /// Whether the call log lists a recording, and the vendor still has it.
    pub(super) fn is_listed(&self, recording: &RecordingId) -> bool {
        let now_ms = self.time.now_ms();
        let core = self.vendor.core.borrow();
        let is_past = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let mut offered = core.offered().filter(|one| one.recording_id == recording.as_str());
        offered.any(|one| is_past(one.listed_at_ms) && !is_past(one.deleted_at_ms))
    }

    /// Every recording that the call log lists and that still exists must have been heard of, whoever told. What becomes of
    /// those that were is looked at elsewhere.
    pub(crate) fn look_for_missing(&mut self) {
        let now_ms = self.time.now_ms();
        let offered: Vec<_> = self.vendor.core.borrow().offered().collect();
        let stays = |at_ms: Option<u64>| at_ms.is_none_or(|at_ms| at_ms > now_ms);
        let listed = offered.into_iter().filter(|one| {
            one.listed_at_ms.is_some_and(|at_ms| at_ms <= now_ms) && !one.never_ready && stays(one.deleted_at_ms)
        });
        for one in listed {
            let heard = self.table.with_rows(|rows| {
                let of_call = |row: &SessionRow| row.key.session.as_str() == one.telephony_session_id;
                let rows = rows.values().map(|stored| &stored.row).filter(|row| of_call(row));
                rows.flat_map(|row| row.recordings()).any(|recording| recording.as_str() == one.recording_id)
            });
            if !heard {
                self.complain(format!("the call log lists {}, and no row has heard of it", one.recording_id));
            }
        }
    }
}
