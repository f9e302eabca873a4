//! Secrets Manager, read through a cache of five minutes.

use std::sync::Mutex;

use aws_sdk_secretsmanager::Client;
use serde::Deserialize;

use crate::{clients::aws::describe, ports::clock::Clock, secret::Secret};

/// How long a secret is used before it is read again, milliseconds.
const FRESH_MS: u64 = 5 * 60 * 1000;

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

/// One secret.
#[derive(Debug)]
pub struct SecretReader {
    client: Client,
    id: String,
    cached: Mutex<Option<(Secret, u64)>>,
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

impl SecretReader {
    /// A reader of secret `id`.
    pub fn new(client: Client, id: String) -> Self {
        Self { client, id, cached: Mutex::new(None) }
    }

    /// The accepted verification tokens: `{"verification_token": "…"}`, or an array of two while rotating.
    ///
    /// # Errors
    /// The secret cannot be read or used.
    pub async fn verification_tokens<C: Clock>(&self, clock: &C) -> Result<Vec<Secret>, SecretError> {
        let text = self.text(clock).await?;
        let tokens = serde_json::from_str::<VerificationTokens>(text.expose()).ok().map(VerificationTokens::into_vec);
        tokens.filter(|tokens| !tokens.is_empty() && tokens.iter().all(|token| !token.is_empty())).map_or_else(
            || Err(self.malformed(r#"JSON {"verification_token": "…"}, or an array of two"#)),
            |tokens| Ok(tokens.into_iter().map(Secret::new).collect()),
        )
    }

    /// The RingCentral credentials: JSON `client_id`, `client_secret`, `jwt`.
    ///
    /// # Errors
    /// The secret cannot be read or used.
    pub async fn ringcentral_credentials<C: Clock>(&self, clock: &C) -> Result<RingCentralCredentials, SecretError> {
        #[derive(Deserialize)]
        struct Credentials {
            client_id: String,
            client_secret: String,
            jwt: String,
        }
        let text = self.text(clock).await?;
        let credentials: Credentials = serde_json::from_str(text.expose())
            .map_err(|_| self.malformed(r#"JSON {"client_id": "…", "client_secret": "…", "jwt": "…"}"#))?;
        Ok(RingCentralCredentials {
            client_id: credentials.client_id,
            client_secret: Secret::new(credentials.client_secret),
            jwt: Secret::new(credentials.jwt),
        })
    }

    /// The secret's text, at most five minutes old. Where it cannot be read anew, the last value known serves on.
    async fn text<C: Clock>(&self, clock: &C) -> Result<Secret, SecretError> {
        let now_ms = clock.now_ms();
        let cached = self.cached().clone();
        if let Some((text, read_ms)) = &cached
            && now_ms.saturating_sub(*read_ms) < FRESH_MS
        {
            return Ok(text.clone());
        }
        let read = self.client.get_secret_value().secret_id(&self.id).send().await;
        let why = match read.map(|value| value.secret_string) {
            Ok(Some(text)) => {
                let text = Secret::new(text);
                *self.cached() = Some((text.clone(), now_ms));
                return Ok(text);
            }
            Ok(None) => "it is binary, not text".to_owned(),
            Err(error) => describe(&error),
        };
        match cached {
            Some((text, _)) => {
                tracing::warn!(secret = self.id, why, "could not read a secret anew; the last value serves on");
                Ok(text)
            }
            None => Err(SecretError::Unavailable { id: self.id.clone(), why }),
        }
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, Option<(Secret, u64)>> {
        self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn malformed(&self, expected: &'static str) -> SecretError {
        SecretError::Malformed { id: self.id.clone(), expected }
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
