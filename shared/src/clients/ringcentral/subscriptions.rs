//! [`Subscriptions`] over RingCentral's API (API.md §5).

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde_json::json;
use url::Url;

use super::{
    client::{Ask, RingCentral},
    permits::Endpoint,
    transport::Transport,
    wire::{SubscriptionList, SubscriptionReply},
};
use crate::{
    domain::subscription::Subscription,
    ports::{
        clock::Clock,
        permit_store::PermitStore,
        recording_source::SourceError,
        subscriptions::{NewSubscription, Subscriptions},
        token_store::TokenStore,
    },
};

/// A cold webhook is up by then, or it will not be for the vendor either.
const WARM_WITHIN: Duration = Duration::from_secs(10);

/// What our own handshake asks to have back.
const WARM_UP: HeaderValue = HeaderValue::from_static("ringvault-warm-up");
const VALIDATION_TOKEN: &str = "validation-token";

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> RingCentral<H, T, P, C> {
    fn subscription_url(&self, below: &[&str]) -> Url {
        self.gate.server().join(&[&["restapi", "v1.0", "subscription"], below].concat(), &[])
    }
}

impl<H: Transport, T: TokenStore, P: PermitStore, C: Clock> Subscriptions for RingCentral<H, T, P, C> {
    async fn list(&self, wait_until_ms: u64) -> Result<Vec<Subscription>, SourceError> {
        let list: SubscriptionList =
            self.read(Endpoint::Subscription, &self.subscription_url(&[]), wait_until_ms).await?;
        list.into_subscriptions()
    }

    async fn create(&self, new: &NewSubscription<'_>, wait_until_ms: u64) -> Result<Subscription, SourceError> {
        let body = json!({
            "eventFilters": new.filters,
            "expiresIn": new.lifetime_s,
            "deliveryMode": {
                "transportType": "WebHook",
                "address": new.address,
                "verificationToken": new.verification_token.expose(),
            },
        });
        let json = HeaderValue::from_static("application/json");
        let ask = Ask {
            endpoint: Endpoint::SubscriptionChange,
            method: Method::POST,
            url: &self.subscription_url(&[]),
            headers: HeaderMap::from_iter([(header::ACCEPT, json.clone()), (header::CONTENT_TYPE, json)]),
            body: Bytes::from(body.to_string()),
        };
        let created: SubscriptionReply = self.json(self.ask(&ask, wait_until_ms).await?).await?;
        created.into_subscription()?.ok_or(SourceError::Malformed("the new subscription leads to no webhook"))
    }

    async fn renew(&self, id: &str, wait_until_ms: u64) -> Result<(), SourceError> {
        let url = self.subscription_url(&[id, "renew"]);
        let ask = Ask { method: Method::POST, ..Ask::get(Endpoint::Subscription, &url, HeaderMap::new()) };
        self.ask(&ask, wait_until_ms).await.map(drop)
    }

    async fn delete(&self, id: &str, wait_until_ms: u64) -> Result<(), SourceError> {
        let url = self.subscription_url(&[id]);
        let ask = Ask { method: Method::DELETE, ..Ask::get(Endpoint::SubscriptionChange, &url, HeaderMap::new()) };
        match self.ask(&ask, wait_until_ms).await {
            Ok(_) | Err(SourceError::Status { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn warm(&self, address: &str) -> bool {
        let request = Request::post(address)
            .header(VALIDATION_TOKEN, WARM_UP)
            .header(header::CONTENT_TYPE, "application/json; charset=UTF-8")
            .body(Bytes::new());
        let Ok(request) = request else { return false };
        match select(pin!(self.http.send(request)), pin!(self.clock.sleep(WARM_WITHIN))).await {
            Either::Left((Ok(reply), _)) => {
                reply.status() == StatusCode::OK && reply.headers().get(VALIDATION_TOKEN) == Some(&WARM_UP)
            }
            Either::Left((Err(_), _)) | Either::Right(_) => false,
        }
    }
}
