//! Ringvault's real use cases in a simulated world: one thread, a clock that jumps, one seed.
//!
//! The vendor is the simulator's core behind the product's own client; table, bucket, schedule and stream are in memory.
//! Between them lies a network that delays, loses, repeats and reorders, and functions are killed at any await. What must
//! always hold is asked after every step.

mod backfill;
mod calls;
mod ceiling;
mod chance;
pub mod cloudwatch;
mod crashes;
mod crossing;
mod day;
mod defects;
mod drain;
pub mod executor;
mod faults;
mod functions;
mod judge;
mod knobs;
mod logs;
pub mod memory;
mod mishaps;
pub mod month;
mod new_stack;
mod poison;
mod poisoned_day;
mod received;
mod scene;
mod schedule;
#[cfg(test)]
mod sweeps;
mod trace;
mod vendor;
mod world;

pub use ceiling::{CeilingReport, Figure, Load, Worst, ceiling};
pub use crashes::{Crashed, crashes};
pub use defects::{Damage, DefectsReport, defects};
pub use drain::Drained;
pub use scene::{Report, Scene, simulate};
