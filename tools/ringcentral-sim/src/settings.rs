//! What the simulated account, application and user are like.

/// The vendor's side of the bargain. Defaults are those of API.md §11.
#[derive(Clone)]
pub struct Settings {
    /// The application's client id (API.md §2).
    pub client_id: String,
    /// The application's client secret (API.md §2).
    pub client_secret: String,
    /// The one JWT assertion that is accepted (API.md §2).
    pub jwt: String,
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
    /// Requests of group Heavy allowed in one window: call log and everything about recordings (API.md §3).
    pub heavy_limit: usize,
    /// Requests of group Medium allowed in one window (API.md §3).
    pub medium_limit: usize,
    /// Requests of group Light allowed in one window (API.md §3).
    pub light_limit: usize,
    /// Requests of group Auth allowed in one window, for the whole application (API.md §2, §3).
    pub auth_limit: usize,
    /// Length of the sliding window and of the penalty, in milliseconds (API.md §3).
    pub rate_window_ms: u64,
    /// Whether the user may read the account's call log; if not, only extension call logs answer (API.md §2).
    pub company_call_log_allowed: bool,
    /// For calls learned from events: time from the call's end to its call-log record, in milliseconds (API.md §7).
    pub listed_after_ms: u64,
    /// For recordings learned from events: time from the party's end to the file, in milliseconds (API.md §8).
    pub ready_after_ms: u64,
    /// Length of the pieces of a trickling body, in bytes (API.md §11).
    pub trickle_piece_bytes: usize,
    /// Pause before each piece of a trickling body, in milliseconds (API.md §11).
    pub trickle_pause_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            client_id: "sim-client".into(),
            client_secret: "sim-secret".into(),
            jwt: "sim.jwt.assertion".into(),
            scope: "ReadCallLog ReadCallRecording SubscriptionWebhook CallControl".into(),
            account_id: "800000001".into(),
            extension_id: "800000100".into(),
            token_ttl_s: 3600,
            max_sessions: 5,
            heavy_limit: 10,
            medium_limit: 40,
            light_limit: 50,
            auth_limit: 5,
            rate_window_ms: 60_000,
            company_call_log_allowed: true,
            listed_after_ms: 20_000,
            ready_after_ms: 20_000,
            trickle_piece_bytes: 4_096,
            trickle_pause_ms: 50,
        }
    }
}

impl Settings {
    /// Whether the application was granted this permission.
    pub(crate) fn grants(&self, permission: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == permission)
    }
}
