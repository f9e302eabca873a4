//! Ringvault's real use cases in a simulated world: one thread, a clock that jumps, one seed.

pub mod memory;
