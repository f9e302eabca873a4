//! Any order of the same events gives the same row.

use ringvault::stack::{TABLE, key_of};
use serde_json::{Map, Value, json};
use shared::domain::day::parse_time;
use tests::{
    events::{delivery, transition},
    world,
};

/// A call with a transfer: two recordings, three parties that end, a minute between any two events.
fn call(session: &str) -> [Value; 5] {
    let mut call = [
        transition(session, 2, "Answered", &["9001"]),
        transition(session, 2, "Disconnected", &["9001"]),
        transition(session, 3, "Answered", &["9002"]),
        transition(session, 3, "Disconnected", &[]),
        transition(session, 1, "Disconnected", &[]),
    ];
    for (minute, event) in call.iter_mut().enumerate() {
        event["body"]["eventTime"] = json!(format!("2026-04-14T09:3{minute}:00.000Z"));
    }
    call
}

/// When a row may be due: with the delay of zero, at the end of one of its parties. The end written last decides.
fn ends_ms() -> [u64; 3] {
    ["31", "33", "34"].map(|minute| parse_time(&format!("2026-04-14T09:{minute}:00.000Z")).unwrap())
}

fn orders() -> Vec<[usize; 5]> {
    let mut orders = Vec::new();
    for n in 0..5_usize.pow(5) {
        let order = [n % 5, n / 5 % 5, n / 25 % 5, n / 125 % 5, n / 625 % 5];
        if (0..5).all(|event| order.contains(&event)) {
            orders.push(order);
        }
    }
    orders
}

/// The row without its key, without what counts writes or tells which came first and when, and without the hint when to look.
fn facts(row: &Map<String, Value>, session: &str) -> String {
    let mut row = row.clone();
    let due_ms = row.remove("due_at").and_then(|due_at| due_at.as_u64()).unwrap();
    assert!(ends_ms().contains(&due_ms), "due at {due_ms}");
    for bookkeeping in ["pk", "rev", "happened_at", "seen_at", "ttl"] {
        assert!(row.remove(bookkeeping).is_some(), "{bookkeeping}");
    }
    Value::from(row).to_string().replace(session, "SESSION")
}

#[tokio::test]
async fn all_orders_of_a_five_event_call_give_the_same_row() {
    let world = world().await;
    let orders = orders();
    assert_eq!(orders.len(), 120);
    let mut sessions = Vec::new();
    for (n, order) in orders.iter().enumerate() {
        let session = format!("s-{n}");
        let call = call(&session);
        for event in order {
            assert_eq!(world.post(&delivery(&call[*event])).await.status, 200);
        }
        sessions.push(session);
    }
    let rows = world.dynamodb.rows(TABLE).unwrap();
    let row_of = |session: &String| {
        let key = format!("session#800000001#{session}");
        rows.iter().find(|row| key_of(row) == key).unwrap()
    };
    let expected = facts(row_of(&sessions[0]), &sessions[0]);
    assert!(expected.contains(r#""ended":["p-SESSION-1","p-SESSION-2","p-SESSION-3"]"#), "{expected}");
    for (session, order) in sessions.iter().zip(&orders) {
        assert_eq!(facts(row_of(session), session), expected, "order {order:?}");
    }
}
