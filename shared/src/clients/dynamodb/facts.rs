//! What an event changes as the expressions of one conditional update.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    ROW_VERSION,
    row::{number, offer_name, party_name, text},
    schema,
    told::{encode_about, encode_offer},
};
use crate::domain::session::{Heard, Learned, Write};

/// The expressions of one update.
#[derive(Debug, Default)]
pub(super) struct FactsUpdate {
    set: Vec<String>,
    add: Vec<String>,
    new_if: Vec<String>,
    pub(super) names: Vec<(String, String)>,
    pub(super) values: Vec<(String, AttributeValue)>,
}

impl FactsUpdate {
    pub(super) fn of(learned: &Learned) -> Self {
        let mut update = Self::default();
        update.set("v", Write::Once(number(ROW_VERSION)));
        update.set("day", Write::Once(text(learned.day.to_string())));
        update.set("happened_at", Write::Once(number(learned.happened_ms)));
        update.set("seen_at", Write::Once(number(learned.seen_at_ms)));
        if let Some(session_id) = &learned.session_id {
            update.set("session_id", Write::Once(text(session_id.as_str())));
        }
        for (id, who) in &learned.parties {
            update.set(&party_name(id), Write::Once(encode_about(who)));
        }
        for (id, offer) in &learned.offers {
            update.set(&offer_name(id), Write::Always(encode_offer(offer)));
        }
        if learned.queues() {
            update.set(schema::QUEUE, Write::Always(text(schema::DUE)));
        }
        update.set(schema::DUE_AT, numbered(learned.due_at_ms));
        update.set(schema::TTL, numbered(learned.expires_s));
        update.add_set("heard", learned.heard.iter().map(Heard::to_element).collect());
        update.add_set("ended", learned.ended.iter().map(ToString::to_string).collect());
        update.values.push((":one".to_owned(), number(1)));
        update.add.push("rev :one".to_owned());
        update
    }

    pub(super) fn update_expression(&self) -> String {
        format!("SET {} ADD {}", self.set.join(", "), self.add.join(", "))
    }

    /// True if at least one fact is new.
    pub(super) fn condition_expression(&self) -> String {
        self.new_if.join(" OR ")
    }

    fn set(&mut self, name: &str, write: Write<AttributeValue>) {
        let (placeholder, at) = (format!("#n{}", self.names.len()), format!(":v{}", self.values.len()));
        let (value, set) = match write {
            Write::Once(value) => (value, format!("{placeholder} = if_not_exists({placeholder}, {at})")),
            Write::Always(value) => (value, format!("{placeholder} = {at}")),
        };
        self.set.push(set);
        self.names.push((placeholder, name.to_owned()));
        self.values.push((at, value));
    }

    fn add_set(&mut self, name: &str, elements: BTreeSet<String>) {
        if elements.is_empty() {
            return;
        }
        for element in &elements {
            let value = format!(":v{}", self.values.len());
            self.new_if.push(format!("NOT contains({name}, {value})"));
            self.values.push((value, text(element)));
        }
        let value = format!(":{name}");
        self.add.push(format!("{name} {value}"));
        self.values.push((value, AttributeValue::Ss(elements.into_iter().collect())));
    }
}

fn numbered(write: Write<u64>) -> Write<AttributeValue> {
    match write {
        Write::Once(value) => Write::Once(number(value)),
        Write::Always(value) => Write::Always(number(value)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::{
        day::Day,
        ids::{AccountId, PartyId, RecordingId, TelephonySessionId},
        notification::{MAX_FACTS_PER_EVENT, PartyAbout},
        session::SessionKey,
    };

    /// As many parties, each with a recording and ended.
    fn learned(parties: usize) -> Learned {
        let ids: Vec<_> = (0..parties).map(|n| PartyId::parse(&format!("p-{n}")).unwrap()).collect();
        let heard = |(n, party): (usize, &PartyId)| Heard {
            recording: RecordingId::parse(&n.to_string()).unwrap(),
            party: Some(party.clone()),
        };
        Learned {
            key: SessionKey {
                account: AccountId::parse("800").unwrap(),
                session: TelephonySessionId::parse("s-1").unwrap(),
            },
            day: Day::of(0),
            happened_ms: 0,
            seen_at_ms: 1,
            session_id: None,
            parties: ids.iter().map(|id| (id.clone(), PartyAbout::default())).collect::<BTreeMap<_, _>>(),
            heard: ids.iter().enumerate().map(heard).collect(),
            ended: ids.iter().cloned().collect(),
            offers: BTreeMap::new(),
            due_at_ms: Write::Once(2),
            expires_s: Write::Always(3),
        }
    }

    fn value_set(update: &FactsUpdate, name: &str) -> Option<(bool, AttributeValue)> {
        let (placeholder, _) = update.names.iter().find(|(_, found)| found == name)?;
        let set = update.set.iter().find(|set| set.starts_with(&format!("{placeholder} =")))?;
        let value = set.rsplit([' ', '(', ')']).find(|word| word.starts_with(':'))?;
        let (_, value) = update.values.iter().find(|(found, _)| found == value)?;
        Some((set.contains("if_not_exists"), value.clone()))
    }

    #[test]
    fn once_and_always_are_told_apart() {
        let update = FactsUpdate::of(&learned(1));
        assert_eq!(value_set(&update, "queue"), Some((false, text("due"))));
        assert_eq!(value_set(&update, "due_at"), Some((true, number(2))));
        assert_eq!(value_set(&update, "ttl"), Some((false, number(3))));
    }

    #[test]
    fn any_new_fact_lets_it_write() {
        let condition = FactsUpdate::of(&learned(2)).condition_expression();
        assert_eq!(condition.matches("NOT contains(heard").count(), 2, "{condition}");
        assert_eq!(condition.matches("NOT contains(ended").count(), 2, "{condition}");
    }

    #[test]
    fn the_largest_event_fits_dynamodbs_expression_limit() {
        let update = FactsUpdate::of(&learned(MAX_FACTS_PER_EVENT));
        assert!(update.update_expression().len() < 4096, "{}", update.update_expression().len());
        assert!(update.condition_expression().len() < 4096, "{}", update.condition_expression().len());
    }
}
