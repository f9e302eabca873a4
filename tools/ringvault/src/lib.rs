//! The operator's command line, and the local stack it shares with the tests.

pub mod replay;
pub mod stack;
