//! Which endpoint a request is for, and the bucket it counts in (API.md §3).

use super::limits::RateGroup;
use super::message::{Origin, Request};
use crate::settings::Settings;

/// A known endpoint with the ids in its path.
pub(crate) enum Route<'a> {
    Token,
    Revoke,
    CreateSubscription,
    ListSubscriptions,
    ReadSubscription(&'a str),
    UpdateSubscription(&'a str),
    RenewSubscription(&'a str),
    DeleteSubscription(&'a str),
    AccountCallLog { account: &'a str },
    ExtensionCallLog { account: &'a str, extension: &'a str },
    AccountCallRecord { account: &'a str, id: &'a str },
    ExtensionCallRecord { account: &'a str, extension: &'a str, id: &'a str },
    RecordingMetadata { account: &'a str, id: &'a str },
    RecordingContent { account: &'a str, id: &'a str },
    LiveSession { account: &'a str, id: &'a str },
}

impl<'a> Route<'a> {
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        let path = request.path().strip_prefix("/restapi/")?;
        let segments: Vec<&str> = path.split('/').collect();
        match request.origin {
            Origin::Platform => Self::on_platform(&request.method, &segments),
            Origin::Media => content(&request.method, &segments),
        }
    }

    fn on_platform(method: &str, segments: &[&'a str]) -> Option<Self> {
        let route = match (method, segments) {
            ("POST", ["oauth", "token"]) => Self::Token,
            ("POST", ["oauth", "revoke"]) => Self::Revoke,
            ("POST", ["v1.0", "subscription"]) => Self::CreateSubscription,
            ("GET", ["v1.0", "subscription"]) => Self::ListSubscriptions,
            ("GET", ["v1.0", "subscription", id]) => Self::ReadSubscription(id),
            ("PUT", ["v1.0", "subscription", id]) => Self::UpdateSubscription(id),
            ("POST", ["v1.0", "subscription", id, "renew"]) => Self::RenewSubscription(id),
            ("DELETE", ["v1.0", "subscription", id]) => Self::DeleteSubscription(id),
            ("GET", ["v1.0", "account", account, "call-log"]) => Self::AccountCallLog { account },
            ("GET", ["v1.0", "account", account, "extension", extension, "call-log"]) => {
                Self::ExtensionCallLog { account, extension }
            }
            ("GET", ["v1.0", "account", account, "call-log", id]) => Self::AccountCallRecord { account, id },
            ("GET", ["v1.0", "account", account, "extension", extension, "call-log", id]) => {
                Self::ExtensionCallRecord { account, extension, id }
            }
            ("GET", ["v1.0", "account", account, "recording", id]) => Self::RecordingMetadata { account, id },
            ("GET", ["v1.0", "account", account, "telephony", "sessions", id]) => Self::LiveSession { account, id },
            _ => return content(method, segments),
        };
        Some(route)
    }

    pub(crate) fn group(&self, settings: &Settings) -> RateGroup {
        match self {
            Self::Token | Self::Revoke => RateGroup::Auth,
            Self::CreateSubscription | Self::UpdateSubscription(_) | Self::DeleteSubscription(_) => RateGroup::Medium,
            Self::ListSubscriptions
            | Self::ReadSubscription(_)
            | Self::RenewSubscription(_)
            | Self::LiveSession { .. } => RateGroup::Light,
            Self::RecordingContent { .. } if settings.media_limit.is_some() => RateGroup::Media,
            Self::AccountCallLog { .. }
            | Self::ExtensionCallLog { .. }
            | Self::AccountCallRecord { .. }
            | Self::ExtensionCallRecord { .. }
            | Self::RecordingMetadata { .. }
            | Self::RecordingContent { .. } => RateGroup::Heavy,
        }
    }
}

fn content<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    match (method, segments) {
        ("GET", ["v1.0", "account", account, "recording", id, "content"]) => {
            Some(Route::RecordingContent { account, id })
        }
        _ => None,
    }
}
