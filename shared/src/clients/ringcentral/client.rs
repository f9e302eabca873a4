//! [`RecordingSource`] over RingCentral's API.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use url::Url;

use super::{
    auth::TokenKeeper,
    error::{bounded, refused, unreachable},
    origin::OriginGate,
    rate::RateLimit,
    transport::{Transport, authorization},
    wire::CallLogPage,
};
use crate::{
    domain::{
        call_log::CallLogAnswer,
        day::format_time,
        ids::{RecordingId, SessionId, TelephonySessionId},
    },
    ports::{
        clock::Clock,
        recording_source::{ByteStream, Closed, CredentialsError, Incoming, LookUp, RecordingSource, SourceError},
        token_store::TokenStore,
    },
};

/// A page of the call log about one call is some KiB.
const MAX_LOG_BYTES: usize = 8 * 1024 * 1024;

/// RingCentral, as one user of one app.
#[derive(Debug)]
pub struct RingCentral<H, T, C> {
    http: H,
    gate: OriginGate,
    tokens: TokenKeeper<H, T>,
    clock: C,
    heavy: RateLimit,
}

/// Whose call log is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Company,
    Extension,
}

/// By which of its ids a call is asked for.
#[derive(Debug, Clone, Copy)]
enum Filter<'a> {
    TelephonySession(&'a TelephonySessionId),
    Session(&'a SessionId),
}

impl<H: Transport, T: TokenStore, C: Clock> RingCentral<H, T, C> {
    /// A client; tokens go nowhere but where `gate` admits.
    pub fn new(http: H, gate: OriginGate, tokens: TokenKeeper<H, T>, clock: C) -> Self {
        Self { http, gate, tokens, clock, heavy: RateLimit::heavy() }
    }

    /// Asks once; on 401 gets another token and asks once more (API.md §2).
    async fn get(&self, url: Url, accept: &'static str) -> Result<Response<ByteStream>, SourceError> {
        let unfit = || SourceError::Malformed("the token or the address does not fit a request");
        let mut token = self.tokens.token(&self.clock).await?;
        for last in [false, true] {
            self.heavy.permit(self.clock.now_ms())?;
            let request = Request::get(url.as_str())
                .header(header::AUTHORIZATION, authorization("Bearer", token.expose()).map_err(|_| unfit())?)
                .header(header::ACCEPT, accept)
                .body(Bytes::new())
                .map_err(|_| unfit())?;
            let response = self.http.send(request, None).await.map_err(unreachable)?;
            self.heavy.replied(response.headers(), self.clock.now_ms());
            match response.status() {
                StatusCode::UNAUTHORIZED if last => break,
                StatusCode::UNAUTHORIZED => token = self.tokens.replace(&self.clock, &token).await?,
                status if status.is_success() => return Ok(response),
                _ => return Err(refused(response).await),
            }
        }
        Err(Closed::from(CredentialsError::NotAccepted).into())
    }

    async fn content(&self, url: Url) -> Result<Incoming, SourceError> {
        let response = self.get(url, "*/*").await?;
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

    async fn call_log(&self, level: Level, filter: Filter<'_>, from_ms: u64) -> Result<CallLogAnswer, SourceError> {
        let path: &[&str] = match level {
            Level::Company => &["restapi", "v1.0", "account", "~", "call-log"],
            Level::Extension => &["restapi", "v1.0", "account", "~", "extension", "~", "call-log"],
        };
        let from = format_time(from_ms);
        let (filter, asked_of) = match filter {
            Filter::TelephonySession(id) => (("telephonySessionId", id.as_str()), Some(id)),
            Filter::Session(id) => (("sessionId", id.as_str()), None),
        };
        let query = [filter, ("view", "Detailed"), ("dateFrom", from.as_str()), ("perPage", "1000")];
        let response = self.get(self.gate.server().join(path, &query), "application/json").await?;
        let body = bounded(response, MAX_LOG_BYTES).await?;
        let page: CallLogPage = serde_json::from_slice(&body)
            .map_err(|_| SourceError::Malformed("the call log is not what is documented"))?;
        let mut answer = page.into_answer(asked_of);
        answer.whole &= level == Level::Company;
        Ok(answer)
    }

    async fn call_log_of(&self, level: Level, look_up: &LookUp) -> Result<CallLogAnswer, SourceError> {
        let filter = Filter::TelephonySession(&look_up.session);
        let answer = self.call_log(level, filter, look_up.from_ms).await?;
        match &look_up.session_id {
            Some(session_id) if answer.records == 0 => {
                self.call_log(level, Filter::Session(session_id), look_up.from_ms).await
            }
            Some(_) | None => Ok(answer),
        }
    }
}

impl<H: Transport, T: TokenStore, C: Clock> RecordingSource for RingCentral<H, T, C> {
    async fn direct(&self, recording: &RecordingId) -> Result<Incoming, SourceError> {
        let path = ["restapi", "v1.0", "account", "~", "recording", recording.as_str(), "content"];
        self.content(self.gate.media.join(&path, &[])).await
    }

    async fn listed(&self, content_uri: &str) -> Result<Incoming, SourceError> {
        let url = self.gate.admit(content_uri).ok_or(SourceError::ForeignOrigin)?;
        self.content(url).await
    }

    async fn look_up(&self, look_up: &LookUp) -> Result<CallLogAnswer, SourceError> {
        match self.call_log_of(Level::Company, look_up).await {
            Err(SourceError::Status { status: 403, .. }) => self.call_log_of(Level::Extension, look_up).await,
            answer => answer,
        }
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
