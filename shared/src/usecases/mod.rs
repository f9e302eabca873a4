//! What Ringvault does, as plain async functions over ports: a test calls them without Lambda.

pub mod archive_due;
mod documents;
pub mod prove;
pub mod record_notification;
mod transfer;
