//! The one place where RingCentral's replies become the port's errors.

use std::time::Duration;

use futures_util::StreamExt;
use http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;

use super::transport::NoReply;
use crate::ports::recording_source::{ByteStream, Closed, SourceError};

/// Without `Retry-After`, wait at least this long (API.md §3).
const RETRY_AFTER_UNKNOWN: Duration = Duration::from_secs(30);

/// The vendor's windows are a minute. A longer word, from whatever stands between, must not stop the archive for good.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// Error bodies are read up to here.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// A status that is no success. The body need not be readable: gateways answer HTML, or nothing (API.md §4).
pub(super) async fn refused(response: Response<ByteStream>) -> SourceError {
    let status = response.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Closed::Throttled { retry_after: retry_after(response.headers()) }.into();
    }
    let code = error_code(response).await;
    SourceError::Status { status: status.as_u16(), code }
}

/// The inner error code of an error body, if it looks like one: it goes into rows and logs.
pub(super) async fn error_code(response: Response<ByteStream>) -> Option<String> {
    let body = bounded(response, MAX_ERROR_BYTES).await.ok()?;
    let body: ErrorBody = serde_json::from_slice(&body).ok()?;
    let code = body.errors.into_iter().find_map(|error| error.code).or(body.code)?;
    let harmless =
        code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    harmless.then_some(code)
}

/// A body of at most `limit` bytes.
pub(super) async fn bounded(response: Response<ByteStream>, limit: usize) -> Result<Vec<u8>, SourceError> {
    let mut chunks = response.into_body();
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(|error| SourceError::Unreachable(error.0))?);
        if body.len() > limit {
            return Err(SourceError::Malformed("the body is too large"));
        }
    }
    Ok(body)
}

/// A request without a reply.
pub(super) fn unreachable(error: NoReply) -> SourceError {
    SourceError::Unreachable(error.0)
}

/// How long a 429 wants nothing to be sent: the longer of `Retry-After` and the window, at most [`LONGEST_PAUSE`].
pub(super) fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs);
    let longer = seconds("retry-after").max(seconds("x-rate-limit-window"));
    longer.unwrap_or(RETRY_AFTER_UNKNOWN).min(LONGEST_PAUSE)
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "errorCode", alias = "error")]
    code: Option<String>,
    #[serde(default)]
    errors: Vec<InnerError>,
}

#[derive(Deserialize)]
struct InnerError {
    #[serde(rename = "errorCode")]
    code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_header_and_window_counts() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
        };
        for (pairs, seconds) in [
            (&[][..], 30),
            (&[("retry-after", "5")], 5),
            (&[("retry-after", "5"), ("x-rate-limit-window", "60")], 60),
            (&[("retry-after", "90"), ("x-rate-limit-window", "60")], 90),
            (&[("retry-after", "86400")], 900),
            (&[("retry-after", "18446744073709551615")], 900),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], 30),
        ] {
            assert_eq!(retry_after(&headers(pairs)), Duration::from_secs(seconds), "{pairs:?}");
        }
    }
}
