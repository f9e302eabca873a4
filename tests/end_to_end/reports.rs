//! Closed days, proved and reported over the real binaries.

use base64::{Engine, prelude::BASE64_STANDARD};
use ringvault::stack::BUCKET;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{
    clients::system::System,
    domain::{
        completeness::Report,
        day::{DAY_MS, Day},
    },
    ports::clock::Clock,
};
use tests::{
    World, clients,
    events::{ACCOUNT, hang_up},
    world_with,
};

/// A call of three days ago that no event told of, on a stack that goes back as far.
async fn world_with_an_old_call() -> (World, Day) {
    let world = world_with(|config| {
        config.env.insert("VENDOR_RETENTION_DAYS".into(), "14".into());
        config.vendor.medium_limit = 1_000;
    })
    .await;
    let began_ms = System.now_ms() - 3 * DAY_MS;
    world.vendor.learn(&hang_up("s-1", &["9001"]));
    world.begin_call("s-1", began_ms);
    // Whose call log it is, a call of the last hours tells.
    world.vendor.learn(&hang_up("s-2", &[]));
    (world, Day::of(began_ms))
}

/// A tick of an hour later: a subscription that had to be repaired makes the call log be read at once.
async fn an_hour_later(world: &World) -> Value {
    let id = world.vendor.with(|vendor| vendor.subscriptions(System.now_ms()).next().unwrap().id.clone());
    world.vendor.with(|vendor| vendor.blacklist(&id, "it was down", System.now_ms()));
    let summary = world.run_reconciler().await.unwrap();
    assert_eq!(summary["repaired"], true, "{summary}");
    summary
}

fn report(world: &World, day: Day) -> Option<(Value, Vec<u8>)> {
    let key = format!("reports/account={ACCOUNT}/date={day}.json");
    let object = world.s3.objects(BUCKET).into_iter().find(|object| object.key == key)?;
    let bytes = std::fs::read(object.path).unwrap();
    assert!(Report::parse(&bytes).is_ok());
    Some((serde_json::from_slice(&bytes).unwrap(), bytes))
}

#[tokio::test]
async fn a_closed_day_is_reported_and_corrected_and_each_report_names_the_one_before() {
    let (world, day) = world_with_an_old_call().await;
    let summary = world.run_reconciler().await.unwrap();
    let proved = &summary["proved"];
    assert_eq!(
        (&proved["issued"], &proved["waiting"], &proved["missing"]),
        (&json!(1), &json!(1), &json!(0)),
        "{summary}"
    );
    assert!((10 * 86_400..11 * 86_400).contains(&proved["slack_seconds"].as_i64().unwrap()), "{summary}");
    let (first, first_bytes) = report(&world, day).unwrap();
    assert_eq!(
        (&first["sequence"], &first["counts"]["waiting"], &first["previous"]),
        (&json!(1), &json!(1), &json!(null))
    );

    world.let_time_pass();
    assert_eq!(world.run().await["archived"], 1);
    let proved = an_hour_later(&world).await["proved"].clone();
    assert_eq!(
        (&proved["issued"], &proved["archived"], &proved["waiting"]),
        (&json!(1), &json!(1), &json!(0)),
        "{proved}"
    );
    assert_eq!((&proved["defects"], &proved["slack_seconds"]), (&json!({}), &json!(null)), "{proved}");
    let (second, _) = report(&world, day).unwrap();
    assert_eq!((&second["sequence"], &second["counts"]["archived"]), (&json!(2), &json!(1)));
    let sha256 = BASE64_STANDARD.encode(Sha256::digest(&first_bytes));
    assert_eq!(second["previous"]["sha256"], sha256);
    let manifest = second["manifests"][0].clone();
    let of_row = world.rows().into_iter().find_map(|row| row.get("manifest").cloned()).unwrap();
    assert_eq!((&manifest["key"], &manifest["sha256"]), (&of_row["key"], &of_row["sha256"]));

    let earlier = clients::s3(&world.s3.endpoint()).get_object().bucket(BUCKET);
    let earlier = earlier.key(second["previous"]["key"].as_str().unwrap());
    let earlier = earlier.version_id(second["previous"]["version_id"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(earlier.body.collect().await.unwrap().to_vec(), first_bytes, "the corrected report can still be read");

    let proved = an_hour_later(&world).await["proved"].clone();
    assert_eq!(
        (&proved["days"], &proved["issued"], &proved["defects"]),
        (&json!(0), &json!(0), &json!({})),
        "{proved}"
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_and_corrected_when_it_is_right_again() {
    let (world, day) = world_with_an_old_call().await;
    world.run_reconciler().await.unwrap();
    world.let_time_pass();
    world.run().await;
    let key = world.keys().remove(0);
    let object = world.s3.objects(BUCKET).into_iter().find(|object| object.key == key).unwrap();
    let bytes = std::fs::read(object.path).unwrap();
    world.s3.remove(BUCKET, &key).unwrap();
    let summary = an_hour_later(&world).await;
    let proved = &summary["proved"];
    assert_eq!((&proved["missing"], &proved["archived"]), (&json!(1), &json!(0)), "{summary}");
    assert_eq!(proved["defects"], json!({ "missing_object": 1 }));
    let (said, _) = report(&world, day).unwrap();
    assert_eq!(
        (&said["missing"], &said["defects"][0]["class"]),
        (&json!(["9001"]), &json!("missing_object")),
        "{said}"
    );
    assert_eq!(world.result("9001")["state"], "archived", "archived is never left by itself");

    let client = clients::s3(&world.s3.endpoint());
    client.put_object().bucket(BUCKET).key(&key).body(bytes.into()).send().await.unwrap();
    let proved = an_hour_later(&world).await["proved"].clone();
    assert_eq!((&proved["missing"], &proved["archived"], &proved["defects"]), (&json!(0), &json!(1), &json!({})));
    assert_eq!(report(&world, day).unwrap().0["sequence"], 3);
}

#[tokio::test]
async fn a_report_somebody_has_changed_breaks_the_chain() {
    let (world, day) = world_with_an_old_call().await;
    world.run_reconciler().await.unwrap();
    world.let_time_pass();
    world.run().await;
    let (_, bytes) = report(&world, day).unwrap();
    let key = format!("reports/account={ACCOUNT}/date={day}.json");
    let flattered = String::from_utf8(bytes).unwrap().replace("\"waiting\": 1", "\"waiting\": 0");
    let client = clients::s3(&world.s3.endpoint());
    client.put_object().bucket(BUCKET).key(&key).body(flattered.into_bytes().into()).send().await.unwrap();
    let proved = an_hour_later(&world).await["proved"].clone();
    assert_eq!(proved["defects"], json!({ "broken_chain": 1 }), "{proved}");
}
