//! A recording that was erased by the steps of docs/SECURITY.md.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::domain::session::RecordingResult;

use super::*;

const REASON: &str = "erased on request";

/// Step 3: the manifest without what was archived and without numbers, as the page's jq writes it.
fn erased_from(manifest: &[u8], id: &str) -> String {
    let mut manifest: Value = serde_json::from_slice(manifest).unwrap();
    for told in manifest["recordings"].as_array_mut().unwrap() {
        let told = told.as_object_mut().unwrap();
        told.remove("call_log");
        if told["id"] == id {
            told.remove("object");
            told.remove("duration_check");
            told.insert("state".into(), json!("deleted"));
            told.insert("reason".into(), json!(REASON));
            told.insert("decided_at".into(), json!("2026-03-04T08:00:00.000Z"));
        }
    }
    for party in manifest["parties"].as_array_mut().into_iter().flatten() {
        party.as_object_mut().unwrap().remove("event");
    }
    manifest.to_string()
}

#[tokio::test]
async fn a_recording_erased_on_request_is_told_of_as_deleted_and_nothing_is_wrong() {
    let call = call("s-1", 0, [archived("11"), archived("12")]);
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(std::slice::from_ref(&call)).await;
    world.run(1, "01:00:00").await;
    assert_eq!(world.report(0).unwrap().proof.counts.archived, 2);

    world.bucket.remove(&key(0, "11.mp3"));
    assert_eq!(world.prove(0).await.missing, [recording("11")].into(), "the audio alone is missed");
    let manifest = ObjectKey::manifest(&account(), day(0), &session("s-1"));
    let erased = erased_from(&world.bucket.document(&manifest).unwrap(), "11");
    world.bucket.remove(&manifest);
    world.overwrite(&manifest, &erased).await;
    world.table.tamper(&call.key, |mut row| {
        let reason = Some(REASON.to_owned());
        let result = RecordingResult { state: RecordingState::Deleted, reason, at_ms: 1, ..RecordingResult::default() };
        row.results.insert(recording("11"), result);
        row.manifest.as_mut().unwrap().sha256 = BASE64_STANDARD.encode(Sha256::digest(&erased));
        Some(row)
    });

    world.run(1, "02:00:00").await;
    let report = world.report(0).unwrap();
    assert_eq!(report.proof.counts, Counts { archived: 1, deleted: 1, ..Counts::default() });
    assert_eq!((report.proof.defects, report.proof.waiting), (BTreeSet::new(), BTreeSet::new()));
    assert_eq!(world.broken().await, [], "the chain is whole");

    world.table.tamper(&call.key, |_| None);
    assert_eq!(world.prove(0).await.counts, report.proof.counts, "the manifest says it when the row has gone");
}
