//! One access token for all functions (API.md §2): minted by JWT grant, shared through the table, minted anew by one at
//! a time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::lock::Mutex as Turn;
use http::{Request, StatusCode, header, header::InvalidHeaderValue};
use sha2::{Digest, Sha256};

use super::{
    error,
    exchange::{Failed, exchange},
    origin::Origin,
    permits::{Endpoint, Permits},
    transport::{Transport, authorization},
    wire::TokenReply,
};
use crate::{
    clients::secrets::RingCentralCredentials,
    ports::{
        clock::Clock,
        permit_store::PermitStore,
        recording_source::{Closed, CredentialsError},
        token_store::{Refusal, StoredToken, TokenState, TokenStore},
    },
    secret::Secret,
};

/// How long one may hold the right to mint: longer than a request may take.
const MINT_LEASE_MS: u64 = 45_000;

/// How often the others look whether it is done, and for how long.
const MINT_POLL: Duration = Duration::from_millis(250);
const MINT_WAIT_MS: u64 = 60_000;

/// How long refused credentials rest before they are tried again unchanged, milliseconds: somebody may have mended it
/// on the vendor's side. Changed ones are tried at once.
const REFUSED_REST_MS: u64 = 60 * 60 * 1000;

/// Keeps the token.
#[derive(Debug)]
pub struct TokenKeeper<H, T> {
    http: H,
    server: Origin,
    credentials: RingCentralCredentials,
    store: T,
    holder: String,
    cached: Mutex<Option<StoredToken>>,
    /// One of this process's callers looks for a token at a time.
    turn: Turn<()>,
}

impl<H: Transport, T: TokenStore> TokenKeeper<H, T> {
    /// A keeper that mints at `server` and shares through `store`; `holder` tells this process from others.
    pub fn new(http: H, server: Origin, credentials: RingCentralCredentials, store: T, holder: String) -> Self {
        Self { http, server, credentials, store, holder, cached: Mutex::new(None), turn: Turn::new(()) }
    }

    /// A token that lives on for a while: the one in memory, else the table's, else a fresh one.
    pub(super) async fn token<P: PermitStore, C: Clock>(
        &self,
        permits: &Permits<P>,
        clock: &C,
    ) -> Result<Secret, Closed> {
        self.other_than(None, permits, clock).await
    }

    /// A token other than `refused`, which the vendor answered with 401: somebody may have replaced it already.
    pub(super) async fn replace<P: PermitStore, C: Clock>(
        &self,
        permits: &Permits<P>,
        clock: &C,
        refused: &Secret,
    ) -> Result<Secret, Closed> {
        self.other_than(Some(refused), permits, clock).await
    }

    async fn other_than<P: PermitStore, C: Clock>(
        &self,
        refused: Option<&Secret>,
        permits: &Permits<P>,
        clock: &C,
    ) -> Result<Secret, Closed> {
        let usable = |token: &StoredToken| {
            let is_refused = refused.is_some_and(|refused| refused.equals(token.access_token.expose().as_bytes()));
            token.lives(clock.now_ms()) && !is_refused
        };
        let in_memory = || self.cached().clone().filter(usable).map(|token| token.access_token);
        if let Some(token) = in_memory() {
            return Ok(token);
        }
        let _turn = self.turn.lock().await;
        if let Some(token) = in_memory() {
            return Ok(token);
        }
        let give_up_ms = clock.now_ms() + MINT_WAIT_MS;
        while clock.now_ms() < give_up_ms {
            if let Some(token) = self.shared(usable, clock).await? {
                return Ok(self.keep(token));
            }
            let now_ms = clock.now_ms();
            if self.store.lock(&self.holder, now_ms, now_ms + MINT_LEASE_MS).await.map_err(unavailable)? {
                let minted = self.mint_unless_somebody_did(usable, permits, clock).await;
                if minted.is_err() {
                    // If that fails too, the right runs out by itself.
                    let _ = self.store.unlock(&self.holder).await;
                }
                return Ok(self.keep(minted?));
            }
            clock.sleep(MINT_POLL).await;
        }
        Err(unavailable("another function is minting and does not finish"))
    }

    /// With the right to mint in hand: somebody may have had it, and used it, since the table was read.
    async fn mint_unless_somebody_did<P: PermitStore, C: Clock>(
        &self,
        usable: impl Fn(&StoredToken) -> bool,
        permits: &Permits<P>,
        clock: &C,
    ) -> Result<StoredToken, Closed> {
        if let Some(token) = self.shared(usable, clock).await? {
            self.store.unlock(&self.holder).await.map_err(unavailable)?;
            return Ok(token);
        }
        let minted = self.mint(permits, clock).await;
        match &minted {
            Ok(token) => self.store.put(token).await.map_err(unavailable)?,
            Err(Closed::Credentials(CredentialsError::Refused { code })) => {
                let refusal = Refusal { credentials: self.fingerprint(), code: code.clone(), at_ms: clock.now_ms() };
                self.store.refuse(&refusal).await.map_err(unavailable)?;
            }
            Err(
                Closed::Credentials(CredentialsError::NotAccepted | CredentialsError::Unavailable(_))
                | Closed::Throttled { .. }
                | Closed::Forbidden
                | Closed::NoLedger(_),
            ) => {}
        }
        minted
    }

    /// The table's token, if it can be used; an error where there is none and these very credentials were refused not
    /// long ago.
    async fn shared<C: Clock>(
        &self,
        usable: impl Fn(&StoredToken) -> bool,
        clock: &C,
    ) -> Result<Option<StoredToken>, Closed> {
        let TokenState { token, refusal } = self.store.state().await.map_err(unavailable)?;
        let rests = |refusal: &Refusal| {
            refusal.credentials == self.fingerprint() && clock.now_ms() < refusal.at_ms.saturating_add(REFUSED_REST_MS)
        };
        match (token.filter(usable), refusal) {
            (None, Some(refusal)) if rests(&refusal) => Err(CredentialsError::Refused { code: refusal.code }.into()),
            (token, _) => Ok(token),
        }
    }

    async fn mint<P: PermitStore, C: Clock>(&self, permits: &Permits<P>, clock: &C) -> Result<StoredToken, Closed> {
        let request = self.request().map_err(unavailable)?;
        let asked_ms = clock.now_ms();
        let permit = permits.take(Endpoint::Token, clock, asked_ms).await?;
        let response = match exchange((&self.http, permits, clock), Endpoint::Token, permit, request).await {
            Ok(response) => response,
            Err(Failed::Throttled(retry_after)) => return Err(Closed::Throttled { retry_after }),
            Err(Failed::NoReply(why)) => return Err(unavailable(why)),
        };
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
        let code = error::error_code(response).await.unwrap_or_else(|| format!("status {}", status.as_u16()));
        let later = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
        Err(if later { unavailable(code) } else { CredentialsError::Refused { code }.into() })
    }

    fn request(&self) -> Result<Request<Bytes>, http::Error> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.append_pair("assertion", self.credentials.jwt.expose());
        let client = format!("{}:{}", self.credentials.client_id, self.credentials.client_secret.expose());
        let authorization: Result<_, InvalidHeaderValue> = authorization("Basic", &BASE64_STANDARD.encode(client));
        Request::post(self.server.join(&["restapi", "oauth", "token"], &[]).as_str())
            .header(header::AUTHORIZATION, authorization?)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(form.finish()))
    }

    /// Tells credentials from others without telling what they are: they are long and random.
    fn fingerprint(&self) -> String {
        let digest = Sha256::new()
            .chain_update(self.credentials.client_secret.expose())
            .chain_update([0])
            .chain_update(self.credentials.jwt.expose())
            .finalize();
        BASE64_STANDARD.encode(&digest[..12])
    }

    fn keep(&self, token: StoredToken) -> Secret {
        let access_token = token.access_token.clone();
        *self.cached() = Some(token);
        access_token
    }

    fn cached(&self) -> MutexGuard<'_, Option<StoredToken>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(why: impl std::fmt::Display) -> Closed {
    CredentialsError::Unavailable(why.to_string()).into()
}
