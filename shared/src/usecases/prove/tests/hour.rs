use super::*;

#[test]
fn a_closed_day_is_proved_and_its_report_issued_once() {
    let world = World::new();
    world.settled("s-1", "1", yesterday());
    let found = world.run();
    assert_eq!((found.days, found.issued, found.unfinished, found.defects.len()), (1, 1, false, 0));
    assert_eq!(found.counts.map(|counts| counts.archived), Some(1));
    let report = world.report(yesterday()).unwrap();
    assert_eq!((report.sequence, report.issued_ms, report.proof.counts.archived), (1, NOW_MS, 1));

    let turn = world.hour(hour(&account(), &BTreeSet::new()));
    assert_eq!(turn, Turn { found: None, age_s: Some(0) }, "the last proof is not an hour old");
    let again = world.hour(Hour { now: true, ..hour(&account(), &[yesterday()].into()) }).found.unwrap();
    assert_eq!((again.days, again.issued), (1, 0), "it says the same");
    assert_eq!(again.counts.map(|counts| counts.archived), Some(1));
    let nothing = world.hour(Hour { now: true, ..hour(&account(), &BTreeSet::new()) }).found.unwrap();
    assert_eq!((nothing.days, nothing.counts.map(|counts| counts.archived)), (0, Some(1)), "of the last closed day");
}

#[test]
fn nothing_is_proved_before_the_log_was_gone_through_and_the_age_is_told_all_the_same() {
    let world = World::new();
    let turn = world.hour(Hour { swept: false, ..hour(&account(), &BTreeSet::new()) });
    assert_eq!(turn, Turn { found: None, age_s: Some(7_000) });
    let turn = world.hour(Hour { swept: false, now: true, began_ms: None, ..hour(&account(), &BTreeSet::new()) });
    assert_eq!(turn, Turn { found: None, age_s: None });
    assert!(world.report(yesterday()).is_none());
}

#[test]
fn a_day_that_was_touched_is_written_down_before_it_is_its_turn() {
    let world = World::new();
    world.run();
    world.hour(Hour { swept: false, ..hour(&account(), &[yesterday()].into()) });
    let world = World { clock: Jumping::at(NOW_MS + HOUR_MS), ..world };
    assert_eq!(world.run().days, 1, "a later run proves it anew");
    let world = World { clock: Jumping::at(NOW_MS + 2 * HOUR_MS), ..world };
    assert_eq!(world.run().days, 0, "and then it is done");
}

#[test]
fn what_waits_is_counted_and_its_time_told_and_the_day_stays_open() {
    let world = World::new();
    let settled = world.settled("s-1", "1", yesterday());
    let mut waits = SessionRow { results: [].into(), manifest: None, ..settled.clone() };
    waits.key.session = id(TelephonySessionId::parse, "s-2");
    waits.heard = [crate::domain::session::Heard::from_element("2|p").unwrap()].into();
    world.keep(waits, Some(NOW_MS));
    let mut theirs = settled.clone();
    theirs.key.account = id(AccountId::parse, "801");
    theirs.results.clear();
    theirs.happened_ms = 0;
    world.keep(theirs, Some(NOW_MS));
    // Queued, but with nothing to fetch: only its manifest is missing.
    let mut done = settled.clone();
    done.key.session = id(TelephonySessionId::parse, "s-3");
    done.happened_ms = 0;
    world.keep(done, Some(NOW_MS));
    let found = world.run();
    let counts = found.counts.unwrap();
    assert_eq!((counts.archived, counts.waiting, found.unfinished), (2, 1, false));
    // One waits, of a day on which three were offered: it is deleted ninety days after it happened.
    let left_ms = yesterday().start_ms() + 5 + 90 * DAY_MS - NOW_MS - 6_000;
    assert_eq!(found.slack_s, Some(i64::try_from(left_ms / 1000).unwrap()));
    let backfilled =
        world.hour(Hour { now: true, backfill_next_ms: Some(50 * DAY_MS), ..hour(&account(), &[].into()) });
    let left_ms = 140 * DAY_MS - NOW_MS - 6_000;
    assert_eq!(backfilled.found.unwrap().slack_s, Some(i64::try_from(left_ms / 1000).unwrap()), "what is older counts");
}

#[test]
fn a_round_that_has_no_time_left_goes_on_in_the_next_run() {
    let world = World::new();
    world.settled("s-1", "1", yesterday());
    let begun = world.hour(Hour { until_ms: NOW_MS, ..hour(&account(), &BTreeSet::new()) });
    let found = begun.found.unwrap();
    assert_eq!((found.days, found.unfinished, begun.age_s), (0, true, Some(7_000)));
    let found = world.run();
    assert_eq!((found.days, found.unfinished), (1, false), "though the hour is not over");
}

#[test]
fn the_counts_and_defects_of_several_days_are_added() {
    let world = World::new();
    world.settled("s-1", "1", yesterday());
    world.run();
    let [two, three] = [2, 3].map(|n| Day::of((99 + n - 1) * DAY_MS));
    for (session, recording, day) in [("s-2", "2", two), ("s-3", "3", two), ("s-4", "4", three), ("s-5", "5", three)] {
        let row = world.settled(session, recording, day);
        let key = row.results.values().next().unwrap().key.clone().unwrap();
        world.bucket.put(&key, &other_bytes(), None);
    }
    let world = World { clock: Jumping::at(NOW_MS + 2 * DAY_MS), ..world };
    let found = world.run();
    assert_eq!((found.days, found.issued, found.counts.map(|counts| counts.missing)), (2, 2, Some(4)));
    assert_eq!(found.defects, [(DefectClass::ChangedBytes, 4)].into());
}

#[test]
fn a_change_in_the_bucket_is_seen_on_each_of_the_last_three_days() {
    let world = World::new();
    world.run();
    let later = |world: World, ms| World { clock: Jumping::at(ms), ..world };
    let mut world = later(world, NOW_MS + 4 * DAY_MS);
    assert_eq!(world.run().days, 4);
    for (ago, seen) in [(1, 1), (2, 1), (3, 1), (4, 0)] {
        let now_ms = world.clock.now_ms() + HOUR_MS;
        world = later(world, now_ms);
        let day = Day::of(104 * DAY_MS - ago * DAY_MS);
        let stray = ObjectKey::from_row(format!("recordings/account=800/date={day}/notes.txt"));
        world.bucket.put(&stray, b"x", None);
        let found = world.run();
        // The days with strays of before stay open.
        let open = usize::try_from(ago - 1).unwrap();
        assert_eq!(found.days, open + seen, "{ago}");
    }
}

#[test]
fn an_object_that_has_gone_is_a_defect() {
    let world = World::new();
    let row = world.settled("s-1", "1", yesterday());
    let key = row.results.values().next().unwrap().key.clone().unwrap();
    world.bucket.objects.borrow_mut().remove(&key);
    assert_eq!(world.run().defects, [(DefectClass::MissingObject, 1)].into());
}

#[test]
fn where_the_listing_proves_nothing_the_bytes_are_read() {
    let world = World::new();
    let mut row = world.settled("s-1", "1", yesterday());
    let result = row.results.values_mut().next().unwrap();
    let key = result.key.clone().unwrap();
    // The same bytes under another tag: stored anew, by other hands, without a checksum.
    result.archived.as_mut().unwrap().etag = "\"of then\"".into();
    world.keep(row, None);
    world.bucket.put(&key, WAV, None);
    let found = world.run();
    assert_eq!((found.counts.map(|counts| (counts.archived, counts.missing)), found.defects.len()), (Some((1, 0)), 0));
    assert!(world.bucket.said.borrow().contains(&format!("read {}", key.as_str())));
    world.bucket.put(&key, &other_bytes(), None);
    let world = World { clock: Jumping::at(NOW_MS + HOUR_MS), ..world };
    assert_eq!(world.run().defects.len(), 1);
}
