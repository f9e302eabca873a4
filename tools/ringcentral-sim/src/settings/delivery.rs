//! How notifications go astray, and what comes of an address that fails (API.md §5.4, §11).

use serde::{Deserialize, Serialize};

/// What happens to the notifications of scripted calls and to renewal reminders, and how failures are taken.
///
/// Shares are between 0 and 1. Which notification meets which fate follows from `Settings::seed`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverySettings {
    /// Shortest time from a transition to its notification, in milliseconds.
    pub lag_min_ms: u64,
    /// Longest time from a transition to its notification, in milliseconds.
    pub lag_max_ms: u64,
    /// Share of notifications that are never sent.
    pub drop_share: f64,
    /// Share that are sent a second time with the same `uuid`.
    pub duplicate_share: f64,
    /// Share that are sent a second time with a `uuid` of its own.
    pub duplicate_new_uuid_share: f64,
    /// Share that are held back by `reorder_ms`, so that later ones overtake them.
    pub reorder_share: f64,
    /// How long those are held back, in milliseconds.
    pub reorder_ms: u64,
    /// Share that come late by `delay_ms`.
    pub delay_share: f64,
    /// How late those come, in milliseconds.
    pub delay_ms: u64,
    /// Transitions of different parties of one call within this time share one notification, in milliseconds; 0: each
    /// has its own.
    pub batch_ms: u64,
    /// What a notification says of the recordings of a party that ends.
    pub end_recordings: EndRecordings,
    /// Name of the header that carries the subscription's secret.
    pub secret_header: SecretHeader,
    /// How often a failed notification is sent again.
    pub retries: u32,
    /// Time until it is sent again, in milliseconds.
    pub retry_after_ms: u64,
    /// Time without a good answer after which a failure blacklists the subscription, in milliseconds.
    pub blacklist_after_ms: u64,
    /// Failures in a row that blacklist it sooner.
    pub blacklist_after_failures: Option<u32>,
    /// Time until a blacklisted address is asked again, in milliseconds; a good answer makes the subscription active.
    /// `None`: never.
    pub recheck_after_ms: Option<u64>,
}

/// What a notification says of the recordings of a party that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndRecordings {
    /// What the event says.
    AsTheyAre,
    /// Nothing.
    Omitted,
    /// They are there and run.
    Active,
    /// They are there and pause.
    Paused,
}

/// Name of the header that carries a subscription's secret (API.md §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretHeader {
    /// `Verification-Token`, as the specification has it.
    #[serde(rename = "Verification-Token")]
    VerificationToken,
    /// `Validation-Token`, as the guide has it since December 2023.
    #[serde(rename = "Validation-Token")]
    ValidationToken,
}

impl SecretHeader {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::VerificationToken => "Verification-Token",
            Self::ValidationToken => "Validation-Token",
        }
    }
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            lag_min_ms: 60,
            lag_max_ms: 130,
            drop_share: 0.0,
            duplicate_share: 0.0,
            duplicate_new_uuid_share: 0.0,
            reorder_share: 0.0,
            reorder_ms: 2_000,
            delay_share: 0.0,
            delay_ms: 600_000,
            batch_ms: 0,
            end_recordings: EndRecordings::AsTheyAre,
            secret_header: SecretHeader::VerificationToken,
            retries: 0,
            retry_after_ms: 10_000,
            blacklist_after_ms: 600_000,
            blacklist_after_failures: None,
            recheck_after_ms: None,
        }
    }
}
