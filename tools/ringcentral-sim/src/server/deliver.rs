//! The vendor's own requests: notifications and handshakes.

use super::{Shared, now_ms};
use crate::core::{Delivery, Handshake, HandshakeAnswer};
use reqwest::{Client, RequestBuilder};
use std::time::{Duration, Instant};

/// Time an address has for its whole answer (API.md §5.1).
const TIMEOUT: Duration = Duration::from_millis(3_000);

/// How one notification went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The subscription it belonged to.
    pub subscription_id: String,
    /// Status of the answer; `None` if there was none within 3000 ms (API.md §5.1).
    pub status: Option<u16>,
    /// Time from sending to the last byte, in milliseconds.
    pub elapsed_ms: u64,
}

/// Sends a delivery and tells the simulator what its address said.
pub(super) async fn one(shared: &Shared, delivery: Delivery) -> DeliveryResult {
    let started = Instant::now();
    let request = with_headers(shared.client.post(&delivery.address), delivery.headers.clone());
    let request = request.body(delivery.body.clone()).timeout(TIMEOUT);
    let answer = answer(request).await.unwrap_or(HandshakeAnswer::Unreachable);
    shared.with(|simulator| simulator.delivered(&delivery, &answer, now_ms()));
    let status = match answer {
        HandshakeAnswer::Reply { status, .. } => Some(status),
        HandshakeAnswer::Unreachable => None,
    };
    DeliveryResult { subscription_id: delivery.subscription_id, status, elapsed_ms: elapsed_ms(started) }
}

pub(super) async fn ask(client: &Client, handshake: &Handshake) -> HandshakeAnswer {
    let request = with_headers(client.post(&handshake.address), handshake.headers.clone());
    let timeout = Duration::from_millis(handshake.timeout_ms);
    answer(request.timeout(timeout)).await.unwrap_or(HandshakeAnswer::Unreachable)
}

async fn answer(request: RequestBuilder) -> reqwest::Result<HandshakeAnswer> {
    let started = Instant::now();
    let response = request.send().await?;
    let status = response.status().as_u16();
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = response.headers().iter().map(header).collect();
    let body_bytes = response.bytes().await?.len();
    Ok(HandshakeAnswer::Reply { status, headers, body_bytes, elapsed_ms: elapsed_ms(started) })
}

fn with_headers(request: RequestBuilder, headers: Vec<(&'static str, String)>) -> RequestBuilder {
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn elapsed_ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
