//! Whatever the functions do while a day is proved, nothing of it is taken for wrong.

use std::pin::pin;

use futures_util::future::poll_immediate;

use super::{kills::Slow, *};

/// Proves day 0; after so many awaits a function leaves the call as it is `then`. False if the proof had come to its end.
async fn moves(world: World, then: &PastCall, awaits: usize, offered: &Offered) -> bool {
    let bucket = Slow(&world.bucket);
    let prover = Prover { sessions: &world.table, archive: &bucket, cursors: &world.table, clock: &world.clock };
    let account = account();
    let mut proving = pin!(prover.prove_day(&account, day(0), offered.clone()));
    for _ in 0..awaits {
        if poll_immediate(proving.as_mut()).await.is_some() {
            return false;
        }
    }
    world.leave(std::slice::from_ref(then)).await;
    let proof = proving.await.unwrap();
    assert_eq!(proof.defects, [].into(), "{then:?} after {awaits} awaits");
    assert_eq!(proof.missing, [].into(), "{then:?} after {awaits} awaits");
    true
}

#[tokio::test]
async fn a_session_that_moves_while_its_day_is_proved_is_not_wrong() {
    let settled = call("s-1", 0, [archived("11")]);
    let other = call("s-2", 0, [archived("21")]);
    let waits = call("s-1", 0, [waiting("11")]);
    let one_more_waits = call("s-1", 0, [archived("11"), waiting("12")]);
    let one_more = call("s-1", 0, [archived("11"), archived("12")]);
    for (before, then) in [
        (vec![other.clone()], &waits),
        (vec![other.clone()], &settled),
        (vec![other.clone(), waits.clone()], &settled),
        (vec![other.clone(), settled.clone()], &one_more_waits),
        (vec![other.clone(), settled.clone()], &one_more),
        (vec![other, one_more_waits.clone()], &one_more),
    ] {
        let mut awaits = 0;
        while moves(World::after(&before).await, then, awaits, &Offered::new()).await {
            awaits += 1;
        }
        assert!(awaits > 3, "{awaits}");
    }
}

#[tokio::test]
async fn what_the_log_offers_may_come_into_its_row_meanwhile() {
    let offered = offering(&[("s-1", "11")]);
    let settled = call("s-1", 0, [archived("11")]);
    let mut awaits = 0;
    loop {
        // Another object is a copy, so that there is something to wait for after the rows were read.
        let world = World::after(&[call("s-2", 0, [archived("21")])]).await;
        world.copy("s-2", "21");
        if !moves(world, &settled, awaits, &offered).await {
            break;
        }
        awaits += 1;
    }
    assert!(awaits > 6, "{awaits}");
}
