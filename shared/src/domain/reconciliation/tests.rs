use std::time::Duration;

use super::*;
use crate::domain::{
    call_log::{CallLogAnswer, Listed},
    ids::{AccountId, PartyId},
    ladder::Ladder,
    session::tests::{id, row},
};

const NOW_MS: u64 = 1_776_159_000_000;
const HOUR_MS: u64 = 3_600_000;

fn schedule() -> Schedule {
    Schedule {
        first_attempt_delay: Duration::from_secs(60),
        ladder: Ladder::new(vec![Duration::from_secs(60)]).unwrap(),
        quiet_period: Duration::from_secs(900),
        unlisted_after: Duration::from_secs(72 * 3600),
        row_ttl: Duration::from_secs(86_400),
    }
}

fn offer(recording: &str, party: &str) -> (RecordingId, Offer) {
    let listed = Listed {
        party: Some(id(PartyId::parse, party)),
        direction: Some("Inbound".into()),
        duration_s: Some(60),
        ..Listed::default()
    };
    (id(RecordingId::parse, recording), Offer { content_uri: format!("https://media/{recording}"), listed })
}

/// A finished call of two hours ago that offers these, each on the party of the same number.
fn call(offered: &[&str]) -> LoggedCall {
    LoggedCall {
        account: Some(id(AccountId::parse, "800")),
        session_id: None,
        began_ms: Some(NOW_MS - 2 * HOUR_MS),
        running: false,
        said: CallLogAnswer {
            records: 1,
            whole: true,
            parts: 1,
            offered: offered.iter().map(|recording| offer(recording, &format!("p-{recording}"))).collect(),
            too_short: Vec::new(),
        },
    }
}

fn against(call: &LoggedCall, row: Option<&SessionRow>) -> Step {
    seen_in(&View { window: NOW_MS - 26 * HOUR_MS..NOW_MS, whole: true }, call, row)
}

fn seen_in(view: &View, call: &LoggedCall, row: Option<&SessionRow>) -> Step {
    let schedule = schedule();
    let moment = Moment { now_ms: NOW_MS, due_at_ms: NOW_MS + 7, schedule: &schedule, view };
    call.against(&crate::domain::session::tests::row(&[], &[]).key, row, moment)
}

fn amended(call: &LoggedCall, row: &SessionRow) -> Amendment {
    match against(call, Some(row)) {
        Step::Amend(amendment) => amendment,
        Step::Nothing => Amendment::default(),
        Step::Learn(_) => panic!("there is a row"),
    }
}

/// A row as the archiver leaves it where the log has been heeded.
fn settled(state: RecordingState) -> SessionRow {
    let mut row = row(&["1|p-1"], &["p-1"]);
    row.happened_ms = NOW_MS - 2 * HOUR_MS;
    let (one, offer) = offer("1", "p-1");
    let result = RecordingResult {
        state,
        reason: Some("once".into()),
        content_uri: (state == RecordingState::Archived).then_some(offer.content_uri),
        listed: Some(offer.listed),
        ..RecordingResult::default()
    };
    row.results.insert(one, result);
    row
}

#[test]
fn a_call_no_event_told_of_is_learned_as_if_one_had() {
    let Step::Learn(learned) = against(&call(&["1", "2"]), None) else { panic!() };
    let [learned] = learned.as_slice() else { panic!("one write") };
    assert_eq!((learned.happened_ms, learned.seen_at_ms), (NOW_MS - 2 * HOUR_MS, NOW_MS));
    assert_eq!(learned.day, Day::of(NOW_MS - 2 * HOUR_MS));
    assert_eq!(learned.heard.iter().map(Heard::to_element).collect::<Vec<_>>(), ["1|p-1", "2|p-2"]);
    assert_eq!(learned.ended.len(), 2, "a call in the past is over");
    assert_eq!(learned.due_at_ms, Write::Always(NOW_MS + 7));
    assert_eq!(learned.offers, call(&["1", "2"]).said.offered);
    assert_eq!(learned.parties[&id(PartyId::parse, "p-1")].direction.as_deref(), Some("Inbound"));

    let unrecorded = row(&[], &["p-1"]);
    assert_eq!(against(&call(&["1", "2"]), Some(&unrecorded)), Step::Learn(vec![learned.clone()]));
    assert_eq!(against(&call(&[]), None), Step::Nothing, "nothing is offered");
}

#[test]
fn more_recordings_than_a_write_takes_are_learned_in_several() {
    let ids: Vec<String> = (0..MAX_FACTS_PER_EVENT + 1).map(|n| n.to_string()).collect();
    let Step::Learn(learned) = against(&call(&ids.iter().map(String::as_str).collect::<Vec<_>>()), None) else {
        panic!()
    };
    assert_eq!(learned.iter().map(|learned| learned.heard.len()).collect::<Vec<_>>(), [MAX_FACTS_PER_EVENT, 1]);
}

#[test]
fn a_running_call_is_left_until_it_cannot_be_running() {
    let running = LoggedCall { running: true, ..call(&["1"]) };
    assert_eq!(against(&running, None), Step::Nothing);
    assert_eq!(against(&running, Some(&row(&["1|p-1"], &[]))), Step::Nothing);
    let stale = LoggedCall { began_ms: Some(NOW_MS - LONGEST_CALL_MS), ..running };
    assert!(matches!(against(&stale, None), Step::Learn(_)));
}

#[test]
fn a_row_that_knows_all_is_left_alone() {
    assert_eq!(against(&call(&["1"]), Some(&settled(RecordingState::Archived))), Step::Nothing);
    let mut told = row(&["1|p-1"], &["p-1"]);
    told.offers.extend([offer("1", "p-1")]);
    assert_eq!(against(&call(&["1"]), Some(&told)), Step::Nothing, "an offer nobody has looked at yet");
}

#[test]
fn what_an_event_did_not_tell_is_added() {
    let amendment = amended(&call(&["1", "2"]), &settled(RecordingState::Archived));
    assert_eq!(amendment.heard.iter().map(Heard::to_element).collect::<Vec<_>>(), ["2|p-2"]);
    let (two, offer_two) = offer("2", "p-2");
    assert_eq!(amendment.results.keys().collect::<Vec<_>>(), [&two]);
    assert_eq!(amendment.results[&two].content_uri, Some(offer_two.content_uri));

    let mut bare = settled(RecordingState::Archived);
    let (one, offer_one) = offer("1", "p-1");
    bare.results.entry(one.clone()).and_modify(|result| result.listed = None);
    let result = &amended(&call(&["1"]), &bare).results[&one];
    assert_eq!((result.state, &result.listed), (RecordingState::Archived, &Some(offer_one.listed)));
}

#[test]
fn a_new_address_is_news_for_what_waits_only() {
    let elsewhere = |state| {
        let mut row = settled(state);
        let (one, _) = offer("1", "p-1");
        row.results.entry(one).and_modify(|result| result.content_uri = Some("https://old/1".into()));
        amended(&call(&["1"]), &row).results.into_values().next()
    };
    assert_eq!(elsewhere(RecordingState::Archived), None);
    let waits = elsewhere(RecordingState::Waiting).unwrap();
    assert_eq!((waits.content_uri.as_deref(), waits.state), (Some("https://media/1"), RecordingState::Waiting));
}

#[test]
fn an_ending_that_the_log_contradicts_is_left_and_said_to_have_been() {
    for state in [RecordingState::TooShort, RecordingState::Unavailable, RecordingState::Deleted] {
        let amendment = amended(&call(&["1"]), &settled(state));
        let result = amendment.results.into_values().next().unwrap();
        assert_eq!((result.state, result.content_uri.as_deref()), (RecordingState::Waiting, Some("https://media/1")));
        assert_eq!(result.reason, Some(format!("call log: offered; had ended as {} (once)", state.name())));
    }
}

#[test]
fn a_mark_of_the_party_ends_what_waits() {
    let marked = |state| {
        let mut call = call(&[]);
        call.said.too_short = vec![Some(id(PartyId::parse, "p-1"))];
        amended(&call, &settled(state)).results.into_values().next()
    };
    let result = marked(RecordingState::Waiting).unwrap();
    assert_eq!((result.state, result.at_ms), (RecordingState::TooShort, NOW_MS));
    assert_eq!(result.reason.as_deref(), Some("call log: marked shortRecording (1 records)"));
    assert_eq!(marked(RecordingState::Archived), None);
}

#[test]
fn that_what_was_listed_is_no_longer_is_noted_once_and_ends_nothing() {
    let silent = |change: fn(&mut SessionRow, &mut LoggedCall)| {
        let (mut row, mut call) = (settled(RecordingState::Waiting), call(&[]));
        change(&mut row, &mut call);
        amended(&call, &row).results.into_values().next().map(|result| (result.state, result.silent_since_ms))
    };
    assert_eq!(silent(|_, _| {}), Some((RecordingState::Waiting, Some(NOW_MS))), "the first silence is noted");
    let an_hour_ago = |row: &mut SessionRow, _: &mut LoggedCall| {
        row.results.values_mut().for_each(|result| result.silent_since_ms = Some(NOW_MS - HOUR_MS));
    };
    assert_eq!(silent(an_hour_ago), None, "the bucket may hold it: that is the archiver's to say");
    let never_listed = |row: &mut SessionRow, _: &mut LoggedCall| {
        row.results.values_mut().for_each(|result| result.listed = None);
    };
    assert_eq!(silent(never_listed), None, "that is the archiver's to say");
    let not_there = |_: &mut SessionRow, call: &mut LoggedCall| call.said.records = 0;
    assert_eq!(silent(not_there), None);
    let partly_read = |_: &mut SessionRow, call: &mut LoggedCall| call.said.whole = false;
    assert_eq!(silent(partly_read), None);
}

#[test]
fn silence_counts_only_where_all_of_the_call_is_in_view() {
    let row = settled(RecordingState::Waiting);
    let marked = {
        let mut call = call(&[]);
        call.said.too_short = vec![Some(id(PartyId::parse, "p-1"))];
        call
    };
    for (case, window, whole, counts) in [
        ("it begins in it", NOW_MS - 8 * HOUR_MS..NOW_MS, true, true),
        ("it may begin before it", NOW_MS - 8 * HOUR_MS + 1..NOW_MS, true, false),
        ("the log of recorded calls only", NOW_MS - 26 * HOUR_MS..NOW_MS, false, false),
        ("it may go on after it", NOW_MS - 26 * HOUR_MS..NOW_MS - HOUR_MS, true, true),
    ] {
        let view = View { window, whole };
        for call in [&call(&[]), &marked] {
            assert_eq!(seen_in(&view, call, Some(&row)) != Step::Nothing, counts, "{case}");
        }
    }
    let mut old = row;
    old.happened_ms = NOW_MS - 40 * HOUR_MS;
    for (end_ms, counts) in [(NOW_MS - 34 * HOUR_MS, true), (NOW_MS - 34 * HOUR_MS - 1, false)] {
        let view = View { window: NOW_MS - 60 * HOUR_MS..end_ms, whole: true };
        assert_eq!(seen_in(&view, &marked, Some(&old)) != Step::Nothing, counts, "until {end_ms}");
    }
}
