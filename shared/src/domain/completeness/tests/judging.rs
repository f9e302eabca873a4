use super::*;
use crate::domain::{
    call_log::{Listed, Offer},
    checksum::Verified,
    manifest::{Disagreement, Found, Manifest},
    media::AudioFormat,
    session::{
        ArchivedBytes, Heard, KeptManifest, RecordingResult, RecordingState, SessionKey, SessionRow, Way, tests::row,
    },
};

mod on_its_way;

const DAY: &str = "1970-01-01";

/// A day with one settled session: recordings 1 (archived) and 2 (too short).
fn healthy() -> Evidence {
    let mut evidence = Evidence::new(id(AccountId::parse, "800"), Day::parse(DAY).unwrap());
    let mut row = row(&["1|p-1", "2|p-2"], &["p-1", "p-2"]);
    row.results.insert(recording("1"), archived("1"));
    row.results.insert(recording("2"), ended(RecordingState::TooShort));
    settle(&mut evidence, row);
    put(&mut evidence, found(7, "\"e\""));
    evidence
}

fn settle(evidence: &mut Evidence, mut row: SessionRow) {
    let manifest = Manifest::of(&row);
    let kept = KeptManifest { key: manifest.object_key(), sha256: format!("digest of {}", row.key.session) };
    let read = ManifestRead { version: Some("v".into()), sha256: kept.sha256.clone(), manifest: Some(manifest) };
    evidence.manifests.insert(kept.key.clone(), read);
    row.manifest = Some(kept);
    evidence.rows.insert(row.key.clone(), row);
}

fn session_key() -> SessionKey {
    row(&[], &[]).key
}

fn manifest_key() -> ObjectKey {
    ObjectKey::manifest(&session_key().account, Day::parse(DAY).unwrap(), &session_key().session)
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::from_row(format!("recordings/account=800/date={DAY}/{name}"))
}

fn elsewhere(name: &str) -> ObjectKey {
    ObjectKey::from_row(format!("recordings/account=800/date=1970-01-02/{name}"))
}

fn archived(name: &str) -> RecordingResult {
    let bytes = ArchivedBytes {
        sha256: "ours".into(),
        crc64nvme: None,
        etag: "\"e\"".into(),
        size_bytes: 7,
        format: AudioFormat::Mp3,
        duration_ms: None,
        way: Way::Direct,
    };
    let key = Some(key(&format!("{name}.mp3")));
    RecordingResult { state: RecordingState::Archived, key, archived: Some(bytes), ..RecordingResult::default() }
}

fn ended(state: RecordingState) -> RecordingResult {
    RecordingResult { state, ..RecordingResult::default() }
}

fn found(size_bytes: u64, etag: &str) -> Found {
    Found { size_bytes, etag: Some(etag.into()), checksum: None }
}

fn with_checksum(sha256: &str) -> Found {
    Found { checksum: Some(Verified::Sha256(sha256.into())), ..found(7, "\"another\"") }
}

fn the_row(evidence: &mut Evidence) -> &mut SessionRow {
    evidence.rows.get_mut(&session_key()).unwrap()
}

fn offer(evidence: &mut Evidence, id: &str) {
    let offer = Offer { content_uri: format!("https://media/{id}"), listed: Listed::default() };
    evidence.offered.entry(session("s-1")).or_default().insert(recording(id), offer);
}

fn drop_object(evidence: &mut Evidence) {
    evidence.objects.remove(&key("1.mp3"));
}

/// What lies under the key of recording 1.
fn put(evidence: &mut Evidence, found: Found) {
    evidence.objects.insert(key("1.mp3"), found);
}

fn put_beside(evidence: &mut Evidence, name: &str) {
    evidence.objects.insert(key(name), found(7, "\"e\""));
}

fn forget(evidence: &mut Evidence, id: &str) {
    let row = the_row(evidence);
    row.heard.retain(|heard| heard.recording != recording(id));
    row.results.remove(&recording(id));
}

fn hear(evidence: &mut Evidence, id: &str) {
    the_row(evidence).heard.insert(Heard { recording: recording(id), party: None });
}

fn queue(evidence: &mut Evidence) {
    evidence.queued.insert(session_key());
}

/// No manifest has been written yet.
fn undescribe(evidence: &mut Evidence) {
    evidence.manifests.clear();
    the_row(evidence).manifest = None;
}

/// The manifest says of recording 1 that it waits, and the row knows it so.
fn never_described(evidence: &mut Evidence) {
    let mut before = the_row(evidence).clone();
    before.results.remove(&recording("1"));
    evidence.manifests.get_mut(&manifest_key()).unwrap().manifest = Some(Manifest::of(&before));
}

/// The row names an object under the next day.
fn move_on(evidence: &mut Evidence) {
    the_row(evidence).results.get_mut(&recording("1")).unwrap().key = Some(elsewhere("1.mp3"));
    let row = the_row(evidence).clone();
    settle(evidence, row);
    evidence.objects.insert(elsewhere("1.mp3"), found(7, "\"e\""));
}

/// What was found wrong, as `class recording` or `class name`.
fn words(proof: &DayProof) -> String {
    let words = |defect: &Defect| match &defect.about {
        About::Recording { recording, .. } => format!("{} {recording}", defect.class.name()),
        About::Object(key) => format!("{} {}", defect.class.name(), key.as_str().rsplit('/').next().unwrap()),
    };
    proof.defects.iter().map(words).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_healthy_day_is_settled() {
    let proof = healthy().judge();
    assert_eq!(proof.counts, Counts { archived: 1, too_short: 1, ..Counts::default() });
    assert!(proof.is_settled());
    assert_eq!(proof.manifests.len(), 1);
    assert_eq!(healthy().unproven(), []);
    assert_eq!(healthy().unknown(), []);
    assert_eq!(healthy().unlike(), []);
}

#[test]
fn every_defect_has_its_class_and_no_other() {
    type Change = fn(&mut Evidence);
    // Beside what is wrong: whether a recording is missing.
    let cases: &[(&str, Change, &str, bool)] = &[
        ("a row is gone", |day| day.rows.clear(), "missing_row 1, missing_row 2", false),
        (
            "a row is gone, and the log knows its recording",
            |day| {
                day.rows.clear();
                offer(day, "1");
            },
            "missing_row 1, missing_row 2",
            false,
        ),
        (
            "a row and its object are gone",
            |day| {
                day.rows.clear();
                drop_object(day);
            },
            "missing_row 1, missing_row 2",
            true,
        ),
        ("a row has lost a recording", |day| forget(day, "1"), "missing_row 1", false),
        ("a row has lost an ending", |day| forget(day, "2"), "missing_row 2", false),
        ("the log knows more", |day| offer(day, "3"), "missing_row 3", true),
        (
            "an object of ours knows more",
            |day| {
                put_beside(day, "3.mp3");
                day.origins.insert(key("3.mp3"), session("s-3"));
            },
            "missing_row 3",
            true,
        ),
        ("the object is gone", drop_object, "missing_object 1", true),
        ("the object was cut", |day| put(day, found(6, "\"x\"")), "wrong_size 1", true),
        ("the object was padded under its tag", |day| put(day, found(8, "\"e\"")), "wrong_size 1", true),
        ("other bytes", |day| put(day, with_checksum("theirs")), "changed_bytes 1", true),
        ("bytes nobody can prove", |day| put(day, found(7, "\"x\"")), "changed_bytes 1", true),
        ("the other format", |day| put_beside(day, "1.wav"), "duplicate 1.wav", false),
        ("another day", move_on, "duplicate 1.mp3", false),
        (
            "archived too early",
            |day| {
                drop_object(day);
                never_described(day);
            },
            "early_archived 1",
            true,
        ),
        (
            "archived too early, in the queue, without a manifest",
            |day| {
                drop_object(day);
                undescribe(day);
                queue(day);
            },
            "early_archived 1",
            true,
        ),
        (
            "archived without any proof",
            |day| {
                drop_object(day);
                never_described(day);
                the_row(day).results.get_mut(&recording("1")).unwrap().archived = None;
            },
            "early_archived 1",
            true,
        ),
        ("a file of others", |day| put_beside(day, "notes.txt"), "stray_object notes.txt", false),
        ("a recording of nobody", |day| put_beside(day, "9.mp3"), "stray_object 9.mp3", false),
        ("an object of what was too short", |day| put_beside(day, "2.mp3"), "stray_object 2.mp3", false),
        (
            "a document of others",
            |day| {
                let read = ManifestRead { version: None, sha256: "x".into(), manifest: None };
                day.manifests.insert(ObjectKey::manifest(&day.account, day.day, &session("s-9")), read);
            },
            "stray_object s-9.json",
            false,
        ),
        ("the manifest is gone", |day| day.manifests.clear(), "missing_object s-1.json", true),
        (
            "the manifest says something else",
            |day| day.manifests.get_mut(&manifest_key()).unwrap().sha256 = "x".into(),
            "changed_bytes s-1.json",
            false,
        ),
    ];
    for (case, change, expected, lacks) in cases {
        let mut evidence = healthy();
        change(&mut evidence);
        let proof = evidence.judge();
        assert_eq!(words(&proof), *expected, "{case}");
        assert_eq!(!proof.missing.is_empty(), *lacks, "{case}: {:?}", proof.counts);
        assert_eq!(proof.counts.missing, proof.missing.len(), "{case}");
        assert!(!proof.is_settled(), "{case}");
    }
}

#[test]
fn what_a_manifest_and_its_object_prove_is_archived_without_a_row() {
    let mut evidence = healthy();
    evidence.rows.clear();
    assert_eq!(evidence.judge().counts, healthy().judge().counts);
    put(&mut evidence, with_checksum("theirs"));
    assert_eq!(evidence.judge().missing, [recording("1")].into());
}

#[test]
fn what_must_be_asked_for_is_named() {
    let mut evidence = healthy();
    put(&mut evidence, found(7, "\"x\""));
    let unproven = [(key("1.mp3"), Disagreement::Unproven)];
    assert_eq!(evidence.unproven(), unproven);
    let rows = std::mem::take(&mut evidence.rows);
    assert_eq!(evidence.unproven(), unproven, "the manifest says so alone");
    evidence.rows = rows;
    drop_object(&mut evidence);
    assert_eq!(evidence.unproven(), [(key("1.mp3"), Disagreement::Missing)]);
    put_beside(&mut evidence, "8.mp3");
    put_beside(&mut evidence, "notes.txt");
    assert_eq!(evidence.unknown(), [key("8.mp3")], "what cannot be a recording has no origin");
    evidence.manifests.get_mut(&manifest_key()).unwrap().sha256 = "x".into();
    assert_eq!(evidence.unlike(), [manifest_key()]);
    offer(&mut evidence, "3");
    evidence.origins.insert(key("8.mp3"), session("s-8"));
    let sessions: Vec<_> = evidence.sessions().into_iter().map(|key| key.session.to_string()).collect();
    assert_eq!(sessions, ["s-1", "s-8"]);
}
