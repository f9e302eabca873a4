//! The question put to a new address, and what counts as a good answer (API.md §5.1, §5.2).

use super::{Draft, Subscription, uuid};
use crate::core::Asked;
use crate::core::fault::Fault;
use crate::core::notify::{Delivery, DeliveryPurpose, user_agent};
use crate::settings::HandshakeChecks;

const TIMEOUT_MS: u64 = 3_000;
const MAX_REPLY_BYTES: usize = 1_024;
const STATUS_LINE: &str = "HTTP/1.1 200 OK\r\n";
const TIMED_OUT: &str = "I/O operation is failed. Details: [Read timed out]";
const TOKEN_HEADER: &str = "Validation-Token";

/// A `POST` with an empty body that must be sent before a subscription can exist.
#[derive(Debug)]
pub struct Handshake {
    /// Where to send it.
    pub address: String,
    /// Headers to send, `Validation-Token` among them.
    pub headers: Vec<(&'static str, String)>,
    /// How long to wait for the whole answer, in milliseconds.
    pub timeout_ms: u64,
    pub(in crate::core) pending: Box<Pending>,
}

/// What the answer decides about.
#[derive(Debug)]
pub(in crate::core) struct Pending {
    pub(in crate::core) validation_token: String,
    pub(in crate::core) asked: Asked,
    pub(in crate::core) draft: Draft,
}

/// What an address said to a handshake or to a notification.
#[derive(Clone, Debug)]
pub enum HandshakeAnswer {
    /// It answered.
    Reply {
        /// Status code.
        status: u16,
        /// Headers as received.
        headers: Vec<(String, String)>,
        /// Length of the body, in bytes.
        body_bytes: usize,
        /// Time from sending to the last byte, in milliseconds.
        elapsed_ms: u64,
    },
    /// Nothing came: no connection, or no end of the answer in time.
    Unreachable,
}

impl Handshake {
    pub(in crate::core) fn new(asked: Asked, draft: Draft) -> Self {
        let validation_token = uuid(&format!("validation {}", draft.number));
        Self {
            address: draft.address.clone(),
            headers: question(&validation_token),
            timeout_ms: TIMEOUT_MS,
            pending: Box::new(Pending { validation_token, asked, draft }),
        }
    }
}

/// Asks a blacklisted address whether it is well again.
pub(in crate::core) fn recheck(subscription: &Subscription, id: u64) -> Delivery {
    let validation_token = uuid(&format!("recheck {id}"));
    Delivery {
        id,
        subscription_id: subscription.id.clone(),
        address: subscription.address.clone(),
        headers: question(&validation_token),
        body: Vec::new(),
        purpose: DeliveryPurpose::Recheck { validation_token },
    }
}

fn question(validation_token: &str) -> Vec<(&'static str, String)> {
    vec![
        (TOKEN_HEADER, validation_token.to_owned()),
        user_agent(),
        ("Accept", "application/json".to_owned()),
        ("Content-Type", "application/json; charset=UTF-8".to_owned()),
    ]
}

/// Refuses an answer the vendor would refuse.
pub(in crate::core) fn judge(
    validation_token: &str,
    answer: &HandshakeAnswer,
    checks: &HandshakeChecks,
) -> Result<(), Fault> {
    let unreachable = || Fault::plain(400, "SUB-521", "WebHook is not reachable");
    let HandshakeAnswer::Reply { status, headers, body_bytes, elapsed_ms } = answer else {
        return Err(unreachable());
    };
    if (checks.status && *status != 200) || (checks.time && *elapsed_ms > TIMEOUT_MS) {
        return Err(unreachable());
    }
    let header = |name: &str| {
        let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    };
    if checks.echo && header(TOKEN_HEADER) != Some(validation_token) {
        return Err(Fault::plain(400, "SUB-520", "Validation Token is not returned"));
    }
    let content_type = header("content-type").unwrap_or_default();
    let is_json = content_type.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    let is_small = reply_bytes(headers, *body_bytes) <= MAX_REPLY_BYTES;
    if (checks.content_type && !is_json) || (checks.size && !is_small) {
        return Err(Fault::plain(400, "SUB-525", "WebHook server response is invalid"));
    }
    Ok(())
}

/// Why an answer to a notification is a failure, in the vendor's words (API.md §5.4); `None` if it is none.
pub(in crate::core) fn failure(answer: &HandshakeAnswer) -> Option<String> {
    match answer {
        HandshakeAnswer::Unreachable => Some(TIMED_OUT.to_owned()),
        HandshakeAnswer::Reply { elapsed_ms, .. } if *elapsed_ms > TIMEOUT_MS => Some(TIMED_OUT.to_owned()),
        HandshakeAnswer::Reply { status, .. } if *status != 200 => {
            Some(format!("Webhook responses with code: [{status}], reason: [{}]", reason_phrase(*status)))
        }
        HandshakeAnswer::Reply { headers, body_bytes, .. } => (reply_bytes(headers, *body_bytes) > MAX_REPLY_BYTES)
            .then(|| format!("Webhook response exceeds max size. Read bytes count: [{MAX_REPLY_BYTES}]")),
    }
}

fn reason_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// The size on the wire: status line, headers, empty line and body.
fn reply_bytes(headers: &[(String, String)], body_bytes: usize) -> usize {
    let lines: usize = headers.iter().map(|(name, value)| name.len() + ": ".len() + value.len() + "\r\n".len()).sum();
    STATUS_LINE.len() + lines + "\r\n".len() + body_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body_bytes: usize, elapsed_ms: u64) -> HandshakeAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HandshakeAnswer::Reply { status, headers, body_bytes, elapsed_ms }
    }

    fn code(answer: &HandshakeAnswer) -> String {
        let Err(fault) = judge("v-1", answer, &HandshakeChecks::default()) else {
            return "accepted".into();
        };
        let body: serde_json::Value = serde_json::from_slice(&fault.reply().body).unwrap();
        body["errors"][0]["errorCode"].as_str().unwrap().to_owned()
    }

    #[test]
    fn only_a_prompt_small_json_echo_is_accepted() {
        let echo = ("validation-token", "v-1");
        let json = ("content-type", "application/json; charset=utf-8");
        let cases = [
            ("good", answer(200, &[echo, json], 0, 3_000), "accepted"),
            ("late", answer(200, &[echo, json], 0, 3_001), "SUB-521"),
            ("created", answer(201, &[echo, json], 0, 10), "SUB-521"),
            ("no connection", HandshakeAnswer::Unreachable, "SUB-521"),
            ("no echo", answer(200, &[json], 0, 10), "SUB-520"),
            ("other echo", answer(200, &[("validation-token", "v-2"), json], 0, 10), "SUB-520"),
            ("no content type", answer(200, &[echo], 0, 10), "SUB-525"),
            ("text", answer(200, &[echo, ("content-type", "text/plain")], 0, 10), "SUB-525"),
            ("just fits", answer(200, &[echo, json], 1_024 - 89, 10), "accepted"),
            ("one byte too many", answer(200, &[echo, json], 1_024 - 88, 10), "SUB-525"),
        ];
        for (name, answer, expected) in cases {
            assert_eq!(code(&answer), expected, "{name}");
        }
    }
}
