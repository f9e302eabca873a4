use shared::domain::{
    manifest::{Manifest, ManifestRecording},
    object_key::ObjectKey,
    session::RecordingState,
};

use crate::documents;

/// One manifest, or a newer and an older one with a zero byte between them. What is read is written and read back the
/// same; no object of it lies under a key that is not its own; merging loses nothing, and twice is once.
pub fn manifest(data: &[u8]) {
    let mut read = documents(data).take(2).filter_map(|document| Manifest::parse(document).ok());
    let Some(newer) = read.next() else { return };
    check(&newer);
    check_merge(&newer, &newer);
    assert_eq!(newer.clone().merge(&newer), newer, "merging the same again changes something");
    if let Some(mut older) = read.next()
        && older.key.account == newer.key.account
    {
        older.key = newer.key.clone();
        check(&older);
        check_merge(&newer, &older);
        check_merge(&older, &newer);
    }
}

fn check(manifest: &Manifest) {
    let json = manifest.to_json();
    assert_eq!(Manifest::parse(&json).as_ref(), Ok(manifest), "{}", String::from_utf8_lossy(&json));
    let key = manifest.object_key();
    assert_eq!((key.session().as_ref(), key.day()), (Some(&manifest.key.session), Some(manifest.day)));
    for (id, recording) in &manifest.recordings {
        let result = &recording.result;
        assert_eq!(result.key.is_some(), result.state == RecordingState::Archived);
        assert_eq!(result.archived.is_some(), result.key.is_some());
        let own = |key: &ObjectKey| key.is_of(&manifest.key.account, id) && !key.as_str().contains("..");
        assert!(result.key.as_ref().is_none_or(own), "a foreign key");
        let _ = (result.duration_check(), result.duration_is_odd());
    }
    let ended = manifest.recordings.values().filter(|recording| recording.result.state.is_final()).count();
    assert_eq!(manifest.endings().count(), ended);
    assert!(manifest.endings().all(|(id, heard, _)| heard.iter().all(|heard| heard.recording == *id)));
}

fn check_merge(newer: &Manifest, older: &Manifest) {
    let merged = newer.clone().merge(older);
    check(&merged);
    assert_eq!(merged.clone().merge(older), merged, "twice is not once");
    let state = |of: &ManifestRecording| of.result.state;
    for (id, recording) in newer.recordings.iter().chain(&older.recordings) {
        let Some(stands) = merged.recordings.get(id) else { panic!("a recording is lost") };
        assert!(recording.parties.is_subset(&stands.parties), "a party of a recording is lost");
        assert!(state(stands).is_final() || !state(recording).is_final(), "an ending is lost");
        assert!(state(stands) == RecordingState::Archived || state(recording) != RecordingState::Archived);
    }
    for (id, party) in newer.parties.iter().chain(&older.parties) {
        assert!(merged.parties.get(id).is_some_and(|merged| merged.ended || !party.ended), "a party is lost");
    }
}
