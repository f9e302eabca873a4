//! What an hourly run does.

use super::*;

#[tokio::test]
async fn a_stack_begins_with_the_day_of_its_first_run() {
    let world = World::after(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("12")])]).await;
    assert_eq!(world.run(1, "12:00:00").await, Completeness::default());
    assert_eq!(world.run(2, "00:04:59").await.days, 0, "the day is not closed yet");
    let found = world.run(2, "01:00:00").await;
    assert_eq!((found.days, found.issued, counts(&found).archived), (1, 1, 1));
    assert_eq!(world.reports(), [1]);
    assert_eq!(world.run(2, "02:00:00").await.days, 0, "a settled day is not proved again");
    assert_eq!(world.run(5, "02:00:00").await.days, 3, "days without calls are reported too");
    assert_eq!(world.reports(), [1, 2, 3, 4]);
    assert_eq!(world.report(4).unwrap().sequence, 4);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn a_day_stays_open_until_it_is_settled_and_is_corrected_in_the_chain() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11"), waiting("12")]), call("s-2", 1, [archived("13")])]).await;
    let found = world.run(2, "01:00:00").await;
    // 11 waits as well: its manifest is still to come.
    assert_eq!((found.days, counts(&found).waiting, counts(&found).archived), (2, 2, 1));
    assert_eq!(found.slack_s, Some(88 * 86_400 + 11 * 3_600 - 6));
    assert_eq!(world.report(0).unwrap().proof.waiting, [session("s-1")].into());

    let found = world.run(2, "02:00:00").await;
    assert_eq!((found.days, found.issued), (1, 0), "looked at again, and nothing new to say");

    world.leave(&[call("s-1", 0, [archived("11"), archived("12")])]).await;
    let found = world.run(2, "03:00:00").await;
    assert_eq!((found.days, found.issued, counts(&found).archived, found.slack_s), (1, 1, 2, None));
    let report = world.report(0).unwrap();
    assert_eq!((report.sequence, report.proof.is_settled()), (3, true));
    assert_eq!(report.previous.unwrap().key, ObjectKey::report(&account(), day(1)));
    assert_eq!(world.run(2, "04:00:00").await.days, 0);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn a_call_of_long_ago_that_comes_into_the_queue_is_reported_too() {
    let world = World::default();
    world.run(5, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 5, [waiting("12")])]).await;
    let found = world.run(5, "12:00:00").await;
    assert_eq!((found.days, counts(&found).waiting), (1, 1), "today is not closed");
    assert_eq!(world.reports(), [0]);
    world.leave(&[call("s-1", 0, [archived("11")])]).await;
    world.run(5, "13:00:00").await;
    assert!(world.report(0).unwrap().proof.is_settled());
}

#[tokio::test]
async fn the_deadline_knows_what_the_backfill_has_not_been_through() {
    let world = World::default();
    let account = account();
    world.clock.0.set(day(40).start_ms());
    let hour = Hour { backfill_next_ms: Some(day(0).start_ms()), ..hour(&account, u64::MAX) };
    assert_eq!(world.prover().run(hour).await.unwrap().found.unwrap().slack_s, Some(50 * 86_400));
}

#[tokio::test]
async fn a_run_whose_time_is_over_leaves_the_rest_to_the_next() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.clock.0.set(day(3).start_ms() + HOUR_MS);
    let found = world.prover().run(hour(&account(), day(3).start_ms())).await.unwrap().found.unwrap();
    assert_eq!((found.days, found.unfinished), (0, true));
    assert_eq!(world.run(3, "02:00:00").await.days, 3);
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn another_account_is_not_touched() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    let mut other = call("s-1", 0, [waiting("11")]);
    other.key.account = AccountId::parse("8000000010").unwrap();
    world.leave(&[other]).await;
    let found = world.run(1, "01:00:00").await;
    assert_eq!((counts(&found), found.slack_s), (Counts::default(), None));
}

#[tokio::test]
async fn state_that_cannot_be_read_stops_the_run() {
    let world = World::default();
    let job = Job::new(format!("reports#{}", account()));
    assert!(world.table.advance(&job, 0, "{").await.unwrap());
    let error = world.prover().run(hour(&account(), u64::MAX)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read how far the reports have come");
    assert_eq!(Progress::parse("{").unwrap_err().to_string(), error.to_string());
}

#[tokio::test]
async fn open_days_take_turns_where_there_is_no_time_for_all() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 0, [waiting("11")]), call("s-2", 1, [waiting("12")])]).await;
    world.run(2, "01:00:00").await;
    world.leave(&[call("s-1", 0, [archived("11")]), call("s-2", 1, [archived("12")])]).await;
    for time in ["02:00:00", "03:00:00"] {
        let found = world.run_for_one_day(time).await;
        assert_eq!(found.days, 1);
    }
    assert!([0, 1].iter().all(|n| world.report(*n).unwrap().proof.is_settled()));
}
