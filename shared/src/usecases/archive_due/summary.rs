//! What a run says of itself.

use serde::Serialize;

use crate::{
    domain::session::{SessionRow, Way},
    ports::recording_source::{Closed, CredentialsError},
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
    /// Recordings this run archived by the direct media URL.
    pub direct: usize,
    /// Recordings this run archived by the call log's `contentUri`.
    pub call_log: usize,
    /// Recordings this run found in the bucket already.
    pub adopted: usize,
    /// Keys under which something else lies.
    pub conflicts: usize,
    /// Rows that cannot be read or written.
    pub unreadable: usize,
    /// Why the run ended before everything due was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// Why a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Another run drains.
    AnotherRun,
    /// Its time was over.
    Deadline,
    /// The vendor throttles.
    Throttled,
    /// The vendor refuses our credentials: a person must look.
    CredentialsRefused,
    /// No token for now.
    CredentialsUnavailable,
}

impl Stopped {
    pub(super) fn by(closed: &Closed) -> Self {
        match closed {
            Closed::Throttled { .. } => Self::Throttled,
            Closed::Credentials(CredentialsError::Unavailable(_)) => Self::CredentialsUnavailable,
            Closed::Credentials(CredentialsError::Refused { .. } | CredentialsError::NotAccepted) => {
                Self::CredentialsRefused
            }
        }
    }
}

impl Summary {
    pub(super) fn count_session(&mut self, row: &SessionRow) {
        let [archived, waiting, too_short, unavailable] = row.counts();
        self.sessions += 1;
        self.archived += archived;
        self.waiting += waiting;
        self.too_short += too_short;
        self.unavailable += unavailable;
    }

    pub(super) fn count_way(&mut self, way: Way) {
        match way {
            Way::Direct => self.direct += 1,
            Way::CallLog => self.call_log += 1,
            Way::Adopted => self.adopted += 1,
        }
    }
}
