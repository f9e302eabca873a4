//! Tokens: minting them for a JWT, and knowing them again (API.md §2).

use super::fault::{Fault, token_refusal};
use super::message::{Reply, Request};
use crate::settings::Settings;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_PREFIX: &str = "SIM";
const TOKEN_CHARS: usize = 46;

/// The user's sessions, oldest first. Expired ones stay, so that they can be told from evicted ones.
#[derive(Default)]
pub(crate) struct Sessions {
    sessions: Vec<Session>,
    minted: u64,
}

struct Session {
    token: String,
    expires_at_ms: u64,
}

impl Sessions {
    /// Answers `POST /restapi/oauth/token`.
    pub(crate) fn token_reply(&mut self, request: &Request, settings: &Settings, now_ms: u64) -> Reply {
        if !is_our_client(request, settings) {
            return token_refusal(401, "invalid_client", "OAU-146", "Invalid client credentials");
        }
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (field("grant_type"), field("assertion")) {
            (Some(JWT_GRANT), Some(assertion)) if assertion == settings.jwt => self.mint(settings, now_ms),
            (Some(JWT_GRANT), Some(_)) => token_refusal(400, "invalid_grant", "OAU-213", "Token not found"),
            (Some(JWT_GRANT), None) => {
                token_refusal(400, "invalid_request", "CMN-101", "Parameter [assertion] value is invalid")
            }
            (Some(_), _) => token_refusal(403, "unauthorized_client", "OAU-112", "Unauthorized grant type"),
            (None, _) => token_refusal(400, "invalid_request", "CMN-101", "Parameter [grant_type] value is invalid"),
        }
    }

    fn mint(&mut self, settings: &Settings, now_ms: u64) -> Reply {
        self.minted += 1;
        let token = opaque(&format!("token {} {}", self.minted, settings.client_secret));
        self.sessions.push(Session { token: token.clone(), expires_at_ms: now_ms + settings.token_ttl_s * 1_000 });
        self.evict(settings.max_sessions, now_ms);
        Reply::json(
            200,
            &json!({
                "access_token": token,
                "token_type": "bearer",
                "expires_in": settings.token_ttl_s,
                "scope": settings.scope,
                "owner_id": settings.extension_id,
                "endpoint_id": opaque("endpoint"),
                "session_id": opaque(&format!("session {}", self.minted)),
            }),
        )
    }

    fn evict(&mut self, max_sessions: usize, now_ms: u64) {
        let live: Vec<usize> =
            (0..self.sessions.len()).filter(|at| self.sessions[*at].expires_at_ms > now_ms).collect();
        let surplus = live.len().saturating_sub(max_sessions);
        for at in live.into_iter().take(surplus).rev() {
            self.sessions.remove(at);
        }
    }

    /// Lets a request with a live bearer token through.
    pub(crate) fn check(&self, request: &Request, now_ms: u64) -> Result<(), Fault> {
        let Some(header) = request.header("authorization") else {
            return Err(Fault::plain(401, "AGW-401", "Authorization header is not specified"));
        };
        let Some(token) = bearer(header) else {
            return Err(Fault::plain(401, "AGW-402", "Invalid Authorization header"));
        };
        if !(token.starts_with(TOKEN_PREFIX) && token.len() == TOKEN_CHARS) {
            return Err(Fault::token_invalid("OAU-149", "OAuth token is invalid"));
        }
        match self.sessions.iter().find(|session| session.token == token) {
            None => Err(Fault::token_invalid("OAU-213", "Token not found")),
            Some(session) if session.expires_at_ms <= now_ms => Err(Fault::token_expired()),
            Some(_) => Ok(()),
        }
    }
}

/// Tells tokens apart without revealing them.
pub(crate) fn fingerprint(request: &Request) -> Option<String> {
    let token = bearer(request.header("authorization")?)?;
    let digest = Sha256::digest(token);
    Some(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let well_formed = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ');
    well_formed.then_some(token)
}

fn is_our_client(request: &Request, settings: &Settings) -> bool {
    let expected = STANDARD.encode(format!("{}:{}", settings.client_id, settings.client_secret));
    let sent = request.header("authorization").and_then(|header| header.split_once(' '));
    sent.is_some_and(|(scheme, credentials)| scheme.eq_ignore_ascii_case("basic") && credentials == expected)
}

fn opaque(seed: &str) -> String {
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(seed)))
}
