//! The control API: for who plays fate (README.md of this package).

use super::{DayOrder, SimServer, now_ms};
use crate::core::{Offered, Origin, RateGroup, Served, Subscription, SubscriptionStatus};
use crate::settings::Settings;
use crate::time_text::format_ms;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A simulator with a control API on a loopback port of its own. Both stop when it is dropped.
pub struct ControlServer {
    url: String,
    /// Dropping it tells the server to close.
    _running: watch::Sender<()>,
}

type Sim = State<Arc<SimServer>>;

impl ControlServer {
    /// Listens on a port of 127.0.0.1; 0 is any. Needs a Tokio runtime.
    ///
    /// # Errors
    /// The port's.
    pub async fn start(simulator: SimServer, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (running, mut stopped) = watch::channel(());
        let until_stopped = async move { while stopped.changed().await.is_ok() {} };
        let served = axum::serve(listener, router(Arc::new(simulator))).with_graceful_shutdown(until_stopped);
        tokio::spawn(served.into_future());
        Ok(Self { url, _running: running })
    }

    /// Its base URL, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn router(simulator: Arc<SimServer>) -> Router {
    Router::new()
        .route("/settings", get(read_settings).patch(change_settings))
        .route("/events/learn", post(learn))
        .route("/events/deliver", post(deliver))
        .route("/days", post(add_day))
        .route("/recordings", get(recordings))
        .route("/recordings/{id}/audio", get(audio))
        .route("/requests", get(requests))
        .route("/subscriptions", get(subscriptions))
        .route("/subscriptions/{id}/blacklist", post(blacklist))
        .with_state(simulator)
}

async fn read_settings(State(simulator): Sim) -> Json<Settings> {
    Json(simulator.with(|simulator| simulator.settings().clone()))
}

/// Changes what the body names; fields inside a field are merged as well.
async fn change_settings(State(simulator): Sim, Json(change): Json<Value>) -> Response {
    let changed: serde_json::Result<Settings> = simulator.with(|simulator| {
        let mut whole = serde_json::to_value(simulator.settings())?;
        merge(&mut whole, change);
        let settings: Settings = serde_json::from_value(whole)?;
        *simulator.settings_mut() = settings.clone();
        Ok(settings)
    });
    match changed {
        Ok(settings) => Json(settings).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

fn merge(whole: &mut Value, change: Value) {
    match (whole, change) {
        (Value::Object(whole), Value::Object(change)) => {
            for (name, value) in change {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, change) => *whole = change,
    }
}

async fn learn(State(simulator): Sim, Json(event): Json<Value>) -> StatusCode {
    simulator.learn(&event);
    StatusCode::NO_CONTENT
}

async fn deliver(State(simulator): Sim, Json(event): Json<Value>) -> Json<Value> {
    let results = simulator.deliver(&event).await;
    Json(
        results
            .iter()
            .map(|result| {
                json!({
                    "subscription_id": result.subscription_id,
                    "status": result.status,
                    "elapsed_ms": result.elapsed_ms,
                })
            })
            .collect(),
    )
}

async fn add_day(State(simulator): Sim, Json(order): Json<DayOrder>) -> Json<Value> {
    Json(json!({"telephony_sessions": simulator.add_day(&order)}))
}

async fn recordings(State(simulator): Sim) -> Json<Value> {
    Json(simulator.with(|simulator| simulator.offered().map(|one| offered(&one)).collect()))
}

fn offered(one: &Offered) -> Value {
    let time = |at_ms: Option<u64>| at_ms.map(format_ms);
    json!({
        "recording_id": one.recording_id,
        "telephony_session_id": one.telephony_session_id,
        "account_id": one.account_id,
        "too_short": one.too_short,
        "never_ready": one.never_ready,
        "ready_at": time(one.ready_at_ms),
        "deleted_at": time(one.deleted_at_ms),
        "listed_at": time(one.listed_at_ms),
    })
}

async fn audio(State(simulator): Sim, Path(id): Path<String>) -> Result<Vec<u8>, StatusCode> {
    simulator.with(|simulator| simulator.audio_of(&id)).ok_or(StatusCode::NOT_FOUND)
}

async fn requests(State(simulator): Sim) -> Json<Value> {
    Json(simulator.with(|simulator| simulator.requests().iter().map(served).collect()))
}

fn served(one: &Served) -> Value {
    let origin = match one.origin {
        Origin::Platform => "platform",
        Origin::Media => "media",
    };
    json!({
        "origin": origin,
        "method": one.method,
        "target": one.target,
        "bearer": one.bearer,
        "group": one.group.map(RateGroup::name),
        "status": one.status,
    })
}

async fn subscriptions(State(simulator): Sim) -> Json<Value> {
    let one = |subscription: &Subscription| {
        let blacklisted = match &subscription.status {
            SubscriptionStatus::Active => Value::Null,
            SubscriptionStatus::Blacklisted { reason, at_ms } => json!({"reason": reason, "at": format_ms(*at_ms)}),
        };
        json!({
            "id": subscription.id,
            "event_filters": subscription.event_filters,
            "address": subscription.address,
            "expires_at": format_ms(subscription.expires_at_ms),
            "blacklisted": blacklisted,
        })
    };
    Json(simulator.with(|simulator| simulator.subscriptions(now_ms()).map(one).collect()))
}

async fn blacklist(State(simulator): Sim, Path(id): Path<String>) -> StatusCode {
    let reason = "Webhook responses with code: [404], reason: [Not Found]";
    let found = simulator.with(|simulator| simulator.blacklist(&id, reason, now_ms()));
    if found { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
