//! Hostile addresses, in events and in the call log: nobody is asked there.

use ringcentral_sim::world::ListedAt;
use serde_json::{Value, json};
use tests::{
    events::{delivery, hang_up},
    thief::Thief,
    world_with,
};

use super::{access_token, addresses};

/// So many are due at once: fewer than a backlog, so that each is tried by both ways.
const TOGETHER: usize = 8;

const REASON: &str = "cannot send a token to the host the call log names";

/// An event that names the address wherever somebody could look for one: it is known, and no other fact is.
fn naming(address: &str, session: &str, id: &str) -> Value {
    let mut event = hang_up(session, &[id]);
    event["body"]["parties"][0]["recordings"][0]["contentUri"] = json!(address);
    event["body"]["parties"][0]["recordings"][0]["uri"] = json!(address);
    event["body"]["contentUri"] = json!(address);
    event["contentUri"] = json!(address);
    event
}

/// Events whose ids are the address.
fn made_of(address: &str) -> Vec<Value> {
    let fields = [
        "/body/parties/0/recordings/0/id",
        "/body/parties/0/id",
        "/body/parties/0/accountId",
        "/body/telephonySessionId",
    ];
    let with = |field: &&str| {
        let mut event = hang_up("s-forged", &["8001"]);
        *event.pointer_mut(field).unwrap() = json!(address);
        event
    };
    fields.iter().map(with).collect()
}

/// Whether a text of this kind is an id to nobody.
fn is_no_id(address: &str) -> bool {
    !address.is_empty() && address.contains([':', '/']) && address.contains(['%', '\\', '@', '?', '#', '['])
}

#[tokio::test]
async fn no_address_of_an_event_or_of_the_call_log_gets_the_token() {
    let (thief, confidant) = (Thief::start().await, Thief::start().await);
    let allowed = confidant.origin();
    let world = world_with(|config| {
        config.vendor.content_uri_port = false;
        config.env.insert("RINGCENTRAL_MEDIA_URL".into(), allowed);
        config.env.insert("RETRY_LADDER_SECONDS".into(), "86400".into());
    })
    .await;
    let addresses = addresses::all(thief.port());
    assert!(addresses.len() >= 300, "only {} addresses", addresses.len());
    let mut ids = Vec::new();
    for (few, first) in addresses.chunks(TOGETHER).zip((900_000..).step_by(TOGETHER)) {
        for (address, id) in few.iter().zip(first..) {
            let id = format!("{id}");
            let event = naming(address, &format!("s-{id}"), &id);
            assert_eq!(world.happen(&event).await.outcome, "recorded", "{address:?}");
            world.recording(&id, |recording| recording.listed_at = ListedAt::Other(address.clone()));
            ids.push(id);
        }
        let summary = world.run().await;
        assert_eq!((&summary["foreign_hosts"], &summary["waiting"]), (&json!(few.len()), &json!(few.len())), "{few:?}");
    }
    for address in addresses.iter().filter(|address| is_no_id(address)).step_by(5) {
        for event in made_of(address) {
            let answer = world.post(&delivery(&event)).await;
            assert_eq!((answer.status, &*answer.outcome), (200, "invalid_id"), "{address:?}");
        }
    }
    let rows = world.rows();
    assert_eq!(rows.len(), ids.len(), "an address became a session");
    let complaint = |(id, address): (&String, &String)| {
        let result = rows.iter().find_map(|row| row.get(&format!("r#{id}"))).cloned().unwrap_or_default();
        let refused = result["reason"].as_str().is_some_and(|reason| reason.contains(REASON));
        (!refused).then(|| format!("{address:?}: {result}"))
    };
    let complaints: Vec<String> = ids.iter().zip(&addresses).filter_map(complaint).collect();
    assert_eq!(complaints, [""; 0]);

    // An allowed server of the same kind got the token, and was seen to get it.
    let token = access_token(&world);
    assert!(confidant.caught().holds(&format!("Bearer {token}")), "nobody would see a token");
    let caught = thief.caught();
    assert!(!caught.holds(&token) && !caught.holds("uthorization"), "the token came");
    assert_eq!(caught.connections, 0, "somebody was asked: {}", String::from_utf8_lossy(&caught.bytes));
}
