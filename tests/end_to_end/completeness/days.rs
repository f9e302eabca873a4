//! What is found out about one day.

use super::*;

#[tokio::test]
async fn a_day_is_reported_once_with_the_versions_it_rests_on() {
    let ended = (recording("13"), Fate::Ended(RecordingState::Deleted));
    let world = World::after(&[call("s-1", 0, [archived("11")]), call("s-2", 0, [archived("12"), ended])]).await;
    let proof = world.prove(0).await;
    assert_eq!(proof.counts, Counts { archived: 2, deleted: 1, ..Counts::default() });
    assert!(proof.is_settled());
    for link in &proof.manifests {
        let version = link.version.as_ref().unwrap();
        assert!(world.bucket.read_version(&link.key, version).await.unwrap().is_some());
    }
    assert!(world.prover().issue(&proof).await.unwrap());
    let report = world.report(0).unwrap();
    assert_eq!((&report.proof, report.sequence, report.previous), (&proof, 1, None));
    world.clock.0.set(5);
    assert!(!world.prover().issue(&proof).await.unwrap(), "it would say the same");
    assert_eq!(world.report(0).unwrap().issued_ms, 0);
}

#[tokio::test]
async fn the_call_log_tells_what_no_row_has_heard_of() {
    let world = World::after(&[call("s-1", 0, [archived("11")])]).await;
    let offered = offering(&[("s-1", "11"), ("s-9", "19")]);
    let proof = world.prover().prove_day(&account(), day(0), offered).await.unwrap();
    assert_eq!(proof.defects, [Defect { class: DefectClass::MissingRow, about: about("19", "s-9") }].into());
    assert_eq!((proof.counts.offered(), proof.counts.missing), (2, 1));
    assert_eq!(proof.missing, [recording("19")].into());
}

#[tokio::test]
async fn an_object_of_ours_leads_to_its_row_through_its_metadata() {
    let world = World::after(&[call("s-1", 1, [archived("11")])]).await;
    for (name, id, of) in [("11.mp3", "11", "s-1"), ("12.wav", "12", "s-2"), ("13.mp3", "99", "s-3")] {
        let origin = ObjectOrigin { account: account(), session: session(of), recording: recording(id) };
        let object = NewObject { key: key(0, name), format: AudioFormat::Mp3, size_bytes: Some(0), origin };
        world.bucket.create(&object, Box::pin(futures_util::stream::empty())).await.unwrap();
    }
    let object = |class, name| Defect { class, about: About::Object(key(0, name)) };
    let expected = [
        Defect { class: DefectClass::MissingRow, about: about("12", "s-2") },
        object(DefectClass::Duplicate, "11.mp3"),
        object(DefectClass::StrayObject, "13.mp3"),
    ];
    assert_eq!(world.prove(0).await.defects, expected.into());
    assert!(world.prove(1).await.is_settled(), "the first object is where it belongs");
}

#[tokio::test]
async fn bytes_decide_where_neither_listing_nor_head_do() {
    let world = World::after(&[call("s-1", 0, [archived("11")])]).await;
    world.bucket.put_foreign(key(0, "11.mp3"), Bytes::from_static(b"AUDIO OF 11"));
    let expected = [Defect { class: DefectClass::ChangedBytes, about: about("11", "s-1") }];
    assert_eq!(world.prove(0).await.defects, expected.into());
    world.copy("s-1", "11");
    assert!(world.prove(0).await.is_settled());
}
