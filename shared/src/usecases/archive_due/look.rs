//! A session in hand.

use std::collections::BTreeMap;

use crate::domain::{
    ids::RecordingId,
    session::{RecordingResult, RecordingState, SessionRow},
};

/// The row as last read, with what this look has found out on top.
pub(super) struct Look {
    pub(super) row: SessionRow,
    /// Looks taken when it was claimed, this one included.
    pub(super) attempts: u32,
    /// Results to be written back.
    pub(super) changed: BTreeMap<RecordingId, RecordingResult>,
    /// Recordings this look has tried.
    pub(super) tried: Vec<RecordingId>,
}

impl Look {
    pub(super) fn at(row: SessionRow) -> Self {
        Self { attempts: row.attempts, row, changed: BTreeMap::new(), tried: Vec::new() }
    }

    /// Takes over a newer row. What was found out meanwhile stays, but `archived` is never left.
    pub(super) fn renew(&mut self, row: SessionRow) {
        self.changed.retain(|recording, _| row.result(recording).state != RecordingState::Archived);
        self.row = row;
        self.row.results.extend(self.changed.clone());
    }

    pub(super) fn set(&mut self, recording: &RecordingId, result: RecordingResult) {
        self.row.results.insert(recording.clone(), result.clone());
        self.changed.insert(recording.clone(), result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::tests::{id, row};

    #[test]
    fn a_newer_row_keeps_what_was_found_out_but_not_over_an_archived_recording() {
        let [first, second] = ["1", "2"].map(|text| id(RecordingId::parse, text));
        let state = |state| RecordingResult { state, ..RecordingResult::default() };
        let mut look = Look::at(row(&["1|p", "2|p"], &["p"]));
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
}
