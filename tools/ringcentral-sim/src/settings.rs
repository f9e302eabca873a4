//! What the simulated account, application and user are like.

mod delivery;
mod outage;

pub use delivery::{DeliverySettings, EndRecordings, SecretHeader};
pub use outage::{Outage, OutageAnswer};

use serde::{Deserialize, Serialize};

/// The vendor's side of the bargain. Defaults are those of API.md §11; in JSON every field may be left out, and a field
/// that does not exist is refused.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The application's client id (API.md §2).
    pub client_id: String,
    /// The application's client secret (API.md §2).
    pub client_secret: String,
    /// The one JWT assertion that is known (API.md §2).
    pub jwt: String,
    /// What has become of it.
    pub jwt_state: JwtState,
    /// Permissions granted to the application, space separated, as the token reply's `scope` shows them (API.md §2).
    pub scope: String,
    /// The one account that exists; `~` in an account's place means this one (API.md §1).
    pub account_id: String,
    /// The extension that owns the token; `~` in an extension's place means this one (API.md §1).
    pub extension_id: String,
    /// Life of an access token, in seconds (API.md §2).
    pub token_ttl_s: u64,
    /// Sessions that may live at once; one more evicts the oldest (API.md §2).
    pub max_sessions: usize,
    /// Whether the application is issued refresh tokens (API.md §2).
    pub refresh_tokens: bool,
    /// Requests of group Heavy allowed in one window: call log and everything about recordings (API.md §3).
    pub heavy_limit: usize,
    /// What the headers say of group Heavy's limit while `heavy_limit` decides, as before a change; `None`: they say what
    /// decides (API.md §3, §11).
    pub announced_heavy_limit: Option<usize>,
    /// Requests of group Medium allowed in one window (API.md §3).
    pub medium_limit: usize,
    /// Requests of group Light allowed in one window (API.md §3).
    pub light_limit: usize,
    /// Requests of group Auth allowed in one window, for the whole application (API.md §2, §3).
    pub auth_limit: usize,
    /// Recording content has a bucket of its own with this limit; `None`: it counts in group Heavy (API.md §3).
    pub media_limit: Option<usize>,
    /// Length of the sliding window and of the penalty, in milliseconds (API.md §3).
    pub rate_window_ms: u64,
    /// Whether replies carry the `X-Rate-Limit-…` headers (API.md §3).
    pub rate_headers: bool,
    /// Whether a 429 carries `Retry-After` (API.md §3).
    pub retry_after: bool,
    /// The code of a 429 (API.md §3).
    pub throttle_code: ThrottleCode,
    /// Whether the user may read the account's call log; if not, only extension call logs answer (API.md §2).
    pub company_call_log_allowed: bool,
    /// For calls learned from events: time from the call's end to its call-log record, in milliseconds (API.md §7).
    pub listed_after_ms: u64,
    /// For recordings learned from events: time from the party's end to the file, in milliseconds (API.md §8).
    pub ready_after_ms: u64,
    /// Age at which the vendor deletes a recording, in days from its party's end (API.md §8).
    pub retention_days: u64,
    /// Whether a `contentUri` spells the port 443 (API.md §8, §11).
    pub content_uri_port: bool,
    /// What recordings are made of.
    pub sound: Sound,
    /// Length of the pieces of a trickling body, in bytes (API.md §11).
    pub trickle_piece_bytes: usize,
    /// Pause before each piece of a trickling body, in milliseconds (API.md §11).
    pub trickle_pause_ms: u64,
    /// Longest life of a subscription, in seconds. Integrators are known to get this one; the 2026 document says half
    /// of it, 315360000 (API.md §5).
    pub max_expires_in_s: u64,
    /// What is looked at when a new address answers (API.md §5.1).
    pub handshake: HandshakeChecks,
    /// A subscription is created, but the reply to that is this status without a body, as from a gateway that gave up
    /// waiting for the handshake (API.md §4, §5.2).
    pub creation_unheard: Option<u16>,
    /// How notifications go astray.
    pub delivery: DeliverySettings,
    /// Times in which requests fail; the first that fits decides.
    pub outages: Vec<Outage>,
    /// What all chance follows from.
    pub seed: u64,
}

/// What has become of the JWT (API.md §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwtState {
    /// It is good.
    Valid,
    /// It is refused with `OAU-210`.
    Expired,
    /// It is refused with `OAU-211`.
    Revoked,
}

/// The code of a 429 (API.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThrottleCode {
    /// Request rate exceeded.
    #[serde(rename = "CMN-301")]
    Cmn301,
    /// Another rate.
    #[serde(rename = "CMN-302")]
    Cmn302,
    /// The plan is not known.
    #[serde(rename = "CMN-303")]
    Cmn303,
    /// The same request twice at once.
    #[serde(rename = "CMN-304")]
    Cmn304,
    /// The whole service.
    #[serde(rename = "CMN-310")]
    Cmn310,
}

/// What recordings are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sound {
    /// A melody as long as the call, for every player; megabytes.
    Melody,
    /// A header and noise that plays nothing, at most 3 KiB: for thousands of recordings.
    Sketch,
}

/// What is looked at when a new address answers (API.md §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandshakeChecks {
    /// Status 200, else `SUB-521`.
    pub status: bool,
    /// An answer within 3000 ms, else `SUB-521`.
    pub time: bool,
    /// The token comes back, else `SUB-520`.
    pub echo: bool,
    /// The content type is JSON, else `SUB-525`.
    pub content_type: bool,
    /// At most 1024 bytes of headers and body, else `SUB-525`.
    pub size: bool,
}

impl ThrottleCode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cmn301 => "CMN-301",
            Self::Cmn302 => "CMN-302",
            Self::Cmn303 => "CMN-303",
            Self::Cmn304 => "CMN-304",
            Self::Cmn310 => "CMN-310",
        }
    }
}

impl Default for HandshakeChecks {
    fn default() -> Self {
        Self { status: true, time: true, echo: true, content_type: true, size: true }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "sim-client".into(),
            client_secret: "sim-secret".into(),
            jwt: "sim.jwt.assertion".into(),
            jwt_state: JwtState::Valid,
            scope: "ReadCallLog ReadCallRecording SubscriptionWebhook CallControl".into(),
            account_id: "800000001".into(),
            extension_id: "800000100".into(),
            token_ttl_s: 3600,
            max_sessions: 5,
            refresh_tokens: false,
            heavy_limit: 10,
            announced_heavy_limit: None,
            medium_limit: 40,
            light_limit: 50,
            auth_limit: 5,
            media_limit: None,
            rate_window_ms: 60_000,
            rate_headers: true,
            retry_after: true,
            throttle_code: ThrottleCode::Cmn301,
            company_call_log_allowed: true,
            listed_after_ms: 20_000,
            ready_after_ms: 20_000,
            retention_days: 90,
            content_uri_port: true,
            sound: Sound::Melody,
            trickle_piece_bytes: 4_096,
            trickle_pause_ms: 50,
            max_expires_in_s: 630_720_000,
            handshake: HandshakeChecks::default(),
            creation_unheard: None,
            delivery: DeliverySettings::default(),
            outages: Vec::new(),
            seed: 0,
        }
    }
}

impl Settings {
    /// Whether the application was granted this permission.
    pub(crate) fn grants(&self, permission: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == permission)
    }
}
