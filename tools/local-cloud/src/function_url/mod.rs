//! A Function URL: HTTP in front of a function.

mod event;
mod reply;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

pub use self::event::{HttpRequest, event};
use crate::lambda::Function;
use crate::server::Server;
use crate::{StartError, ids};

/// Lambda's limit for an event.
const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// HTTP in front of a function, as a Function URL without authentication.
pub struct FunctionUrl {
    server: Server,
}

impl FunctionUrl {
    /// Serves `function` at an address of its own.
    pub async fn start(function: Arc<Function>) -> Result<Self, StartError> {
        let limit = DefaultBodyLimit::max(MAX_BODY_BYTES);
        let router = Router::new().fallback(answer).layer(limit).with_state(function);
        Ok(Self { server: Server::start("the Function URL", router).await? })
    }

    /// The address, with the slash AWS ends it with.
    pub fn url(&self) -> String {
        format!("{}/", self.server.url())
    }

    /// Takes the address down: every connection is cut, further ones are refused.
    pub fn stop(&self) {
        self.server.stop();
    }
}

async fn answer(
    State(function): State<Arc<Function>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = HttpRequest {
        method: method.to_string(),
        path_and_query: uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str()).to_owned(),
        headers: readable(&headers),
        body,
    };
    let request_id = ids::request_id();
    let outcome = function.invoke(&event(&request, &request_id, SystemTime::now())).await;
    reply::http(outcome, &request_id)
}

fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
