//! Whatever the functions do while a day is proved, nothing of it is taken for wrong.

use std::pin::pin;

use futures_util::future::poll_immediate;

use super::{kills::Slow, *};

/// Proves day 0; after so many awaits a function leaves the call as it is then. True if the proof had come to its end.
async fn proof_is_fooled(before: &[PastCall], then: &PastCall, awaits: usize, offered: &Offered) -> bool {
    let world = World::after(before).await;
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
        (&[other.clone()][..], &waits),
        (&[other.clone()], &settled),
        (&[other.clone(), waits.clone()], &settled),
        (&[other.clone(), settled.clone()], &one_more_waits),
        (&[other.clone(), settled.clone()], &one_more),
        (&[other, one_more_waits.clone()], &one_more),
    ] {
        let mut awaits = 0;
        while proof_is_fooled(before, then, awaits, &Offered::new()).await {
            awaits += 1;
        }
        assert!(awaits > 3, "{awaits}");
    }
}

#[tokio::test]
async fn what_the_log_offers_may_come_into_its_row_meanwhile() {
    let offered = offering(&[("s-1", "11")]);
    let mut awaits = 0;
    let settled = call("s-1", 0, [archived("11")]);
    // At the last awaits nobody looks for the row any more.
    while awaits < 4 && proof_is_fooled(&[], &settled, awaits, &offered).await {
        awaits += 1;
    }
    assert!(awaits > 2, "{awaits}");
}
