//! The seam to the network: a request goes out, the head of a reply comes back and its body follows. Everything above it
//! (tokens, limits, fallbacks, what an answer means) runs unchanged over a simulated vendor.

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderValue, Request, Response, header::InvalidHeaderValue};

use crate::ports::recording_source::{ByteStream, Interrupted};

/// Carries requests to RingCentral.
#[expect(async_fn_in_trait, reason = "used through generics on one thread; no caller needs a Send bound")]
pub trait Transport {
    /// Sends a request to its absolute address, following no redirect, and answers once the reply's head is there.
    ///
    /// # Errors
    /// There was no reply; the vendor may have got the request all the same.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, NoReply>;
}

/// Why no reply came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoReply {
    /// In words. They name no address: it may hold an id of a customer.
    pub why: String,
    /// Whether the vendor may have got the request. If not, it has not counted it.
    pub sent: bool,
}

impl Transport for reqwest::Client {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, NoReply> {
        let request = reqwest::Request::try_from(request).map_err(no_reply)?;
        let reply = self.execute(request).await.map_err(no_reply)?;
        let mut head = Response::new(());
        *head.status_mut() = reply.status();
        *head.version_mut() = reply.version();
        *head.headers_mut() = reply.headers().clone();
        let body = reply.bytes_stream().map(|chunk| chunk.map_err(|error| Interrupted(told(error))));
        Ok(head.map(|()| Box::pin(body) as ByteStream))
    }
}

/// The value of an `Authorization` header, marked so that no debug output shows it.
pub(super) fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {credentials}"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn no_reply(error: reqwest::Error) -> NoReply {
    let sent = !error.is_connect() && !error.is_builder();
    NoReply { why: told(error), sent }
}

fn told(error: reqwest::Error) -> String {
    let text = error.without_url().to_string();
    if text.is_empty() { "no reason given".to_owned() } else { text }
}
