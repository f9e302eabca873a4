//! Over real sockets on loopback.

use super::{Config, ControlServer, SimServer, now_ms};
use crate::core::RateGroup;
use crate::world::{BodyFault, Call, Script, Step};
use crate::{DeliverySettings, Settings};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

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
async fn an_undeclared_body_and_a_trickling_one_arrive_whole() {
    let server = SimServer::start(Settings { trickle_pause_ms: 0, ..prompt() }).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = token(&server, &http).await;
    server.learn(&ended_call());
    let audio = server.with(|simulator| simulator.audio_of(RECORDING)).unwrap();
    let url = format!("{}/restapi/v1.0/account/~/recording/{RECORDING}/content", server.media_url());
    for (fault, announced) in [(BodyFault::Undeclared, None), (BodyFault::Trickle, Some(audio.len() as u64))] {
        server.with(|simulator| simulator.recording_mut(RECORDING).unwrap().body_fault = fault);
        let response = http.get(&url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.content_length(), announced, "{fault:?}");
        assert_eq!(response.bytes().await.unwrap(), audio, "{fault:?}");
    }
}

/// A webhook that answers as it should; each notification it hears goes into the channel.
async fn webhook() -> (String, mpsc::UnboundedReceiver<Heard>) {
    let (tell, heard) = mpsc::unbounded_channel();
    let hook = post(move |headers: HeaderMap, body: String| async move {
        let mut reply = HeaderMap::new();
        reply.insert("content-type", "application/json".parse().unwrap());
        match headers.get("validation-token") {
            Some(token) => {
                reply.insert("validation-token", token.clone());
            }
            None => {
                let secret = headers.get("verification-token").map(|value| value.to_str().unwrap().to_owned());
                tell.send((secret, serde_json::from_str(&body).unwrap())).unwrap();
            }
        }
        (StatusCode::OK, reply)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", hook)).into_future());
    (address, heard)
}

async fn subscribe(server: &SimServer, http: &reqwest::Client, address: &str) -> StatusCode {
    let token = token(server, http).await;
    let wanted = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "deliveryMode": {"transportType": "WebHook", "address": address, "verificationToken": "shared-word"},
    });
    let request = http.post(format!("{}/restapi/v1.0/subscription", server.platform_url()));
    request.bearer_auth(&token).body(wanted.to_string()).send().await.unwrap().status()
}

#[tokio::test]
async fn a_webhook_is_asked_first_and_then_told() {
    let (address, mut heard) = webhook().await;
    let server = SimServer::start(prompt()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(subscribe(&server, &http, &address.replace("/hook", "/nothing")).await, 400);
    assert_eq!(subscribe(&server, &http, &address).await, 200);

    let results = server.deliver(&ended_call()).await;
    assert_eq!(results.iter().map(|result| result.status).collect::<Vec<_>>(), [Some(200)]);
    let (secret, body) = heard.recv().await.unwrap();
    assert_eq!(secret.as_deref(), Some("shared-word"));
    assert_eq!(body["subscriptionId"], results[0].subscription_id);
}

#[tokio::test]
async fn a_scripted_call_is_told_by_itself() {
    let (address, mut heard) = webhook().await;
    let delivery = DeliverySettings { lag_min_ms: 0, lag_max_ms: 0, ..DeliverySettings::default() };
    let server = SimServer::start(Settings { delivery, ..prompt() }).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(subscribe(&server, &http, &address).await, 200);
    let call = Call {
        telephony_session_id: "s-1".into(),
        session_id: "1".into(),
        started_at_ms: now_ms(),
        listed_after_ms: Some(0),
        listed_early: false,
        linked_after_ms: 0,
        parties: Vec::new(),
        recordings: Vec::new(),
    };
    let steps = vec![Step { at_ms: now_ms() + 2, event: ended_call(), told: Some(ended_call()) }];
    server.with(|simulator| simulator.schedule(Script { call, recordings: Vec::new(), steps }));
    let (_, body) = heard.recv().await.unwrap();
    assert_eq!(body["body"], ended_call()["body"]);
    assert_eq!(server.with(|simulator| simulator.offered().count()), 1);
}

#[test]
fn the_config_file_in_the_readme_is_one() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config: Config = serde_json::from_str(example).unwrap();
    assert_eq!((config.settings.heavy_limit, config.days.len()), (100, 1));
}

#[tokio::test]
async fn the_control_api_plays_fate() {
    let (address, mut heard) = webhook().await;
    let server = SimServer::start_on(prompt(), 0, 0).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(subscribe(&server, &http, &address).await, 200);
    let config: Config = serde_json::from_value(json!({"events": [ended_call()]})).unwrap();
    server.begin(&config);
    let control = ControlServer::start(server, 0).await.unwrap();
    let ask = |method: &str, path: &str, body: Value| {
        let method = method.parse().unwrap();
        let request = http.request(method, format!("{}{path}", control.url()));
        let request = request.header("content-type", "application/json").body(body.to_string());
        async move {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).unwrap_or_default())
        }
    };
    let (_, recordings) = ask("GET", "/recordings", Value::Null).await;
    assert_eq!(recordings[0]["recording_id"], RECORDING);
    assert_eq!(ask("GET", "/recordings/1/audio", Value::Null).await.0, 404);

    let (status, settings) = ask("PATCH", "/settings", json!({"heavy_limit": 3, "delivery": {"retries": 1}})).await;
    assert_eq!((status, &settings["heavy_limit"], &settings["delivery"]["lag_min_ms"]), (200, &json!(3), &json!(60)));
    let (status, refused) = ask("PATCH", "/settings", json!({"heavy": 3})).await;
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("unknown field `heavy`"), "{refused}");
    assert_eq!(ask("GET", "/settings", Value::Null).await.1, settings);

    let (_, results) = ask("POST", "/events/deliver", ended_call()).await;
    assert_eq!(results[0]["status"], 200);
    assert_eq!(heard.recv().await.unwrap().1["body"], ended_call()["body"]);
    assert_eq!(ask("POST", "/events/learn", ended_call()).await.0, 204);
    let (_, day) = ask("POST", "/days", json!({"seed": 7, "calls": 3})).await;
    assert!(day["telephony_sessions"].as_u64().unwrap() >= 3);

    let (_, subscriptions) = ask("GET", "/subscriptions", Value::Null).await;
    let id = subscriptions[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ask("POST", &format!("/subscriptions/{id}/blacklist"), Value::Null).await.0, 204);
    let (_, subscriptions) = ask("GET", "/subscriptions", Value::Null).await;
    assert!(subscriptions[0]["blacklisted"]["reason"].is_string());
    assert_eq!(ask("POST", "/subscriptions/other/blacklist", Value::Null).await.0, 404);
    let (_, requests) = ask("GET", "/requests", Value::Null).await;
    assert_eq!(requests[0]["target"], "/restapi/oauth/token");
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
