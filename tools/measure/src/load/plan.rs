//! What is delivered: the events of calls, each of them true, and forgeries. Both follow from their numbers.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use ringvault::stack::VERIFICATION_TOKEN;
use serde_json::{Value, json};

const ACCOUNT: &str = "800000001";
const SEED: u64 = 1;

/// Deliveries of one call: four events, one of which comes twice.
const OF_A_CALL: usize = 5;

/// Every so many forgeries one is huge, of so many bytes: near what a gateway still takes, each would cost more than all
/// others together.
const HUGE_EVERY: usize = 20;
const HUGE_BYTES: usize = 256 * 1024;

/// One HTTP request.
pub(super) struct Delivery {
    pub(super) token: Option<String>,
    pub(super) body: String,
}

/// What the rows of calls hold that events decide about: by telephony session, recordings with their parties (`heard`)
/// and parties that ended (`ended`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts(pub(super) BTreeMap<String, [BTreeSet<String>; 2]>);

/// The true events, in the order in which they are sent.
pub(super) struct Plan(Vec<Event>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    call: usize,
    part: Part,
}

/// A call has two parties, and each is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    FirstIsRecorded,
    SecondIsRecorded,
    FirstEnds,
    SecondEnds,
}

impl Part {
    const ALL: [Self; 4] = [Self::FirstIsRecorded, Self::SecondIsRecorded, Self::FirstEnds, Self::SecondEnds];

    fn party(self) -> usize {
        match self {
            Self::FirstIsRecorded | Self::FirstEnds => 1,
            Self::SecondIsRecorded | Self::SecondEnds => 2,
        }
    }

    fn is_end(self) -> bool {
        match self {
            Self::FirstIsRecorded | Self::SecondIsRecorded => false,
            Self::FirstEnds | Self::SecondEnds => true,
        }
    }
}

impl Plan {
    /// `deliveries` of calls, the last of which may lack some; mixed among each other.
    pub(super) fn new(deliveries: usize) -> Self {
        let mut chance = Rng::with_seed(SEED);
        let mut events = Vec::with_capacity(deliveries);
        for number in 0..deliveries {
            let part = Part::ALL.get(number % OF_A_CALL).copied();
            let part = part.unwrap_or_else(|| Part::ALL[chance.usize(..Part::ALL.len())]);
            events.push(Event { call: number / OF_A_CALL, part });
        }
        chance.shuffle(&mut events);
        Self(events)
    }

    pub(super) fn deliveries(&self) -> usize {
        self.0.len()
    }

    pub(super) fn delivery(&self, number: usize) -> Delivery {
        let Event { call, part } = self.0[number];
        let (code, party) = (if part.is_end() { "Disconnected" } else { "Answered" }, part.party());
        let event = event(&session(call), party, code, &recording(call, party));
        Delivery { token: Some(VERIFICATION_TOKEN.to_owned()), body: event.to_string() }
    }

    /// What one delivery says.
    pub(super) fn says(&self, number: usize) -> Facts {
        let Event { call, part } = self.0[number];
        let (session, number) = (session(call), part.party());
        let party = party(&session, number);
        let heard = BTreeSet::from([format!("{}|{party}", recording(call, number))]);
        let ended = part.is_end().then_some(party).into_iter().collect();
        Facts(BTreeMap::from([(session, [heard, ended])]))
    }

    /// What all of them say together.
    pub(super) fn says_in_all(&self) -> Facts {
        let mut all = Facts::default();
        for number in 0..self.deliveries() {
            all.add(self.says(number));
        }
        all
    }
}

impl Facts {
    fn add(&mut self, more: Self) {
        for (session, [heard, ended]) in more.0 {
            let [all_heard, all_ended] = self.0.entry(session).or_default();
            all_heard.extend(heard);
            all_ended.extend(ended);
        }
    }

    /// Whether all of `part` is among these.
    pub(super) fn hold(&self, part: &Self) -> bool {
        part.0.iter().all(|(session, sets)| {
            let Some(held) = self.0.get(session) else { return false };
            held.iter().zip(sets).all(|(held, set)| held.is_superset(set))
        })
    }
}

/// A delivery of somebody who does not know the token. Most tell of calls that there are, with recordings that there are
/// not.
pub(super) fn forgery(number: usize) -> Delivery {
    let near_misses = || {
        let shorter = VERIFICATION_TOKEN.get(1..).unwrap_or_default();
        let longer = format!("{VERIFICATION_TOKEN}{VERIFICATION_TOKEN}");
        let swapped = VERIFICATION_TOKEN.to_uppercase();
        [shorter.to_owned(), longer, swapped, format!("{VERIFICATION_TOKEN},{VERIFICATION_TOKEN}")]
    };
    let event = event(&session(number / OF_A_CALL), 1, "Disconnected", &format!("66{number}")).to_string();
    if number.is_multiple_of(HUGE_EVERY) {
        return Delivery { token: Some("guess".to_owned()), body: event + &" ".repeat(HUGE_BYTES) };
    }
    match number % 4 {
        0 => Delivery { token: Some(format!("guess-{number}")), body: event },
        1 => Delivery { token: None, body: event },
        2 => Delivery { token: Some("guess".to_owned()), body: event.chars().take(number % 200).collect() },
        _ => Delivery { token: Some(near_misses()[number / 4 % 4].clone()), body: event },
    }
}

fn session(call: usize) -> String {
    format!("s-load-{call}")
}

fn recording(call: usize, party: usize) -> String {
    format!("{}", 9_000_000 + 10 * call + party)
}

fn party(session: &str, number: usize) -> String {
    format!("p-{session}-{number}")
}

/// An event of one party (API.md §6).
fn event(session: &str, number: usize, code: &str, recording: &str) -> Value {
    json!({
        "event": format!("/restapi/v1.0/account/{ACCOUNT}/telephony/sessions"),
        "body": {
            "sequence": 4,
            "telephonySessionId": session,
            "eventTime": "2026-04-14T09:30:00.000Z",
            "parties": [{
                "accountId": ACCOUNT,
                "extensionId": format!("80000010{number}"),
                "id": party(session, number),
                "direction": "Inbound",
                "to": { "phoneNumber": "+16505550171" },
                "from": { "phoneNumber": "+16505550172" },
                "recordings": [{ "id": recording, "active": false }],
                "status": { "code": code },
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_mixed_and_whole_and_follow_from_their_number() {
        let (plan, again) = (Plan::new(5_000), Plan::new(5_000));
        assert_eq!(plan.0, again.0);
        let facts = plan.says_in_all();
        assert_eq!(facts.0.len(), 1_000);
        assert!(facts.0.values().all(|[heard, ended]| heard.len() == 2 && ended.len() == 2));
        let neighbours = plan.0.windows(2).filter(|two| two[0].call == two[1].call).count();
        assert!(neighbours < 50, "{neighbours} deliveries follow one of the same call");
    }

    #[test]
    fn what_is_missing_is_seen() {
        let plan = Plan::new(50);
        let mut facts = plan.says_in_all();
        assert!((0..50).all(|number| facts.hold(&plan.says(number))));
        let end = (0..50).find(|number| plan.0[*number].part.is_end()).unwrap();
        let session = session(plan.0[end].call);
        facts.0.get_mut(&session).unwrap()[1].clear();
        assert!(!facts.hold(&plan.says(end)));
        facts.0.remove(&session);
        assert!(!facts.hold(&plan.says(end)));
    }

    #[test]
    fn no_forgery_has_the_token() {
        let forged: Vec<Delivery> = (0..400).map(forgery).collect();
        assert!(forged.iter().all(|delivery| delivery.token.as_deref() != Some(VERIFICATION_TOKEN)));
        assert!(forged.iter().any(|delivery| delivery.token.is_none()));
        assert!(forged.iter().any(|delivery| delivery.body.len() > HUGE_BYTES));
        assert!(forged.iter().any(|delivery| serde_json::from_str::<Value>(&delivery.body).is_err()));
    }
}
