use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use shared::{
    domain::{
        delivery::{Delivery, ValidationToken},
        ids::PartyId,
        ladder::Ladder,
        notification::{MAX_FACTS_PER_EVENT, Notification, SessionFacts, account_in},
        session::{Heard, Learned, Schedule, SessionKey, Write},
    },
    secret::Secret,
};

use crate::documents;

/// When the events are heard of, epoch milliseconds: 2026-03-02.
const NOW_MS: u64 = 1_772_409_600_000;

/// Deliveries to the webhook, a zero byte between them. Nothing but the accepted token authenticates; what is understood
/// is bounded, safe and complete; any order and number of the same events gives the same facts.
pub fn webhook_event(data: &[u8]) {
    let secret = Secret::new("the accepted token".to_owned());
    let mut events = Vec::new();
    for body in documents(data).take(4) {
        let forged = Delivery { body, tokens: vec![body] }.authenticate(std::slice::from_ref(&secret));
        assert_eq!(forged.is_some(), body == b"the accepted token");
        if let Some(echo) = ValidationToken::parse(body) {
            assert!(echo.as_str().bytes().all(|byte| byte.is_ascii_graphic()) && echo.as_str().len() <= 128);
        }
        let authentic = Delivery { body, tokens: vec![b"the accepted token"] };
        let Some(authentic) = authentic.authenticate(std::slice::from_ref(&secret)) else { panic!("refused") };
        if let Ok(Notification::Telephony(sessions)) = authentic.parse() {
            check_bounds(&sessions);
            check_completeness(body, &sessions);
            events.push(sessions);
        }
    }
    check_order(&events);
}

fn check_bounds(sessions: &[SessionFacts]) {
    let parties = || sessions.iter().flat_map(|session| &session.parties);
    assert!(parties().count() <= MAX_FACTS_PER_EVENT);
    assert!(parties().map(|party| party.recordings.len()).sum::<usize>() <= MAX_FACTS_PER_EVENT);
    let accounts: BTreeSet<_> = sessions.iter().map(|session| &session.account).collect();
    assert_eq!(accounts.len(), sessions.len(), "one entry for each account");
    for about in parties().map(|party| &party.about) {
        let texts = [&about.direction, &about.to, &about.from, &about.extension];
        assert!(texts.into_iter().flatten().all(|text| text.len() <= 64));
    }
}

/// Reads the body a second time, in another way: every recording of a party whose account can be told is among the facts.
fn check_completeness(body: &[u8], sessions: &[SessionFacts]) {
    let Ok(event) = serde_json::from_slice::<Value>(body) else { return };
    let known: BTreeSet<(&str, &str)> = sessions
        .iter()
        .flat_map(|session| session.parties.iter().map(|party| (session.account.as_str(), party)))
        .flat_map(|(account, party)| party.recordings.iter().map(move |recording| (account, recording.as_str())))
        .collect();
    let of_path = event["event"].as_str().and_then(account_in).map(str::to_owned);
    let of_body = id(&event["body"]["accountId"]).or(of_path);
    for party in event["body"]["parties"].as_array().into_iter().flatten() {
        let Some(account) = id(&party["accountId"]).or_else(|| of_body.clone()) else { continue };
        for recording in party["recordings"].as_array().into_iter().flatten() {
            if let Some(recording) = id(&recording["id"]) {
                assert!(known.contains(&(account.as_str(), recording.as_str())), "a recording is lost");
            }
        }
    }
}

fn id(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
    text.filter(|text| !text.is_empty())
}

/// What decides about a session's recordings: what was heard, who ended, whether it is queued.
type Facts = BTreeMap<SessionKey, (BTreeSet<Heard>, BTreeSet<PartyId>, bool)>;

fn check_order(events: &[Vec<SessionFacts>]) {
    let Ok(ladder) = Ladder::new(vec![Duration::from_secs(60)]) else { panic!("a ladder has a step") };
    let schedule = Schedule {
        first_attempt_delay: Duration::from_secs(60),
        ladder,
        quiet_period: Duration::from_secs(900),
        unlisted_after: Duration::from_secs(259_200),
        row_ttl: Duration::from_secs(10_000_000),
    };
    let learned: Vec<Learned> = events.iter().flatten().map(|facts| Learned::of(facts, &schedule, NOW_MS)).collect();
    for learned in &learned {
        let (Write::Once(due_at_ms) | Write::Always(due_at_ms)) = learned.due_at_ms;
        assert!(due_at_ms <= NOW_MS + 900_000, "no event postpones a look");
        assert!(learned.happened_ms <= NOW_MS);
        for heard in &learned.heard {
            assert_eq!(Heard::from_element(&heard.to_element()).as_ref(), Ok(heard));
        }
    }
    let forwards = told(learned.iter());
    assert_eq!(told(learned.iter().rev()), forwards, "the order of events decides");
    assert_eq!(told(learned.iter().chain(&learned).chain(learned.first())), forwards, "the number of events decides");
}

/// The facts after these events. As in the table, what is no news is not written.
fn told<'a>(events: impl Iterator<Item = &'a Learned>) -> Facts {
    let mut facts = Facts::new();
    for learned in events.filter(|learned| !learned.is_silent()) {
        let (heard, ended, queued) = facts.entry(learned.key.clone()).or_default();
        if learned.is_news(heard, ended) {
            heard.extend(learned.heard.iter().cloned());
            ended.extend(learned.ended.iter().cloned());
            *queued |= learned.queues();
        }
        assert!(!learned.is_news(heard, ended), "the same again is no news");
    }
    facts
}
