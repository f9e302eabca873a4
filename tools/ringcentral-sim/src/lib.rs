//! A RingCentral that runs on loopback: enough of the vendor's API for an archiver to be developed and tested
//! against, as API.md describes it.
//!
//! [`core::Simulator`] is pure: a request and the time go in, a reply comes out. [`server::SimServer`] puts it
//! behind two HTTP origins and is the only place that knows a clock or a socket. [`world`] holds the calls and
//! recordings that exist, with the ways each can misbehave; [`calls`] makes days of them up, [`audio`] their sound.

pub mod audio;
pub mod calls;
pub mod core;
pub mod server;
mod settings;
mod time_text;
pub mod world;

pub use settings::{
    DeliverySettings, EndRecordings, HandshakeChecks, JwtState, Outage, OutageAnswer, SecretHeader, Settings, Sound,
    ThrottleCode,
};
