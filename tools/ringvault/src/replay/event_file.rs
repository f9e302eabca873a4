//! An event file: which function it is for, told from its content.

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use local_cloud::function_url::{HttpRequest, event};
use serde_json::Value;

use super::text;
use crate::stack::VERIFICATION_TOKEN;

/// What an event file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A gateway's payload, format 2.0.
    Http,
    /// What RingCentral POSTs.
    RingCentral,
    /// A tick of EventBridge.
    Schedule,
    /// A stretch of time that an operator wants to be looked at.
    Range,
    /// A batch of the table's stream.
    Stream,
}

/// An event to send.
#[derive(Debug, Clone)]
pub struct EventFile {
    /// As the user named it.
    pub name: String,
    /// Whom it is for.
    pub kind: Kind,
    /// Its content.
    pub json: Value,
}

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum EventFileError {
    /// The file.
    #[error("could not read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its content is not JSON.
    #[error("{path} is not JSON: {source}", path = path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where it is not.
        source: serde_json::Error,
    },
    /// Its content is for no function.
    #[error("{path} is no gateway payload, RingCentral body, schedule, range or stream batch", path = path.display())]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
}

impl Kind {
    /// In words, with the function it goes to.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Http => "gateway payload → webhook",
            Self::RingCentral => "RingCentral body → webhook",
            Self::Schedule => "schedule → archiver",
            Self::Range => "range → reconciler",
            Self::Stream => "stream batch → archiver",
        }
    }

    fn of(json: &Value) -> Option<Self> {
        let has = |name| json.get(name).is_some();
        match () {
            () if has("requestContext") => Some(Self::Http),
            () if has("Records") => Some(Self::Stream),
            () if json.pointer("/detail/from").is_some() => Some(Self::Range),
            () if has("detail-type") => Some(Self::Schedule),
            () if has("event") || has("body") => Some(Self::RingCentral),
            () => None,
        }
    }
}

impl EventFile {
    /// Reads a file and tells what it holds.
    ///
    /// # Errors
    /// Says what is wrong with which file.
    pub fn read(path: &Path) -> Result<Self, EventFileError> {
        let path = path.to_owned();
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(source) => return Err(EventFileError::Unreadable { path, source }),
        };
        let json = match serde_json::from_slice(&content) {
            Ok(json) => json,
            Err(source) => return Err(EventFileError::NotJson { path, source }),
        };
        match Kind::of(&json) {
            Some(kind) => Ok(Self { name: path.display().to_string(), kind, json }),
            None => Err(EventFileError::UnknownKind { path }),
        }
    }

    /// A RingCentral body as the gateway would hand it to the webhook.
    pub fn as_http(&self) -> Value {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = HttpRequest {
            method: "POST".to_owned(),
            path_and_query: "/".to_owned(),
            headers: vec![
                header("content-type", "application/json; charset=UTF-8"),
                header("user-agent", "RingCentral-Webhook/8.3"),
                header("verification-token", VERIFICATION_TOKEN),
            ],
            body: self.json.to_string().into(),
        };
        event(&request, "00000000-0000-4000-8000-000000000000", SystemTime::now())
    }

    /// The RingCentral body in the file, if there is one.
    pub fn notification(&self) -> Option<Value> {
        match self.kind {
            Kind::RingCentral => Some(self.json.clone()),
            Kind::Http => {
                let body = text(&self.json, "body")?;
                let encoded = self.json.get("isBase64Encoded")?.as_bool()?;
                let body = if encoded { BASE64_STANDARD.decode(body).ok()? } else { body.as_bytes().to_vec() };
                serde_json::from_slice(&body).ok()
            }
            Kind::Schedule | Kind::Range | Kind::Stream => None,
        }
    }

    /// The call it speaks of.
    pub fn session(&self) -> Option<String> {
        text(self.notification()?.get("body")?, "telephonySessionId").map(str::to_owned)
    }

    /// The accounts its parties belong to, by party, body or path (API.md §6).
    pub fn accounts(&self) -> Vec<String> {
        let notification = self.notification().unwrap_or_default();
        let path = text(&notification, "event").unwrap_or_default();
        let in_path = path.split('/').skip_while(|segment| *segment != "account").nth(1).filter(|id| *id != "~");
        let elsewhere = text(&notification["body"], "accountId").or(in_path);
        let parties = notification["body"]["parties"].as_array().into_iter().flatten();
        parties.filter_map(|party| text(party, "accountId").or(elsewhere)).map(str::to_owned).collect()
    }

    /// The recordings it speaks of.
    pub fn recordings(&self) -> Vec<String> {
        let notification = self.notification().unwrap_or_default();
        let parties = notification["body"]["parties"].as_array().into_iter().flatten();
        let recordings = parties.flat_map(|party| party["recordings"].as_array().into_iter().flatten());
        recordings.filter_map(|recording| text(recording, "id")).map(str::to_owned).collect()
    }
}
