//! The URIs that replies carry: with real ids, never `~` (API.md §1).

use super::message::Origins;
use crate::world::{ListedAt, Recording};

pub(crate) struct Links {
    pub(crate) origins: Origins,
    pub(crate) account_id: String,
    /// Whether a `contentUri` spells the port of HTTPS.
    pub(crate) spells_port: bool,
}

impl Links {
    pub(crate) fn subscriptions(&self) -> String {
        format!("{}/restapi/v1.0/subscription", self.origins.platform)
    }

    pub(crate) fn subscription(&self, id: &str) -> String {
        format!("{}/{id}", self.subscriptions())
    }

    pub(crate) fn account(&self) -> String {
        format!("{}/restapi/v1.0/account/{}", self.origins.platform, self.account_id)
    }

    pub(crate) fn extension(&self, id: impl std::fmt::Display) -> String {
        format!("{}/extension/{id}", self.account())
    }

    pub(crate) fn recording(&self, id: &str) -> String {
        format!("{}/recording/{id}", self.account())
    }

    pub(crate) fn content(&self, recording: &Recording) -> String {
        let origin = match &recording.listed_at {
            ListedAt::Media => &self.origins.media,
            ListedAt::Platform => &self.origins.platform,
            ListedAt::Other(origin) => origin,
        };
        let host = origin.strip_prefix("https://").filter(|host| self.spells_port && !host.contains(':'));
        let port = if host.is_some() { ":443" } else { "" };
        format!("{origin}{port}/restapi/v1.0/account/{}/recording/{}/content", self.account_id, recording.id)
    }
}
