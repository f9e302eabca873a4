//! Times in which the vendor answers badly, whoever asks for what (API.md §4, §11).

use serde::{Deserialize, Serialize};

/// A time in which some requests fail before anybody looks at them: no bucket counts them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins, in epoch milliseconds.
    #[serde(default)]
    pub from_ms: u64,
    /// When it is over, in epoch milliseconds.
    #[serde(default = "for_ever")]
    pub until_ms: u64,
    /// Share of the requests that meet it, between 0 and 1; which ones follows from `Settings::seed`.
    #[serde(default = "all")]
    pub share: f64,
    /// Only requests whose path has this text in it; empty: all.
    #[serde(default)]
    pub path_part: String,
    /// What they are answered.
    pub answer: OutageAnswer,
}

/// What a request in an outage is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutageAnswer {
    /// This status with an error body of the vendor.
    Error(u16),
    /// This status with a page of HTML, as from a gateway.
    Html(u16),
    /// This status without a body.
    Empty(u16),
    /// Status 429 `CMN-310` of another limiter: without rate headers and `Retry-After` (API.md §3).
    OtherLimiter,
}

fn for_ever() -> u64 {
    u64::MAX
}

fn all() -> f64 {
    1.0
}
