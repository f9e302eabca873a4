//! The webhook's one conditional update: facts are added, nothing is read, and the order of events does not matter.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    ROW_VERSION,
    row::{Item, number, text},
    schema,
};
use crate::domain::{
    day::{DAY_MS, Day, millis},
    notification::{PartyAbout, SessionFacts},
    session::{Heard, Schedule},
};

/// How long a session nobody recorded stays, in days.
const UNRECORDED_TTL_DAYS: u64 = 2;

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
    pub(super) fn of(facts: &SessionFacts, schedule: &Schedule, now_ms: u64) -> Self {
        // A clock that runs ahead must not postpone the fetch.
        let at_ms = facts.at_ms.map_or(now_ms, |at_ms| at_ms.min(now_ms));
        let mut update = Self::default();
        update.set_once("v", number(ROW_VERSION));
        update.set_once("day", text(Day::of(at_ms).to_string()));
        update.set_once("seen_at", number(now_ms));
        if let Some(session_id) = &facts.session_id {
            update.set_once("session_id", text(session_id.as_str()));
        }
        // Sets, because DynamoDB refuses a request that names a path or an element twice.
        let mut described = BTreeSet::new();
        let mut heard = BTreeSet::new();
        let mut ended = BTreeSet::new();
        for party in &facts.parties {
            if let Some(id) = party.id.as_ref().filter(|id| described.insert(*id)) {
                update.set_once(&format!("p#{id}"), about(&party.about));
            }
            let said = party.recordings.iter().cloned().map(|recording| Heard { recording, party: party.id.clone() });
            heard.extend(said.map(|said| said.to_element()));
            ended.extend(party.id.iter().filter(|_| party.ended).map(ToString::to_string));
        }
        update.schedule(!heard.is_empty(), !ended.is_empty(), at_ms, schedule, now_ms);
        update.add_set("heard", heard);
        update.add_set("ended", ended);
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

    /// A recording puts the session into the queue; an end moves it to its first attempt. Either may come first.
    fn schedule(&mut self, heard: bool, ended: bool, at_ms: u64, schedule: &Schedule, now_ms: u64) {
        if heard {
            self.set_value(schema::QUEUE, text(schema::DUE));
            self.set_value(schema::TTL, number(schedule.expires_s(now_ms)));
        } else {
            self.set_once(schema::TTL, number((now_ms + UNRECORDED_TTL_DAYS * DAY_MS) / 1000));
        }
        if ended {
            self.set_value(schema::DUE_AT, number(at_ms.saturating_add(millis(schedule.first_attempt_delay))));
        } else {
            self.set_once(schema::DUE_AT, number(now_ms.saturating_add(millis(schedule.quiet_period))));
        }
    }

    fn set_once(&mut self, name: &str, value: AttributeValue) {
        let (name, value) = self.placeholders(name, value);
        self.set.push(format!("{name} = if_not_exists({name}, {value})"));
    }

    fn set_value(&mut self, name: &str, value: AttributeValue) {
        let (name, value) = self.placeholders(name, value);
        self.set.push(format!("{name} = {value}"));
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

    fn placeholders(&mut self, name: &str, value: AttributeValue) -> (String, String) {
        let placeholders = (format!("#n{}", self.names.len()), format!(":v{}", self.values.len()));
        self.names.push((placeholders.0.clone(), name.to_owned()));
        self.values.push((placeholders.1.clone(), value));
        placeholders
    }
}

fn about(about: &PartyAbout) -> AttributeValue {
    let texts =
        [("direction", &about.direction), ("to", &about.to), ("from", &about.from), ("extension", &about.extension)];
    let known = texts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), text(value.as_deref()?))));
    AttributeValue::M(known.collect::<Item>())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{ladder::Ladder, notification::Notification};

    fn update(parties: &str) -> FactsUpdate {
        let body = format!(
            r#"{{"body":{{"telephonySessionId":"s","eventTime":"1970-01-01T00:01:00Z","parties":[{parties}]}}}}"#
        );
        let Ok(Notification::Telephony(sessions)) = Notification::parse(body.as_bytes()) else { panic!("{body}") };
        let schedule = Schedule {
            first_attempt_delay: Duration::from_secs(1),
            ladder: Ladder::new(vec![Duration::ZERO]).unwrap(),
            quiet_period: Duration::from_secs(900),
            unlisted_after: Duration::ZERO,
            row_ttl: Duration::from_secs(86_400),
        };
        FactsUpdate::of(&sessions[0], &schedule, 100_000)
    }

    fn value_set(update: &FactsUpdate, name: &str) -> Option<(bool, AttributeValue)> {
        let (placeholder, _) = update.names.iter().find(|(_, found)| found == name)?;
        let set = update.set.iter().find(|set| set.starts_with(&format!("{placeholder} =")))?;
        let value = set.rsplit([' ', '(', ')']).find(|word| word.starts_with(':'))?;
        let (_, value) = update.values.iter().find(|(found, _)| found == value)?;
        Some((set.contains("if_not_exists"), value.clone()))
    }

    #[test]
    fn a_recording_queues_the_session_for_the_quiet_period() {
        let update = update(r#"{"accountId":"1","id":"p","recordings":[{"id":"9"}]}"#);
        assert_eq!(value_set(&update, "queue"), Some((false, text("due"))));
        assert_eq!(value_set(&update, "due_at"), Some((true, number(1_000_000))));
        assert_eq!(value_set(&update, "ttl"), Some((false, number(86_500))));
        assert_eq!(update.condition_expression().matches("NOT contains(heard").count(), 1);
    }

    #[test]
    fn an_end_moves_it_to_the_first_attempt_with_or_without_a_recording() {
        let update = update(r#"{"accountId":"1","id":"p","status":{"code":"Gone"}}"#);
        assert_eq!(value_set(&update, "queue"), None);
        assert_eq!(value_set(&update, "due_at"), Some((false, number(61_000))));
        assert_eq!(value_set(&update, "ttl"), Some((true, number(100 + 2 * 86_400))));
        assert_eq!(update.condition_expression().matches("NOT contains(ended").count(), 1);
    }

    #[test]
    fn the_largest_event_fits_dynamodbs_expression_limit() {
        let party = |n: usize| {
            format!(r#"{{"accountId":"1","id":"p-{n}","status":{{"code":"Gone"}},"recordings":[{{"id":"{n}"}}]}}"#)
        };
        let update = update(&(0..40).map(party).collect::<Vec<_>>().join(","));
        assert!(update.update_expression().len() < 4096, "{}", update.update_expression().len());
        assert!(update.condition_expression().len() < 4096, "{}", update.condition_expression().len());
    }
}
