//! [`RecordingSource`] over RingCentral's API.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    auth::TokenKeeper,
    error::{bounded, refused, unreachable},
    exchange::{Failed, exchange},
    origin::OriginGate,
    permits::{Endpoint, Permits},
    transport::{Transport, authorization},
    wire::LiveReply,
};
use crate::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage},
        ids::{RecordingId, TelephonySessionId},
    },
    ports::{
        clock::Clock,
        permit_store::PermitStore,
        recording_source::{
            ByteStream, Closed, CredentialsError, Incoming, LiveCall, LookUp, RecordingSource, SourceError, Window,
        },
        token_store::TokenStore,
    },
};

/// A page of the call log is a few KiB for each of its records.
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// And it comes within a minute, or what is still to come is not waited for.
const MAX_JSON_TIME: Duration = Duration::from_secs(60);

/// The application may not do this at all (API.md §4).
pub(super) const APP_LACKS_PERMISSION: &str = "CMN-401";

/// RingCentral, as one user of one app.
#[derive(Debug)]
pub struct RingCentral<H, T, P, C> {
    http: H,
    pub(super) gate: OriginGate,
    tokens: TokenKeeper<H, T>,
    permits: Permits<P>,
    clock: C,
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RingCentral<H, T, P, C> {
    /// A client; tokens go nowhere but where `gate` admits, and nothing is sent without one of `permits`.
    pub fn new(http: H, gate: OriginGate, tokens: TokenKeeper<H, T>, permits: Permits<P>, clock: C) -> Self {
        Self { http, gate, tokens, permits, clock }
    }

    /// Asks until there is an answer: after a 401 once more, with another token (API.md §2); after a 429 when the vendor
    /// lets it, if that is before `wait_until_ms`.
    async fn get(
        &self,
        endpoint: Endpoint,
        url: &Url,
        accept: &'static str,
        wait_until_ms: u64,
    ) -> Result<Response<ByteStream>, SourceError> {
        let unfit = || SourceError::Malformed("the token or the address does not fit a request");
        let world = (&self.http, &self.permits, &self.clock);
        let mut refused_once = false;
        loop {
            // Before the permit, so that none lies idle while a token is made; after it, since that may take minutes.
            self.tokens.token(&self.permits, &self.clock).await?;
            let permit = self.permits.take(endpoint, &self.clock, wait_until_ms).await?;
            let token = match self.tokens.token(&self.permits, &self.clock).await {
                Ok(token) => token,
                Err(closed) => {
                    self.permits.unsent(permit);
                    return Err(closed.into());
                }
            };
            let request = Request::get(url.as_str())
                .header(header::AUTHORIZATION, authorization("Bearer", token.expose()).map_err(|_| unfit())?)
                .header(header::ACCEPT, accept)
                .body(Bytes::new())
                .map_err(|_| unfit())?;
            let response = match exchange(world, endpoint, permit, request).await {
                Ok(response) => response,
                Err(Failed::NoReply(why)) => return Err(unreachable(why)),
                // The gate is closed now: it waits, or says that this would take too long.
                Err(Failed::Throttled(_)) => continue,
            };
            match response.status() {
                StatusCode::UNAUTHORIZED if refused_once && self.gate.is_configured(url) => {
                    return Err(Closed::from(CredentialsError::NotAccepted).into());
                }
                // One host of a `contentUri` does not take the token: that says nothing of the others.
                StatusCode::UNAUTHORIZED if refused_once => return Err(refused(response).await),
                StatusCode::UNAUTHORIZED => {
                    refused_once = true;
                    self.tokens.replace(&self.permits, &self.clock, &token).await?;
                }
                status if status.is_success() => return Ok(response),
                _ => return Err(refused(response).await),
            }
        }
    }

    /// Asks for JSON.
    pub(super) async fn read<R: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        url: &Url,
        wait_until_ms: u64,
    ) -> Result<R, SourceError> {
        let response = self.get(endpoint, url, "application/json", wait_until_ms).await?;
        let body = pin!(bounded(response, MAX_JSON_BYTES));
        let body = match select(body, pin!(self.clock.sleep(MAX_JSON_TIME))).await {
            Either::Left((body, _)) => body?,
            Either::Right(_) => return Err(SourceError::Malformed("the answer does not come to an end")),
        };
        serde_json::from_slice(&body).map_err(|_| SourceError::Malformed("the answer is not what is documented"))
    }

    async fn content(&self, url: &Url, wait_until_ms: u64) -> Result<Incoming, SourceError> {
        let response = match self.get(Endpoint::Content, url, "*/*", wait_until_ms).await {
            Err(SourceError::Status { status: 403, code: Some(code) }) if code == APP_LACKS_PERMISSION => {
                return Err(Closed::Forbidden.into());
            }
            response => response?,
        };
        if response.status() == StatusCode::PARTIAL_CONTENT && !is_whole(&response) {
            return Err(SourceError::Malformed("a part came, not the whole"));
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        Ok(Incoming {
            content_type: content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
            length: length(&response),
            body: response.into_body(),
        })
    }
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RecordingSource for RingCentral<H, T, P, C> {
    async fn direct(&self, recording: &RecordingId, wait_until_ms: u64) -> Result<Incoming, SourceError> {
        let path = ["restapi", "v1.0", "account", "~", "recording", recording.as_str(), "content"];
        self.content(&self.gate.media.join(&path, &[]), wait_until_ms).await
    }

    async fn listed(&self, content_uri: &str, wait_until_ms: u64) -> Result<Incoming, SourceError> {
        let url = self.gate.admit(content_uri).ok_or(SourceError::ForeignOrigin)?;
        self.content(&url, wait_until_ms).await
    }

    async fn look_up(&self, look_up: &LookUp, wait_until_ms: u64) -> Result<CallLogAnswer, SourceError> {
        self.call_log_of(look_up, wait_until_ms).await
    }

    async fn page(&self, window: &Window, wait_until_ms: u64) -> Result<CallLogPage, SourceError> {
        self.call_log_page(window, wait_until_ms).await
    }

    async fn live(&self, session: &TelephonySessionId, wait_until_ms: u64) -> Result<LiveCall, SourceError> {
        let path = ["restapi", "v1.0", "account", "~", "telephony", "sessions", session.as_str()];
        match self.read::<LiveReply>(Endpoint::LiveSession, &self.gate.server().join(&path, &[]), wait_until_ms).await {
            Ok(reply) => Ok(LiveCall::Running { ended: reply.ended() }),
            Err(SourceError::Status { status: 404, .. }) => Ok(LiveCall::Over),
            Err(error) => Err(error),
        }
    }

    async fn free(&self) -> usize {
        self.permits.free(Endpoint::Content, &self.clock).await
    }

    async fn settle(&self) {
        self.permits.settle(&self.clock).await;
    }

    fn pace_ms(&self) -> u64 {
        self.permits.pace_ms(Endpoint::Content)
    }
}

/// The declared length of a body in bytes, where there is one.
fn length(response: &Response<ByteStream>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Whether a 206 nobody asked for holds everything (API.md §8): `bytes 0-<n-1>/<n>`.
fn is_whole(response: &Response<ByteStream>) -> bool {
    let whole = || {
        let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let [first, last, total]: [u64; 3] = [first.parse().ok()?, last.parse().ok()?, total.parse().ok()?];
        Some(first == 0 && last.checked_add(1) == Some(total))
    };
    whole().unwrap_or(false)
}
