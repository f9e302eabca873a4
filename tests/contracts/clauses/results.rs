//! `SessionStore::note` and `SessionStore::finish`.

use std::collections::BTreeMap;

use shared::{
    domain::{
        day::Day,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{ArchivedBytes, Next, RecordingResult, RecordingState, Way},
    },
    failure::Class,
    ports::session_store::{Finish, Finished, Recorded, SessionStore, StoreError},
};

use super::{EVENT_MS, FAR_MS, NOW_MS, claimed, due, ended, finish, heard, key, record, recording, row};
use crate::backends::Backend;

pub(crate) async fn a_note_answers_the_row_as_it_is_now<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001", "9002"])).await;
    claimed(backend, "s-1", FAR_MS).await;
    record(backend, &heard("s-1", "p-2", &["9003"])).await;
    let note = async |id: &str, result: &RecordingResult| {
        backend.sessions().note(&key("s-1"), &recording(id), result).await.unwrap()
    };
    note("9002", &waiting("first")).await;
    let noted = note("9001", &waiting("second")).await;
    assert_eq!(noted.rev, 5);
    assert_eq!(noted.results[&recording("9001")], waiting("second"));
    assert_eq!(noted.results[&recording("9002")], waiting("first"), "other results stay");
    assert_eq!(noted.recordings().len(), 3, "what was heard since the claim is in it");
    assert_eq!(noted, row(backend, "s-1").await);
    assert_eq!(note("9001", &waiting("third")).await.results[&recording("9001")], waiting("third"));
    assert_eq!(due(backend, FAR_MS, 10).await, [""; 0], "a note does not give the claim back");
}

pub(crate) async fn a_note_makes_no_row<B: Backend>(backend: &B) {
    let noted = backend.sessions().note(&key("s-1"), &recording("9001"), &waiting("why")).await;
    assert_eq!(noted.unwrap_err().class(), Class::Permanent);
    assert_eq!(backend.kept(&key("s-1")).await, None);
}

pub(crate) async fn every_result_comes_back_as_it_went<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let object = |format| ObjectKey::of(&key("s-1").account, Day::of(EVENT_MS), &recording("9001"), format);
    let archived = |format, way| RecordingResult {
        state: RecordingState::Archived,
        key: Some(object(format)),
        archived: Some(ArchivedBytes { sha256: "c2hh".into(), size_bytes: 115_000_000, format, way }),
        at_ms: NOW_MS,
        ..RecordingResult::default()
    };
    let full = RecordingResult {
        reason: Some("the call log does not offer it".into()),
        content_uri: Some("https://media.ringcentral.com/restapi/v1.0/account/800000001/recording/9001/content".into()),
        silent_since_ms: Some(NOW_MS - 1),
        ..archived(AudioFormat::Mp3, Way::CallLog)
    };
    for result in [
        RecordingResult::default(),
        RecordingResult { state: RecordingState::TooShort, ..waiting("marked as short") },
        RecordingResult { state: RecordingState::Unavailable, silent_since_ms: Some(1), ..waiting("not offered") },
        RecordingResult { key: Some(object(AudioFormat::Wav)), ..RecordingResult::default() },
        archived(AudioFormat::Wav, Way::Direct),
        archived(AudioFormat::Mp3, Way::Adopted),
        full,
    ] {
        let noted = backend.sessions().note(&key("s-1"), &recording("9001"), &result).await.unwrap();
        assert_eq!(noted.results[&recording("9001")], result);
        let results = BTreeMap::from([(recording("9001"), result.clone())]);
        let finish = Finish { results, ..finish(Next::At(FAR_MS)) };
        backend.sessions().finish(&key("s-1"), noted.rev, &finish).await.unwrap();
        assert_eq!(row(backend, "s-1").await.results[&recording("9001")], result);
    }
}

pub(crate) async fn a_finish_on_the_right_rev_writes_all<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001", "9002"])).await;
    let noted = backend.sessions().note(&key("s-1"), &recording("9002"), &waiting("noted")).await.unwrap();
    let finish = Finish {
        results: BTreeMap::from([(recording("9001"), waiting("finished"))]),
        next: Next::At(FAR_MS + 5),
        attempts: 7,
        expires_s: 1_800_000_000,
    };
    assert_eq!(backend.sessions().finish(&key("s-1"), noted.rev, &finish).await.unwrap(), Finished::Done);
    let row = row(backend, "s-1").await;
    assert_eq!((row.attempts, row.rev), (7, noted.rev + 1));
    assert_eq!(row.results[&recording("9001")], waiting("finished"));
    assert_eq!(row.results[&recording("9002")], waiting("noted"), "what it does not name stays");
    assert_eq!((row.heard, row.ended), (noted.heard, noted.ended));
    assert_eq!(backend.kept(&key("s-1")).await.unwrap().expires_s, 1_800_000_000);
    assert_eq!(due(backend, FAR_MS + 4, 10).await, [""; 0]);
    assert_eq!(due(backend, FAR_MS + 5, 10).await, ["s-1"]);
}

pub(crate) async fn a_finish_on_an_old_rev_writes_nothing_and_answers_the_newer_row<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let old = claimed(backend, "s-1", FAR_MS).await;
    let newer = backend.sessions().note(&key("s-1"), &recording("9001"), &waiting("newer")).await.unwrap();
    let kept = backend.kept(&key("s-1")).await;
    let results = BTreeMap::from([(recording("9001"), waiting("older"))]);
    for next in [Next::Settled, Next::At(1)] {
        let finish = Finish { results: results.clone(), attempts: 9, expires_s: 1, next };
        let finished = backend.sessions().finish(&key("s-1"), old.rev, &finish).await.unwrap();
        assert_eq!(finished, Finished::Changed(Box::new(newer.clone())));
    }
    assert_eq!(row(backend, "s-1").await, newer);
    assert_eq!(backend.kept(&key("s-1")).await, kept);
}

pub(crate) async fn a_finish_makes_no_row<B: Backend>(backend: &B) {
    for rev in [0, 1] {
        let finished = backend.sessions().finish(&key("s-1"), rev, &finish(Next::Settled)).await;
        assert!(matches!(finished, Err(StoreError::Corrupt(_))), "{finished:?}");
    }
    assert_eq!(backend.kept(&key("s-1")).await, None);
}

pub(crate) async fn a_record_between_claim_and_finish_is_seen<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let old = claimed(backend, "s-1", FAR_MS).await;
    assert_eq!(record(backend, &ended("s-1", "p-2", &["9002"])).await, Recorded::New);
    let finished = backend.sessions().finish(&key("s-1"), old.rev, &finish(Next::Settled)).await.unwrap();
    let Finished::Changed(newer) = finished else { panic!("the new recording is forgotten") };
    assert_eq!((newer.recordings().len(), newer.ended.len()), (2, 2));
    let finished = backend.sessions().finish(&key("s-1"), newer.rev, &finish(Next::Settled)).await.unwrap();
    assert_eq!(finished, Finished::Done);
}

pub(crate) async fn a_settled_session_leaves_the_queue_until_a_recording_is_heard<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let row = claimed(backend, "s-1", FAR_MS).await;
    backend.sessions().finish(&key("s-1"), row.rev, &finish(Next::Settled)).await.unwrap();
    let kept = backend.kept(&key("s-1")).await.unwrap();
    assert_eq!((kept.queued, kept.due_at_ms), (false, None));
    assert_eq!(record(backend, &ended("s-1", "p-2", &[])).await, Recorded::New);
    assert_eq!(due(backend, u64::from(u32::MAX) * 1_000, 10).await, [""; 0], "an end alone is no work");
    assert_eq!(record(backend, &heard("s-1", "p-2", &["9002"])).await, Recorded::New);
    assert_eq!(due(backend, FAR_MS, 10).await, ["s-1"]);
}

pub(crate) async fn every_write_counts_rev_up_by_one<B: Backend>(backend: &B) {
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    assert_eq!(row(backend, "s-1").await.rev, 1);
    record(backend, &ended("s-1", "p-1", &[])).await;
    assert_eq!(row(backend, "s-1").await.rev, 2);
    assert_eq!(claimed(backend, "s-1", FAR_MS).await.rev, 3);
    let noted = backend.sessions().note(&key("s-1"), &recording("9001"), &waiting("why")).await.unwrap();
    assert_eq!(noted.rev, 4);
    backend.sessions().finish(&key("s-1"), 4, &finish(Next::At(FAR_MS))).await.unwrap();
    assert_eq!(row(backend, "s-1").await.rev, 5);
}

fn waiting(why: &str) -> RecordingResult {
    RecordingResult { reason: Some(why.to_owned()), at_ms: NOW_MS, ..RecordingResult::default() }
}
