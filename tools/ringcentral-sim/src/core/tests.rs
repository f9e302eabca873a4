//! The vendor's rules, asked for one by one through the public interface.

mod call_log;
mod openapi;
mod recordings;
mod rig;
mod subscriptions;
mod tokens;
