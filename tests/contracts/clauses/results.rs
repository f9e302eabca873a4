//! `SessionStore::finish`.

use std::collections::BTreeMap;

use shared::{
    domain::{
        call_log::{Listed, Offer},
        day::Day,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{
            ArchivedBytes, Heard, KeptManifest, Next, RecordingResult, RecordingState, SessionKey, SessionRow, Way,
        },
    },
    ports::session_store::{Finish, Finished, Found, Recorded, SessionStore, StoreError},
};

use super::{EVENT_MS, FAR_MS, NOW_MS, claimed, due, ended, finish, heard, key, party, record, recording, row};
use crate::backends::Backend;

pub(crate) async fn every_result_comes_back_as_it_went<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let object = |format| ObjectKey::of(&key("s-1").account, Day::of(EVENT_MS), &recording("9001"), format);
    let archived = |format, way| RecordingResult {
        state: RecordingState::Archived,
        key: Some(object(format)),
        archived: Some(ArchivedBytes {
            sha256: "c2hh".into(),
            crc64nvme: (way == Way::Direct).then(|| "Y3Jj".into()),
            etag: "\"e-23\"".into(),
            size_bytes: 115_000_000,
            format,
            duration_ms: (way != Way::Adopted).then_some(7_187_500),
            way,
        }),
        at_ms: NOW_MS,
        ..RecordingResult::default()
    };
    let full = RecordingResult {
        reason: Some("the call log does not offer it".into()),
        content_uri: Some("https://media.ringcentral.com/restapi/v1.0/account/800000001/recording/9001/content".into()),
        silent_since_ms: Some(NOW_MS - 1),
        listed: Some(listed("p-1")),
        ..archived(AudioFormat::Mp3, Way::CallLog)
    };
    for result in [
        RecordingResult::default(),
        RecordingResult { state: RecordingState::TooShort, ..waiting("marked as short") },
        RecordingResult {
            listed: Some(Listed { kind: Some("OnDemand".into()), ..Listed::default() }),
            ..waiting("503")
        },
        RecordingResult { state: RecordingState::Unavailable, silent_since_ms: Some(1), ..waiting("not offered") },
        RecordingResult { key: Some(object(AudioFormat::Wav)), ..RecordingResult::default() },
        archived(AudioFormat::Wav, Way::Direct),
        archived(AudioFormat::Mp3, Way::Adopted),
        full,
    ] {
        assert_eq!(written(backend, "9001", &result).await.results[&recording("9001")], result);
    }
}

pub(crate) async fn a_finish_on_the_right_rev_writes_all<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001", "9002"])).await;
    let noted = written(backend, "9002", &waiting("noted")).await;
    let finish = Finish {
        results: BTreeMap::from([(recording("9001"), waiting("finished"))]),
        attempts: 7,
        expires_s: 1_800_000_000,
        ..finish(Next::At(FAR_MS + 5))
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

pub(crate) async fn a_finish_adds_what_was_found<B: Backend>(backend: &B) {
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    let mut before = claimed(backend, "s-1", FAR_MS).await;
    for (found, heard, ended) in [
        (found(&[], &["p-1"]), vec!["9001|p-1"], vec!["p-1"]),
        (found(&["9002|p-2"], &[]), vec!["9001|p-1", "9002|p-2"], vec!["p-1"]),
        (found(&["9001|p-1", "9003|"], &["p-1", "p-2"]), vec!["9001|p-1", "9002|p-2", "9003|"], vec!["p-1", "p-2"]),
        (found(&["9003|"], &["p-2"]), vec!["9001|p-1", "9002|p-2", "9003|"], vec!["p-1", "p-2"]),
        (Found::default(), vec!["9001|p-1", "9002|p-2", "9003|"], vec!["p-1", "p-2"]),
    ] {
        let results = BTreeMap::from([(recording("9002"), waiting("the call log offers it"))]);
        let finish = Finish { results, found, ..finish(Next::At(FAR_MS + 5)) };
        assert_eq!(backend.sessions().finish(&key("s-1"), before.rev, &finish).await.unwrap(), Finished::Done);
        let row = row(backend, "s-1").await;
        assert_eq!(row.heard.iter().map(Heard::to_element).collect::<Vec<_>>(), heard);
        assert_eq!(row.ended.iter().map(ToString::to_string).collect::<Vec<_>>(), ended);
        assert_eq!(row.rev, before.rev + 1, "facts and results are one write");
        assert_eq!(row.results, finish.results);
        before = row;
    }
    assert_eq!(record(backend, &ended("s-1", "p-2", &["9003"])).await, Recorded::New, "on which party is news");
    assert_eq!(record(backend, &ended("s-1", "p-2", &["9002"])).await, Recorded::Known);
}

pub(crate) async fn a_manifest_is_kept_until_another_is_written<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    for (written, kept) in [(None, None), (Some("1"), Some("1")), (None, Some("1")), (Some("2"), Some("2"))] {
        let before = row(backend, "s-1").await;
        let finish = Finish { manifest: written.map(manifest), ..finish(Next::Settled) };
        assert_eq!(backend.sessions().finish(&key("s-1"), before.rev, &finish).await.unwrap(), Finished::Done);
        let expected = SessionRow { manifest: kept.map(manifest), rev: before.rev + 1, ..before };
        assert_eq!(row(backend, "s-1").await, expected);
    }
}

pub(crate) async fn a_finish_on_an_old_rev_writes_nothing_and_answers_the_newer_row<B: Backend>(backend: &B) {
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let old = claimed(backend, "s-1", FAR_MS).await;
    let newer = written(backend, "9001", &waiting("newer")).await;
    let kept = backend.kept(&key("s-1")).await;
    let results = BTreeMap::from([(recording("9001"), waiting("older"))]);
    for next in [Next::Settled, Next::At(1)] {
        let found = found(&["9002|p-2"], &["p-2"]);
        let finish =
            Finish { results: results.clone(), found, manifest: Some(manifest("1")), attempts: 9, expires_s: 1, next };
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
    let noted = written(backend, "9001", &waiting("why")).await;
    assert_eq!(noted.rev, 4);
    backend.sessions().finish(&key("s-1"), 4, &finish(Next::At(FAR_MS))).await.unwrap();
    assert_eq!(row(backend, "s-1").await.rev, 5);
}

pub(crate) async fn an_offer_is_added_to_a_session_in_the_queue<B: Backend>(backend: &B) {
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    let before = backend.kept(&key("s-1")).await.unwrap();
    assert!(offer(backend, &[("9001", "https://a/1", Some("p-1")), ("9002", "https://a/2", None)]).await);
    let row = row(backend, "s-1").await;
    let offer = |address: &str, listed| Offer { content_uri: address.to_owned(), listed };
    let offers = [("9001", offer("https://a/1", listed("p-1"))), ("9002", offer("https://a/2", Listed::default()))];
    assert_eq!(row.offers, offers.map(|(id, offer)| (recording(id), offer)).into());
    assert_eq!(row.heard.iter().map(Heard::to_element).collect::<Vec<_>>(), ["9001|p-1", "9002|"]);
    assert_eq!((row.rev, row.results.len()), (2, 0));
    assert_eq!(backend.kept(&key("s-1")).await.unwrap(), before, "it keeps its place");
}

pub(crate) async fn an_offer_that_is_known_writes_nothing<B: Backend>(backend: &B) {
    record(backend, &heard("s-1", "p-1", &["9001"])).await;
    assert!(offer(backend, &[("9001", "https://a/1", None)]).await);
    let known = row(backend, "s-1").await;
    assert!(!offer(backend, &[("9001", "https://a/1", None)]).await);
    assert!(!offer(backend, &[]).await);
    assert_eq!(row(backend, "s-1").await, known);
    assert!(offer(backend, &[("9001", "https://b/1", None)]).await, "another address is news");
    assert_eq!(row(backend, "s-1").await.offers[&recording("9001")].content_uri, "https://b/1");
}

pub(crate) async fn an_offer_makes_no_row_and_wakes_no_settled_one<B: Backend>(backend: &B) {
    assert!(!offer(backend, &[("9001", "https://a/1", None)]).await);
    assert_eq!(backend.kept(&key("s-1")).await, None);
    record(backend, &ended("s-1", "p-1", &["9001"])).await;
    let claimed = claimed(backend, "s-1", FAR_MS).await;
    backend.sessions().finish(&key("s-1"), claimed.rev, &finish(Next::Settled)).await.unwrap();
    assert!(!offer(backend, &[("9001", "https://a/1", None)]).await);
    assert!(row(backend, "s-1").await.offers.is_empty());
}

async fn offer<B: Backend>(backend: &B, offers: &[(&str, &str, Option<&str>)]) -> bool {
    let offers = offers.iter().map(|(id, address, on)| {
        let listed = on.map_or_else(Listed::default, listed);
        (recording(id), Offer { content_uri: (*address).to_owned(), listed })
    });
    backend.sessions().offer(&key("s-1"), &offers.collect()).await.unwrap()
}

/// All that the call log can say of a recording.
fn listed(on: &str) -> Listed {
    Listed {
        kind: Some("Automatic".into()),
        party: Some(party(on)),
        started_ms: Some(EVENT_MS),
        duration_s: Some(147),
        direction: Some("Inbound".into()),
        from: Some("+16505550142".into()),
        to: Some("+16505550111".into()),
        extension: Some("800000101".into()),
        transfer_target: Some(key("s-2").session),
        transferee: Some(key("s-3").session),
    }
}

fn manifest(digest: &str) -> KeptManifest {
    let SessionKey { account, session } = key("s-1");
    KeptManifest { key: ObjectKey::manifest(&account, Day::of(EVENT_MS), &session), sha256: digest.to_owned() }
}

/// Writes one result on the row as it is; answers the row then.
async fn written<B: Backend>(backend: &B, id: &str, result: &RecordingResult) -> SessionRow {
    let results = BTreeMap::from([(recording(id), result.clone())]);
    let finish = Finish { results, ..finish(Next::At(FAR_MS)) };
    let rev = row(backend, "s-1").await.rev;
    assert_eq!(backend.sessions().finish(&key("s-1"), rev, &finish).await.unwrap(), Finished::Done);
    row(backend, "s-1").await
}

fn waiting(why: &str) -> RecordingResult {
    RecordingResult { reason: Some(why.to_owned()), at_ms: NOW_MS, ..RecordingResult::default() }
}

fn found(heard: &[&str], ended: &[&str]) -> Found {
    Found {
        heard: heard.iter().map(|element| Heard::from_element(element).unwrap()).collect(),
        ended: ended.iter().map(|id| party(id)).collect(),
    }
}
