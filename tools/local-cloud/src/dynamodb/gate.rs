//! What stands in front of the table: it turns away who may not, and tests make it fail at a chosen moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};

use super::Tables;
use super::calls;
use crate::StartError;
use crate::iam::{self, Denial, Iam};
use crate::sync::lock;

/// DynamoDB's own limit.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Faults in front of the real thing: holds requests back, or refuses them all.
#[derive(Default)]
pub struct Gate {
    refusing: AtomicBool,
    holds: Mutex<Vec<Hold>>,
}

type Wanted = Box<dyn Fn(&str, &Value) -> bool + Send>;

/// The gate's end of a [`Held`].
struct Hold {
    wanted: Wanted,
    reached: watch::Sender<bool>,
    released: oneshot::Receiver<()>,
}

/// A hold on one request. Dropping it lets the request go on, or the hold lapse if none has come.
#[must_use = "dropping it releases the request"]
pub struct Held {
    reached: watch::Receiver<bool>,
    _release: oneshot::Sender<()>,
}

impl Held {
    /// Resolves when the request stands at the gate, and has not reached the table.
    pub async fn reached(&mut self) {
        if self.reached.wait_for(|reached| *reached).await.is_err() {
            // The gate is gone, and no request will ever stand at it.
            std::future::pending::<()>().await;
        }
    }
}

impl Gate {
    /// Holds the first request that is `wanted`, by its operation (`UpdateItem`) and its JSON body, before it reaches
    /// the table. A held request whose sender dies never reaches it.
    pub fn hold(&self, wanted: impl Fn(&str, &Value) -> bool + Send + 'static) -> Held {
        let (reached_sender, reached) = watch::channel(false);
        let (release, released) = oneshot::channel();
        lock(&self.holds).push(Hold { wanted: Box::new(wanted), reached: reached_sender, released });
        Held { reached, _release: release }
    }

    /// While on, everything is answered with DynamoDB's `InternalServerError`, status 500.
    pub fn refuse_all(&self, on: bool) {
        self.refusing.store(on, Ordering::SeqCst);
    }

    async fn pass(&self, operation: &str, body: &[u8]) {
        if let Some(hold) = self.take_hold(operation, body) {
            hold.reached.send_replace(true);
            // Only ever ends by the sender's drop.
            drop(hold.released.await);
        }
    }

    fn take_hold(&self, operation: &str, body: &[u8]) -> Option<Hold> {
        let mut holds = lock(&self.holds);
        holds.retain(|hold| !hold.reached.is_closed());
        if holds.is_empty() {
            return None;
        }
        let body = serde_json::from_slice(body).unwrap_or_default();
        let index = holds.iter().position(|hold| (hold.wanted)(operation, &body))?;
        Some(holds.remove(index))
    }
}

struct Passage {
    gate: Arc<Gate>,
    iam: Arc<Iam>,
    tables: Arc<Tables>,
    table_url: String,
    client: reqwest::Client,
}

pub(super) fn router(
    gate: Arc<Gate>,
    iam: Arc<Iam>,
    tables: Arc<Tables>,
    table_url: String,
) -> Result<Router, StartError> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().map_err(StartError::Client)?;
    let passage = Arc::new(Passage { gate, iam, tables, table_url, client });
    let limit = DefaultBodyLimit::max(MAX_BODY_BYTES);
    Ok(Router::new().fallback(answer).layer(limit).with_state(passage))
}

async fn answer(State(passage): State<Arc<Passage>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    match passage.authorize(operation, &headers, &body) {
        Ok(()) => {}
        Err(Denial::Refused(message)) => return deny("AccessDeniedException", &message),
        Err(Denial::UnknownKey) => return deny("UnrecognizedClientException", iam::UNKNOWN_KEY),
    }
    passage.gate.pass(operation, &body).await;
    if passage.gate.refusing.load(Ordering::SeqCst) {
        return fail("the gate refuses everything");
    }
    match passage.forward(headers, body).await {
        Ok(response) => response,
        Err(error) => fail(&format!("the database behind the gate did not answer: {error}")),
    }
}

impl Passage {
    fn authorize(&self, operation: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Denial> {
        let body = serde_json::from_slice(body).unwrap_or_default();
        let calls = calls::of(operation, &body, &lock(&self.tables));
        self.iam.authorize(iam::access_key_id(headers), calls)
    }

    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Result<Response, reqwest::Error> {
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        let reply = self.client.post(&self.table_url).headers(headers).body(body).send().await?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        let mut response = Response::new(Body::from(reply.bytes().await?));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn fail(message: &str) -> Response {
    let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": message });
    reply(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

fn deny(kind: &str, message: &str) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({ "__type": format!("com.amazon.coral.service#{kind}"), "Message": message }))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, content_type, body.to_string()).into_response()
}
