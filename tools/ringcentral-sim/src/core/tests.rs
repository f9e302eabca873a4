//! The vendor's rules, asked for one by one through the public interface.

mod by_itself;
mod call_log;
mod failing_addresses;
mod limits;
mod openapi;
mod outages;
mod recordings;
mod rig;
mod subscriptions;
mod tokens;
