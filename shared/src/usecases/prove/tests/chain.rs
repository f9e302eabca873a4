use super::*;

/// Reports of so many days, one after the other.
fn chained(days: u64) -> World {
    let mut world = World::new();
    for n in 0..days {
        world = World { clock: Jumping::at(NOW_MS + n * DAY_MS), ..world };
        assert_eq!(world.run().issued, 1);
    }
    world
}

fn verified(world: &World) -> Vec<String> {
    let defects = world.clock.run(world.prover().verify_chain(&account())).unwrap();
    defects.into_iter().map(|defect| format!("{:?} {:?}", defect.class, defect.about)).collect()
}

#[test]
fn a_chain_leads_from_each_report_to_the_one_before() {
    let world = chained(3);
    assert_eq!(verified(&world), Vec::<String>::new());
    let reports: Vec<_> = (0..3).map(|n| world.report(Day::of((99 + n) * DAY_MS)).unwrap()).collect();
    assert_eq!(reports.iter().map(|report| report.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    let before = reports[2].previous.clone().unwrap();
    assert_eq!((before.key, before.sha256), (reports[1].proof.object_key(), sha256(&reports[1].to_json())));
    assert_eq!(reports[0].previous, None);
}

#[test]
fn a_report_that_was_changed_or_removed_breaks_it_and_is_named() {
    for n in 0..3 {
        for change in [None, Some(b"{}".as_slice())] {
            let world = chained(3);
            let day = Day::of((99 + n) * DAY_MS);
            let key = ObjectKey::report(&account(), day);
            match change {
                Some(bytes) => world.bucket.put(&key, bytes, None),
                None => drop(world.bucket.objects.borrow_mut().remove(&key)),
            }
            let broken = verified(&world);
            assert_eq!(broken.len(), 1, "{n} {broken:?}");
            assert!(broken[0].contains("BrokenChain") && broken[0].contains(key.as_str()), "{broken:?}");
            let world = World { clock: Jumping::at(NOW_MS + 2 * DAY_MS + HOUR_MS), ..world };
            let found = world.run();
            assert_eq!(found.defects.get(&DefectClass::BrokenChain), Some(&1), "the hourly run sees it too");
        }
    }
}

#[test]
fn a_table_that_was_lost_goes_on_after_the_last_report() {
    let world = chained(3);
    let lost = World { table: proved_through(Day::of(101 * DAY_MS)), clock: Jumping::at(NOW_MS + 3 * DAY_MS), ..world };
    assert_eq!(lost.run().issued, 1);
    let report = lost.report(Day::of(102 * DAY_MS)).unwrap();
    assert_eq!(
        (report.sequence, report.previous.map(|link| link.key)),
        (4, Some(ObjectKey::report(&account(), Day::of(101 * DAY_MS))))
    );
    assert_eq!(verified(&lost), Vec::<String>::new());
}

#[test]
fn a_report_whose_writing_was_not_answered_is_known_by_its_digest() {
    let world = chained(1);
    // The cursor as it stood before the report was known to be there.
    let job = Job::new("reports#800");
    let mut cursors = world.table.cursors.borrow().clone();
    let kept = cursors.get_mut(&job).unwrap();
    let mut progress = Progress::parse(kept.state.as_deref().unwrap()).unwrap();
    let link = progress.head.take().unwrap().link;
    let pending = |sha256: String| Pending { key: link.key.clone(), sha256 };
    for (sha256, through) in [(link.sha256.clone(), yesterday()), ("other".into(), Day::of(98 * DAY_MS))] {
        progress.pending = Some(pending(sha256));
        progress.through = Some(Day::of(98 * DAY_MS));
        kept.state = Some(progress.to_json());
        world.table.cursors.replace([(job.clone(), kept.clone())].into());
        let kept = world.clock.run(world.prover().kept(&account())).unwrap();
        assert_eq!((kept.progress.through, kept.progress.head.map(|head| head.sequence)), (Some(through), Some(1)));
    }
}

#[test]
fn somebody_else_who_issues_reports_ends_it() {
    let world = World::new();
    world.table.fails.borrow_mut().push(("advance reports", || StoreError::Corrupt("another")));
    let done = world.clock.run(world.prover().run(hour(&account(), &BTreeSet::new())));
    assert!(matches!(done, Err(ProveError::Contended)));
}

#[test]
fn of_more_than_a_hundred_reports_the_last_are_looked_at_every_hour() {
    let world = chained(103);
    let reads = |world: &World| {
        let said = world.bucket.said.take();
        said.iter().filter(|said| said.starts_with("read reports/")).count()
    };
    let then = |world: World, hours| World { clock: Jumping::at(NOW_MS + 102 * DAY_MS + hours * HOUR_MS), ..world };
    let world = then(world, 1);
    reads(&world);
    world.run();
    // A hundred of the chain, and the last closed day's.
    assert_eq!(reads(&world), 101);
    // What was changed before them is seen by who verifies all.
    world.bucket.put(&ObjectKey::report(&account(), yesterday()), b"{}", None);
    let world = then(world, 2);
    assert_eq!(world.run().defects.len(), 0);
    assert_eq!(verified(&world).len(), 1);
}

#[test]
fn what_was_never_verified_is_so_once_there_is_time() {
    for (days, in_a_hurry) in [(3, 3), (101, 0)] {
        let mut world = chained(days);
        let now_ms = world.clock.now_ms() + HOUR_MS;
        for (until_ms, expected) in [(0, in_a_hurry), (u64::MAX, days)] {
            let table = proved_through(Day::of((98 + days) * DAY_MS));
            world = World { table, clock: Jumping::at(now_ms), ..world };
            world.hour(Hour { until_ms, ..hour(&account(), &BTreeSet::new()) });
            let state = world.table.cursors.borrow()[&Job::new("reports#800")].state.clone();
            assert_eq!(Progress::parse(&state.unwrap()).unwrap().verified, expected, "{days}");
        }
    }
}
