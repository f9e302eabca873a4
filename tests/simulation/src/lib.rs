//! Ringvault's real use cases in a simulated world: one thread, a clock that jumps, one seed.

mod chance;
mod crossing;
pub mod executor;
mod faults;
mod logs;
pub mod memory;
mod trace;
