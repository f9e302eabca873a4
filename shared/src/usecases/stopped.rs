//! Why a run ended before its work was done.

use serde::Serialize;

use crate::ports::recording_source::{Closed, CredentialsError};

/// Why a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Another run is at work.
    AnotherRun,
    /// Its time was over.
    Deadline,
    /// The vendor throttles.
    Throttled,
    /// The vendor refuses our credentials: a person must look.
    CredentialsRefused,
    /// No token for now.
    CredentialsUnavailable,
    /// The application lacks a permission: a person must look.
    PermissionMissing,
    /// No permits for now: their ledger cannot be reached.
    PermitsUnavailable,
    /// The call log cannot be read for now.
    LogUnreadable,
    /// More would be faster than its share of the vendor's limit allows.
    Paced,
    /// Sessions are due that come first.
    FreshWork,
}

impl Stopped {
    pub(super) fn by(closed: &Closed) -> Self {
        match closed {
            Closed::Throttled { .. } => Self::Throttled,
            Closed::Forbidden => Self::PermissionMissing,
            Closed::NoLedger(_) => Self::PermitsUnavailable,
            Closed::Credentials(CredentialsError::Unavailable(_)) => Self::CredentialsUnavailable,
            Closed::Credentials(CredentialsError::Refused { .. } | CredentialsError::NotAccepted) => {
                Self::CredentialsRefused
            }
        }
    }
}
