//! What a day of calls looks like from outside.

use super::*;
use crate::core::{Origin, Origins, Outcome, Reply, Request, Simulator};
use crate::world::Step;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const START_MS: u64 = 1_790_000_000_000;

fn whole(seed: u64) -> Day {
    Day { telling: Telling::WHOLE, troubles: Troubles::NONE, ..Day::new(seed, START_MS) }
}

fn day_of(shape: Shape, calls: u32) -> Vec<Script> {
    Day { calls, mix: Mix::none().with(shape, 1), ..whole(7) }.scripts()
}

fn party(event: &Value) -> &Value {
    &event["body"]["parties"][0]
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A session on one line: for each event the party's number, its state, the reason and the recordings' switches.
fn line(script: &Script) -> String {
    let one = |event: &Value| {
        let party = party(event);
        let number = text(party, "id").rsplit('-').next().unwrap_or_default().to_owned();
        let reason = party["status"]["reason"].as_str().map(|reason| format!("({reason})")).unwrap_or_default();
        let recordings = party["recordings"].as_array().into_iter().flatten();
        let recordings: String = recordings.map(|each| if each["active"] == true { '+' } else { '-' }).collect();
        format!("{number} {}{reason}{recordings}", text(&party["status"], "code"))
    };
    script.steps.iter().map(|step| one(&step.event)).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_kind_of_call_goes_as_the_vendor_s_do() {
    let talks = |party| format!("{party} Setup, {party} Proceeding, {party} Answered, {party} Answered+");
    let agent = talks(2);
    for (shape, expected) in [
        (
            Shape::Ivr,
            vec![format!(
                "1 Setup, 2 Setup, 1 Answered, 2 Disconnected, {}, 3 Hold+, 3 Answered+, 3 Disconnected+, 1 Disconnected",
                talks(3)
            )],
        ),
        (
            Shape::Outbound,
            vec![
                "1 Setup, 2 Setup, 2 Proceeding, 2 Answered, 1 Answered, 1 Answered+, 1 Disconnected+, 2 Disconnected"
                    .into(),
            ],
        ),
        (
            Shape::Queue,
            vec![
                "1 Setup, 2 Setup, 1 Answered, 2 Answered, 3 Setup, 3 Proceeding, 3 Disconnected(NoAnswer), 4 Setup, \
                 4 Proceeding, 4 Answered, 2 Disconnected(AgentAnswered), 4 Answered+, 4 Disconnected+, 1 Disconnected"
                    .into(),
            ],
        ),
        (
            Shape::BlindTransfer,
            vec![format!(
                "1 Setup, {agent}, 2 Disconnected(BlindTransfer)+, {}, 3 Disconnected+, 1 Disconnected",
                talks(3)
            )],
        ),
        (
            Shape::AttendedTransfer,
            vec![
                format!("1 Setup, {agent}, 2 Hold+, 2 Gone(AttendedTransfer)+, 1 Gone(AttendedTransfer)"),
                "1 Setup, 2 Setup, 2 Proceeding, 2 Answered, 1 Answered, 2 Answered+, \
                 1 Disconnected(AttendedTransfer), 3 Setup, 3 Answered, 2 Disconnected+, 3 Disconnected"
                    .into(),
            ],
        ),
        (
            Shape::Conference,
            vec![
                format!("1 Setup, {agent}, 2 Gone(Conference)+, 1 Gone(Conference)"),
                "1 Setup, 1 Answered, 2 Setup, 2 Answered, 2 Answered+, 3 Setup, 3 Answered, 4 Setup, 4 Proceeding, \
                 4 Answered, 3 Disconnected, 4 Disconnected, 2 Disconnected+, 1 Disconnected"
                    .into(),
            ],
        ),
        (
            Shape::Park,
            vec![
                format!("1 Setup, {agent}, 2 Parked+, 2 Gone(Pickup)+, 1 Disconnected"),
                "1 Setup, 1 Answered, 1 Answered+, 1 Disconnected+".into(),
            ],
        ),
        (
            Shape::Voicemail,
            vec![
                "1 Setup, 2 Setup, 2 Proceeding, 2 VoiceMail, 1 Answered, 2 Disconnected(Voicemail), 1 Disconnected"
                    .into(),
            ],
        ),
        (Shape::Missed, vec!["1 Setup, 2 Setup, 2 Proceeding, 2 Disconnected(NoAnswer), 1 Disconnected".into()]),
    ] {
        assert_eq!(day_of(shape, 1).iter().map(line).collect::<Vec<_>>(), expected, "{shape:?}");
    }
}

#[test]
fn kinds_with_a_choice_come_both_ways() {
    let lines = |shape| day_of(shape, 40).iter().map(line).collect::<BTreeSet<_>>();
    assert_eq!(
        lines(Shape::Inbound),
        BTreeSet::from([
            "1 Setup, 1 Proceeding, 1 Answered, 1 Answered+, 1 Disconnected+".into(),
            "1 Setup, 2 Setup, 2 Proceeding, 2 Answered, 2 Answered+, 2 Disconnected+, 1 Disconnected".into(),
        ])
    );
    assert_eq!(lines(Shape::TooShort), lines(Shape::Inbound));
    let paused = lines(Shape::Paused);
    assert_eq!(paused.len(), 4);
    assert!(paused.iter().any(|line| line.ends_with("Answered+, 1 Answered-, 1 Answered+, 1 Disconnected+")));
    assert!(paused.iter().any(|line| line.ends_with("Answered+, 1 Answered-, 1 Disconnected-")));
    let by_hand = lines(Shape::OnDemand);
    assert_eq!(by_hand.len(), 2);
    assert!(by_hand.iter().any(|line| line.contains("1 Answered-, 1 Answered-+, 1 Answered--, 1 Answered--+")));
}

#[test]
fn who_moves_to_another_session_is_named_there() {
    for (shape, session_id) in [(Shape::AttendedTransfer, false), (Shape::Conference, true), (Shape::Park, false)] {
        let scripts = day_of(shape, 1);
        let [first, second] = scripts.as_slice() else { panic!("{shape:?} has {} sessions", scripts.len()) };
        assert_ne!(first.call.telephony_session_id, second.call.telephony_session_id);
        assert_eq!(second.call.session_id == "0", session_id);
        let gone = first.steps.iter().map(|step| party(&step.event)).filter(|party| party["status"]["code"] == "Gone");
        for peer in gone.map(|party| &party["status"]["peerId"]) {
            assert_eq!(text(peer, "telephonySessionId"), second.call.telephony_session_id);
            assert_eq!(text(peer, "sessionId"), second.call.session_id);
            assert!(second.steps.iter().any(|step| party(&step.event)["id"] == peer["partyId"]), "{shape:?}");
        }
    }
}

#[test]
fn events_look_like_captures() {
    let mut uuids = BTreeSet::new();
    for script in whole(3).scripts() {
        let mut sent_before_ms = 0;
        for (place, step) in script.steps.iter().enumerate() {
            let (event, body, party) = (&step.event, &step.event["body"], party(&step.event));
            assert_eq!(body["sequence"], place + 2);
            assert_eq!(body["telephonySessionId"], script.call.telephony_session_id);
            assert_eq!(body["parties"].as_array().unwrap().len(), 1);
            let own = party["extensionId"].as_str().map(|id| format!("/extension/{id}")).unwrap_or_default();
            assert_eq!(text(event, "event"), format!("/restapi/v1.0/account/800000001{own}/telephony/sessions"));
            assert!(text(party, "id").starts_with(&script.call.telephony_session_id.replacen("s-", "p-", 1)));
            let ms = |text: &str| crate::time_text::parse_ms(text).unwrap();
            let (sent_ms, happened_ms) = (ms(text(event, "timestamp")), ms(text(body, "eventTime")));
            assert!((15..=130).contains(&(sent_ms - happened_ms)), "{sent_ms} {happened_ms}");
            assert!(step.at_ms == happened_ms && sent_ms >= sent_before_ms && happened_ms >= script.call.started_at_ms);
            sent_before_ms = sent_ms;
            assert!(text(event, "uuid").len() == 19 && text(event, "uuid").bytes().all(|byte| byte.is_ascii_digit()));
            assert!(uuids.insert(text(event, "uuid").to_owned()), "an uuid comes twice");
            for side in ["from", "to"] {
                assert!(text(&party[side], "phoneNumber").starts_with("+1650555"));
            }
        }
    }
}

#[test]
fn every_party_ends_and_every_recording_is_a_party_s() {
    let scripts = Day { calls: 300, ..Day::new(11, START_MS) }.scripts();
    for script in &scripts {
        let mut ended = BTreeMap::new();
        let mut heard = BTreeMap::new();
        for party in script.steps.iter().map(|step| party(&step.event)) {
            let over = ["Disconnected", "Gone", "VoiceMail"].contains(&text(&party["status"], "code"));
            *ended.entry(text(party, "id")).or_insert(false) |= over;
            for recording in party["recordings"].as_array().into_iter().flatten() {
                heard.insert(text(recording, "id"), text(party, "id"));
            }
        }
        assert!(ended.values().all(|ended| *ended), "{}", line(script));
        let scripted: BTreeMap<_, _> = script
            .recordings
            .iter()
            .map(|recording| (recording.id.as_str(), recording.party_id.as_deref().unwrap()))
            .collect();
        assert_eq!(heard, scripted);
    }
}

#[test]
fn a_day_is_the_same_twice_and_days_share_no_id() {
    let ids = |seed| -> BTreeSet<String> {
        let scripts = Day::new(seed, START_MS).scripts();
        let recordings = scripts.iter().flat_map(|script| script.recordings.iter().map(|recording| &recording.id));
        recordings.chain(scripts.iter().map(|script| &script.call.telephony_session_id)).cloned().collect()
    };
    let written = |seed| format!("{:?}", Day::new(seed, START_MS).scripts());
    assert_eq!(written(5), written(5));
    assert_ne!(written(5), written(6));
    assert!(ids(5).is_disjoint(&ids(6)));
    let all: usize = Day::new(5, START_MS).scripts().iter().map(|script| 1 + script.recordings.len()).sum();
    assert_eq!(ids(5).len(), all);
}

#[test]
fn a_round_has_every_kind_and_kinds_can_be_chosen() {
    let mut deck = Mix::default().deck();
    let mut rng = Rng::with_seed(1);
    let round: Vec<Shape> = (0..22).filter_map(|_| deck.deal(&mut rng)).collect();
    assert!(Shape::ALL.iter().all(|shape| round.contains(shape)));
    assert!(Mix::none().deck().deal(&mut rng).is_none());
    assert_eq!(Day { mix: Mix::none(), ..whole(1) }.scripts().len(), 0);
}

#[test]
fn a_day_has_enough_recordings_and_their_troubles() {
    for seed in 0..20 {
        let scripts = Day::new(seed, START_MS).scripts();
        let recordings: Vec<_> = scripts.iter().flat_map(|script| &script.recordings).collect();
        assert!(recordings.len() >= 50, "{}", recordings.len());
        let count = |holds: &dyn Fn(&crate::world::Recording) -> bool| {
            recordings.iter().filter(|recording| holds(recording)).count()
        };
        use crate::world::{AudioFormat, BodyFault, Direct, ListedAt};
        for (name, found) in [
            ("404", count(&|recording| recording.direct == Direct::Status(404))),
            ("5xx", count(&|recording| matches!(recording.direct, Direct::Status(500..)))),
            ("html", count(&|recording| recording.direct == Direct::Html)),
            ("redirect", count(&|recording| matches!(recording.direct, Direct::Redirect(_)))),
            ("moved", count(&|recording| recording.listed_at == ListedAt::Platform)),
            ("body", count(&|recording| recording.body_fault != BodyFault::None)),
            ("octet-stream", count(&|recording| recording.served_content_type.is_some())),
            ("late", count(&|recording| recording.ready_after_ms.is_some_and(|after_ms| after_ms > 60_000))),
            ("lost", count(&|recording| recording.ready_after_ms.is_none())),
            ("deleted", count(&|recording| recording.deleted_after_ms.is_some_and(|after_ms| after_ms > 0))),
            ("too short", count(&|recording| recording.too_short)),
            ("wav", count(&|recording| recording.format == AudioFormat::Wav)),
            ("unlisted", scripts.iter().filter(|script| script.call.listed_after_ms.is_none()).count()),
            ("early", scripts.iter().filter(|script| script.call.listed_early).count()),
            ("linked late", scripts.iter().filter(|script| script.call.linked_after_ms > 0).count()),
        ] {
            assert!(found > 0, "seed {seed}: nothing {name}");
            assert!(found <= recordings.len() / 2 + 10, "seed {seed}: too much {name}: {found}");
        }
    }
}

#[test]
fn spoilt_bodies_heal() {
    let recordings = |day: Day| day.scripts().into_iter().flat_map(|script| script.recordings).collect::<Vec<_>>();
    let bodies = Troubles { broken_body: 1.0, direct_html: 1.0, ..Troubles::NONE };
    let spoilt = recordings(Day { troubles: bodies, ..whole(2) });
    assert!(spoilt.iter().all(|recording| recording.too_short || recording.spoilt_answers <= 3));
    let untroubled = recordings(whole(2));
    assert!(untroubled.iter().all(|recording| recording.ready_after_ms.is_some_and(|after_ms| after_ms <= 60_000)));
}

fn told(telling: Telling) -> Vec<Script> {
    Day { telling, ..whole(4) }.scripts()
}

fn names_recordings(event: Option<&Value>) -> bool {
    event.is_some_and(|event| party(event)["recordings"].is_array())
}

#[test]
fn less_is_told_than_happens() {
    for script in told(Telling { without_end: 1.0, ..Telling::WHOLE }) {
        let untold: Vec<_> = script.steps.iter().filter(|step| step.told.is_none()).collect();
        assert_eq!(untold.len(), 1);
        assert_eq!(party(&untold[0].event)["recordings"].is_array(), !script.recordings.is_empty());
    }
    for script in told(Telling { end_without_recordings: 1.0, ..Telling::WHOLE }) {
        let named = script.steps.iter().filter(|step| names_recordings(step.told.as_ref()));
        assert!(named.map(|step| text(&party(&step.event)["status"], "code")).all(|code| code != "Disconnected"));
        assert!(script.steps.iter().any(|step| names_recordings(step.told.as_ref())) != script.recordings.is_empty());
    }
    for script in told(Telling { unmentioned: 1.0, ..Telling::WHOLE }) {
        assert!(script.steps.iter().all(|step| step.told.is_some() && !names_recordings(step.told.as_ref())));
    }
    for script in told(Telling { end_first: 1.0, ..Telling::WHOLE }) {
        let all = script.steps.len();
        let first = script.steps.iter().position(|step| names_recordings(step.told.as_ref())).unwrap_or(all);
        let ends = |step: &Step| ["Disconnected", "Gone"].contains(&text(&party(&step.event)["status"], "code"));
        assert!(script.steps[first..].iter().all(|step| !ends(step)), "{}", line(&script));
        assert_eq!(first == all, script.recordings.is_empty());
    }
}

#[test]
fn a_hurried_day_is_over_soon() {
    let day = Day { length_ms: 5_000, hurry: 1_200, ..Day::new(9, START_MS) };
    let last_ms = day.scripts().iter().filter_map(|script| Some(script.steps.last()?.at_ms)).max().unwrap();
    assert!(last_ms < START_MS + 9_000, "{last_ms}");
}

/// A vendor that knows these calls, and a token for it.
fn vendor_of(scripts: &[Script]) -> (Simulator, String) {
    let origins = Origins { platform: "https://platform.test".into(), media: "https://media.test".into() };
    let settings = Settings { heavy_limit: 100_000, light_limit: 100_000, ..Settings::default() };
    let mut simulator = Simulator::new(settings, origins);
    scripts.iter().for_each(|script| simulator.schedule(script.clone()));
    let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=sim.jwt.assertion";
    // Client id and secret of the default settings.
    let basic = "Basic c2ltLWNsaWVudDpzaW0tc2VjcmV0";
    let token = ask(&mut simulator, "POST", "/restapi/oauth/token", basic, form, START_MS);
    let token: Value = serde_json::from_slice(&token.body).unwrap();
    (simulator, format!("Bearer {}", text(&token, "access_token")))
}

fn ask(simulator: &mut Simulator, method: &str, target: &str, authorization: &str, body: &str, now_ms: u64) -> Reply {
    let origin = if target.contains("/recording/") { Origin::Media } else { Origin::Platform };
    let headers = vec![("authorization".to_owned(), authorization.to_owned())];
    let body = body.to_owned().into();
    let request = Request { origin, method: method.into(), target: target.into(), headers, body };
    match simulator.handle(&request, now_ms) {
        Outcome::Reply(reply) => reply,
        Outcome::Handshake(_) => panic!("a handshake was not expected"),
    }
}

#[test]
fn live_status_log_and_files_follow_from_the_scripts() {
    // Half an hour: the token lives for an hour.
    let scripts = Day { length_ms: 1_800_000, ..whole(1) }.scripts();
    let (mut simulator, token) = vendor_of(&scripts);
    let get = |simulator: &mut Simulator, target: &str, now_ms| ask(simulator, "GET", target, &token, "", now_ms);
    let mut looks: Vec<(u64, &Script, bool)> = Vec::new();
    for script in &scripts {
        let (first, last) = (script.steps.first().unwrap(), script.steps.last().unwrap());
        looks.push((first.at_ms, script, false));
        looks.push((last.at_ms + 60_000, script, true));
    }
    looks.sort_by_key(|(at_ms, ..)| *at_ms);
    for (at_ms, script, over) in looks {
        let id = &script.call.telephony_session_id;
        let live = get(&mut simulator, &format!("/restapi/v1.0/account/~/telephony/sessions/{id}"), at_ms);
        assert_eq!(live.status, if over { 404 } else { 200 }, "{}", line(script));
        let log = format!("/restapi/v1.0/account/~/call-log?telephonySessionId={id}&view=Detailed");
        let log: Value = serde_json::from_slice(&get(&mut simulator, &log, at_ms).body).unwrap();
        let records = log["records"].as_array().unwrap();
        assert_eq!(records.len(), usize::from(over));
        for recording in &script.recordings {
            let named = records.iter().any(|record| record.to_string().contains(&format!("\"{}\"", recording.id)));
            assert_eq!(named, over && !recording.too_short);
            let content = format!("/restapi/v1.0/account/~/recording/{}/content", recording.id);
            let file = get(&mut simulator, &content, at_ms);
            assert_eq!(file.status == 200, over && !recording.too_short);
            assert!(file.status != 200 || file.body == recording.audio(Settings::default().sound));
        }
    }
}
