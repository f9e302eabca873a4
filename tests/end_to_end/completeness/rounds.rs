//! Which days are proved, and when.

use super::*;

/// Whoever archives a call of day 0 between two proofs, none of which sees it in the queue.
async fn a_settled_day() -> World {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")])]).await;
    assert_eq!(world.run(1, "01:00:00").await.counts.unwrap().archived, 1);
    world
}

#[tokio::test]
async fn a_session_that_came_and_went_between_two_proofs_is_reported() {
    let world = a_settled_day().await;
    for (n, time, left, archived) in [
        (1, "02:00:00", call("s-2", 0, [archived("12")]), 2),
        (3, "00:59:59", call("s-2", 0, [archived("12"), archived("13")]), 3),
    ] {
        world.leave(&[left]).await;
        world.run(n, time).await;
        assert_eq!(world.report(0).unwrap().proof.counts.archived, archived, "day {n}");
    }
    assert_eq!(world.run(3, "01:59:59").await.days, 1, "nothing but the day that has closed");
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn a_day_of_long_ago_that_a_sweep_touched_is_proved_anew() {
    let world = a_settled_day().await;
    world.run(9, "02:00:00").await;
    world.leave(&[call("s-2", 0, [archived("12")])]).await;
    let turn = world.turn(9, "02:15:00", &[0, 9]).await;
    assert_eq!((turn.found, turn.age_s), (None, Some(900)), "the last proof is not an hour old");
    let found = world.run(9, "03:00:00").await;
    assert_eq!((found.days, found.issued), (1, 1), "what was touched is written down, and today is not closed");
    assert_eq!(world.report(0).unwrap().proof.counts.archived, 2);
    assert_eq!(world.run(9, "04:00:00").await.days, 0);
}

#[tokio::test]
async fn a_round_that_was_not_finished_goes_on_at_once() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 1, [waiting("12")])]).await;
    for (time, unfinished) in [("01:00:00", true), ("01:15:00", false)] {
        let found = world.run_for_one_day(time).await;
        assert_eq!((found.days, found.unfinished), (1, unfinished), "{time}");
    }
    assert_eq!(world.reports(), [0, 1]);
    assert_eq!(world.turn(2, "01:30:00", &[]).await, Turn { found: None, age_s: Some(900) });
}

#[tokio::test]
async fn no_day_is_proved_before_the_call_log_was_gone_through() {
    let world = World::default();
    let account = account();
    let not_swept = Hour { swept: false, ..hour(&account, u64::MAX) };
    assert_eq!(world.prover().run(not_swept).await.unwrap(), Turn::default());
    let began_ms = Some(world.clock.0.get());
    world.clock.0.set(world.clock.0.get() + 2 * DAY_MS);
    let never = world.prover().run(Hour { began_ms, ..not_swept }).await.unwrap();
    assert_eq!(never, Turn { found: None, age_s: Some(2 * 86_400) }, "before the first proof it is the stack's age");
    let now = Hour { now: true, ..hour(&account, u64::MAX) };
    for _ in 0..2 {
        assert!(world.prover().run(now).await.unwrap().found.is_some(), "although the last one is not an hour old");
    }
}

#[tokio::test]
async fn what_the_last_closed_day_counts_is_told_where_no_day_is_proved() {
    let world = World::default();
    assert_eq!(world.run(0, "00:00:00").await.counts, None);
    world.leave(&[call("s-1", 0, [waiting("1")]), call("s-2", 1, [archived("21"), archived("22")])]).await;
    assert_eq!(counts(&world.run(2, "01:00:00").await), Counts { archived: 2, waiting: 1, ..Counts::default() });
    let account = account();
    world.clock.0.set(day(2).start_ms() + 2 * HOUR_MS);
    let vendor = Vendor { retention_ms: u64::MAX, pace_ms: 0 };
    let found = world.prover().run(Hour { vendor, ..hour(&account, u64::MAX) }).await.unwrap().found.unwrap();
    assert_eq!((found.days, counts(&found).waiting), (1, 1));
    assert_eq!(found.slack_s, Some(50_000 * 86_400 - 38 * 3_600), "two a day, as on the last closed one");
    world.leave(&[call("s-1", 0, [archived("1")])]).await;
    world.run(2, "03:00:00").await;
    let found = world.run(2, "04:00:00").await;
    assert_eq!((found.days, counts(&found)), (0, Counts { archived: 2, ..Counts::default() }));
}

#[tokio::test]
async fn an_account_whose_calls_were_read_once_is_not_forgotten() {
    let world = World::default();
    let other = AccountId::parse("800000002").unwrap();
    for (read, expected) in [
        (vec![], vec![]),
        (vec![account()], vec![account()]),
        (vec![other.clone()], vec![account(), other.clone()]),
        (vec![], vec![account(), other]),
    ] {
        let all = world.prover().accounts(&read.into_iter().collect()).await.unwrap();
        assert_eq!(all, expected.into_iter().collect());
    }
    let rev = world.table.cursor(&Job::new("accounts")).await.unwrap().rev;
    assert!(world.table.advance(&Job::new("accounts"), rev, "[7]").await.unwrap());
    let error = world.prover().accounts(&BTreeSet::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read how far the reports have come");
}

#[tokio::test]
async fn what_other_hands_do_to_the_recordings_of_a_settled_day_is_seen_within_the_hour() {
    let stray = || key(0, "notes.txt");
    let (lost, changed) = (key(0, "11.mp3"), key(0, "12.mp3"));
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11"), archived("12")])]).await;
    assert_eq!(world.run(1, "01:00:00").await.defects, BTreeMap::new());
    for (n, time, days) in [(1, "02:00:00", 0), (2, "01:00:00", 1), (3, "01:00:00", 1), (3, "02:00:00", 0)] {
        assert_eq!(world.run(n, time).await.days, days, "day {n}, {time}: nobody has touched anything");
    }
    world.bucket.put_foreign(stray(), Bytes::from_static(b"notes"));
    assert_eq!(world.run(3, "03:00:00").await.defects, [(DefectClass::StrayObject, 1)].into());
    world.bucket.remove(&stray());
    assert_eq!(world.run(3, "04:00:00").await.defects, BTreeMap::new());
    assert_eq!(world.run(3, "05:00:00").await.days, 0, "it is settled again");
    world.bucket.put_foreign(changed, Bytes::from_static(b"AUDIO OF 12"));
    assert_eq!(world.run(3, "06:00:00").await.defects, [(DefectClass::ChangedBytes, 1)].into());
    world.bucket.remove(&lost);
    let both = [(DefectClass::ChangedBytes, 1), (DefectClass::MissingObject, 1)];
    assert_eq!(world.run(3, "07:00:00").await.defects, both.into());
}
