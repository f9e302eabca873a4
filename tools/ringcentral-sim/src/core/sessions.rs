//! Tokens: minting them for a JWT, and knowing them again (API.md §2).

use super::fault::{Fault, token_refusal};
use super::message::{Reply, Request};
use crate::settings::{JwtState, Settings};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Default life of a refresh token (API.md §2).
const REFRESH_TTL_S: u64 = 604_800;
const TOKEN_PREFIX: &str = "SIM";
const TOKEN_CHARS: usize = 46;

/// The user's sessions. Expired ones stay known, so that they can be told from evicted ones.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: BTreeMap<String, Session>,
    /// Tokens of the sessions that live, oldest first; some may have expired.
    living: VecDeque<String>,
    /// Refresh tokens, each with the access token of its session.
    refreshable: BTreeMap<String, Refreshable>,
    minted: u64,
    /// Every token ever given out, refresh tokens too.
    issued: Vec<String>,
}

struct Session {
    expires_at_ms: u64,
}

struct Refreshable {
    access_token: String,
    expires_at_ms: u64,
}

impl Sessions {
    pub(crate) fn issued(&self) -> &[String] {
        &self.issued
    }

    /// Answers `POST /restapi/oauth/token`.
    pub(crate) fn token_reply(&mut self, request: &Request, settings: &Settings, now_ms: u64) -> Reply {
        if !is_our_client(request, settings) {
            return wrong_client();
        }
        let form = Form::of(request);
        let Some(ttl_s) = form.ttl_s(settings) else {
            return parameter_refusal("access_token_ttl");
        };
        match form.field("grant_type") {
            Some(JWT_GRANT) => match form.field("assertion") {
                Some(assertion) => match jwt_refusal(assertion, settings) {
                    None => self.mint(ttl_s, settings, now_ms),
                    Some((code, message)) => token_refusal(400, "invalid_grant", code, message),
                },
                None => parameter_refusal("assertion"),
            },
            Some("refresh_token") if settings.refresh_tokens => {
                match self.take_refreshable(form.field("refresh_token").unwrap_or_default(), now_ms) {
                    true => self.mint(ttl_s, settings, now_ms),
                    false => token_refusal(400, "invalid_grant", "OAU-213", "Token not found"),
                }
            }
            Some(_) => token_refusal(403, "unauthorized_client", "OAU-112", "Unauthorized grant type"),
            None => parameter_refusal("grant_type"),
        }
    }

    /// Answers `POST /restapi/oauth/revoke`: the whole session ends. A token that nobody knows is no error.
    pub(crate) fn revoke(&mut self, request: &Request, settings: &Settings) -> Reply {
        if !is_our_client(request, settings) {
            return wrong_client();
        }
        let form = Form::of(request);
        let Some(token) = form.field("token") else {
            return parameter_refusal("token");
        };
        let access_token = self.refreshable.get(token).map_or(token, |grant| &grant.access_token).to_owned();
        self.end(&access_token);
        Reply::bare(200).announcing(Some(0))
    }

    fn mint(&mut self, ttl_s: u64, settings: &Settings, now_ms: u64) -> Reply {
        self.minted += 1;
        let token = opaque(&format!("token {} {}", self.minted, settings.client_secret));
        self.by_token.insert(token.clone(), Session { expires_at_ms: now_ms + ttl_s * 1_000 });
        self.living.push_back(token.clone());
        self.issued.push(token.clone());
        self.evict(settings.max_sessions, now_ms);
        let mut body = json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": ttl_s,
            "scope": settings.scope,
            "owner_id": settings.extension_id,
            "endpoint_id": opaque("endpoint"),
            "session_id": opaque(&format!("session {}", self.minted)),
        });
        if settings.refresh_tokens {
            let refresh_token = opaque(&format!("refresh {} {}", self.minted, settings.client_secret));
            body["refresh_token"] = json!(refresh_token);
            self.issued.push(refresh_token.clone());
            body["refresh_token_expires_in"] = json!(REFRESH_TTL_S);
            let expires_at_ms = now_ms + REFRESH_TTL_S * 1_000;
            self.refreshable.insert(refresh_token, Refreshable { access_token: token, expires_at_ms });
        }
        Reply::json(200, &body)
    }

    /// Takes a refresh token, which serves once, and ends the access token it came with (API.md §2).
    fn take_refreshable(&mut self, refresh_token: &str, now_ms: u64) -> bool {
        let Some(grant) = self.refreshable.remove(refresh_token) else {
            return false;
        };
        self.end(&grant.access_token);
        grant.expires_at_ms > now_ms
    }

    fn evict(&mut self, max_sessions: usize, now_ms: u64) {
        let by_token = &self.by_token;
        self.living.retain(|token| by_token.get(token).is_some_and(|session| session.expires_at_ms > now_ms));
        while self.living.len() > max_sessions {
            if let Some(oldest) = self.living.front().cloned() {
                self.end(&oldest);
            }
        }
    }

    fn end(&mut self, access_token: &str) {
        self.by_token.remove(access_token);
        self.living.retain(|token| token != access_token);
        self.refreshable.retain(|_, grant| grant.access_token != access_token);
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
        match self.by_token.get(token) {
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

fn wrong_client() -> Reply {
    token_refusal(401, "invalid_client", "OAU-146", "Invalid client credentials")
}

fn parameter_refusal(parameter: &str) -> Reply {
    token_refusal(400, "invalid_request", "CMN-101", &format!("Parameter [{parameter}] value is invalid"))
}

/// Code and words of the refusal, if the assertion is not good.
fn jwt_refusal(assertion: &str, settings: &Settings) -> Option<(&'static str, &'static str)> {
    if assertion != settings.jwt {
        return Some(("OAU-213", "Token not found"));
    }
    match settings.jwt_state {
        JwtState::Valid => None,
        JwtState::Expired => Some(("OAU-210", "Token is expired")),
        JwtState::Revoked => Some(("OAU-211", "Token is revoked")),
    }
}

/// The fields of a form.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(request: &Request) -> Self {
        Self(url::form_urlencoded::parse(&request.body).into_owned().collect())
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The life of a new access token, in seconds: what was asked for, at most the vendor's own.
    fn ttl_s(&self, settings: &Settings) -> Option<u64> {
        match self.field("access_token_ttl") {
            None => Some(settings.token_ttl_s),
            Some(text) => {
                let wanted = text.parse::<u64>().ok().filter(|wanted| (600..=3_600).contains(wanted));
                wanted.map(|wanted| wanted.min(settings.token_ttl_s))
            }
        }
    }
}

fn opaque(seed: &str) -> String {
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(seed)))
}
