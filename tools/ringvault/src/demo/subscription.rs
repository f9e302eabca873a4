//! Subscribes the webhook at the vendor, as the README's deployment steps do.

use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::stack::{Stack, VERIFICATION_TOKEN};

/// Why there is no subscription.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// No answer.
    #[error("the simulated vendor does not answer: {0}")]
    NoAnswer(#[from] reqwest::Error),
    /// An answer that refuses.
    #[error("the simulated vendor refuses: {status} {body}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        body: Value,
    },
}

/// Creates a subscription for the events of the whole account. The vendor asks the webhook's address first: the
/// handshake (API.md §5.2).
pub(super) async fn create(stack: &Stack) -> Result<(), SubscribeError> {
    let client = Client::builder().no_proxy().build()?;
    let vendor = stack.vendor.platform_url();
    let (id, secret, jwt) = stack.vendor.with(|vendor| {
        let settings = vendor.settings();
        (settings.client_id.clone(), settings.client_secret.clone(), settings.jwt.clone())
    });
    let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={jwt}");
    let token = client
        .post(format!("{vendor}/restapi/oauth/token"))
        .basic_auth(id, Some(secret))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let token = accepted(token.send().await?).await?;
    let wanted = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "expiresIn": 315_360_000,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": stack.webhook_url.url(),
            "verificationToken": VERIFICATION_TOKEN,
        },
    });
    let subscription = client
        .post(format!("{vendor}/restapi/v1.0/subscription"))
        .bearer_auth(token["access_token"].as_str().unwrap_or_default())
        .header("content-type", "application/json")
        .body(wanted.to_string());
    accepted(subscription.send().await?).await?;
    Ok(())
}

async fn accepted(response: Response) -> Result<Value, SubscribeError> {
    let status = response.status();
    let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
    if status.is_success() { Ok(body) } else { Err(SubscribeError::Refused { status: status.as_u16(), body }) }
}
