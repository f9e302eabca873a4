//! Identifiers shaped as AWS shapes them: unique, and nobody's secret.

use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

/// A request id in the form of a UUID.
pub(crate) fn request_id() -> String {
    let hex = format!("{:016x}{:016x}", random(), random());
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// An X-Ray trace header; nothing is sampled.
pub(crate) fn trace_id() -> String {
    let seconds = unix_time_ms(SystemTime::now()) / 1000;
    let hex = format!("{:016x}{:016x}", random(), random());
    format!("Root=1-{seconds:08x}-{};Parent={:016x};Sampled=0", &hex[..24], random())
}

/// Milliseconds since the epoch.
pub(crate) fn unix_time_ms(at: SystemTime) -> u64 {
    let elapsed = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}
