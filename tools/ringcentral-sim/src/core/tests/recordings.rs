//! API.md §8.

use super::rig::{RECORDING, Rig, body, code};
use crate::core::{Manner, Origin};
use crate::world::{AudioFormat, BodyFault, Direct, ListedAt};
use crate::{Settings, Sound};

const METADATA: &str = "/restapi/v1.0/account/~/recording/910000000001";

fn content_uri(rig: &mut Rig) -> String {
    rig.records("")[0]["recording"]["contentUri"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_is_not_there_until_its_partys_end_and_some_time() {
    let mut rig = Rig::with(Settings { ready_after_ms: 30_000, ..Settings::default() });
    rig.hear(2, "Answered", &[RECORDING]);
    rig.hear(3, "Answered", &[]);
    assert_eq!(code(&rig.direct(RECORDING)), "CMN-102", "the party talks");
    rig.hear(2, "Disconnected", &[]);
    rig.now_ms += 29_999;
    assert_eq!(code(&rig.direct(RECORDING)), "CMN-102");
    assert_eq!(code(&rig.get(METADATA)), "CMN-102");
    rig.now_ms += 1;
    let reply = rig.direct(RECORDING);
    assert_eq!(reply.status, 200, "though the other party still talks");
    assert_eq!(reply.body, rig.simulator.audio_of(RECORDING).unwrap());
    assert_eq!(rig.get(METADATA).status, 200);
    rig.simulator.recording_mut(RECORDING).unwrap().ready_after_ms = None;
    assert_eq!(rig.direct(RECORDING).status, 404);
}

#[test]
fn a_file_says_its_length_and_type() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    for (format, content_type) in [(AudioFormat::Wav, "audio/wav"), (AudioFormat::Mp3, "audio/mpeg")] {
        rig.simulator.recording_mut(RECORDING).unwrap().format = format;
        let reply = rig.direct(RECORDING);
        assert_eq!(reply.header("content-type"), Some(content_type));
        assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
        assert_eq!(body(&rig.get(METADATA))["contentType"], content_type);
    }
    rig.simulator.recording_mut(RECORDING).unwrap().served_content_type = Some("application/octet-stream".into());
    assert_eq!(rig.direct(RECORDING).header("content-type"), Some("application/octet-stream"));
}

#[test]
fn the_direct_url_may_fail_where_the_listed_one_works() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let cases = [
        (Direct::Status(404), 404, "CMN-102"),
        (Direct::Status(403), 403, "CMN-408"),
        (Direct::Status(500), 500, "CMN-201"),
    ];
    for (direct, status, inner) in cases {
        rig.now_ms += 60_000;
        rig.simulator.recording_mut(RECORDING).unwrap().direct = direct;
        let reply = rig.direct(RECORDING);
        assert_eq!((reply.status, code(&reply).as_str()), (status, inner));
        let listed = content_uri(&mut rig);
        assert_eq!(rig.get_url(&listed).status, 200);
    }
    rig.simulator.recording_mut(RECORDING).unwrap().direct = Direct::Html;
    let page = rig.direct(RECORDING);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
}

#[test]
fn moved_media_is_found_only_where_the_log_says() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let old = content_uri(&mut rig);
    assert!(old.starts_with("https://media.test:443/restapi/v1.0/account/800000001/"), "{old}");
    rig.simulator.recording_mut(RECORDING).unwrap().listed_at = ListedAt::Platform;
    let new = content_uri(&mut rig);
    assert!(new.starts_with("https://platform.test:443/restapi/v1.0/account/800000001/"), "{new}");
    assert_eq!(code(&rig.direct(RECORDING)), "CMN-102");
    assert_eq!(code(&rig.get_url(&old)), "CMN-102");
    let reply = rig.get_url(&new);
    assert_eq!(reply.body, rig.simulator.audio_of(RECORDING).unwrap());
    rig.simulator.recording_mut(RECORDING).unwrap().listed_at = ListedAt::Other("https://elsewhere.example".into());
    assert!(content_uri(&mut rig).starts_with("https://elsewhere.example:443/restapi/"));
    assert_eq!(rig.get_url(&new).status, 404);
}

#[test]
fn a_body_may_be_wrong_everywhere() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let whole = rig.simulator.audio_of(RECORDING).unwrap().len();
    let mut served = |fault| {
        rig.simulator.recording_mut(RECORDING).unwrap().body_fault = fault;
        let reply = rig.direct(RECORDING);
        assert_eq!(reply.status, 200);
        (reply.header("content-length").unwrap().parse::<usize>().unwrap(), reply.body.len())
    };
    assert_eq!(served(BodyFault::CutShort), (whole, whole / 2));
    assert_eq!(served(BodyFault::Empty), (0, 0));
    let (announced, sent) = served(BodyFault::Html);
    assert!(announced == sent && sent < 100);
}

#[test]
fn one_range_is_served_and_a_bad_one_refused() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let audio = rig.simulator.audio_of(RECORDING).unwrap();
    let target = format!("{METADATA}/content");
    let mut ask = |range: &str| {
        let headers = vec![("Authorization".into(), format!("Bearer {}", rig.token)), ("Range".into(), range.into())];
        rig.send(Origin::Media, "GET", &target, headers, "")
    };
    let part = ask("bytes=100-1123");
    assert_eq!(part.status, 206);
    assert_eq!(part.header("content-range"), Some(format!("bytes 100-1123/{}", audio.len()).as_str()));
    assert_eq!(part.body, audio[100..1_124]);
    let bad = ask("bytes=99999999-");
    assert_eq!((bad.status, code(&bad).as_str()), (416, "CMN-107"));
}

#[test]
fn an_application_without_the_permission_is_told_so() {
    let mut rig = Rig::with(Settings { scope: "ReadCallLog".into(), ..Settings::default() });
    rig.hear_recorded_call();
    let reply = rig.direct(RECORDING);
    assert_eq!((reply.status, code(&reply).as_str()), (403, "CMN-401"));
    assert_eq!(body(&reply)["permissionName"], "ReadCallRecording");
}

#[test]
fn a_body_comes_in_many_ways() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let whole = rig.simulator.audio_of(RECORDING).unwrap();
    let mut served = |fault| {
        rig.simulator.recording_mut(RECORDING).unwrap().body_fault = fault;
        rig.direct(RECORDING)
    };
    let json = served(BodyFault::Json);
    assert_eq!((json.status, code(&json).as_str()), (200, "CMN-102"));
    assert!(json.header("content-type").unwrap().starts_with("audio/"));
    let wrong = served(BodyFault::WrongLength);
    assert_eq!(wrong.header("content-length"), Some((whole.len() + 1).to_string().as_str()));
    assert_eq!((&wrong.body[..], wrong.manner), (&whole[..], Manner::Broken));
    let trickle = served(BodyFault::Trickle);
    assert_eq!((&trickle.body[..], trickle.manner), (&whole[..], Manner::Trickle { piece_bytes: 4_096, pause_ms: 50 }));
    let undeclared = served(BodyFault::Undeclared);
    assert_eq!((&undeclared.body[..], undeclared.header("content-length")), (&whole[..], None));
    assert_eq!(served(BodyFault::CutShort).manner, Manner::Broken);
}

#[test]
fn an_unasked_part_is_continued_by_range() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let whole = rig.simulator.audio_of(RECORDING).unwrap();
    rig.simulator.recording_mut(RECORDING).unwrap().body_fault = BodyFault::UnaskedPart;
    let part = rig.direct(RECORDING);
    assert_eq!(part.status, 206);
    let end = part.body.len() - 1;
    assert_eq!(part.header("content-range"), Some(format!("bytes 0-{end}/{}", whole.len()).as_str()));
    let range = format!("bytes={}-", part.body.len());
    let headers = vec![("Authorization".into(), format!("Bearer {}", rig.token)), ("Range".into(), range)];
    let rest = rig.send(Origin::Media, "GET", &format!("{METADATA}/content"), headers, "");
    assert_eq!(rest.status, 206);
    assert_eq!([&part.body[..], &rest.body[..]].concat(), whole);
}

#[test]
fn troubles_last_for_as_many_answers_as_they_are_to() {
    let mut rig = Rig::new();
    rig.hear_recorded_call();
    let mut statuses = |spoil: &dyn Fn(&mut crate::world::Recording)| {
        let recording = rig.simulator.recording_mut(RECORDING).unwrap();
        (recording.direct, recording.body_fault, recording.spoilt_answers) = (Direct::Served, BodyFault::None, 2);
        spoil(recording);
        rig.now_ms += 60_000;
        let sent: Vec<_> = (0..3).map(|_| rig.direct(RECORDING)).map(|reply| (reply.status, reply.manner)).collect();
        sent
    };
    let well = (200, Manner::Whole);
    let failing = statuses(&|recording| recording.direct = Direct::Status(500));
    assert_eq!(failing, [(500, Manner::Whole), (500, Manner::Whole), well]);
    let broken = statuses(&|recording| recording.body_fault = BodyFault::CutShort);
    assert_eq!(broken, [(200, Manner::Broken), (200, Manner::Broken), well]);
    let away = Direct::Redirect("https://login.example.com/".into());
    let redirected = statuses(&|recording| recording.direct = away.clone());
    assert_eq!(redirected, [(302, Manner::Whole), (302, Manner::Whole), well]);
}

#[test]
fn a_sketch_is_served_where_the_settings_say_so() {
    let mut rig = Rig::with(Settings { sound: Sound::Sketch, ready_after_ms: 0, ..Settings::default() });
    rig.hear_recorded_call();
    let reply = rig.direct(RECORDING);
    assert_eq!(reply.body, rig.simulator.audio_of(RECORDING).unwrap());
    assert!(reply.body.len() <= 3_072);
}
