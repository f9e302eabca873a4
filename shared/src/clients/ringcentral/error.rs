//! The one place where RingCentral's replies become the port's errors.

use futures_util::StreamExt;
use http::Response;
use serde::Deserialize;

use super::transport::NoReply;
use crate::ports::recording_source::{ByteStream, SourceError};

/// Error bodies are read up to here.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// A status that is no success. The body need not be readable: gateways answer HTML, or nothing (API.md §4).
pub(super) async fn refused(response: Response<ByteStream>) -> SourceError {
    let status = response.status();
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
    SourceError::Unreachable(error.why)
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
