//! What the archiver makes of the vendor's limit: loads at and above it, in a world where nothing else goes wrong.

mod counts;
mod figure;
mod moves;
mod outage;
mod overload;
mod sign_ins;
mod stage;
#[cfg(test)]
mod tests;

pub use figure::{Figure, Worst};

use crate::logs::Logs;

/// Requests of group Heavy that the vendor allows in a minute (API.md §3).
const CEILING: usize = 10;

/// A load that something is promised about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Load {
    /// For a day half as many recordings again as the limit lets through.
    Overload,
    /// The same, and a fifth of them is answered with 404 at first.
    EarlyMissing,
    /// The same as the first, with another archiver and a reconciler beside it that know nothing of each other.
    ThreeAtOnce,
    /// Three times as many as the limit lets through, which is lowered in mid-day and raised later.
    LimitMoves,
    /// Forty recordings due at once, while the host of hand-built addresses refuses connections.
    OneShotForty,
    /// For three days the vendor answers all questions for recordings and the call log with an error.
    Outage,
    /// Five archivers start cold within a minute; later their token is evicted.
    ColdStarts,
}

/// How a load went.
#[derive(Debug, Clone, PartialEq)]
pub struct CeilingReport {
    /// Which.
    pub load: Load,
    /// The seed it grew from.
    pub seed: u64,
    /// What was measured, and what of it is promised.
    pub figures: Vec<Figure>,
    /// What must never happen and did, each with its time in epoch milliseconds.
    pub violations: Vec<String>,
    /// Recordings that were offered.
    pub recordings: usize,
    /// Recordings that were archived by the end.
    pub archived: usize,
    /// Simulated time, milliseconds.
    pub simulated_ms: u64,
    /// Steps after each of which the invariants were looked at.
    pub steps: u64,
}

impl Load {
    /// All loads, those that take longest to simulate first.
    pub const ALL: [Self; 7] = [
        Self::Outage,
        Self::LimitMoves,
        Self::ThreeAtOnce,
        Self::EarlyMissing,
        Self::Overload,
        Self::ColdStarts,
        Self::OneShotForty,
    ];

    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overload => "overload",
            Self::EarlyMissing => "early_404",
            Self::ThreeAtOnce => "three_at_once",
            Self::LimitMoves => "limit_moves",
            Self::OneShotForty => "one_shot_forty",
            Self::Outage => "outage",
            Self::ColdStarts => "cold_starts",
        }
    }
}

impl CeilingReport {
    /// Whether everything promised was kept.
    pub fn is_kept(&self) -> bool {
        self.violations.is_empty() && self.figures.iter().all(Figure::holds)
    }
}

/// Simulates a load with the chance of a seed.
pub fn ceiling(load: Load, seed: u64) -> CeilingReport {
    /// Of an overload, the hours that are measured.
    const HOURS: u64 = 24;
    simulate(load, seed, HOURS)
}

/// The same; overloads are measured for `hours`.
fn simulate(load: Load, seed: u64, hours: u64) -> CeilingReport {
    let logs = Logs::default();
    tracing::subscriber::with_default(logs.clone(), || match load {
        Load::Overload | Load::EarlyMissing | Load::ThreeAtOnce => overload::simulate(load, seed, hours, logs),
        Load::LimitMoves => moves::simulate(seed, logs),
        Load::OneShotForty => overload::forty_at_once(seed, logs),
        Load::Outage => outage::simulate(seed, logs),
        Load::ColdStarts => sign_ins::simulate(seed, logs),
    })
}
