use super::*;
use crate::ports::session_store::StoreError;

fn held(until_ms: u64) -> Option<(String, u64)> {
    Some(("another".to_owned(), until_ms))
}

#[test]
fn a_run_waits_for_the_lease_for_half_of_its_working_time_and_no_longer() {
    // Of 300 s the last fifth is not for beginning anything.
    for (held_ms, waits) in [(1, true), (120_000, true), (120_001, false), (240_000, false)] {
        let clock = Jumping::at(NOW_MS);
        let one = call("s-1", &["1"], 60_000);
        let world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
        world.table.lease.replace(held(NOW_MS + held_ms));
        let summary = world.run();
        let expected = if waits { (1, None) } else { (0, Some(Stopped::AnotherRun)) };
        assert_eq!((summary.archived, summary.stopped), expected, "{held_ms}");
        assert_eq!(clock.now_ms(), if waits { NOW_MS + held_ms + 10 } else { NOW_MS }, "{held_ms}");
    }
}

#[test]
fn the_lease_ends_where_nothing_new_is_begun() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let world = World::new(&clock, std::slice::from_ref(&one));
    world.table.fails.borrow_mut().push(("release", || StoreError::Unavailable("503".into())));
    let _ = world.try_run();
    assert_eq!(*world.table.lease.borrow(), Some(("run".to_owned(), NOW_MS + 240_000)));
}

#[test]
fn what_is_still_under_way_in_the_last_tenth_is_given_up() {
    let clock = Jumping::at(NOW_MS);
    let one = call("s-1", &["1"], 60_000);
    let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.vendor.takes_ms = 269_999;
    assert_eq!((world.run().stopped, clock.now_ms()), (None, NOW_MS + 269_999));

    let clock = Jumping::at(NOW_MS);
    let mut world = World::new(&clock, std::slice::from_ref(&one)).give(&["direct 1"], Gives::Audio);
    world.vendor.takes_ms = 270_001;
    assert_eq!((world.run().stopped, clock.now_ms()), (Some(Stopped::Deadline), NOW_MS + 270_000));
    assert_eq!(world.standing(&one), (1, Some(300_000)), "it comes back when the run would have been killed");
}

#[test]
fn nothing_new_is_begun_in_the_last_fifth() {
    for (takes_ms, begun) in [(239_990, true), (240_000, false)] {
        let clock = Jumping::at(NOW_MS);
        let rows = [call("s-1", &["1"], 60_000), call("s-2", &["2"], 70_000)];
        let mut world = World::new(&clock, &rows).give(&["direct 1", "direct 2"], Gives::Audio);
        world.vendor.takes_ms = takes_ms;
        // One of them is not claimed at first, and is still due when the other is done.
        world.table.fails.borrow_mut().push(("claim s-1", || StoreError::Corrupt("spoiled")));
        let summary = world.run();
        assert_eq!((summary.stopped, summary.unreadable), (Some(Stopped::Deadline), 1), "{takes_ms}");
        assert_eq!(world.said().contains(&"direct 1".to_owned()), begun, "{takes_ms}");
    }
}
