//! One access token for all functions (API.md §2): minted by JWT grant, shared through the table, minted anew by one at
//! a time.

use std::{sync::Mutex, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, StatusCode, header};

use super::{
    error,
    origin::Origin,
    transport::{Transport, authorization},
    wire::TokenReply,
};
use crate::{
    clients::secrets::RingCentralCredentials,
    ports::{
        clock::Clock,
        recording_source::{Closed, CredentialsError},
        token_store::{StoredToken, TokenStore},
    },
    secret::Secret,
};

/// How long one may hold the right to mint, and how often the others look whether it is done.
const MINT_LEASE_MS: u64 = 15_000;
const MINT_POLL: Duration = Duration::from_millis(250);

/// Keeps the token.
#[derive(Debug)]
pub struct TokenKeeper<H, T> {
    http: H,
    server: Origin,
    credentials: RingCentralCredentials,
    store: T,
    holder: String,
    cached: Mutex<Option<StoredToken>>,
}

impl<H: Transport, T: TokenStore> TokenKeeper<H, T> {
    /// A keeper that mints at `server` and shares through `store`; `holder` tells this process from others.
    pub fn new(http: H, server: Origin, credentials: RingCentralCredentials, store: T, holder: String) -> Self {
        Self { http, server, credentials, store, holder, cached: Mutex::new(None) }
    }

    /// A token that lives on for a while: the one in memory, else the table's, else a fresh one.
    pub(super) async fn token<C: Clock>(&self, clock: &C) -> Result<Secret, Closed> {
        let cached = self.cached().clone();
        match cached.filter(|token| token.lives(clock.now_ms())) {
            Some(token) => Ok(token.access_token),
            None => self.shared_or_minted(clock, None).await,
        }
    }

    /// A token other than `refused`, which the vendor answered with 401: somebody may have replaced it already.
    pub(super) async fn replace<C: Clock>(&self, clock: &C, refused: &Secret) -> Result<Secret, Closed> {
        self.shared_or_minted(clock, Some(refused)).await
    }

    async fn shared_or_minted<C: Clock>(&self, clock: &C, refused: Option<&Secret>) -> Result<Secret, Closed> {
        let give_up_ms = clock.now_ms() + 2 * MINT_LEASE_MS;
        while clock.now_ms() < give_up_ms {
            let shared = self.store.token().await.map_err(unavailable)?;
            let refused = |token: &StoredToken| {
                refused.is_some_and(|refused| refused.equals(token.access_token.expose().as_bytes()))
            };
            if let Some(token) = shared.filter(|token| token.lives(clock.now_ms()) && !refused(token)) {
                return Ok(self.keep(token));
            }
            let now_ms = clock.now_ms();
            if self.store.lock(&self.holder, now_ms, now_ms + MINT_LEASE_MS).await.map_err(unavailable)? {
                let token = self.mint(clock).await?;
                self.store.put(&token).await.map_err(unavailable)?;
                return Ok(self.keep(token));
            }
            clock.sleep(MINT_POLL).await;
        }
        Err(unavailable("another function is minting and does not finish"))
    }

    async fn mint<C: Clock>(&self, clock: &C) -> Result<StoredToken, Closed> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.append_pair("assertion", self.credentials.jwt.expose());
        let client = format!("{}:{}", self.credentials.client_id, self.credentials.client_secret.expose());
        let request = Request::post(self.server.join(&["restapi", "oauth", "token"], &[]).as_str())
            .header(
                header::AUTHORIZATION,
                authorization("Basic", &BASE64_STANDARD.encode(client)).map_err(unavailable)?,
            )
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(form.finish()))
            .map_err(unavailable)?;
        let asked_ms = clock.now_ms();
        let limit = Duration::from_millis(MINT_LEASE_MS / 2);
        let response = self.http.send(request, Some(limit)).await.map_err(unavailable)?;
        let status = response.status();
        if status.is_success() {
            let body = error::bounded(response, 64 * 1024).await.map_err(unavailable)?;
            let reply: TokenReply =
                serde_json::from_slice(&body).map_err(|_| unavailable("the token reply is not what is documented"))?;
            return Ok(StoredToken {
                access_token: Secret::new(reply.access_token),
                issued_at_ms: asked_ms,
                expires_at_ms: asked_ms.saturating_add(reply.expires_in.saturating_mul(1000)),
            });
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Closed::Throttled { retry_after: error::retry_after(response.headers()) });
        }
        let code = error::error_code(response).await.unwrap_or_else(|| format!("status {}", status.as_u16()));
        let later = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
        Err(if later { unavailable(code) } else { CredentialsError::Refused { code }.into() })
    }

    fn keep(&self, token: StoredToken) -> Secret {
        let access_token = token.access_token.clone();
        *self.cached() = Some(token);
        access_token
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Option<StoredToken>> {
        self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn unavailable(why: impl std::fmt::Display) -> Closed {
    CredentialsError::Unavailable(why.to_string()).into()
}
