//! What the use cases need from the world: small traits, each a contract that every adapter keeps.
//!
//! The traits are used through generics on one thread, so their futures need not be `Send`.
#![allow(async_fn_in_trait, reason = "used through generics on one thread; no caller needs a Send bound")]

pub mod archive_store;
pub mod clock;
pub mod cursor_store;
pub mod permit_store;
pub mod recording_source;
pub mod session_store;
pub mod subscriptions;
pub mod token_store;
