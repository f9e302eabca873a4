//! The vendor's webhook subscriptions, as their keeper sees them.

use super::recording_source::SourceError;
use crate::{domain::subscription::Subscription, secret::Secret};

/// A subscription to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewSubscription<'a> {
    /// Where notifications should go.
    pub address: &'a str,
    /// What they should tell of.
    pub filters: &'a [&'a str],
    /// What each of them should carry.
    pub verification_token: &'a Secret,
    /// How long it should live, seconds.
    pub lifetime_s: u64,
}

/// The subscriptions of our user and application. Every request to the vendor needs a permit of its limit; each call
/// says until when, epoch milliseconds, it may wait for one.
pub trait Subscriptions {
    /// All that lead to a webhook, ours and others'.
    ///
    /// # Errors
    /// Any answer but a success; [`SourceError::Malformed`] if one of them cannot be read.
    async fn list(&self, wait_until_ms: u64) -> Result<Vec<Subscription>, SourceError>;

    /// Creates one. The vendor calls the address before it answers (API.md §5.2).
    ///
    /// # Errors
    /// Any answer but a success. After none, an unreadable one or one of a failing server it may have been created all
    /// the same: it is not tried again.
    async fn create(&self, new: &NewSubscription<'_>, wait_until_ms: u64) -> Result<Subscription, SourceError>;

    /// Gives one the life again that was last asked for (API.md §5).
    ///
    /// # Errors
    /// Any answer but a success.
    async fn renew(&self, id: &str, wait_until_ms: u64) -> Result<(), SourceError>;

    /// Deletes one; one that is gone already is no error.
    ///
    /// # Errors
    /// Any other answer.
    async fn delete(&self, id: &str, wait_until_ms: u64) -> Result<(), SourceError>;

    /// Calls our own webhook as the vendor will, without a token, so that it has started by then: cold starts are a
    /// known cause of refusals (API.md §5.1). Answers whether it did what the vendor wants.
    async fn warm(&self, address: &str) -> bool;
}
