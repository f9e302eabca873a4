//! What Ringvault does, as plain async functions over ports: a test calls them without Lambda.

pub mod archive_due;
mod documents;
#[cfg(test)]
mod fakes;
pub mod keep_subscription;
pub mod oversee;
pub mod prove;
pub mod reconcile;
pub mod record_notification;
pub mod stopped;
mod transfer;
