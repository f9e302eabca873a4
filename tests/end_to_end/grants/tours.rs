//! A tour makes a function do all that it asks AWS for. Nothing is asserted on the way: what is refused, and what goes
//! wrong after that, is in the record.

use local_cloud::{
    lambda::InvokeError,
    s3::{Failure, Operation},
};
use ringcentral_sim::world::{AudioFormat, BodyFault, Direct, Recording};
use ringvault::stack::BUCKET;
use serde_json::{Value, json};
use shared::{
    clients::system::System,
    domain::{day::DAY_MS, subscription::FILTERS},
    ports::clock::Clock,
};
use tests::{
    World, clients,
    events::{delivery, hang_up, transition},
    world_with,
};

/// A world under the roles of `template`.
pub(super) async fn world(template: String) -> World {
    world_with(|config| {
        config.template = template;
        config.env.insert("VENDOR_RETENTION_DAYS".into(), "14".into());
        config.vendor.medium_limit = 1_000;
    })
    .await
}

/// The tour of a function.
pub(super) async fn of(binary: &str, world: &World) {
    match binary {
        "webhook" => webhook(world).await,
        "archiver" => archiver(world).await,
        "reconciler" => reconciler(world).await,
        other => panic!("say here what {other} does"),
    }
}

/// A session and a reminder.
async fn webhook(world: &World) {
    let reminder = json!({ "uuid": "1", "event": FILTERS[1], "subscriptionId": "x", "body": { "expiresIn": 259_000 } });
    for event in [hang_up("s-1", &["9001"]), reminder] {
        drop(world.webhook.invoke(&delivery(&event)).await);
    }
}

/// Both ways to a recording, one that comes in parts and one whose upload comes to nothing, and a manifest anew.
async fn archiver(world: &World) {
    for (session, recordings) in [("s-1", &["9001", "9002"][..]), ("s-2", &["9003"])] {
        hear(world, session, recordings).await;
    }
    world.recording("9002", |recording| recording.direct = Direct::Status(404));
    world.recording("9003", long_and_undeclared);
    world.s3.fail(Operation::CompleteUpload, 1, Failure::Conflict);
    drop(world.run_archiver().await);
    world.let_time_pass();
    drop(world.run_archiver().await);
    world.vendor.learn(&transition("s-1", 3, "Disconnected", &["9004"]));
    drop(world.webhook.invoke(&delivery(&transition("s-1", 3, "Disconnected", &["9004"]))).await);
    drop(world.run_archiver().await);
}

/// A subscription, a call of three days ago that no event told of, its report, a corrected one when its recording has
/// been replaced by something of the same length, and one that is lost.
async fn reconciler(world: &World) {
    world.vendor.learn(&hang_up("s-1", &["9001"]));
    world.begin_call("s-1", System.now_ms() - 3 * DAY_MS);
    // Whose call log it is, a call of the last hours tells.
    world.vendor.learn(&hang_up("s-2", &[]));
    drop(world.run_reconciler().await);
    world.let_time_pass();
    drop(world.run_archiver().await);
    let recordings: Vec<_> =
        world.s3.objects(BUCKET).into_iter().filter(|it| it.key.starts_with("recordings/")).collect();
    for recording in recordings {
        let other = vec![0; usize::try_from(recording.size_bytes).unwrap()];
        let client = clients::s3(&world.s3.endpoint());
        client.put_object().bucket(BUCKET).key(&recording.key).body(other.into()).send().await.unwrap();
    }
    drop(an_hour_later(world).await);
    for object in world.s3.objects(BUCKET).iter().filter(|object| object.key.starts_with("reports/")) {
        world.s3.remove(BUCKET, &object.key).unwrap();
    }
    drop(an_hour_later(world).await);
}

async fn hear(world: &World, session: &str, recordings: &[&str]) {
    let event = hang_up(session, recordings);
    world.vendor.learn(&event);
    drop(world.webhook.invoke(&delivery(&event)).await);
}

/// More than one part of an upload, and nobody says how long it is.
fn long_and_undeclared(recording: &mut Recording) {
    recording.format = AudioFormat::Wav;
    recording.duration_s = 400;
    recording.body_fault = BodyFault::Undeclared;
}

/// A tick of an hour later: a subscription that had to be repaired makes the call log be read at once.
pub(super) async fn an_hour_later(world: &World) -> Result<Value, InvokeError> {
    let now_ms = System.now_ms();
    let id = world.vendor.with(|vendor| vendor.subscriptions(now_ms).next().map(|one| one.id.clone()));
    if let Some(id) = id {
        world.vendor.with(|vendor| vendor.blacklist(&id, "it was down", now_ms));
    }
    world.run_reconciler().await
}
