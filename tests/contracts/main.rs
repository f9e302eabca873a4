//! The contracts of the ports, held to every implementation: the memory ones of the simulation, the real adapters over
//! the local cloud, and the real adapters over the moto server of PyPI (see `backends/moto.rs`).
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[macro_use]
mod lists;

mod backends;
mod clauses;
