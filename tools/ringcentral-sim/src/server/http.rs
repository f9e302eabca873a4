//! Between HTTP and the core.

use super::{Shared, deliver, now_ms};
use crate::core::{Manner, Origin, Outcome, Reply, Request};
use axum::Router;
use axum::body::{self, Body};
use axum::extract::State;
use axum::http::{self, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

const MAX_REQUEST_BYTES: usize = 1024 * 1024;
const PIECE_BYTES: usize = 16 * 1024;

#[derive(Clone)]
struct Face {
    origin: Origin,
    shared: Arc<Shared>,
}

/// Serves one origin until the other end of `stopped` is dropped.
pub(super) fn serve(listener: TcpListener, origin: Origin, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let router = Router::new().fallback(answer).with_state(Face { origin, shared });
    let until_stopped = async move { while stopped.changed().await.is_ok() {} };
    tokio::spawn(axum::serve(listener, router).with_graceful_shutdown(until_stopped).into_future());
}

async fn answer(State(face): State<Face>, request: http::Request<Body>) -> Response {
    let Some(request) = read(face.origin, request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let reply = match face.shared.with(|simulator| simulator.handle(&request, now_ms())) {
        Outcome::Reply(reply) => reply,
        Outcome::Handshake(handshake) => {
            let answer = deliver::ask(&face.shared.client, &handshake).await;
            face.shared.with(|simulator| simulator.finish_handshake(handshake, answer, now_ms()))
        }
    };
    write(reply).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn read(origin: Origin, request: http::Request<Body>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Some(Request {
        origin,
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers.iter().map(header).collect(),
        body: body::to_bytes(body, MAX_REQUEST_BYTES).await.ok()?,
    })
}

fn write(reply: Reply) -> Result<Response, http::Error> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    match reply.manner {
        Manner::Whole => {
            response.body(Body::from_stream(stream::iter(pieces(reply.body, PIECE_BYTES).map(Ok::<_, io::Error>))))
        }
        Manner::Broken => {
            // Without a pause the error would overtake what has not been written to the socket yet.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            });
            response.body(Body::from_stream(stream::iter(pieces(reply.body, PIECE_BYTES).map(Ok)).chain(broken)))
        }
        Manner::Trickle { piece_bytes, pause_ms } => {
            let pause = Duration::from_millis(pause_ms);
            let paced = stream::iter(pieces(reply.body, piece_bytes)).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, io::Error>(piece)
            });
            response.body(Body::from_stream(paced))
        }
    }
}

fn pieces(body: Bytes, piece_bytes: usize) -> impl Iterator<Item = Bytes> {
    let starts = (0..body.len()).step_by(piece_bytes);
    starts.map(move |start| body.slice(start..body.len().min(start + piece_bytes)))
}
