use super::*;
use crate::ports::{
    archive_store::ArchiveError,
    recording_source::{Closed, LiveCall, SourceError},
};

#[test]
fn what_the_media_url_gives_is_archived_described_and_settled() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1", "2"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1", "direct 2"], Gives::Audio);
    let summary = world.run();
    assert_eq!((summary.sessions, summary.archived, summary.direct, summary.call_log), (1, 2, 2, 0));
    assert_eq!((summary.backlog, summary.oldest_due_seconds, summary.stopped), (1, 60, None));
    assert_eq!(world.said(), ["direct 1", "direct 2"]);
    assert_eq!(world.bucket.bytes(&key(&one, "1")).as_deref(), Some(WAV));
    let kept = world.table.kept(&one.key);
    assert_eq!((kept.due_at_ms, kept.row.attempts), (None, 1));
    let manifest = Manifest::parse(&world.bucket.bytes(&kept.row.manifest.unwrap().key).unwrap()).unwrap();
    let told = manifest.recordings[&recording("1")].result.clone();
    assert_eq!(told.archived.map(|archived| archived.way), Some(Way::Direct));
    assert_eq!(*world.table.lease.borrow(), None, "the lease is given back");
}

#[test]
fn what_it_does_not_give_the_log_is_asked_for_once() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1", "2"], 60_000);
    let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["https://media/1"], Gives::Audio);
    world.vendor.answers.insert("s-1".into(), Ok(silent(&["1"])));
    let summary = world.run();
    assert_eq!(world.said(), ["direct 1", "direct 2", "ask s-1", "https://media/1"]);
    assert_eq!((summary.archived, summary.waiting, summary.direct, summary.call_log), (1, 1, 0, 1));
    assert_eq!(
        world.reason(&one, "2"),
        "direct: the vendor answered 404 without a code; call log: not offered (1 records)"
    );
    assert_eq!(world.standing(&one), (1, Some(60_040)), "it climbs the ladder");
}

#[test]
fn an_address_that_is_known_comes_first_and_is_not_asked_twice_in_vain() {
    let clock = Jumping::at(NOW_MS);
    let mut one = call("s-1", &["1"], 60_000);
    one.offers = silent(&["1"]).offered;
    let mut world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.answers.insert("s-1".into(), Ok(silent(&["1"])));
    let summary = world.run();
    assert_eq!(world.said(), ["https://media/1", "ask s-1"]);
    assert_eq!(summary.waiting, 1);
    let why = "contentUri: the vendor answered 404 without a code; call log: offered there";
    assert_eq!(world.reason(&one, "1"), why);
}

#[test]
fn two_sessions_are_asked_about_by_pages_and_from_the_second_look_on_by_themselves() {
    let clock = Jumping::at(NOW_MS);
    let (first, second) = (call("s-1", &["1"], 60_000), call("s-2", &["2"], 70_000));
    let again = SessionRow { attempts: 1, ..call("s-3", &["3"], 80_000) };
    let world = World::new(&clock, &[first.clone(), second.clone(), again.clone()]);
    let world = world.give(&["https://media/1"], Gives::Audio);
    world.vendor.pages.borrow_mut().push_back(Ok(page(&[("s-1", &["1"])])));
    let summary = world.run();
    let said = ["direct 3", "direct 2", "direct 1", "page 1", "ask s-3", "https://media/1"];
    assert_eq!(world.said(), said);
    let window = world.vendor.windows.borrow()[0].clone();
    assert_eq!((window.from_ms, window.to_ms), (9 * DAY_MS, NOW_MS - 60_000 + 60_000));
    assert_eq!((summary.call_log, summary.waiting), (1, 2));
    assert!(world.reason(&second, "2").ends_with("call log: not offered on its pages"));
    assert!(world.reason(&again, "3").ends_with("call log: not offered (1 records)"));
}

#[test]
fn pages_that_cannot_be_read_are_told_and_further_ones_are_read_while_something_may_be_on_them() {
    let clock = Jumping::at(NOW_MS);
    let rows = [call("s-1", &["1"], 60_000), call("s-2", &["2"], 7_000_000)];
    let unread = World::new(&clock, &rows);
    unread.vendor.pages.borrow_mut().push_back(Err(SourceError::Malformed("no page")));
    unread.run();
    assert!(unread.reason(&rows[0], "1").ends_with("call log: cannot read the vendor's answer: no page"));

    for (oldest_ago_ms, pages) in [(6_999_999, 2), (7_000_000, 2), (7_000_001, 1)] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, &rows);
        let first = page(&[("s-9", &["9"])]);
        let first =
            crate::domain::call_log::CallLogPage { more: true, oldest_ms: Some(NOW_MS - oldest_ago_ms), ..first };
        world.vendor.pages.borrow_mut().push_back(Ok(first));
        world.run();
        assert_eq!(world.vendor.windows.borrow().len(), pages, "{oldest_ago_ms}");
    }
}

#[test]
fn of_the_free_permits_one_is_kept_for_the_question() {
    for (permits, said) in [
        (1, &["direct 1"][..]),
        (2, &["direct 1", "ask s-1"]),
        (3, &["direct 1", "direct 2", "ask s-1"]),
        (4, &["direct 1", "direct 2", "direct 3", "ask s-1"]),
    ] {
        let clock = Jumping::at(NOW_MS);
        let one = call("s-1", &["1", "2", "3"], 60_000);
        let world = World::new(&clock, std::slice::from_ref(&one));
        world.vendor.permits.set(permits);
        world.run();
        assert_eq!(world.said(), said, "{permits}");
        let counted = permits == 4;
        assert_eq!(world.standing(&one).0, u32::from(counted), "a look that had too few permits is none: {permits}");
    }
}

#[test]
fn without_a_permit_a_session_keeps_its_place() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.permits.set(0);
    let summary = world.run();
    assert_eq!((summary.stopped, summary.waiting), (Some(Stopped::Throttled), 1));
    let kept = world.table.kept(&one.key);
    assert_eq!((kept.row.attempts, kept.due_at_ms), (0, Some(one.seen_at_ms)));
}

#[test]
fn what_comes_in_while_it_is_looked_at_is_planned_for_at_once() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1", "direct 2"], Gives::Audio);
    let more = SessionRow { attempts: 1, ..call("s-1", &["1", "2"], 60_000) };
    world.table.meanwhile.borrow_mut().insert(one.key.clone(), more);
    let summary = world.run();
    assert_eq!((summary.sessions, summary.archived), (1, 2));
    assert_eq!(world.standing(&one), (1, None));
}

#[test]
fn a_call_of_which_nobody_told_the_end_is_tried_unless_it_runs() {
    let clock = Jumping::at(NOW_MS);
    let mut quiet = call("s-1", &["1"], 900_000);
    quiet.ended.clear();
    let world = World::new(&clock, std::slice::from_ref(&quiet)).give(&["direct 1"], Gives::Audio);
    world.run();
    assert_eq!(world.said(), ["live s-1", "direct 1"]);
    let mut running = World::new(&clock, std::slice::from_ref(&quiet));
    running.vendor.live.insert("s-1".into(), LiveCall::Running { ended: [].into() });
    running.run();
    assert_eq!(running.said(), ["live s-1"]);
    assert_eq!(running.standing(&quiet).0, 0);
}

#[test]
fn what_a_person_must_see_rests_for_a_day_and_is_counted() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Forbidden);
    world = world.give(&["https://media/1"], Gives::Forbidden);
    world.vendor.answers.insert("s-1".into(), Ok(silent(&["1"])));
    let summary = world.run();
    assert_eq!((summary.forbidden, summary.foreign_hosts), (1, 0));
    let (_, due_ms) = world.standing(&one);
    assert!(due_ms.unwrap() >= DAY_MS, "{due_ms:?}");

    let clock = Jumping::at(NOW_MS);
    let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["https://media/1"], Gives::Elsewhere);
    world.vendor.answers.insert("s-1".into(), Ok(silent(&["1"])));
    let summary = world.run();
    assert_eq!((summary.forbidden, summary.foreign_hosts), (0, 1));
    assert_eq!(world.standing(&one), (1, Some(60_030)), "the host may be put right at any time");
}

#[test]
fn a_row_that_cannot_be_read_or_written_does_not_keep_the_others() {
    let rows = [call("s-1", &["1"], 60_000), call("s-2", &["2"], 70_000)];
    for call in ["claim s-1", "finish s-1"] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, &rows).give(&["direct 1", "direct 2"], Gives::Audio);
        let spoiled = || StoreError::Corrupt("spoiled");
        world.table.fails.replace(vec![(call, spoiled as fn() -> StoreError); 9]);
        let summary = world.run();
        assert_eq!((summary.unreadable > 0, summary.archived), (true, 1), "{call}");
        assert_eq!(world.state(&rows[1], "2"), RecordingState::Archived, "{call}");
    }
}

#[test]
fn a_table_that_fails_ends_the_run_and_what_was_claimed_is_put_back() {
    let rows = [call("s-1", &["1"], 60_000), call("s-2", &["2"], 70_000)];
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, &rows).give(&["direct 1", "direct 2"], Gives::Audio);
    world.table.fails.borrow_mut().push(("claim s-1", || StoreError::Unavailable("503".into())));
    assert!(matches!(world.try_run(), Err(StoreError::Unavailable(_))));
    let kept = world.table.kept(&rows[1].key);
    assert_eq!((kept.due_at_ms, kept.row.attempts), (Some(rows[1].seen_at_ms), 0));
    assert!(world.said().is_empty());

    let world = World::new(&clock, &rows[..1]).give(&["direct 1"], Gives::Audio);
    world.table.fails.borrow_mut().push(("release", || StoreError::Unavailable("503".into())));
    assert!(matches!(world.try_run(), Err(StoreError::Unavailable(_))), "the next run would stand before the lease");
}

#[test]
fn a_bucket_that_does_not_take_it_lets_it_wait_and_is_asked_no_other_way() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.fails.borrow_mut().push(("create", || ArchiveError::Unavailable("503".into())));
    let summary = world.run();
    assert_eq!((summary.waiting, world.said()), (1, vec!["direct 1".to_owned()]));
    assert_eq!(world.reason(&one, "1"), "could not store the object: 503");
}

#[test]
fn a_session_whose_manifest_cannot_be_written_is_not_settled() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.bucket.fails.borrow_mut().push(("write", || ArchiveError::Unavailable("503".into())));
    let summary = world.run();
    assert_eq!((summary.archived, summary.undescribed, summary.conflicts), (1, 1, 0));
    assert_eq!(world.standing(&one), (1, Some(60_010)));
}

#[test]
fn permits_that_become_free_meanwhile_are_used_and_then_no_more_is_asked() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1", "2", "3"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.frees.borrow_mut().extend([2, 3, 9]);
    world.run();
    assert_eq!(world.said(), ["direct 1", "direct 2", "direct 3", "ask s-1"]);
    assert_eq!(world.vendor.frees.borrow().len(), 1, "nothing was left to be tried");
}

#[test]
fn sessions_share_the_permits_that_are_free() {
    let clock = Jumping::at(NOW_MS);
    let rows = [call("s-1", &["1", "2"], 70_000), call("s-2", &["3", "4"], 60_000)];
    let world = World::new(&clock, &rows);
    world.vendor.permits.set(4);
    world.run();
    assert_eq!(world.said(), ["direct 1", "direct 3", "direct 2", "page 1"]);
}

#[test]
fn what_the_first_pages_said_is_worth_having_though_a_further_one_is_refused() {
    let rows = [call("s-1", &["1"], 60_000), call("s-2", &["2"], 7_000_000)];
    let throttled = || SourceError::Closed(Closed::Throttled { retry_after: Duration::from_secs(60) });
    let run = |first: Result<_, SourceError>, second| {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, &rows).give(&["https://media/1"], Gives::Audio);
        world.vendor.pages.borrow_mut().extend([first, Err(second)]);
        let summary = world.run();
        (summary.stopped, summary.call_log, world.reason(&rows[1], "2"))
    };
    let first = || {
        let page = page(&[("s-1", &["1"])]);
        Ok(crate::domain::call_log::CallLogPage { more: true, oldest_ms: Some(NOW_MS), ..page })
    };
    for second in [throttled(), SourceError::Malformed("no page")] {
        let (stopped, call_log, why) = run(first(), second);
        assert_eq!((stopped, call_log), (None, 1));
        assert!(why.ends_with("call log: not offered on its pages"), "{why}");
    }
    assert_eq!(run(Err(throttled()), throttled()).0, Some(Stopped::Throttled), "without a first page there is nothing");
}

#[test]
fn a_table_that_fails_in_the_middle_ends_the_run_unless_the_vendor_has_ended_it() {
    let one = call("s-1", &["1"], 60_000);
    let busy: fn() -> StoreError = || StoreError::Unavailable("503".into());
    for gives in [Gives::Audio, Gives::Status(404)] {
        let clock = Jumping::at(NOW_MS);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], gives);
        world.table.fails.borrow_mut().push(("finish s-1", busy));
        assert!(matches!(world.try_run(), Err(StoreError::Unavailable(_))), "{gives:?}");
    }
    let clock = Jumping::at(NOW_MS);
    let world = World::new(&clock, std::slice::from_ref(&one));
    world.vendor.permits.set(0);
    world.table.fails.borrow_mut().push(("finish s-1", busy));
    assert_eq!(world.run().stopped, Some(Stopped::Throttled), "its claim brings the session back");
}

#[test]
fn a_manifest_is_written_unread_at_the_first_look_and_read_at_a_later_one() {
    let manifests = |world: &World<'_>| -> Vec<_> {
        let said = world.bucket.said.take();
        let said = said.into_iter().filter(|said| said.contains(" sessions/"));
        said.map(|said| said.split(' ').next().unwrap().to_owned()).collect()
    };
    for (attempts, said) in [(0, &["write"][..]), (1, &["read", "write"])] {
        let clock = Jumping::at(NOW_MS);
        let one = SessionRow { attempts, ..call("s-1", &["1"], 60_000) };
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        world.run();
        assert_eq!(manifests(&world), said);

        let known = world.table.kept(&one.key).row;
        let again = World { table: Table::with([(known.clone(), NOW_MS)]), ..world };
        again.run();
        assert_eq!(manifests(&again), Vec::<String>::new(), "the row knows that the bucket has it");
        let forgotten = SessionRow { manifest: None, ..known };
        let again = World { table: Table::with([(forgotten, NOW_MS)]), ..again };
        again.run();
        assert_eq!(manifests(&again), ["read"], "and it is not written twice");
    }
}
