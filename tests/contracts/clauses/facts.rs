//! `SessionStore::record`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use shared::{
    domain::{
        call_log::{Listed, Offer, Offers},
        day::Day,
        ids::{AccountId, SessionId},
        notification::{PartyAbout, SessionFacts},
        session::{Heard, Learned, Next, SessionKey, SessionRow},
    },
    ports::session_store::{Order, Recorded, SessionStore},
};

use super::{
    EVENT_MS, FAR_MS, NOW_MS, QUIET_MS, ROW_TTL_S, claimed, ended, event, finish, heard, key, learned, party, record,
    recording, row,
};
use crate::backends::{Backend, Kept};

pub(crate) async fn a_first_event_makes_the_row<B: Backend>(backend: &B) {
    let mut facts = ended("s-1", "p-1", &["9001", "9002"]);
    facts.parties[0].about = PartyAbout {
        direction: Some("Inbound".into()),
        to: Some("+16505550171".into()),
        from: None,
        extension: Some("101".into()),
    };
    assert_eq!(record(backend, &facts).await, Recorded::New);
    let expected = SessionRow {
        key: key("s-1"),
        heard: elements(&["9001|p-1", "9002|p-1"]),
        ended: BTreeSet::from([party("p-1")]),
        parties: BTreeMap::from([(party("p-1"), facts.parties[0].about.clone())]),
        day: Day::of(EVENT_MS),
        happened_ms: EVENT_MS,
        session_id: facts.session_id,
        seen_at_ms: NOW_MS,
        rev: 1,
        attempts: 0,
        offers: BTreeMap::new(),
        results: BTreeMap::new(),
        manifest: None,
    };
    assert_eq!(row(backend, "s-1").await, expected);
}

pub(crate) async fn an_event_that_says_nothing_new_writes_nothing<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001", "9002"])).await;
    let before = (row(backend, "s-1").await, kept(backend, "s-1").await);
    for known in [ended("s-1", "p-1", &["9001", "9002"]), heard("s-1", "p-1", &["9002"]), ended("s-1", "p-1", &[])] {
        let later = SessionFacts { at_ms: Some(EVENT_MS + 5), ..known };
        assert_eq!(backend.sessions().record(&learned(&later, NOW_MS + 9)).await.unwrap(), Recorded::Known);
    }
    assert_eq!((row(backend, "s-1").await, kept(backend, "s-1").await), before);
}

pub(crate) async fn an_event_that_says_nothing_makes_no_row<B: Backend>(backend: &B) {
    for silent in [event("s-1"), heard("s-1", "p-1", &[])] {
        assert_eq!(record(backend, &silent).await, Recorded::Known);
    }
    assert_eq!(backend.kept(&key("s-1")).await, None);
}

pub(crate) async fn any_order_of_the_same_events_gives_the_same_facts<B: Backend>(backend: &B) {
    let events = |session: &str| {
        [
            heard(session, "p-1", &["9001"]),
            ended(session, "p-1", &["9001"]),
            heard(session, "p-2", &["9001", "9002"]),
            ended(session, "p-3", &[]),
        ]
    };
    let about = |on| PartyAbout { extension: Some(format!("extension of {on}")), ..PartyAbout::default() };
    let parties = BTreeMap::from(["p-1", "p-2", "p-3"].map(|on| (party(on), about(on))));
    for (n, order) in orders().into_iter().enumerate() {
        let session = format!("s-{n}");
        for event in order {
            record(backend, &events(&session)[event]).await;
            record(backend, &events(&session)[order[0]]).await;
        }
        let row = row(backend, &session).await;
        assert_eq!(row.heard, elements(&["9001|p-1", "9001|p-2", "9002|p-2"]), "{order:?}");
        assert_eq!(row.ended, BTreeSet::from([party("p-1"), party("p-3")]), "{order:?}");
        assert_eq!(row.parties, parties, "{order:?}");
        assert!(kept(backend, &session).await.queued, "{order:?}");
    }
}

pub(crate) async fn facts_only_grow<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let row_at_claim = claimed(backend, "s-1", FAR_MS).await;
    backend.sessions().finish(&key("s-1"), row_at_claim.rev, &finish(Next::Settled)).await.unwrap();
    let mut without_party = heard("s-1", "p-1", &["9003"]);
    without_party.parties[0].id = None;
    for event in [heard("s-1", "p-2", &["9002"]), without_party] {
        assert_eq!(record(backend, &event).await, Recorded::New);
    }
    let row = row(backend, "s-1").await;
    assert_eq!(row.heard, elements(&["9001|p-1", "9002|p-2", "9003|"]));
    assert_eq!(row.ended, BTreeSet::from([party("p-1")]));
}

pub(crate) async fn of_ten_records_at_once_one_is_new<B: Backend>(backend: &B) {
    let facts = ended("s-1", "p-1", &["9001"]);
    let recorded = join_all((0..10).map(|_| record(backend, &facts))).await;
    assert_eq!(recorded.iter().filter(|recorded| **recorded == Recorded::New).count(), 1, "{recorded:?}");
    assert_eq!(row(backend, "s-1").await.rev, 1);
}

pub(crate) async fn what_is_written_once_stays<B: Backend>(backend: &B) {
    let first = SessionFacts { session_id: None, ..heard("s-1", "p-1", &["9001"]) };
    record(backend, &first).await;
    let who = row(backend, "s-1").await.parties;
    for (session_id, recording) in [("71000000002", "9002"), ("71000000003", "9003")] {
        let mut later = heard("s-1", "p-1", &[recording]);
        later.at_ms = Some(EVENT_MS + 2 * 86_400_000);
        later.session_id = Some(SessionId::parse(session_id).unwrap());
        later.parties[0].about.extension = Some("another".into());
        let recorded = backend.sessions().record(&learned(&later, NOW_MS + 3 * 86_400_000)).await.unwrap();
        assert_eq!(recorded, Recorded::New);
    }
    let row = row(backend, "s-1").await;
    assert_eq!(row.session_id, Some(SessionId::parse("71000000002").unwrap()), "the first that was told");
    assert_eq!((row.day, row.happened_ms, row.seen_at_ms), (Day::of(EVENT_MS), EVENT_MS, NOW_MS));
    assert_eq!(row.parties, who);
    assert_eq!(kept(backend, "s-1").await.due_at_ms, Some(NOW_MS + QUIET_MS));
}

pub(crate) async fn a_session_nobody_recorded_goes_after_two_days<B: Backend>(backend: &B) {
    const TWO_DAYS_S: u64 = 2 * 86_400;
    let record_at = async |facts: SessionFacts, now_ms: u64| {
        backend.sessions().record(&learned(&facts, now_ms)).await.unwrap();
        kept(backend, "s-1").await.expires_s
    };
    assert_eq!(record_at(ended("s-1", "p-1", &[]), NOW_MS).await, NOW_MS / 1_000 + TWO_DAYS_S);
    assert_eq!(record_at(ended("s-1", "p-2", &[]), NOW_MS + 7_000).await, NOW_MS / 1_000 + TWO_DAYS_S);
    let kept_s = NOW_MS / 1_000 + 8 + ROW_TTL_S;
    assert_eq!(record_at(heard("s-1", "p-1", &["9001"]), NOW_MS + 8_000).await, kept_s, "a recording keeps it");
    assert_eq!(record_at(ended("s-1", "p-3", &[]), NOW_MS + 9_000).await, kept_s, "and no later end shortens that");
}

pub(crate) async fn the_same_session_of_two_accounts_is_two_rows<B: Backend>(backend: &B) {
    let ours = heard("s-1", "p-1", &["9001"]);
    let theirs = SessionFacts { account: AccountId::parse("800000002").unwrap(), ..ours.clone() };
    assert_eq!(record(backend, &ours).await, Recorded::New);
    assert_eq!(record(backend, &theirs).await, Recorded::New);
    let due = backend.sessions().due(FAR_MS, Order::Oldest, 10).await.unwrap();
    let mut keys: Vec<SessionKey> = due.into_iter().map(|due| due.key).collect();
    keys.sort();
    assert_eq!(keys, [key("s-1"), SessionKey { account: theirs.account, session: theirs.session }]);
}

pub(crate) async fn what_the_call_log_offers_is_written_along_with_what_is_new<B: Backend>(backend: &B) {
    for (n, (facts, address)) in
        (1..).zip([(ended("s-1", "p-1", &["9001"]), "https://a/1"), (heard("s-1", "p-2", &["9001"]), "https://b/1")])
    {
        let offers = Offers::from([(recording("9001"), offer(address)), (recording("9002"), offer("https://a/2"))]);
        let learned = Learned { offers: offers.clone(), ..learned(&facts, NOW_MS) };
        assert_eq!(backend.sessions().record(&learned).await.unwrap(), Recorded::New);
        let row = row(backend, "s-1").await;
        assert_eq!((row.rev, row.offers), (n, offers));
    }
    let before = row(backend, "s-1").await.offers;
    record(backend, &ended("s-1", "p-2", &[])).await;
    assert_eq!(row(backend, "s-1").await.offers, before, "an event takes no offer back");
}

pub(crate) async fn an_offer_alone_is_no_news<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let before = (row(backend, "s-1").await, kept(backend, "s-1").await);
    let offers = Offers::from([(recording("9001"), offer("https://a/1"))]);
    for facts in [ended("s-1", "p-1", &["9001"]), event("s-1"), event("s-2")] {
        let learned = Learned { offers: offers.clone(), ..learned(&facts, NOW_MS) };
        assert_eq!(backend.sessions().record(&learned).await.unwrap(), Recorded::Known);
    }
    assert_eq!((row(backend, "s-1").await, kept(backend, "s-1").await), before);
    assert_eq!(backend.kept(&key("s-2")).await, None);
}

/// An offer with something of every kind that the call log says.
fn offer(address: &str) -> Offer {
    let listed = Listed {
        kind: Some("OnDemand".into()),
        party: Some(party("p-1")),
        started_ms: Some(EVENT_MS),
        ..Listed::default()
    };
    Offer { content_uri: address.to_owned(), listed }
}

async fn kept<B: Backend>(backend: &B, session: &str) -> Kept {
    backend.kept(&key(session)).await.unwrap()
}

fn elements(elements: &[&str]) -> BTreeSet<Heard> {
    elements.iter().map(|element| Heard::from_element(element).unwrap()).collect()
}

/// Every order of four things.
fn orders() -> Vec<[usize; 4]> {
    let all = (0..256_usize).map(|n| [n % 4, n / 4 % 4, n / 16 % 4, n / 64]);
    all.filter(|order| (0..4).all(|thing| order.contains(&thing))).collect()
}
