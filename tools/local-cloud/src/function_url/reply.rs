//! What a function answered, as HTTP.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::ids;
use crate::lambda::InvokeError;

/// The response, with the headers AWS adds, so that its size is honest. The server adds `date` and `content-length`.
pub(super) fn http(outcome: Result<Value, InvokeError>, request_id: &str) -> Response {
    let reply = match outcome {
        Ok(value) if value.get("statusCode").is_some() => full(&value),
        Ok(value) => Some((StatusCode::OK, HeaderMap::new(), value.to_string().into_bytes())),
        Err(_) => None,
    };
    let (status, mut headers, body) =
        reply.unwrap_or_else(|| (StatusCode::BAD_GATEWAY, HeaderMap::new(), b"Internal Server Error".to_vec()));
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    for (name, value) in [("x-amzn-requestid", request_id), ("x-amzn-trace-id", &ids::trace_id())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Reads a reply that gives its own status; `None` if AWS could not read it either.
fn full(reply: &Value) -> Option<(StatusCode, HeaderMap, Vec<u8>)> {
    let status = StatusCode::from_u16(u16::try_from(reply["statusCode"].as_u64()?).ok()?).ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in reply["headers"].as_object().into_iter().flatten() {
        headers.insert(name.parse::<HeaderName>().ok()?, header_value(value)?);
    }
    for cookie in reply["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    let body = reply["body"].as_str().unwrap_or_default();
    let body = match reply["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).ok()?,
        Some(false) | None => body.as_bytes().to_vec(),
    };
    Some((status, headers, body))
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    match value {
        Value::String(text) => HeaderValue::from_str(text).ok(),
        Value::Number(number) => HeaderValue::from_str(&number.to_string()).ok(),
        Value::Bool(flag) => Some(HeaderValue::from_static(if *flag { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;

    async fn shown(outcome: Result<Value, InvokeError>) -> (u16, String, Vec<u8>) {
        let response = http(outcome, "id");
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (response.status().as_u16(), content_type, to_bytes(response.into_body(), 1024).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn replies_become_http() {
        let json_type = "application/json";
        let failure = InvokeError::Function { error_type: "Broken".to_owned(), message: String::new() };
        let cases = [
            (Ok(json!({ "ok": true })), (200, json_type, br#"{"ok":true}"#.to_vec())),
            (
                Ok(json!({ "statusCode": 401, "headers": { "Content-Type": "text/plain" }, "body": "no" })),
                (401, "text/plain", b"no".to_vec()),
            ),
            (Ok(json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true })), (200, json_type, vec![0, 255])),
            (Ok(json!({ "statusCode": "much" })), (502, json_type, b"Internal Server Error".to_vec())),
            (Err(failure), (502, json_type, b"Internal Server Error".to_vec())),
        ];
        for (outcome, (status, content_type, body)) in cases {
            let case = format!("{outcome:?}");
            assert_eq!(shown(outcome).await, (status, content_type.to_owned(), body), "{case}");
        }
    }

    #[test]
    fn aws_adds_its_headers() {
        let response = http(Ok(json!({ "statusCode": 200 })), "id-1");
        assert_eq!(response.headers()["x-amzn-requestid"], "id-1");
        assert_eq!(response.headers()["connection"], "keep-alive");
        assert!(response.headers()["x-amzn-trace-id"].to_str().unwrap().starts_with("Root=1-"));
    }
}
