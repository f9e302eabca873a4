//! Rules of the house, held by tests.

#![expect(clippy::unwrap_used, reason = "clippy sees tests in test functions, not in what they share")]

mod events;
mod imports;
mod packages;
mod runbook;
mod sources;
mod surroundings;
mod template;
mod text;
mod workspace;
