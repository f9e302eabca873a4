//! A request in, a reply out. Replies are small (the vendor allows 1,024 bytes, headers included) and JSON
//! (API.md §5.1); an authentic delivery that was dealt with is answered 200 whatever it said.

use std::{borrow::Cow, convert::Infallible, time::Duration};

use aws_lambda_events::{
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
    lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_runtime::LambdaEvent;
use shared::{
    clients::secrets::SecretReader,
    domain::{
        delivery::{Delivery, ValidationToken},
        session::Schedule,
    },
    ports::{clock::Clock, session_store::SessionStore},
    secret::Secret,
    telemetry::{
        Record,
        measured::{self, Delivered},
    },
    usecases::record_notification::{Outcome, record_notification},
};
use tracing::Level;

const VALIDATION_TOKEN: &str = "validation-token";
const VERIFICATION_TOKEN: &str = "verification-token";

/// The vendor hangs up after 3,000 ms (API.md §5.1); a clear 503 before that beats a broken connection.
const ANSWER_WITHIN: Duration = Duration::from_millis(2200);

/// The world the webhook works in.
pub(crate) struct Webhook<S, C> {
    pub(crate) table: S,
    pub(crate) table_name: String,
    pub(crate) tokens: SecretReader<Vec<Secret>>,
    pub(crate) schedule: Schedule,
    pub(crate) clock: C,
}

/// What is answered, before it takes the gateway's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    /// A handshake; its token is echoed.
    Validated,
    /// An authentic delivery that was dealt with.
    Taken(Outcome),
    /// The sender does not know the verification token.
    Forged,
    /// The validation token must not be echoed.
    InvalidValidationToken,
    /// Not a POST.
    MethodNotAllowed,
    /// Our own outage: there is nothing to compare tokens with.
    SecretUnavailable,
    /// Our own outage: the delivery is not recorded.
    StoreUnavailable,
}

impl Reply {
    fn status(self) -> i64 {
        match self {
            Self::Validated | Self::Taken(_) => 200,
            Self::InvalidValidationToken => 400,
            Self::Forged => 401,
            Self::MethodNotAllowed => 405,
            Self::SecretUnavailable | Self::StoreUnavailable => 503,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Taken(outcome) => outcome.name(),
            Self::Forged => "forged",
            Self::InvalidValidationToken => "invalid_validation_token",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::SecretUnavailable => "secret_unavailable",
            Self::StoreUnavailable => "store_unavailable",
        }
    }

    /// How loud its record is.
    fn level(self) -> Level {
        match self {
            Self::Validated
            | Self::Taken(Outcome::Recorded | Outcome::Known | Outcome::NotOfInterest | Outcome::RenewalReminder) => {
                Level::INFO
            }
            Self::InvalidValidationToken
            | Self::MethodNotAllowed
            | Self::Taken(Outcome::NotUnderstood(_))
            | Self::Forged => Level::WARN,
            Self::SecretUnavailable | Self::StoreUnavailable => Level::ERROR,
        }
    }

    /// How the delivery ended; nothing if it was none.
    fn delivered(self) -> Option<Delivered> {
        match self {
            Self::Validated | Self::InvalidValidationToken | Self::MethodNotAllowed => None,
            Self::Taken(outcome) => Some(Delivered::Taken(outcome)),
            Self::Forged => Some(Delivered::Forged),
            Self::SecretUnavailable | Self::StoreUnavailable => Some(Delivered::NotRecorded),
        }
    }
}

impl<S: SessionStore, C: Clock> Webhook<S, C> {
    /// Answers one HTTP request, and leaves its record.
    pub(crate) async fn answer(
        &self,
        event: LambdaEvent<LambdaFunctionUrlRequest>,
    ) -> Result<LambdaFunctionUrlResponse, Infallible> {
        let LambdaEvent { payload: request, context } = event;
        let sent = request.headers.get(VALIDATION_TOKEN);
        let echo = sent.and_then(|value| ValidationToken::parse(value.as_bytes()));
        let (reply, why) = if sent.is_some() && echo.is_none() {
            (Reply::InvalidValidationToken, None)
        } else {
            let taken = tokio::time::timeout(ANSWER_WITHIN, self.take(&request, echo.is_some())).await;
            taken.unwrap_or_else(|_| (Reply::StoreUnavailable, Some("nothing answered in time".to_owned())))
        };
        self.record(reply, why, &context.request_id);
        Ok(respond(reply, echo))
    }

    /// The reply, and the reason where it is not a good one.
    async fn take(&self, request: &LambdaFunctionUrlRequest, handshake: bool) -> (Reply, Option<String>) {
        if request.request_context.http.method.as_deref() != Some("POST") {
            return (Reply::MethodNotAllowed, None);
        }
        let body = body_of(request);
        if handshake && body.is_empty() {
            return (Reply::Validated, None);
        }
        let accepted = match self.tokens.value(&self.clock).await {
            Ok(accepted) => accepted,
            Err(error) => return (Reply::SecretUnavailable, Some(error.to_string())),
        };
        let sent = [VERIFICATION_TOKEN, VALIDATION_TOKEN].into_iter().filter_map(|name| request.headers.get(name));
        let delivery = Delivery { body: &body, tokens: sent.map(HeaderValue::as_bytes).collect() };
        match delivery.authenticate(&accepted) {
            Some(delivery) => {
                let now_ms = self.clock.now_ms();
                match record_notification(&self.table, &self.schedule, &delivery, now_ms).await {
                    Ok(outcome @ Outcome::NotUnderstood(why)) => (Reply::Taken(outcome), Some(why.to_string())),
                    Ok(outcome) => (Reply::Taken(outcome), None),
                    Err(error) => (Reply::StoreUnavailable, Some(error.to_string())),
                }
            }
            // A handshake must be answered whatever else came with it; nothing of an unauthenticated body is used.
            None if handshake => (Reply::Validated, None),
            None => (Reply::Forged, None),
        }
    }

    fn record(&self, reply: Reply, why: Option<String>, request_id: &str) {
        let mut record = Record::new("webhook", "delivery", &self.table_name, self.clock.now_ms())
            .at(reply.level())
            .with("request_id", request_id)
            .with("outcome", reply.name())
            .measured(reply.delivered().map(measured::delivery).unwrap_or_default());
        if let Some(why) = why {
            record = record.with("why", why);
        }
        record.print();
    }
}

fn respond(reply: Reply, echo: Option<ValidationToken>) -> LambdaFunctionUrlResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(value) = echo.and_then(|token| HeaderValue::from_str(token.as_str()).ok()) {
        headers.insert(VALIDATION_TOKEN, value);
    }
    let mut response = LambdaFunctionUrlResponse::default();
    response.status_code = reply.status();
    response.headers = headers;
    response.body = Some(format!(r#"{{"outcome":"{}"}}"#, reply.name()));
    response
}

/// The body as the sender wrote it. What claims to be base64 and is not is left as it is: no notification.
fn body_of(request: &LambdaFunctionUrlRequest) -> Cow<'_, [u8]> {
    let text = request.body.as_deref().unwrap_or_default();
    let decoded = request.is_base64_encoded.then(|| BASE64_STANDARD.decode(text).ok()).flatten();
    decoded.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}
