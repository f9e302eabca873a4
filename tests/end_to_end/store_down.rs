//! The table is out of reach: a clear 503 before the vendor hangs up.

use std::time::{Duration, Instant};

use local_cloud::s3::{Failure, Operation};
use tests::{
    Answer,
    events::{delivery, hang_up},
    world,
};

/// What the issue allows; the vendor hangs up after 3 s (API.md §5.1).
const LIMIT: Duration = Duration::from_millis(2500);

#[tokio::test]
async fn a_table_that_refuses_connections() {
    let world = world().await;
    world.dynamodb.stop();
    let started = Instant::now();
    let answer = world.post(&delivery(&hang_up("s-1", &["9001"]))).await;
    assert_eq!(answer, Answer { status: 503, outcome: "store_unavailable".into() });
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    assert!(world.webhook.logs().iter().any(|line| line.contains(r#""DeliveriesNotRecorded":1"#)));
}

#[tokio::test]
async fn a_table_that_does_not_answer() {
    let world = world().await;
    let _held = world.dynamodb.gate().hold(|_, _| true);
    let _also_held = world.dynamodb.gate().hold(|_, _| true);
    let _and_the_third = world.dynamodb.gate().hold(|_, _| true);
    let started = Instant::now();
    let answer = world.post(&delivery(&hang_up("s-1", &["9001"]))).await;
    assert_eq!(answer, Answer { status: 503, outcome: "store_unavailable".into() });
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_table_that_fails_and_comes_back() {
    let world = world().await;
    world.dynamodb.gate().refuse_all(true);
    let event = hang_up("s-1", &["9001"]);
    assert_eq!(world.happen(&event).await.status, 503);
    let failure = world.run_failing().await.to_string();
    assert!(failure.contains("TableDidNotAnswer"), "a 500 may hide a write: {failure}");
    world.dynamodb.gate().refuse_all(false);
    assert_eq!(world.happen(&event).await.outcome, "recorded");
    assert_eq!(world.run().await["archived"], 1);
    assert!(world.holds_exactly("9001"));
}

#[tokio::test]
async fn a_bucket_that_refuses_and_comes_back() {
    let world = world().await;
    world.happen(&hang_up("s-1", &["9001"])).await;
    world.s3.fail(Operation::Put, usize::MAX, Failure::Unavailable);
    assert_eq!(world.run().await["waiting"], 1);
    assert!(world.result("9001")["reason"].as_str().unwrap().contains("could not store the object"));
    assert_eq!(world.keys(), Vec::<String>::new());
    world.s3.fail(Operation::Put, 0, Failure::Unavailable);
    assert_eq!(world.run().await["archived"], 1);
    assert!(world.holds_exactly("9001"));
}
