//! What the bucket holds already is not fetched again.

use super::*;
use crate::{
    domain::{
        call_log::Listed,
        checksum::{Digests, Verified},
        session::{ArchivedBytes, RecordingResult},
    },
    ports::archive_store::ArchiveError,
};

const SHORTLY_MS: u64 = 1_000;
const LATE_MS: u64 = 300_000;

/// A call that was first heard of so long after it happened.
fn late(session: &str, recordings: &[&str], by_ms: u64) -> SessionRow {
    let mut row = call(session, recordings, 60_000);
    row.happened_ms = row.seen_at_ms - by_ms;
    row.day = Day::of(row.happened_ms);
    row
}

#[test]
fn an_upload_whose_run_died_is_adopted_before_any_request() {
    let mut one = call("s-1", &["1"], 60_000);
    one.results.insert(recording("1"), RecordingResult { key: Some(key(&one, "1")), ..RecordingResult::default() });
    for (held, said, counts) in [
        (Some(Some(origin(&one, "1"))), vec![], (1, 0, 0)),
        (None, vec!["direct 1"], (0, 1, 0)),
        // Other hands put it there: the bucket takes no second one.
        (Some(None), vec!["direct 1"], (0, 0, 1)),
        (Some(Some(origin(&one, "2"))), vec!["direct 1"], (0, 0, 1)),
    ] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        if let Some(origin) = held {
            world.bucket.put(&key(&one, "1"), WAV, origin);
        }
        let summary = world.run();
        assert_eq!((summary.adopted, summary.direct, summary.conflicts), counts);
        assert_eq!(world.said(), said);
    }
}

#[test]
fn an_object_of_another_account_or_without_bytes_is_not_ours() {
    let one = call("s-1", &["1"], 60_000);
    let theirs = ObjectOrigin { account: id(crate::domain::ids::AccountId::parse, "801"), ..origin(&one, "1") };
    for (bytes, origin) in [(WAV, theirs), (&b""[..], origin(&one, "1"))] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        world.bucket.put(&key(&one, "1"), bytes, Some(origin));
        let summary = world.run();
        assert_eq!((summary.conflicts, summary.waiting), (1, 1));
        assert_eq!(world.reason(&one, "1"), "conflict: an object of other hands lies there");
    }
}

#[test]
fn what_another_call_has_stored_is_the_same_recording_if_its_bytes_are() {
    let one = call("s-1", &["1"], 60_000);
    let other = ObjectOrigin { session: id(TelephonySessionId::parse, "s-9"), ..origin(&one, "1") };
    for (bytes, archived, conflicts) in [(WAV, 1, 0), (&b"RIFF\x24\0\0\0WAVEfmt and others"[..], 0, 1)] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        world.bucket.put(&key(&one, "1"), bytes, Some(other.clone()));
        let summary = world.run();
        assert_eq!((summary.archived, summary.conflicts), (archived, conflicts));
    }
}

#[test]
fn an_answer_of_the_bucket_that_was_lost_is_asked_for() {
    let one = call("s-1", &["1"], 60_000);
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.fails.borrow_mut().push(("create", || ArchiveError::Indeterminate("timeout".into())));
    assert_eq!(world.run().waiting, 1);
    assert_eq!(world.reason(&one, "1"), "the bucket does not hold the object");
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.fails.borrow_mut().push(("create", || ArchiveError::Rejected("AccessDenied".into())));
    world.bucket.put(&key(&one, "1"), WAV, Some(origin(&one, "1")));
    assert_eq!(world.run().waiting, 1, "a clear no is not asked about");
    assert!(!world.bucket.said.borrow().iter().any(|said| said.starts_with("held")));
}

/// The manifest that an earlier table's row has left in the bucket.
fn described(world: &World<'_>, row: &SessionRow, state: RecordingState) -> Manifest {
    let archived = ArchivedBytes {
        sha256: crate::usecases::documents::sha256(WAV),
        crc64nvme: None,
        etag: crate::usecases::documents::sha256(WAV),
        size_bytes: WAV.len() as u64,
        format: AudioFormat::Wav,
        duration_ms: None,
        way: Way::CallLog,
    };
    let proof = state == RecordingState::Archived;
    let result = RecordingResult {
        state,
        key: proof.then(|| key(row, "1")),
        archived: proof.then_some(archived),
        at_ms: 7,
        ..RecordingResult::default()
    };
    let known = SessionRow { results: [(recording("1"), result)].into(), ..row.clone() };
    let manifest = Manifest::of(&known);
    world.bucket.put(&manifest.object_key(), &manifest.to_json(), None);
    manifest
}

#[test]
fn a_late_call_is_what_its_manifest_and_the_bucket_say() {
    for (by_ms, restored) in [(LATE_MS, true), (LATE_MS - 1, false)] {
        let one = late("s-1", &["1"], by_ms);
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        let manifest = described(&world, &one, RecordingState::Archived);
        world.bucket.put(&key(&one, "1"), WAV, Some(origin(&one, "1")));
        let summary = world.run();
        assert_eq!((summary.adopted, world.said().is_empty()), (usize::from(restored), restored), "{by_ms}");
        let kept = world.table.kept(&one.key);
        let result = kept.row.result(&recording("1"));
        assert_eq!(result.at_ms == 7, restored, "as it was archived then");
        let key = kept.row.manifest.unwrap().key;
        assert_eq!(world.bucket.bytes(&key).map(|json| json == manifest.to_json()), Some(true));
    }
}

#[test]
fn an_object_that_has_gone_since_is_fetched_again() {
    let one = late("s-1", &["1"], LATE_MS);
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    described(&world, &one, RecordingState::Archived);
    let summary = world.run();
    assert_eq!((summary.adopted, summary.direct), (0, 1));
}

#[test]
fn an_ending_without_an_object_counts_for_what_nobody_told_of_anew() {
    let clock = Jumping::at(NOW_MS);
    let one = late("s-1", &["1"], LATE_MS);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    described(&world, &one, RecordingState::TooShort);
    assert_eq!(
        (world.run().direct, world.state(&one, "1")),
        (1, RecordingState::Archived),
        "the event may know better"
    );

    let other = late("s-1", &["2"], LATE_MS);
    let world = World::new(&clock, std::slice::from_ref(&other)).give(&["direct 2"], Gives::Audio);
    described(&world, &one, RecordingState::TooShort);
    let summary = world.run();
    assert_eq!((summary.direct, summary.too_short, summary.adopted), (1, 1, 0));
    assert_eq!(world.state(&other, "1"), RecordingState::TooShort);
}

#[test]
fn an_object_without_a_manifest_is_found_on_the_day_and_its_neighbours() {
    for (days, found) in [(-1, true), (0, true), (1, true), (2, false), (-2, false)] {
        let clock = Jumping::at(NOW_MS);
        let one = late("s-1", &["1"], LATE_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        let day = Day::of(one.day.start_ms().saturating_add_signed(days * DAY_MS as i64));
        let key = ObjectKey::of(&one.key.account, day, &recording("1"), AudioFormat::Wav);
        world.bucket.put(&key, WAV, Some(origin(&one, "1")));
        let summary = world.run();
        assert_eq!((summary.adopted, summary.direct), if found { (1, 0) } else { (0, 1) }, "{days}");
    }
    let clock = Jumping::at(NOW_MS);
    let prompt = late("s-1", &["1"], SHORTLY_MS);
    let world = World::new(&clock, std::slice::from_ref(&prompt)).give(&["direct 1"], Gives::Audio);
    world.run();
    assert!(!world.bucket.said.borrow().iter().any(|said| said.starts_with("held")), "of today's nothing is asked");
}

#[test]
fn without_a_look_into_the_bucket_nothing_late_is_fetched() {
    let clock = Jumping::at(NOW_MS);
    let one = late("s-1", &["1"], LATE_MS);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.fails.borrow_mut().push(("held", || ArchiveError::Unavailable("503".into())));
    assert_eq!((world.run().waiting, world.said()), (1, vec![]));
    assert_eq!(world.reason(&one, "1"), "could not store the object: 503");
}

#[test]
fn what_is_no_manifest_under_its_key_is_a_conflict_and_left_alone() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    let foreign = Manifest::of(&call("s-2", &["1"], 60_000)).to_json();
    let key = ObjectKey::manifest(&one.key.account, one.day, &one.key.session);
    world.bucket.put(&key, &foreign, None);
    let summary = world.run();
    assert_eq!((summary.archived, summary.undescribed, summary.conflicts), (1, 1, 1));
    assert_eq!(world.bucket.bytes(&key).as_deref(), Some(&foreign[..]));
}

#[test]
fn an_object_that_was_there_before_the_body_came_is_adopted_if_it_is_as_long() {
    let one = call("s-1", &["1"], 60_000);
    for (bytes, adopted, conflicts) in [(WAV, 1, 0), (&WAV[..20], 0, 1)] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        world.bucket.hasty.set(true);
        world.bucket.put(&key(&one, "1"), bytes, Some(origin(&one, "1")));
        let summary = world.run();
        assert_eq!((summary.adopted, summary.conflicts), (adopted, conflicts));
    }
}

#[test]
fn a_bucket_that_confirms_other_bytes_is_a_conflict() {
    let one = call("s-1", &["1"], 60_000);
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.verifies.replace(Some(Verified::Sha256("other".into())));
    assert_eq!((world.run().conflicts, world.state(&one, "1")), (1, RecordingState::Waiting));
    assert_eq!(world.reason(&one, "1"), "conflict: the bucket confirmed other bytes than were sent");
}

#[test]
fn what_came_in_parts_is_read_back_before_it_is_adopted() {
    let mut one = call("s-1", &["1"], 60_000);
    one.results.insert(recording("1"), RecordingResult { key: Some(key(&one, "1")), ..RecordingResult::default() });
    let mut digests = Digests::default();
    digests.add(WAV);
    let crc64nvme = digests.finish().crc64nvme;
    for (verified, adopted) in [(crc64nvme.clone(), 1), ("other".into(), 0)] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one));
        world.bucket.put(&key(&one, "1"), WAV, Some(origin(&one, "1")));
        world.bucket.verifies.replace(Some(Verified::Crc64Nvme(verified)));
        assert_eq!(world.run().adopted, adopted);
        let archived = world.table.kept(&one.key).row.result(&recording("1")).archived;
        let proof = archived.map(|archived| (archived.sha256, archived.crc64nvme));
        let expected = (crate::usecases::documents::sha256(WAV), Some(crc64nvme.clone()));
        assert_eq!(proof, (adopted == 1).then_some(expected));
    }
}

/// A call that was heard of at once, whose recording the log has been silent on for so long.
fn long_silent(silent_ms: u64) -> SessionRow {
    let mut row = call("s-1", &["1"], 2 * 3_600_000);
    let result = RecordingResult { silent_since_ms: Some(NOW_MS - silent_ms), ..RecordingResult::default() };
    row.results.insert(recording("1"), result);
    row
}

#[test]
fn what_the_bucket_holds_does_not_end_without_an_object_in_a_table_that_has_forgotten_it() {
    let (described_too, by_its_object, nothing) = (2, 1, 0);
    for (known, state) in [
        (described_too, RecordingState::Archived),
        (by_its_object, RecordingState::Archived),
        (nothing, RecordingState::Unavailable),
    ] {
        let clock = Jumping::at(NOW_MS);
        let one = long_silent(3_600_000);
        let mut world = World::new(&clock, std::slice::from_ref(&one));
        world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
        if known >= by_its_object {
            world.bucket.put(&key(&one, "1"), WAV, Some(origin(&one, "1")));
        }
        if known == described_too {
            described(&world, &one, RecordingState::Archived);
        }
        let summary = world.run();
        assert_eq!(world.state(&one, "1"), state);
        let archived = state == RecordingState::Archived;
        assert_eq!((summary.adopted, summary.unavailable), if archived { (1, 0) } else { (0, 1) });
    }
}

#[test]
fn silence_ends_nothing_that_the_vendor_does_not_deny_when_asked_for_its_bytes() {
    let still_kept = 90 * DAY_MS;
    for (gives, kept_ms, state) in [
        (Gives::Status(404), still_kept, RecordingState::Unavailable),
        (Gives::Status(410), still_kept, RecordingState::Unavailable),
        (Gives::Status(400), still_kept, RecordingState::Waiting),
        (Gives::Status(502), still_kept, RecordingState::Waiting),
        (Gives::Status(302), still_kept, RecordingState::Waiting),
        (Gives::Forbidden, still_kept, RecordingState::Waiting),
        (Gives::Page, still_kept, RecordingState::Waiting),
        (Gives::Half, still_kept, RecordingState::Waiting),
        (Gives::Status(502), 60_000, RecordingState::Unavailable),
        (Gives::Status(404), 60_000, RecordingState::Unavailable),
    ] {
        let clock = Jumping::at(NOW_MS);
        let one = long_silent(3_600_000);
        let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], gives);
        world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
        world.retention = Duration::from_millis(kept_ms);
        let summary = world.run();
        let case = format!("{gives:?}, kept for {kept_ms} ms");
        assert_eq!(world.state(&one, "1"), state, "{case}");
        let outlived = world.reason(&one, "1").ends_with("; the vendor keeps none so long");
        assert_eq!(outlived, kept_ms < still_kept && !matches!(gives, Gives::Status(404)), "{case}");
        assert_eq!(summary.forbidden, usize::from(matches!(gives, Gives::Forbidden)), "{case}");
    }
}

#[test]
fn what_was_offered_is_deleted_when_it_is_denied_and_who_is_barred_is_told_when_the_log_will_not_help() {
    for (gives, silent_ms, state, forbidden) in [
        (Gives::Status(404), 3_600_000, RecordingState::Deleted, 0),
        (Gives::Status(502), 3_600_000, RecordingState::Waiting, 0),
        (Gives::Forbidden, 3_600_000, RecordingState::Waiting, 1),
        (Gives::Forbidden, 3_000_000, RecordingState::Waiting, 0),
    ] {
        let clock = Jumping::at(NOW_MS);
        let mut one = long_silent(silent_ms);
        one.results.values_mut().for_each(|result| result.listed = Some(Listed::default()));
        let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], gives);
        world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
        assert_eq!((world.run().forbidden, world.state(&one, "1")), (forbidden, state), "{gives:?} {silent_ms}");
    }
}

#[test]
fn silence_ends_nothing_in_a_look_that_did_not_ask_for_the_bytes() {
    let clock = Jumping::at(NOW_MS);
    let mut one = long_silent(3_600_000);
    one.results.values_mut().for_each(|result| result.at_ms = NOW_MS - 3_600_000);
    one.heard.extend(call("s-1", &["2"], 0).heard);
    let mut world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
    world.vendor.frees.borrow_mut().extend([2, 1]);
    world.retention = Duration::from_millis(60_000);
    world.run();
    assert_eq!(world.said(), ["direct 2", "ask s-1"]);
    assert_eq!(world.state(&one, "1"), RecordingState::Waiting);
}

#[test]
fn nothing_ends_without_an_object_while_the_bucket_does_not_answer_and_until_then_it_is_not_asked() {
    let clock = Jumping::at(NOW_MS);
    let one = long_silent(3_600_000);
    let mut world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
    world.bucket.fails.borrow_mut().push(("held", || ArchiveError::Unavailable("503".into())));
    assert_eq!((world.run().waiting, world.state(&one, "1")), (1, RecordingState::Waiting));
    assert!(world.reason(&one, "1").ends_with("could not store the object: 503"), "{}", world.reason(&one, "1"));

    let early = long_silent(3_000_000);
    let mut world = World::new(&clock, std::slice::from_ref(&early));
    world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
    assert_eq!(world.run().waiting, 1);
    assert!(!world.bucket.said.borrow().iter().any(|said| said.starts_with("held")));
}

#[test]
fn an_upload_that_cannot_be_adopted_now_does_not_end_either() {
    for (fails, state) in [(true, RecordingState::Waiting), (false, RecordingState::Archived)] {
        let clock = Jumping::at(NOW_MS);
        let mut one = long_silent(3_600_000);
        let key = key(&one, "1");
        one.results.values_mut().for_each(|result| result.key = Some(key.clone()));
        let mut world = World::new(&clock, std::slice::from_ref(&one));
        world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
        world.bucket.put(&key, WAV, Some(origin(&one, "1")));
        if fails {
            let away = || ArchiveError::Unavailable("503".into());
            world.bucket.fails.borrow_mut().extend([("held", away as fn() -> ArchiveError); 2]);
        }
        world.run();
        assert_eq!(world.state(&one, "1"), state);
    }
}

#[test]
fn an_object_of_ours_that_does_not_read_as_it_was_verified_keeps_its_recording_waiting() {
    let clock = Jumping::at(NOW_MS);
    let one = long_silent(3_600_000);
    let mut world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.answers.insert("s-1".into(), Ok(silent(&[])));
    world.bucket.verifies.replace(Some(Verified::Crc64Nvme("other".into())));
    world.bucket.put(&key(&one, "1"), WAV, Some(origin(&one, "1")));
    assert_eq!((world.run().waiting, world.state(&one, "1")), (1, RecordingState::Waiting));
    let why = "the object does not read as the bucket verified it";
    assert!(world.reason(&one, "1").ends_with(why), "{}", world.reason(&one, "1"));
}

#[test]
fn a_page_and_half_a_recording_are_not_stored() {
    for gives in [Gives::Page, Gives::Half] {
        let clock = Jumping::at(NOW_MS);
        let one = call("s-1", &["1"], 60_000);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], gives);
        assert_eq!((world.run().waiting, world.state(&one, "1")), (1, RecordingState::Waiting), "{gives:?}");
        assert_eq!(world.bucket.bytes(&key(&one, "1")), None);
    }
}
