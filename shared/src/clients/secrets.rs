//! Secrets Manager, read through a cache of five minutes.

use std::sync::Mutex;

use aws_sdk_secretsmanager::Client;
use serde::Deserialize;

use crate::{clients::aws::describe, ports::clock::Clock, secret::Secret};

/// How long a secret is used before it is read again, milliseconds.
const FRESH_MS: u64 = 5 * 60 * 1000;

/// How long the last good value serves after a failed reading, milliseconds: an outage must not slow every request.
const RETRY_MS: u64 = 30 * 1000;

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager refused or could not be reached, and no earlier value is known.
    #[error("could not read secret {id}: {why}")]
    Unavailable {
        /// The secret's name.
        id: String,
        /// What Secrets Manager said.
        why: String,
    },
    /// The value is not the JSON that is documented; it is not repeated here.
    #[error("cannot use secret {id}: it is not {expected}")]
    Malformed {
        /// The secret's name.
        id: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// One secret, read as a `V`.
#[derive(Debug)]
pub struct SecretReader<V> {
    client: Client,
    id: String,
    parse: fn(&str) -> Option<V>,
    expected: &'static str,
    cached: Mutex<Option<Cached<V>>>,
}

#[derive(Debug, Clone)]
struct Cached<V> {
    value: V,
    fresh_until_ms: u64,
}

/// How the archiver signs in (API.md §2).
#[derive(Debug, Clone)]
pub struct RingCentralCredentials {
    /// The app.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// The user's JWT.
    pub jwt: Secret,
}

impl RingCentralCredentials {
    /// Whether both are the same.
    pub fn is(&self, other: &Self) -> bool {
        self.client_id == other.client_id
            && self.client_secret.equals(other.client_secret.expose().as_bytes())
            && self.jwt.equals(other.jwt.expose().as_bytes())
    }
}

impl SecretReader<Vec<Secret>> {
    /// The accepted verification tokens: `{"verification_token": "…"}`, or an array of two while rotating.
    pub fn verification_tokens(client: Client, id: String) -> Self {
        let parse = |text: &str| {
            let tokens = serde_json::from_str::<VerificationTokens>(text).ok()?.into_vec();
            let usable = !tokens.is_empty() && tokens.iter().all(|token| !token.is_empty());
            usable.then(|| tokens.into_iter().map(Secret::new).collect())
        };
        Self::new(client, id, parse, r#"JSON {"verification_token": "…"}, or an array of two"#)
    }
}

impl SecretReader<RingCentralCredentials> {
    /// The RingCentral credentials: JSON `client_id`, `client_secret`, `jwt`.
    pub fn ringcentral_credentials(client: Client, id: String) -> Self {
        #[derive(Deserialize)]
        struct Credentials {
            client_id: String,
            client_secret: String,
            jwt: String,
        }
        let parse = |text: &str| {
            let credentials: Credentials = serde_json::from_str(text).ok()?;
            Some(RingCentralCredentials {
                client_id: credentials.client_id,
                client_secret: Secret::new(credentials.client_secret),
                jwt: Secret::new(credentials.jwt),
            })
        };
        Self::new(client, id, parse, r#"JSON {"client_id": "…", "client_secret": "…", "jwt": "…"}"#)
    }
}

impl<V: Clone> SecretReader<V> {
    fn new(client: Client, id: String, parse: fn(&str) -> Option<V>, expected: &'static str) -> Self {
        Self { client, id, parse, expected, cached: Mutex::new(None) }
    }

    /// The secret, at most five minutes old. Where it cannot be read anew, or no longer be used, the last good value
    /// serves on, and is tried again half a minute later.
    ///
    /// # Errors
    /// The secret cannot be read or used, and never could.
    pub async fn value<C: Clock>(&self, clock: &C) -> Result<V, SecretError> {
        let now_ms = clock.now_ms();
        let known = self.cached().clone();
        if let Some(known) = known.as_ref().filter(|known| now_ms < known.fresh_until_ms) {
            return Ok(known.value.clone());
        }
        match (self.read().await, known) {
            (Ok(value), _) => Ok(self.keep(value, now_ms + FRESH_MS)),
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "the last good value of a secret serves on");
                Ok(self.keep(known.value, now_ms + RETRY_MS))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn read(&self) -> Result<V, SecretError> {
        let read = self.client.get_secret_value().secret_id(&self.id).send().await;
        let text = read.map_err(|error| SecretError::Unavailable { id: self.id.clone(), why: describe(&error) })?;
        let value = text.secret_string().and_then(self.parse);
        value.ok_or_else(|| SecretError::Malformed { id: self.id.clone(), expected: self.expected })
    }

    fn keep(&self, value: V, fresh_until_ms: u64) -> V {
        *self.cached() = Some(Cached { value: value.clone(), fresh_until_ms });
        value
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Option<Cached<V>>> {
        self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum VerificationTokens {
    One { verification_token: OneOrTwo },
    Rotating(Vec<VerificationToken>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrTwo {
    One(String),
    Two(Vec<String>),
}

#[derive(Deserialize)]
struct VerificationToken {
    verification_token: String,
}

impl VerificationTokens {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One { verification_token: OneOrTwo::One(token) } => vec![token],
            Self::One { verification_token: OneOrTwo::Two(tokens) } => tokens,
            Self::Rotating(tokens) => tokens.into_iter().map(|token| token.verification_token).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_or_two_while_rotating() {
        for (json, expected) in [
            (r#"{"verification_token":"a"}"#, vec!["a"]),
            (r#"{"verification_token":["b","a"]}"#, vec!["b", "a"]),
            (r#"[{"verification_token":"b"},{"verification_token":"a"}]"#, vec!["b", "a"]),
        ] {
            assert_eq!(serde_json::from_str::<VerificationTokens>(json).unwrap().into_vec(), expected, "{json}");
        }
        assert!(serde_json::from_str::<VerificationTokens>(r#"{"token":"a"}"#).is_err());
    }
}
