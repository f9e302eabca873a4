//! The operator's command line, and the local stack it shares with the tests.

mod archive;
pub mod demo;
pub mod progress;
pub mod replay;
pub mod shell;
pub mod stack;
pub mod sweep;
pub mod template;
