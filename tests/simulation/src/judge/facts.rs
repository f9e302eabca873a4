//! Whether what was acknowledged has become facts, whatever its order.

use futures_util::FutureExt;
use serde_json::Value;
use shared::{
    domain::{
        notification::{Notification, SessionFacts},
        session::{Learned, SessionRow},
    },
    ports::session_store::SessionStore,
};

use super::Judge;
use crate::{functions::Acknowledged, memory::MemoryTable};

impl Judge {
    /// What was acknowledged must be in the table: the vendor says nothing twice. It is read here without the program's
    /// own reader of notifications.
    pub(super) fn look_for(&mut self, event: &Value) {
        let session = event["body"]["telephonySessionId"].as_str().unwrap_or_default();
        let lacking = self.table.with_rows(|rows| {
            let rows: Vec<&SessionRow> =
                rows.values().map(|stored| &stored.row).filter(|row| row.key.session.as_str() == session).collect();
            let parties = event["body"]["parties"].as_array().into_iter().flatten();
            parties.filter(|party| !is_known(party, &rows)).count()
        });
        if lacking > 0 {
            self.complain(format!("{session} lacks what was acknowledged"));
        }
    }

    /// The same events in other orders must come to the same facts.
    pub(super) fn compare_orders(&mut self, acknowledged: &[Acknowledged]) {
        let schedule = self.schedule.clone();
        let facts: Vec<SessionFacts> = acknowledged
            .iter()
            .filter_map(|event| Notification::parse(event).ok())
            .flat_map(|notification| match notification {
                Notification::Telephony(facts) => facts,
                Notification::RenewalReminder => Vec::new(),
            })
            .collect();
        let learned = |facts: &mut dyn Iterator<Item = &SessionFacts>| {
            let table = MemoryTable::default();
            for facts in facts {
                // The memory table answers at once.
                let _ = table.record(&Learned::of(facts, &schedule, 1)).now_or_never();
            }
            let of = |row: &SessionRow| (row.key.clone(), row.heard.clone(), row.ended.clone(), row.session_id.clone());
            table.with_rows(|rows| rows.values().map(|stored| of(&stored.row)).collect::<Vec<_>>())
        };
        let middle = facts.len() / 2;
        let forward = learned(&mut facts.iter());
        let orders = [learned(&mut facts.iter().rev()), learned(&mut facts[middle..].iter().chain(&facts[..middle]))];
        if orders.iter().any(|other| *other != forward) {
            self.complain("the order of events decides about facts".to_owned());
        }
    }
}

/// Whether the rows of a session have what an event says of a party.
fn is_known(party: &Value, rows: &[&SessionRow]) -> bool {
    let id = party["id"].as_str().unwrap_or_default();
    let heard = |recording: &Value| {
        let element = format!("{}|{id}", recording["id"].as_str().unwrap_or_default());
        rows.iter().any(|row| row.heard.iter().any(|heard| heard.to_element() == element))
    };
    let ended = matches!(party["status"]["code"].as_str(), Some("Disconnected" | "Gone" | "VoiceMail"));
    let end_known = || rows.iter().any(|row| row.ended.iter().any(|ended| ended.as_str() == id));
    party["recordings"].as_array().into_iter().flatten().all(heard) && (!ended || end_known())
}
