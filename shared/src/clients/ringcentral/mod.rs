//! RingCentral over HTTPS.

mod auth;
mod call_log;
mod client;
mod connector;
mod content;
mod error;
mod exchange;
pub mod origin;
mod permits;
mod subscriptions;
mod throttle;
mod transport;
mod wire;

pub use auth::TokenKeeper;
pub use client::RingCentral;
pub use connector::{Connector, Source};
pub use permits::Permits;
pub use throttle::{Scope, Throttled, plan};
pub use transport::{NoReply, Transport};
pub use wire::LogReply;

use std::time::Duration;

/// How RingCentral asks clients to name themselves (API.md §1).
const USER_AGENT: &str = concat!("ringvault/", env!("CARGO_PKG_VERSION"), " (call recording archive)");

/// Makes the one HTTP client. It follows no redirect: a token must not travel along (API.md §8).
///
/// # Errors
/// The TLS stack cannot be set up.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(30))
        .no_proxy()
        .build()
}
