//! A simulator with a clock of its own.

use crate::Settings;
use crate::core::{Handshake, HandshakeAnswer, Origin, Origins, Outcome, Reply, Request, Simulator};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(super) const SESSION: &str = "s-ab12z1";
pub(super) const RECORDING: &str = "910000000001";
pub(super) const CALL_LOG: &str = "/restapi/v1.0/account/~/call-log";
const START_MS: u64 = 1_790_000_000_000;

pub(super) struct Rig {
    pub(super) simulator: Simulator,
    pub(super) now_ms: u64,
    pub(super) token: String,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(Settings { listed_after_ms: 0, ready_after_ms: 0, ..Settings::default() })
    }

    /// Holds a token already.
    pub(super) fn with(settings: Settings) -> Self {
        let origins = Origins { platform: "https://platform.test".into(), media: "https://media.test".into() };
        let simulator = Simulator::new(settings, origins);
        let mut rig = Self { simulator, now_ms: START_MS, token: String::new() };
        rig.token = rig.mint();
        rig
    }

    pub(super) fn mint(&mut self) -> String {
        let reply = self.ask_token("sim-client:sim-secret", &jwt_form("sim.jwt.assertion"));
        assert_eq!(reply.status, 200);
        body(&reply)["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) fn ask_token(&mut self, client: &str, form: &str) -> Reply {
        let basic = format!("Basic {}", STANDARD.encode(client));
        let headers = vec![("authorization".to_owned(), basic)];
        self.send(Origin::Platform, "POST", "/restapi/oauth/token", headers, form)
    }

    pub(super) fn get(&mut self, target: &str) -> Reply {
        self.call(Origin::Platform, "GET", target)
    }

    /// A `GET` of an absolute URL of either origin.
    pub(super) fn get_url(&mut self, url: &str) -> Reply {
        let (origin, target) = match url.strip_prefix("https://media.test:443") {
            Some(target) => (Origin::Media, target),
            None => (
                Origin::Platform,
                url.strip_prefix("https://platform.test:443")
                    .or_else(|| url.strip_prefix("https://platform.test"))
                    .unwrap(),
            ),
        };
        self.call(origin, "GET", target)
    }

    pub(super) fn direct(&mut self, id: &str) -> Reply {
        self.call(Origin::Media, "GET", &format!("/restapi/v1.0/account/~/recording/{id}/content"))
    }

    pub(super) fn call(&mut self, origin: Origin, method: &str, target: &str) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        self.send(origin, method, target, vec![("Authorization".to_owned(), bearer)], "")
    }

    pub(super) fn send(
        &mut self,
        origin: Origin,
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        body: &str,
    ) -> Reply {
        match self.outcome(origin, method, target, headers, body) {
            Outcome::Reply(reply) => reply,
            Outcome::Handshake(_) => panic!("a handshake was not expected"),
        }
    }

    pub(super) fn subscribe(&mut self, wanted: &Value) -> Outcome {
        let headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.token))];
        self.outcome(Origin::Platform, "POST", "/restapi/v1.0/subscription", headers, &wanted.to_string())
    }

    pub(super) fn subscribe_well(&mut self, wanted: &Value) -> Reply {
        match self.subscribe(wanted) {
            Outcome::Handshake(handshake) => {
                let answer = echo(&handshake);
                self.simulator.finish_handshake(handshake, answer, self.now_ms)
            }
            Outcome::Reply(reply) => reply,
        }
    }

    /// The first page's records.
    pub(super) fn records(&mut self, query: &str) -> Vec<Value> {
        let reply = self.get(&format!("{CALL_LOG}?{query}"));
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        body(&reply)["records"].as_array().unwrap().clone()
    }

    /// One party of [`SESSION`] says something.
    pub(super) fn hear(&mut self, party: u32, code: &str, recordings: &[&str]) {
        self.simulator.learn(&event(party, code, recordings), self.now_ms);
    }

    /// A call of 60 s with one recording, just ended.
    pub(super) fn hear_recorded_call(&mut self) {
        self.hear(2, "Answered", &[RECORDING]);
        self.now_ms += 60_000;
        self.hear(2, "Disconnected", &[RECORDING]);
    }

    fn outcome(
        &mut self,
        origin: Origin,
        method: &str,
        target: &str,
        headers: Vec<(String, String)>,
        body: &str,
    ) -> Outcome {
        let request =
            Request { origin, method: method.into(), target: target.into(), headers, body: body.to_owned().into() };
        self.simulator.handle(&request, self.now_ms)
    }
}

pub(super) fn event(party: u32, code: &str, recordings: &[&str]) -> Value {
    let extension = format!("80000010{party}");
    let recordings: Vec<Value> = recordings.iter().map(|id| json!({"id": id, "active": true})).collect();
    json!({
        "uuid": "4200000000000000001",
        "event": format!("/restapi/v1.0/account/800000001/extension/{extension}/telephony/sessions"),
        "body": {
            "telephonySessionId": SESSION,
            "sessionId": "71000000001",
            "parties": [{
                "accountId": "800000001",
                "extensionId": extension,
                "id": format!("p-ab12z1-{party}"),
                "direction": "Inbound",
                "from": {"phoneNumber": "+16505550150", "name": "A CALLER"},
                "to": {"phoneNumber": "+16505550160"},
                "status": {"code": code},
                "recordings": recordings,
            }],
        },
    })
}

pub(super) fn subscription() -> Value {
    json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "deliveryMode": {
            "transportType": "WebHook",
            "address": "https://hooks.example.com/in",
            "verificationToken": "shared-word",
        },
    })
}

pub(super) fn echo(handshake: &Handshake) -> HandshakeAnswer {
    let token = handshake.headers.iter().find(|(name, _)| *name == "Validation-Token").unwrap();
    HandshakeAnswer::Reply {
        status: 200,
        headers: vec![("validation-token".into(), token.1.clone()), ("content-type".into(), "application/json".into())],
        body_bytes: 0,
        elapsed_ms: 20,
    }
}

pub(super) fn jwt_form(assertion: &str) -> String {
    format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}")
}

pub(super) fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

/// The code that decides: `errors[0].errorCode`.
pub(super) fn code(reply: &Reply) -> String {
    body(reply)["errors"][0]["errorCode"].as_str().unwrap().to_owned()
}
