//! Secrets Manager: `GetSecretValue` and nothing else, for whoever may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::iam::{self, Call, Denial, Iam};
use crate::server::Server;
use crate::sync::lock;
use crate::{StartError, arn, ids};

/// Secrets Manager on loopback.
pub struct Secrets {
    vault: Arc<Vault>,
    server: Server,
}

#[derive(Default)]
struct Vault {
    iam: Arc<Iam>,
    secrets: Mutex<BTreeMap<String, Secret>>,
    reads: Mutex<BTreeMap<String, u64>>,
    /// Every value there ever was.
    ever: Mutex<BTreeSet<String>>,
}

#[derive(Clone)]
struct Secret {
    value: String,
    version: String,
    created_at: SystemTime,
}

impl Secrets {
    /// Starts with no secrets, for the administrator alone.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(Arc::default()).await
    }

    /// Starts with no secrets, for the roles of `iam` too.
    pub async fn start_with(iam: Arc<Iam>) -> Result<Self, StartError> {
        let vault = Arc::new(Vault { iam, ..Vault::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&vault));
        let server = Server::start("Secrets Manager", router).await?;
        Ok(Self { vault, server })
    }

    /// Where a client finds it.
    pub fn endpoint(&self) -> String {
        self.server.url()
    }

    /// Keeps `secret_string` under `id`; a value that was there is rotated out.
    pub fn put(&self, id: &str, secret_string: &str) {
        lock(&self.vault.ever).insert(secret_string.to_owned());
        let secret =
            Secret { value: secret_string.to_owned(), version: ids::request_id(), created_at: SystemTime::now() };
        lock(&self.vault.secrets).insert(id.to_owned(), secret);
    }

    /// What is kept under `id` now. This counts as no read.
    pub fn value(&self, id: &str) -> Option<String> {
        lock(&self.vault.secrets).get(id).map(|secret| secret.value.clone())
    }

    /// Every value that was ever kept, under whatever id.
    pub fn ever(&self) -> Vec<String> {
        lock(&self.vault.ever).iter().cloned().collect()
    }

    /// Forgets `id`: further reads find nothing.
    pub fn remove(&self, id: &str) {
        lock(&self.vault.secrets).remove(id);
    }

    /// How often `id` was asked for, found or not.
    pub fn reads(&self, id: &str) -> u64 {
        lock(&self.vault.reads).get(id).copied().unwrap_or(0)
    }

    /// Takes the service down: every connection is cut, further ones are refused.
    pub fn stop(&self) {
        self.server.stop();
    }
}

impl Vault {
    fn read(&self, id: &str) -> Option<Secret> {
        *lock(&self.reads).entry(id.to_owned()).or_default() += 1;
        lock(&self.secrets).get(id).cloned()
    }
}

async fn answer(State(vault): State<Arc<Vault>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if target != "secretsmanager.GetSecretValue" {
        let message = format!("the local Secrets Manager knows only GetSecretValue, not {target:?}");
        return refuse("UnknownOperationException", &message);
    }
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(id) = request["SecretId"].as_str() else {
        return refuse("ValidationException", "SecretId is missing");
    };
    // A secret is asked for by its name, or by its ARN.
    let id = id.strip_prefix(&arn::secret("")).unwrap_or(id);
    let call = Call {
        action: "secretsmanager:GetSecretValue".to_owned(),
        resource: arn::secret(id),
        leading_keys: Vec::new(),
    };
    match vault.iam.authorize(iam::access_key_id(&headers), vec![call]) {
        Ok(()) => {}
        Err(Denial::Refused(message)) => return refuse("AccessDeniedException", &message),
        Err(Denial::UnknownKey) => return refuse("UnrecognizedClientException", iam::UNKNOWN_KEY),
    }
    match vault.read(id) {
        Some(secret) => reply(StatusCode::OK, &describe(id, &secret)),
        None => refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    }
}

fn describe(id: &str, secret: &Secret) -> Value {
    json!({
        "ARN": arn::secret(id),
        "CreatedDate": ids::unix_time_ms(secret.created_at) / 1000,
        "Name": id,
        "SecretString": secret.value,
        "VersionId": secret.version,
        "VersionStages": ["AWSCURRENT"],
    })
}

fn refuse(kind: &str, message: &str) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({ "__type": kind, "Message": message }))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, content_type, body.to_string()).into_response()
}
