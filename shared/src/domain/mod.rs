//! Pure decisions: no I/O, no clock, no chance. Everything here is a function of its arguments.

pub mod call_log;
pub mod checksum;
pub mod completeness;
pub mod day;
pub mod delivery;
pub mod ids;
pub mod ladder;
pub mod manifest;
pub mod media;
pub mod notification;
pub mod object_key;
pub mod permits;
pub mod reconciliation;
pub mod session;
pub mod subscription;
pub mod sweep;
