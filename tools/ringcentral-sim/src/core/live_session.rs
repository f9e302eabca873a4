//! The status of a call while it runs (API.md §6, "Live check").

use super::Simulator;
use super::call_record::endpoint;
use super::fault::Fault;
use super::message::Reply;
use crate::time_text::format_ms;
use crate::world::{Call, Party};
use serde_json::{Value, json};

impl Simulator {
    pub(super) fn live_session(&self, id: &str) -> Result<Reply, Fault> {
        let running = self.world.call(id).filter(|call| call.ended_at_ms().is_none());
        let call = running.ok_or_else(|| Fault::not_found("telephonySessionId"))?;
        let parties: Vec<Value> = call.parties.iter().map(|party| self.live_party(call, party)).collect();
        Ok(Reply::json(
            200,
            &json!({
                "id": id,
                "origin": {"type": "Call"},
                "creationTime": format_ms(call.started_at_ms),
                "parties": parties,
            }),
        ))
    }

    fn live_party(&self, call: &Call, party: &Party) -> Value {
        let mut body = json!({
            "id": party.id,
            "accountId": self.settings.account_id,
            "direction": party.direction.name(),
            "from": endpoint(&party.from),
            "to": endpoint(&party.to),
            "status": {"code": party.status.name(), "rcc": false},
        });
        if let Some(extension_id) = &party.extension_id {
            body["extensionId"] = json!(extension_id);
        }
        let own = call.recordings.iter().filter(|recording| recording.party_id.as_ref() == Some(&party.id));
        let recordings: Vec<Value> =
            own.map(|recording| json!({"id": recording.id, "active": party.ended_at_ms.is_none()})).collect();
        if !recordings.is_empty() {
            body["recordings"] = Value::Array(recordings);
        }
        body
    }
}
