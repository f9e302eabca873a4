//! What goes in and what comes out.

use bytes::Bytes;
use serde_json::Value;

/// Base URLs of the two origins, without a trailing slash (API.md §1).
#[derive(Clone, Debug)]
pub struct Origins {
    /// Stands for `https://platform.ringcentral.com`.
    pub platform: String,
    /// Stands for `https://media.ringcentral.com`.
    pub media: String,
}

/// Which origin a request was sent to (API.md §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The API.
    Platform,
    /// Recording content.
    Media,
}

/// An HTTP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it was sent.
    pub origin: Origin,
    /// Method, in capitals.
    pub method: String,
    /// Path with the query, as sent.
    pub target: String,
    /// Headers, as sent.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
}

impl Request {
    /// A value by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }
}

/// An HTTP reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Headers. Where there is a body, `Content-Length` is among them, unless the body comes undeclared.
    pub headers: Vec<(&'static str, String)>,
    /// Body: all that is sent of it.
    pub body: Bytes,
    /// How the body is sent.
    pub manner: Manner,
}

/// How a body is sent (API.md §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At once and to its end. Without a `Content-Length` it is sent in chunks.
    Whole,
    /// The connection breaks after the body, because `Content-Length` promises more.
    Broken,
    /// In pieces with a pause before each, to its end.
    Trickle {
        /// Length of a piece, in bytes; at least one.
        piece_bytes: usize,
        /// The pause, in milliseconds.
        pause_ms: u64,
    },
}

impl Reply {
    /// A value by its name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let headers = vec![("Content-Type", content_type.to_owned()), ("Content-Length", body.len().to_string())];
        Self { status, headers, body, manner: Manner::Whole }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, json_text(body))
    }

    /// JSON that is text already.
    pub(crate) fn json_text(status: u16, body: String) -> Self {
        Self::new(status, "application/json; charset=UTF-8", body)
    }

    /// A status and nothing else.
    pub(crate) fn bare(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), manner: Manner::Whole }
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::new(status, "text/html", "<html><body><h1>Service page</h1></body></html>")
    }

    /// Announces another length than the body has, or none.
    pub(crate) fn announcing(mut self, length: Option<usize>) -> Self {
        self.headers.retain(|(name, _)| *name != "Content-Length");
        match length {
            Some(length) => self.with("Content-Length", length),
            None => self,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

/// JSON as text, much sooner than its `Display` writes it.
pub(super) fn json_text(value: &Value) -> String {
    // A value can always be written.
    serde_json::to_string(value).unwrap_or_default()
}

/// One line of the request log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Where it was sent.
    pub origin: Origin,
    /// Method.
    pub method: String,
    /// Path with the query.
    pub target: String,
    /// First half of the SHA-256 of the bearer token, in hex, if one was sent: tells tokens apart, reveals none.
    pub bearer: Option<String>,
    /// The bucket it was counted in; none if it was refused before that, or is no known endpoint.
    pub group: Option<super::RateGroup>,
    /// Status of the reply.
    pub status: u16,
}
