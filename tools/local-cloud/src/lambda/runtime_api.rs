//! The Runtime API as the function's process sees it: four routes, one process.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{mpsc, oneshot};

use super::FunctionFailure;

/// Lambda's limit for what a function answers.
const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;

/// One event on its way to the process.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) deadline_ms: u64,
    pub(super) function_arn: String,
    pub(super) trace_id: String,
    pub(super) event: Bytes,
}

/// What the process told us.
pub(super) enum Report {
    /// It asks for work and waits.
    Next(oneshot::Sender<Invocation>),
    /// It finished one.
    Response { request_id: String, body: Bytes },
    /// It failed at one.
    Error { request_id: String, failure: FunctionFailure },
    /// It cannot start.
    InitError(FunctionFailure),
}

type Reports = mpsc::UnboundedSender<Report>;

pub(super) fn router(reports: Reports) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::max(MAX_RESPONSE_BYTES))
        .with_state(reports)
}

async fn next(State(reports): State<Reports>) -> Response {
    let (slot, invocation) = oneshot::channel();
    drop(reports.send(Report::Next(slot)));
    match invocation.await {
        Ok(invocation) => hand_over(invocation),
        Err(_) => (StatusCode::GONE, "this instance gets no more work").into_response(),
    }
}

fn hand_over(invocation: Invocation) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        // All of these are our own, but for a function name that is no header value: then it does without.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json");
    set("lambda-runtime-aws-request-id", &invocation.request_id);
    set("lambda-runtime-deadline-ms", &invocation.deadline_ms.to_string());
    set("lambda-runtime-invoked-function-arn", &invocation.function_arn);
    set("lambda-runtime-trace-id", &invocation.trace_id);
    let mut response = Response::new(Body::from(invocation.event));
    *response.headers_mut() = headers;
    response
}

async fn response(State(reports): State<Reports>, Path(request_id): Path<String>, body: Bytes) -> Response {
    accept(&reports, Report::Response { request_id, body })
}

async fn error(State(reports): State<Reports>, Path(request_id): Path<String>, body: Bytes) -> Response {
    accept(&reports, Report::Error { request_id, failure: FunctionFailure::read(&body) })
}

async fn init_error(State(reports): State<Reports>, body: Bytes) -> Response {
    accept(&reports, Report::InitError(FunctionFailure::read(&body)))
}

fn accept(reports: &Reports, report: Report) -> Response {
    // Nobody listens any more only when the instance is being put away.
    drop(reports.send(report));
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::ACCEPTED, content_type, r#"{"status":"OK"}"#).into_response()
}
