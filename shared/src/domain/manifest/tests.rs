use super::*;
use crate::domain::{
    call_log::Listed,
    ids::{AccountId, TelephonySessionId},
    media::AudioFormat,
    session::{ArchivedBytes, Way, tests::id},
};

/// The example of the documentation.
fn example() -> &'static str {
    let page = include_str!("../../../../docs/manifest.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    rest.split_once("```").unwrap().0
}

fn session(text: &str) -> TelephonySessionId {
    id(TelephonySessionId::parse, text)
}

fn at(text: &str) -> u64 {
    crate::domain::day::parse_time(&format!("2026-03-02T{text}Z")).unwrap()
}

/// The row the example tells of.
fn row() -> SessionRow {
    let party = |n| id(PartyId::parse, &format!("p-a0aa000000002z19c0a1b2c02z1a20000-{n}"));
    let [first, second] = ["900000002005", "900000003005"].map(|text| id(RecordingId::parse, text));
    let text = |text: &str| Some(text.to_owned());
    let about = |to, extension| PartyAbout { direction: text("Inbound"), from: text("+16505550142"), to, extension };
    let key = SessionKey {
        account: id(AccountId::parse, "800000001"),
        session: session("s-a0aa000000002z19c0a1b2c02z1a20000"),
    };
    let day = Day::parse("2026-03-02").unwrap();
    let archived = RecordingResult {
        state: RecordingState::Archived,
        content_uri: text(
            "https://media.ringcentral.com:443/restapi/v1.0/account/800000001/recording/900000002005/content",
        ),
        key: Some(ObjectKey::of(&key.account, day, &first, AudioFormat::Mp3)),
        archived: Some(ArchivedBytes {
            sha256: "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=".into(),
            crc64nvme: text("rosUhgp5mIg="),
            etag: "\"c30a9bdb3b5b93eed7ad42bf9f2a9a5f-1\"".into(),
            size_bytes: 1_181_280,
            format: AudioFormat::Mp3,
            duration_ms: Some(147_660),
            way: Way::CallLog,
        }),
        listed: Some(Listed {
            kind: text("Automatic"),
            party: Some(party(2)),
            started_ms: Some(at("15:08:04.000")),
            duration_s: Some(147),
            direction: text("Inbound"),
            from: text("+16505550142"),
            to: text("+16505550111"),
            extension: text("800000101"),
            transfer_target: Some(session("s-a0aa000000003z19c0a1b2c03z1a30000")),
            transferee: Some(session("s-a0aa000000001z19c0a1b2c01z1a10000")),
        }),
        at_ms: at("15:12:01.020"),
        ..RecordingResult::default()
    };
    let too_short = RecordingResult {
        state: RecordingState::TooShort,
        reason: text("call log: marked shortRecording (1 records)"),
        at_ms: at("15:13:30.000"),
        ..RecordingResult::default()
    };
    let heard = |recording: &RecordingId, n| Heard { recording: recording.clone(), party: Some(party(n)) };
    SessionRow {
        key,
        heard: [heard(&first, 2), heard(&second, 3)].into(),
        ended: [party(1), party(2), party(3)].into(),
        parties: [
            (party(2), about(text("+16505550111"), text("800000101"))),
            (party(3), about(None, text("800000102"))),
        ]
        .into(),
        day,
        happened_ms: at("15:08:04.310"),
        session_id: Some(id(SessionId::parse, "70000000002005")),
        seen_at_ms: at("15:08:04.892"),
        rev: 7,
        attempts: 3,
        offers: BTreeMap::new(),
        results: [(first, archived), (second, too_short)].into(),
        manifest: None,
    }
}

fn json(manifest: &Manifest) -> String {
    String::from_utf8(manifest.to_json()).unwrap()
}

/// The example with one piece of its text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(example().contains(from), "{from}");
    example().replacen(from, to, 1)
}

fn parsed(json: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(json.as_bytes())
}

#[test]
fn the_documented_example_is_what_is_written_and_read() {
    let manifest = Manifest::of(&row());
    assert_eq!(json(&manifest), example());
    assert_eq!(parsed(example()), Ok(manifest.clone()));
    let key = "sessions/account=800000001/date=2026-03-02/s-a0aa000000002z19c0a1b2c02z1a20000.json";
    assert_eq!(manifest.object_key().as_str(), key);
}

#[test]
fn the_run_leaves_no_trace_in_it() {
    let mut other = SessionRow { rev: 99, attempts: 0, ..row() };
    let waiting = id(RecordingId::parse, "1");
    other.heard.insert(Heard { recording: waiting.clone(), party: None });
    let expected = json(&Manifest::of(&other));
    let noted = RecordingResult {
        reason: Some("503".into()),
        key: Some(ObjectKey::from_row("recordings/x".into())),
        at_ms: 5,
        ..RecordingResult::default()
    };
    other.results.insert(waiting, noted);
    assert_eq!(json(&Manifest::of(&other)), expected);
}

#[test]
fn what_has_no_proof_is_not_called_archived() {
    let mut row = row();
    row.results.values_mut().for_each(|result| result.archived = None);
    let states: Vec<_> = Manifest::of(&row).recordings.into_values().map(|recording| recording.result.state).collect();
    assert_eq!(states, [RecordingState::Waiting, RecordingState::TooShort]);
}

#[test]
fn what_the_log_said_is_told_of_what_waits_without_a_token_and_an_object_of_what_is_archived_alone() {
    let archived = row().results.into_values().next().unwrap();
    let told = |state| {
        let mut row = row();
        row.results.values_mut().for_each(|result| *result = RecordingResult { state, ..archived.clone() });
        let result = row.results.values_mut().next().unwrap();
        result.content_uri = Some("https://media/1?access_token=secret".into());
        result.silent_since_ms = Some(7);
        Manifest::of(&row).recordings.into_values().next().unwrap().result
    };
    let address = Some("https://media/1".to_owned());
    let waiting = told(RecordingState::Waiting);
    let log = (waiting.content_uri, waiting.silent_since_ms, waiting.listed);
    assert_eq!(log, (address.clone(), Some(7), archived.listed.clone()));
    assert_eq!((waiting.key, waiting.archived, waiting.at_ms), (None, None, 0));
    for state in [RecordingState::TooShort, RecordingState::Unavailable, RecordingState::Deleted] {
        let ended = told(state);
        assert_eq!((ended.content_uri, ended.at_ms), (address.clone(), archived.at_ms));
        assert_eq!((ended.key, ended.archived), (None, None), "{state:?}");
    }
    assert_eq!(told(RecordingState::Archived).key, archived.key);
}

#[test]
fn fields_of_a_later_day_are_passed_over() {
    let grown = changed("\"day\"", "\"weather\": {\"rain\": true}, \"day\"");
    let grown = grown.replace("\"way\"", "\"colour\": \"blue\", \"way\"");
    assert_eq!(parsed(&grown), Ok(Manifest::of(&row())));
}

#[test]
fn what_is_no_manifest_says_why() {
    for (case, json, why) in [
        ("nothing", String::new(), ManifestError::Malformed),
        ("cut off", example()[..700].to_owned(), ManifestError::Malformed),
        ("no schema", changed("\"schema\"", "\"scheme\""), ManifestError::Malformed),
        ("the next major", changed("session/1", "session/2"), ManifestError::OtherSchema),
        ("another schema, of another shape", r#"{"schema":"x"}"#.to_owned(), ManifestError::OtherSchema),
        ("no day", changed("\"day\"", "\"date\""), ManifestError::Malformed),
        ("a day that is none", changed("\"day\": \"2026-03-02", "\"day\": \"2026-02-30"), ManifestError::Field("day")),
        ("a time that is none", changed("15:08:04.892Z", "noon"), ManifestError::Field("first_seen_at")),
        ("an unknown state", changed("too_short", "lost"), ManifestError::Field("state")),
        ("an unknown way", changed("\"way\": \"call_log", "\"way\": \"fax"), ManifestError::Field("way")),
        ("a negative length", changed("1181280", "-1"), ManifestError::Malformed),
        ("a duration beyond all", changed("147.66", "999999999.9999"), ManifestError::Field("duration_seconds")),
        ("a negative duration", changed("147.66", "-1"), ManifestError::Field("duration_seconds")),
        ("an ending without time", changed("\"decided_at\"", "\"x\""), ManifestError::Field("decided_at")),
        ("archived without object", changed("\"object\"", "\"x\""), ManifestError::NoObject),
        ("an object of an ending", changed("\"archived\"", "\"unavailable\""), ManifestError::Field("object")),
        ("a foreign key", changed("02/900000002005", "02/900000003005"), ManifestError::ForeignKey),
        ("a key elsewhere", changed("\"recordings/acc", "\"other/acc"), ManifestError::ForeignKey),
        ("another type", changed("audio/mpeg", "audio/wav"), ManifestError::Field("content_type")),
        ("a recording twice", changed("\"900000003005\"", "\"900000002005\""), ManifestError::Field("recordings")),
    ] {
        assert_eq!(parsed(&json), Err(why), "{case}");
    }
    for hostile in [changed("\"800000001\"", "\"../8\""), changed("\"70000000002005\"", "\"7|0\"")] {
        assert!(matches!(parsed(&hostile), Err(ManifestError::Id(_))));
    }
}

#[test]
fn every_millisecond_of_a_duration_survives_a_round_trip() {
    for duration_ms in (0..2_000).chain([7_187_501, 86_399_999, 999_999_999_999]) {
        let mut manifest = Manifest::of(&row());
        for recording in manifest.recordings.values_mut() {
            recording.result.archived.iter_mut().for_each(|bytes| bytes.duration_ms = Some(duration_ms));
        }
        assert_eq!(Manifest::parse(&manifest.to_json()), Ok(manifest), "{duration_ms}");
    }
}

#[test]
fn endings_restore_a_lost_row() {
    let lost = row();
    let manifest = parsed(example()).unwrap();
    let mut rebuilt = SessionRow { results: BTreeMap::new(), heard: BTreeSet::new(), ..lost.clone() };
    for (recording, heard, result) in manifest.endings() {
        rebuilt.heard.extend(heard);
        rebuilt.results.insert(recording.clone(), result.clone());
    }
    assert_eq!(rebuilt, lost);

    let mut open = Manifest::of(&lost);
    let first = open.recordings.first_entry().unwrap().into_mut();
    first.result = RecordingResult::default();
    assert_eq!(open.endings().count(), 1, "what waits has no ending");
    open.recordings.values_mut().for_each(|recording| recording.parties.clear());
    let heard: Vec<_> = open.endings().flat_map(|(_, heard, _)| heard).map(|heard| heard.to_element()).collect();
    assert_eq!(heard, ["900000003005|"]);
}

mod merging;
