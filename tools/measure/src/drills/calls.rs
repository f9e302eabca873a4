//! Calls of a drill, and what is told of them.

use ringcentral_sim::world::Recording;
use ringvault::replay::{EventFile, Kind};
use serde_json::Value;
use shared::{clients::system::System, domain::day::DAY_MS, ports::clock::Clock};

use super::site::{DrillError, Site};
use crate::local;

/// The account of all calls.
const ACCOUNT: &str = "800000001";

impl Site {
    /// A recorded call that ends now, of which RingCentral tells.
    pub(super) async fn call(&self, session: &str, recording: &str) -> Result<(), DrillError> {
        let event = hang_up(session, recording);
        self.stack.vendor.learn(&event);
        self.tell(event).await
    }

    /// Delivers an event.
    pub(super) async fn tell(&self, event: Value) -> Result<(), DrillError> {
        let delivery = EventFile { name: String::new(), kind: Kind::RingCentral, json: event };
        let reply = self.stack.webhook.invoke(&delivery.as_http()).await?;
        if reply["statusCode"] == 200 { Ok(()) } else { Err(DrillError::Told(format!("the webhook answered {reply}"))) }
    }

    /// An event with another verification token.
    pub(super) async fn forge(&self) -> Result<(), DrillError> {
        let delivery = EventFile { name: String::new(), kind: Kind::RingCentral, json: hang_up("s-forged", "9999") };
        let mut request = delivery.as_http();
        request["headers"]["verification-token"] = "guessed".into();
        let reply = self.stack.webhook.invoke(&request).await?;
        if reply["statusCode"] == 401 { Ok(()) } else { Err(DrillError::Told(format!("the webhook answered {reply}"))) }
    }

    /// A recorded call of so many days ago, of which nobody tells. Answers when it began, epoch milliseconds.
    pub(super) fn call_days_ago(&self, days: u64, session: &str, recording: &str) -> u64 {
        let began_ms = System.now_ms() - days * DAY_MS;
        self.stack.vendor.learn(&hang_up(session, recording));
        self.stack.vendor.with(|vendor| vendor.begin_call(session, began_ms));
        began_ms
    }

    /// Changes how a recording behaves at RingCentral.
    pub(super) fn recording(&self, id: &str, change: impl FnOnce(&mut Recording)) {
        self.stack.vendor.with(|vendor| vendor.recording_mut(id).map(change));
    }
}

/// The end of a call with one recording.
pub(super) fn hang_up(session: &str, recording: &str) -> Value {
    local::hang_up(ACCOUNT, session, recording)
}
