//! Over real sockets on loopback.

use super::SimServer;
use crate::Settings;
use crate::core::RateGroup;
use crate::world::BodyFault;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The verification token and the body of one notification.
type Heard = (Option<String>, Value);

const RECORDING: &str = "910000000001";

fn prompt() -> Settings {
    Settings { listed_after_ms: 0, ready_after_ms: 0, ..Settings::default() }
}

async fn token(server: &SimServer, http: &reqwest::Client) -> String {
    let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=sim.jwt.assertion";
    let request = http.post(format!("{}/restapi/oauth/token", server.platform_url()));
    let response = request.basic_auth("sim-client", Some("sim-secret")).body(form).send().await.unwrap();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn ended_call() -> Value {
    json!({
        "uuid": "4200000000000000002",
        "event": "/restapi/v1.0/account/800000001/extension/800000102/telephony/sessions",
        "body": {"telephonySessionId": "s-1", "parties": [
            {"id": "p-1-2", "status": {"code": "Disconnected"}, "recordings": [{"id": RECORDING, "active": true}]},
        ]},
    })
}

#[tokio::test]
async fn a_recording_is_streamed_whole_and_may_be_cut() {
    let server = SimServer::start(prompt()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = token(&server, &http).await;
    server.learn(&ended_call());
    let url = format!("{}/restapi/v1.0/account/~/recording/{RECORDING}/content", server.media_url());
    let response = http.get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let audio = server.with(|simulator| simulator.audio_of(RECORDING)).unwrap();
    assert_eq!(response.content_length(), Some(audio.len() as u64));
    assert_eq!(response.bytes().await.unwrap(), audio);

    server.with(|simulator| simulator.recording_mut(RECORDING).unwrap().body_fault = BodyFault::CutShort);
    let response = http.get(&url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(response.content_length(), Some(audio.len() as u64));
    assert!(response.bytes().await.is_err(), "the connection ends early");
    let groups = server.with(|simulator| simulator.requests().iter().map(|served| served.group).collect::<Vec<_>>());
    assert_eq!(groups, [Some(RateGroup::Auth), Some(RateGroup::Heavy), Some(RateGroup::Heavy)]);
}

#[tokio::test]
async fn a_webhook_is_asked_first_and_then_told() {
    let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
    let hook = {
        let heard = heard.clone();
        post(move |headers: HeaderMap, body: String| async move {
            let mut reply = HeaderMap::new();
            reply.insert("content-type", "application/json".parse().unwrap());
            match headers.get("validation-token") {
                Some(token) => {
                    reply.insert("validation-token", token.clone());
                }
                None => {
                    let secret = headers.get("verification-token").map(|value| value.to_str().unwrap().to_owned());
                    heard.lock().unwrap().push((secret, serde_json::from_str(&body).unwrap()));
                }
            }
            (StatusCode::OK, reply)
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", hook)).into_future());

    let server = SimServer::start(prompt()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = token(&server, &http).await;
    let create = |address: String| {
        let wanted = json!({
            "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
            "deliveryMode": {"transportType": "WebHook", "address": address, "verificationToken": "shared-word"},
        });
        let request = http.post(format!("{}/restapi/v1.0/subscription", server.platform_url()));
        request.bearer_auth(&token).body(wanted.to_string()).send()
    };
    assert_eq!(create(address.replace("/hook", "/nothing")).await.unwrap().status(), 400);
    assert_eq!(create(address).await.unwrap().status(), 200);

    let results = server.deliver(&ended_call()).await;
    assert_eq!(results.iter().map(|result| result.status).collect::<Vec<_>>(), [Some(200)]);
    let heard = heard.lock().unwrap();
    assert_eq!(heard[0].0.as_deref(), Some("shared-word"));
    assert_eq!(heard[0].1["subscriptionId"], results[0].subscription_id);
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let server = SimServer::start(prompt()).await.unwrap();
    let url = format!("{}/restapi/v1.0/subscription", server.platform_url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    drop(server);
    while http.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
