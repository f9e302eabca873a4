//! Errors in the vendor's words (API.md §4): a word outside, a code inside.

use super::message::Reply;
use crate::settings::ThrottleCode;
use serde_json::{Value, json};

/// An error reply in the making.
#[derive(Debug)]
pub(crate) struct Fault {
    status: u16,
    outer: &'static str,
    inner: &'static str,
    message: String,
    extra: Option<(&'static str, String)>,
}

impl Fault {
    fn new(status: u16, outer: &'static str, inner: &'static str, message: impl Into<String>) -> Self {
        Self { status, outer, inner, message: message.into(), extra: None }
    }

    /// An error whose outer word is the code itself.
    pub(crate) fn plain(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, code, code, message)
    }

    pub(crate) fn token_invalid(inner: &'static str, message: &str) -> Self {
        Self::new(401, "TokenInvalid", inner, message)
    }

    pub(crate) fn token_expired() -> Self {
        Self::new(401, "TokenExpired", "OAU-128", "Access token expired")
    }

    pub(crate) fn app_lacks(permission: &str) -> Self {
        let message =
            format!("In order to call this API endpoint, application needs to have [{permission}] permission");
        Self::new(403, "InsufficientPermissions", "CMN-401", message).naming("permissionName", permission)
    }

    pub(crate) fn user_lacks(permission: &str) -> Self {
        let message = format!(
            "In order to call this API endpoint, user needs to have [{permission}] permission for requested resource."
        );
        Self::new(403, "InsufficientPermissions", "CMN-408", message).naming("permissionName", permission)
    }

    pub(crate) fn not_found(parameter: &str) -> Self {
        Self::plain(404, "CMN-102", format!("Resource for parameter [{parameter}] is not found"))
            .naming("parameterName", parameter)
    }

    pub(crate) fn no_such_uri() -> Self {
        Self::plain(404, "CMN-120", "Invalid URI")
    }

    pub(crate) fn invalid(parameter: &str) -> Self {
        Self::new(400, "InvalidParameter", "CMN-101", format!("Parameter [{parameter}] value is invalid"))
            .naming("parameterName", parameter)
    }

    pub(crate) fn session_id_with(parameter: &str) -> Self {
        let message = format!("Parameter [sessionId] is not allowed for usage along with parameter [{parameter}]");
        Self::plain(400, "CLG-110", message).naming("parameterName", "sessionId")
    }

    pub(crate) fn bad_range() -> Self {
        Self::plain(416, "CMN-107", "Requested range not satisfiable")
    }

    pub(crate) fn throttled(code: ThrottleCode) -> Self {
        Self::plain(429, code.name(), "Request rate exceeded")
    }

    /// The error of a failing server, or whatever else a gateway says with this status.
    pub(crate) fn of_server(status: u16) -> Self {
        Self::plain(status, "CMN-201", "Service Temporary Unavailable")
    }

    /// The usual error of a recording's URL for a status a test asked for.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::token_invalid("OAU-213", "Token not found"),
            403 => Self::user_lacks("ReadCallRecording"),
            404 => Self::not_found("recordingId"),
            429 => Self::throttled(ThrottleCode::Cmn301),
            400..500 => Self::new(status, "InvalidParameter", "CMN-101", "Parameter [recordingId] value is invalid"),
            _ => Self::of_server(status),
        }
    }

    fn naming(mut self, field: &'static str, value: &str) -> Self {
        self.extra = Some((field, value.to_owned()));
        self
    }

    pub(crate) fn reply(&self) -> Reply {
        let mut inner = json!({"errorCode": self.inner, "message": self.message});
        let mut body = json!({"errorCode": self.outer, "message": self.message});
        if let Some((field, value)) = &self.extra {
            inner[field] = json!(value);
            body[field] = json!(value);
        }
        body["errors"] = Value::Array(vec![inner]);
        Reply::json(self.status, &body)
    }
}

/// The body of a refused token request (API.md §2).
pub(crate) fn token_refusal(status: u16, error: &str, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({
            "error": error,
            "error_description": message,
            "errors": [{"errorCode": code, "message": message}],
        }),
    )
}
