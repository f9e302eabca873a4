//! One request and its reply. The ledger of permits is told what became of it, whatever that is.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{Request, Response, StatusCode};

use super::{
    error::error_code,
    permits::{ANSWERED_WITHIN_MS, Endpoint, Permit, Permits},
    throttle::Throttled,
    transport::{NoReply, Transport},
};
use crate::ports::{clock::Clock, permit_store::PermitStore, recording_source::ByteStream};

/// Why there is no reply to work with.
pub(super) enum Failed {
    /// A 429, which the ledger knows of by now; nothing may be sent for this long.
    Throttled(Duration),
    NoReply(NoReply),
}

/// Sends a request on its permit. The reply's head must come within half a minute, or it counts as none.
pub(super) async fn exchange<H: Transport, P: PermitStore, C: Clock>(
    (http, permits, clock): (&H, &Permits<P>, &C),
    endpoint: Endpoint,
    permit: Permit,
    request: Request<Bytes>,
) -> Result<Response<ByteStream>, Failed> {
    let sent = pin!(http.send(request));
    let late = pin!(clock.sleep(Duration::from_millis(ANSWERED_WITHIN_MS)));
    let reply = match select(sent, late).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => Err(NoReply { why: "no answer within half a minute".to_owned(), sent: true }),
    };
    match reply {
        Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => {
            let headers = response.headers().clone();
            let throttled = Throttled::of(&headers, None);
            permits.throttled(endpoint, permit, &headers, &throttled, clock).await;
            let told = Throttled::of(&headers, error_code(response).await);
            if told.is_wider_than(&throttled) {
                permits.freeze(endpoint, &told, clock).await;
            }
            tracing::warn!(
                code = told.code.as_deref().unwrap_or("none"),
                pause_ms = told.pause_ms,
                "the vendor throttles"
            );
            Err(Failed::Throttled(Duration::from_millis(told.pause_ms)))
        }
        Ok(response) => {
            permits.answered(endpoint, permit, response.headers(), clock).await;
            Ok(response)
        }
        Err(no_reply) if no_reply.sent => {
            permits.unanswered(permit, clock).await;
            Err(Failed::NoReply(no_reply))
        }
        Err(no_reply) => {
            permits.unsent(permit);
            Err(Failed::NoReply(no_reply))
        }
    }
}
