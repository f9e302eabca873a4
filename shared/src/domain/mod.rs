//! Pure decisions: no I/O, no clock, no chance. Everything here is a function of its arguments.

pub mod call_log;
pub mod day;
pub mod delivery;
pub mod ids;
pub mod ladder;
pub mod media;
pub mod notification;
pub mod object_key;
pub mod permits;
pub mod session;
