//! An HTTP request as the function sees it: payload format 2.0.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::ids;

/// The id AWS would put into the URL's host name.
const API_ID: &str = "localcloud";
const SOURCE_IP: &str = "127.0.0.1";

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// What stands in the request line, for example `/hook?x=1`.
    pub path_and_query: String,
    /// In the order they came, names in any case.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
}

/// The event of payload format 2.0 for `request`, as a Function URL without authentication makes it. Pure.
pub fn event(request: &HttpRequest, request_id: &str, received_at: SystemTime) -> Value {
    let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
    let headers = fold_headers(&request.headers);
    let host = headers.get("host").map_or("localhost", String::as_str);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": API_ID,
            "domainName": host,
            "domainPrefix": API_ID,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": headers.get("user-agent").map_or("", String::as_str),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": common_log_time(received_at),
            "timeEpoch": ids::unix_time_ms(received_at),
        },
        "isBase64Encoded": false,
    });
    if !query.is_empty() {
        event["queryStringParameters"] = fold_query(query);
    }
    if let Some(cookies) = headers.get("cookie") {
        event["cookies"] = cookies.split("; ").collect();
    }
    if !request.body.is_empty() {
        let (body, is_base64) = encode(&request.body, &headers);
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(is_base64);
    }
    event
}

/// Lower-cases names and joins repeated headers, and says by which way the request came, as AWS does.
fn fold_headers(headers: &[(String, String)]) -> BTreeMap<String, String> {
    let mut folded: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let separator = if name.eq_ignore_ascii_case("cookie") { "; " } else { "," };
        folded
            .entry(name.to_ascii_lowercase())
            .and_modify(|known| {
                known.push_str(separator);
                known.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    for (name, value) in [("x-forwarded-for", SOURCE_IP), ("x-forwarded-proto", "https"), ("x-forwarded-port", "443")] {
        folded.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    folded
}

fn fold_query(query: &str) -> Value {
    let mut folded: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        folded
            .entry(name.into_owned())
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    Value::Object(folded.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>())
}

/// Text types travel as text, everything else as base64.
fn encode(body: &[u8], headers: &BTreeMap<String, String>) -> (String, bool) {
    let content_type = headers.get("content-type").map_or("", String::as_str);
    let plain = !headers.contains_key("content-encoding") && is_text(content_type);
    match str::from_utf8(body) {
        Ok(text) if plain => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

fn is_text(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&media_type.as_str())
}

/// For example `12/Mar/2020:19:03:58 +0000`.
fn common_log_time(at: SystemTime) -> String {
    // `Thu, 12 Mar 2020 19:03:58 +0000`
    let at = OffsetDateTime::from(at).format(&Rfc2822).unwrap_or_default();
    match at.split(' ').collect::<Vec<_>>()[..] {
        [_, day, month, year, time, zone] => format!("{day}/{month}/{year}:{time} {zone}"),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn request(content_type: &str, body: &'static [u8]) -> HttpRequest {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        HttpRequest {
            method: "POST".to_owned(),
            path_and_query: "/hook?a=1&b=x%20y&a=2".to_owned(),
            headers: vec![
                header("Host", "example.lambda-url.us-east-1.on.aws"),
                header("Content-Type", content_type),
                header("User-Agent", "RingCentral-WebHook/8.4"),
                header("Verification-Token", "one"),
                header("X-Twice", "1"),
                header("x-twice", "2"),
            ],
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn an_event_has_the_shape_of_payload_format_2_0() {
        let at = UNIX_EPOCH + Duration::from_millis(1_584_039_838_123);
        let event = event(&request("application/json", br#"{"uuid":"1"}"#), "id-1", at);
        let expected = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/hook",
            "rawQueryString": "a=1&b=x%20y&a=2",
            "queryStringParameters": { "a": "1,2", "b": "x y" },
            "headers": {
                "content-type": "application/json",
                "host": "example.lambda-url.us-east-1.on.aws",
                "user-agent": "RingCentral-WebHook/8.4",
                "verification-token": "one",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
                "x-twice": "1,2",
            },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "localcloud",
                "domainName": "example.lambda-url.us-east-1.on.aws",
                "domainPrefix": "localcloud",
                "http": {
                    "method": "POST",
                    "path": "/hook",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "RingCentral-WebHook/8.4",
                },
                "requestId": "id-1",
                "routeKey": "$default",
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_584_039_838_123_u64,
            },
            "body": r#"{"uuid":"1"}"#,
            "isBase64Encoded": false,
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn only_text_travels_as_text() {
        let cases: [(&str, &'static [u8], &str, bool); 5] = [
            ("application/json; charset=utf-8", b"{}", "{}", false),
            ("text/plain", b"hi", "hi", false),
            ("text/plain", b"\xff", "/w==", true),
            ("application/octet-stream", b"hi", "aGk=", true),
            ("", b"hi", "aGk=", true),
        ];
        for (content_type, body, expected, is_base64) in cases {
            let event = event(&request(content_type, body), "id", UNIX_EPOCH);
            assert_eq!(
                (&event["body"], &event["isBase64Encoded"]),
                (&json!(expected), &json!(is_base64)),
                "{content_type}"
            );
        }
    }

    #[test]
    fn no_body_is_no_field() {
        let event = event(&request("application/json", b""), "id", UNIX_EPOCH);
        assert_eq!(event.get("body"), None);
        assert_eq!(event["isBase64Encoded"], json!(false));
    }
}
