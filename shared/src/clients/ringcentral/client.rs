//! [`RecordingSource`] over RingCentral's API.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    auth::TokenKeeper,
    content,
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
        ids::TelephonySessionId,
    },
    ports::{
        clock::Clock,
        permit_store::PermitStore,
        recording_source::{
            ByteStream, Closed, CredentialsError, Incoming, LiveCall, LookUp, Place, RecordingSource, Rest,
            SourceError, Window,
        },
        token_store::TokenStore,
    },
};

/// A page of the call log is a few KiB for each of its records.
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// And it comes within a minute, or what is still to come is not waited for.
const MAX_JSON_TIME: Duration = Duration::from_secs(60);

/// The body of an error is worth less.
const MAX_ERROR_TIME: Duration = Duration::from_secs(10);

/// The application may not do this at all (API.md §4).
pub(super) const APP_LACKS_PERMISSION: &str = "CMN-401";

/// RingCentral, as one user of one app.
#[derive(Debug)]
pub struct RingCentral<H, T, P, C> {
    pub(super) http: H,
    pub(super) gate: OriginGate,
    tokens: TokenKeeper<H, T>,
    permits: Permits<P>,
    pub(super) clock: C,
}

/// A request, before it has a permit and a token.
pub(super) struct Ask<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(super) fn get(endpoint: Endpoint, url: &'a Url, headers: HeaderMap) -> Self {
        Self { endpoint, method: Method::GET, url, headers, body: Bytes::new() }
    }
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RingCentral<H, T, P, C> {
    /// A client; tokens go nowhere but where `gate` admits, and nothing is sent without one of `permits`.
    pub fn new(http: H, gate: OriginGate, tokens: TokenKeeper<H, T>, permits: Permits<P>, clock: C) -> Self {
        Self { http, gate, tokens, permits, clock }
    }

    /// Asks until there is an answer: after a 401 once more, with another token (API.md §2); after a 429 when the vendor
    /// lets it, if that is before `wait_until_ms`. Neither of them did what was asked; a request that may have been heard
    /// is not sent again.
    pub(super) async fn ask(&self, ask: &Ask<'_>, wait_until_ms: u64) -> Result<Response<ByteStream>, SourceError> {
        let &Ask { endpoint, url, ref headers, .. } = ask;
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
            let mut request = Request::builder()
                .method(ask.method.clone())
                .uri(url.as_str())
                .header(header::AUTHORIZATION, authorization("Bearer", token.expose()).map_err(|_| unfit())?)
                .body(ask.body.clone())
                .map_err(|_| unfit())?;
            request.headers_mut().extend(headers.clone());
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
                StatusCode::UNAUTHORIZED if refused_once => return Err(self.refused(response).await),
                StatusCode::UNAUTHORIZED => {
                    refused_once = true;
                    self.tokens.replace(&self.permits, &self.clock, &token).await?;
                }
                StatusCode::RANGE_NOT_SATISFIABLE if content::is_the_end(&response, headers) => return Ok(response),
                status if status.is_success() => return Ok(response),
                _ => return Err(self.refused(response).await),
            }
        }
    }

    /// A status that is no success. Its body is not waited for for long.
    async fn refused(&self, response: Response<ByteStream>) -> SourceError {
        let status = response.status().as_u16();
        match select(pin!(refused(response)), pin!(self.clock.sleep(MAX_ERROR_TIME))).await {
            Either::Left((refused, _)) => refused,
            Either::Right(_) => SourceError::Status { status, code: None },
        }
    }

    /// Asks for JSON.
    pub(super) async fn read<R: DeserializeOwned>(
        &self,
        endpoint: Endpoint,
        url: &Url,
        wait_until_ms: u64,
    ) -> Result<R, SourceError> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        self.json(self.ask(&Ask::get(endpoint, url, headers), wait_until_ms).await?).await
    }

    /// The body of a success.
    pub(super) async fn json<R: DeserializeOwned>(&self, response: Response<ByteStream>) -> Result<R, SourceError> {
        let body = pin!(bounded(response, MAX_JSON_BYTES));
        let body = match select(body, pin!(self.clock.sleep(MAX_JSON_TIME))).await {
            Either::Left((body, _)) => body?,
            Either::Right(_) => return Err(SourceError::Malformed("the answer does not come to an end")),
        };
        serde_json::from_slice(&body).map_err(|_| SourceError::Malformed("the answer is not what is documented"))
    }

    async fn content(&self, url: &Url, rest: Option<&Rest>, wait_until_ms: u64) -> Result<Incoming, SourceError> {
        let ask = Ask::get(Endpoint::Content, url, content::asked(rest)?);
        let response = match self.ask(&ask, wait_until_ms).await {
            Err(SourceError::Status { status: 403, code: Some(code) }) if code == APP_LACKS_PERMISSION => {
                return Err(Closed::Forbidden.into());
            }
            response => response?,
        };
        content::incoming(response, rest)
    }
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RecordingSource for RingCentral<H, T, P, C> {
    async fn fetch(&self, place: Place<'_>, rest: Option<&Rest>, wait_until_ms: u64) -> Result<Incoming, SourceError> {
        let url = match place {
            Place::Direct(recording) => {
                let path = ["restapi", "v1.0", "account", "~", "recording", recording.as_str(), "content"];
                self.gate.media.join(&path, &[])
            }
            Place::Listed(content_uri) => self.gate.admit(content_uri).ok_or(SourceError::ForeignOrigin)?,
        };
        self.content(&url, rest, wait_until_ms).await
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
