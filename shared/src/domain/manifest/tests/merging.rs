use super::*;

/// A manifest with one recording that stands like this.
fn with(result: RecordingResult) -> Manifest {
    let mut manifest = Manifest::of(&row());
    manifest.recordings.pop_last();
    manifest.recordings.values_mut().for_each(|recording| recording.result = result.clone());
    manifest
}

fn merged_result(newer: &RecordingResult, older: &RecordingResult) -> RecordingResult {
    let mut merged = with(newer.clone()).merge(&with(older.clone()));
    merged.recordings.pop_first().unwrap().1.result
}

/// Everything a recording can be, in its newer and its older version.
fn results() -> Vec<RecordingResult> {
    let archived = row().results.into_values().next().unwrap();
    let log = |content_uri: Option<&str>, silent_since_ms, kind: Option<&str>| RecordingResult {
        content_uri: content_uri.map(str::to_owned),
        silent_since_ms,
        listed: kind.map(|kind| Listed { kind: Some(kind.into()), ..Listed::default() }),
        ..RecordingResult::default()
    };
    let logs = [
        log(None, None, None),
        log(Some("https://a/1"), None, Some("Automatic")),
        log(Some("https://b/1"), None, Some("OnDemand")),
        log(None, Some(7), None),
        log(None, Some(8), Some("OnDemand")),
    ];
    let mut results = vec![archived.clone()];
    for log in logs {
        let ended = |state, at_ms| RecordingResult { state, reason: Some(format!("{at_ms}")), at_ms, ..log.clone() };
        results.push(ended(RecordingState::TooShort, 1));
        results.push(ended(RecordingState::Unavailable, 2));
        results.push(RecordingResult {
            state: RecordingState::Archived,
            key: archived.key.clone(),
            archived: archived.archived.clone().map(|bytes| ArchivedBytes { way: Way::Adopted, ..bytes }),
            at_ms: 3,
            ..log.clone()
        });
        results.push(log);
    }
    results
}

#[test]
fn what_the_row_knows_again_changes_nothing() {
    for result in results() {
        let manifest = with(result);
        assert_eq!(manifest.clone().merge(&manifest), manifest);
    }
    let manifest = Manifest::of(&row());
    assert_eq!(manifest.clone().merge(&manifest), manifest);
}

#[test]
fn merging_once_is_enough_and_loses_no_ending() {
    for newer in results() {
        for older in results() {
            let once = with(newer.clone()).merge(&with(older.clone()));
            assert_eq!(once.clone().merge(&with(older.clone())), once, "{newer:?}\n{older:?}");
            assert_eq!(parsed(&json(&once)), Ok(once.clone()));
            let result = merged_result(&newer, &older);
            assert_eq!(result.state.is_final(), newer.state.is_final() || older.state.is_final());
            let object = |of: &RecordingResult| of.key.clone().zip(of.archived.clone().map(|archived| archived.sha256));
            if object(&newer).is_some_and(|newer| object(&older).is_some_and(|older| older != newer)) {
                assert_eq!((&result.archived, result.at_ms), (&newer.archived, newer.at_ms), "the older one has gone");
            } else if older.state == RecordingState::Archived {
                assert_eq!((&result.archived, result.at_ms), (&older.archived, older.at_ms));
            } else if newer.state.is_final() {
                assert_eq!((result.state, result.at_ms), (newer.state, newer.at_ms));
            }
        }
    }
}

#[test]
fn of_two_objects_the_newer_stands_and_of_one_object_what_was_first_said() {
    let older = row().results.into_values().next().unwrap();
    let newer = |sha256: &str, key: &str| RecordingResult {
        key: Some(ObjectKey::from_row(key.into())),
        archived: older.archived.clone().map(|bytes| ArchivedBytes { sha256: sha256.into(), ..bytes }),
        at_ms: older.at_ms + 1,
        ..older.clone()
    };
    let (sha256, key) = (older.archived.clone().unwrap().sha256, older.key.clone().unwrap());
    assert_eq!(merged_result(&newer(&sha256, key.as_str()), &older), older);
    for other in [newer("other", key.as_str()), newer(&sha256, "recordings/other"), newer("other", "recordings/other")]
    {
        assert_eq!(merged_result(&other, &older), other);
    }
}

#[test]
fn what_both_know_stands_as_the_older_says_and_gaps_are_filled() {
    let listed =
        |kind: Option<&str>, duration_s| Listed { kind: kind.map(str::to_owned), duration_s, ..Listed::default() };
    let waits = |uri: Option<&str>, listed| RecordingResult {
        content_uri: uri.map(str::to_owned),
        listed: Some(listed),
        ..RecordingResult::default()
    };
    let older = waits(None, listed(Some("Automatic"), None));
    let newer = waits(Some("https://b/1"), listed(Some("OnDemand"), Some(7)));
    let expected = waits(Some("https://b/1"), listed(Some("Automatic"), Some(7)));
    assert_eq!(merged_result(&newer, &older), expected);

    let silent = RecordingResult {
        state: RecordingState::Unavailable,
        silent_since_ms: Some(1),
        ..waits(None, listed(None, None))
    };
    assert_eq!(merged_result(&silent, &newer).content_uri, None, "silence has taken the address back");
}

#[test]
fn parties_and_recordings_are_united() {
    let whole = Manifest::of(&row());
    let mut newer = Manifest { happened_ms: 1, first_seen_ms: 2, session_id: None, ..whole.clone() };
    newer.recordings.pop_first();
    newer.parties.pop_first();
    for party in newer.parties.values_mut() {
        *party = ManifestParty { ended: false, about: PartyAbout { to: Some("101".into()), ..PartyAbout::default() } };
    }
    newer.recordings.values_mut().for_each(|recording| recording.parties.clear());
    let other = (id(RecordingId::parse, "999"), whole.recordings.values().next_back().unwrap().clone());
    newer.recordings.extend([other.clone()]);

    let mut expected = whole.clone();
    expected.recordings.extend([other]);
    let last = expected.parties.values_mut().next_back().unwrap();
    last.about.to = Some("101".into());
    assert_eq!(newer.merge(&whole), expected);
}
