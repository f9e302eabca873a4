//! Events of one call, in any order and any number: the rows know the same in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use shared::{
    domain::{
        delivery::Delivery,
        ladder::Ladder,
        session::{Heard, Schedule, SessionKey},
    },
    secret::Secret,
    usecases::record_notification::{Outcome, record_notification},
};
use simulation::memory::MemoryTable;

use crate::{cases, run};

const TOKEN: &str = "the verification token";
/// When all is written: after everything has happened.
const NOW_MS: u64 = 1_776_124_800_000;

/// What one event says of a party of the call.
#[derive(Debug, Clone)]
struct Said {
    party: u8,
    code: &'static str,
    recordings: BTreeSet<u8>,
    /// Whether the event names the party; some do not.
    named: bool,
}

/// The accounts of a call's parties: a call between two of them has a row in each.
fn account(party: u8) -> String {
    format!("80{}", party % 2)
}

fn said() -> impl Strategy<Value = Said> {
    let code = select(vec!["Setup", "Proceeding", "Answered", "Hold", "Disconnected", "Gone", "VoiceMail"]);
    let recordings = prop::collection::btree_set(0_u8..4, 0..3);
    let party = (0_u8..4, code, recordings, prop::bool::weighted(0.9));
    party.prop_map(|(party, code, recordings, named)| Said { party, code, recordings, named })
}

fn body(minute: usize, said: &[Said]) -> Vec<u8> {
    let party = |said: &Said| {
        let recordings: Vec<Value> = said.recordings.iter().map(|id| json!({ "id": format!("90{id}") })).collect();
        json!({
            "accountId": account(said.party),
            "id": said.named.then(|| format!("p-{}", said.party)),
            "extensionId": format!("10{}", said.party),
            "direction": if said.party < 2 { "Inbound" } else { "Outbound" },
            "from": { "phoneNumber": format!("+1650555010{}", said.party) },
            "to": { "phoneNumber": "+16505550199" },
            "recordings": recordings,
            "status": { "code": said.code },
        })
    };
    let parties: Vec<Value> = said.iter().map(party).collect();
    let event_time = format!("2026-04-13T10:{minute:02}:00.000Z");
    let body = json!({ "telephonySessionId": "s-1", "sessionId": "7", "eventTime": event_time, "parties": parties });
    json!({ "event": "/restapi/v1.0/account/800/telephony/sessions", "body": body }).to_string().into_bytes()
}

/// Events, and an order in which each comes at least once.
fn history() -> impl Strategy<Value = (Vec<Vec<Said>>, Vec<usize>)> {
    prop::collection::vec((prop::collection::vec(said(), 1..4), 1_usize..4), 1..8).prop_flat_map(|events| {
        let order = events.iter().enumerate().flat_map(|(place, (_, times))| vec![place; *times]).collect::<Vec<_>>();
        let events = events.into_iter().map(|(said, _)| said).collect::<Vec<_>>();
        (Just(events), Just(order).prop_shuffle())
    })
}

fn schedule() -> Schedule {
    Schedule {
        first_attempt_delay: Duration::from_secs(60),
        ladder: Ladder::new(vec![Duration::from_secs(60)]).unwrap(),
        quiet_period: Duration::from_secs(900),
        unlisted_after: Duration::from_secs(3_600),
        row_ttl: Duration::from_secs(86_400),
    }
}

/// What the rows know of the call.
#[derive(Debug, PartialEq)]
struct Facts {
    heard: BTreeSet<Heard>,
    ended: BTreeSet<String>,
    /// Those that decide about a recording: of others an event that brings no news is not written down.
    parties: BTreeMap<String, String>,
    session_id: Option<String>,
    day: String,
    queued: bool,
}

/// What the rows know when the events have come in this order; and that an event which has come is known from then on.
fn told(events: &[Vec<Said>], order: impl IntoIterator<Item = usize>) -> BTreeMap<SessionKey, Facts> {
    let (table, secrets) = (MemoryTable::default(), [Secret::new(TOKEN.to_owned())]);
    let tell = |place: usize| {
        let body = body(place, &events[place]);
        let delivery = Delivery { body: &body, tokens: vec![TOKEN.as_bytes()] }.authenticate(&secrets).unwrap();
        run(record_notification(&table, &schedule(), &delivery, NOW_MS)).unwrap().unwrap()
    };
    for place in order {
        tell(place);
        assert!(matches!(tell(place), Outcome::Known | Outcome::NotOfInterest), "it is known now");
    }
    table.with_rows(|rows| {
        let facts = rows.iter().map(|(key, stored)| {
            let row = &stored.row;
            let decides =
                |id: &_| row.ended.contains(id) || row.heard.iter().any(|heard| heard.party.as_ref() == Some(id));
            let parties = row.parties.iter().filter(|(id, _)| decides(id));
            let facts = Facts {
                heard: row.heard.clone(),
                ended: row.ended.iter().map(ToString::to_string).collect(),
                parties: parties.map(|(id, about)| (id.to_string(), format!("{about:?}"))).collect(),
                session_id: row.session_id.as_ref().map(ToString::to_string),
                day: row.day.to_string(),
                queued: stored.queued,
            };
            (key.clone(), facts)
        });
        facts.collect()
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_order_and_number_of_a_calls_events_leads_to_the_same_facts((events, order) in history()) {
        let rows = told(&events, order);
        prop_assert_eq!(&rows, &told(&events, 0..events.len()));
        for (key, facts) in &rows {
            let mine = events.iter().flatten().filter(|said| account(said.party) == key.account.as_str());
            let mine: Vec<&Said> = mine.collect();
            let heard: usize = mine.iter().flat_map(|said| said.recordings.iter().map(|id| (id, said.named.then_some(said.party)))).collect::<BTreeSet<_>>().len();
            let over = |said: &&&Said| said.named && ["Disconnected", "Gone", "VoiceMail"].contains(&said.code);
            let ended: BTreeSet<String> = mine.iter().filter(over).map(|said| format!("p-{}", said.party)).collect();
            prop_assert_eq!((facts.heard.len(), &facts.ended, facts.queued), (heard, &ended, heard > 0));
            let named: BTreeSet<&str> = facts.heard.iter().filter_map(|heard| Some(heard.party.as_ref()?.as_str())).collect();
            let known = |party: &str| facts.parties.contains_key(party);
            prop_assert!(ended.iter().map(String::as_str).chain(named).all(known), "who they are: {:?}", facts);
        }
    }
}
