//! The keeper of the subscription, over the real binaries: whatever is wrong at the vendor, one run of the reconciler
//! puts it right, or says in one alarm why it cannot.

mod alarms;

use std::collections::BTreeMap;

use ringcentral_sim::core::Subscription;
use ringvault::stack::{TABLE, VERIFICATION_SECRET, VERIFICATION_TOKEN};
use serde_json::{Value, json};
use shared::{
    clients::{
        dynamodb::{Table, schema},
        system::System,
    },
    domain::{
        day::DAY_MS,
        subscription::{FILTERS, Memory, fingerprint},
    },
    ports::{
        clock::Clock,
        cursor_store::{CursorStore, Job},
    },
    secret::Secret,
};
use tests::{
    Answer, World, clients,
    events::{delivery, hang_up},
    world_with,
};

const ELSEWHERE: &str = "https://elsewhere.example.com/hook";

async fn world() -> World {
    world_with(|config| (config.vendor.auth_limit, config.vendor.medium_limit) = (1_000, 1_000)).await
}

/// Creates a subscription to our webhook, as somebody does by hand.
async fn subscribe(world: &World, expires_in_s: u64, token: &str) -> String {
    let wanted = json!({
        "eventFilters": FILTERS,
        "expiresIn": expires_in_s,
        "deliveryMode": {
            "transportType": "WebHook",
            "address": world.webhook_url.url(),
            "verificationToken": token,
        },
    });
    let request = reqwest::Client::new()
        .post(format!("{}/restapi/v1.0/subscription", world.vendor.platform_url()))
        .bearer_auth(world.mint_token().await)
        .header("content-type", "application/json")
        .body(wanted.to_string());
    let created = request.send().await.unwrap().text().await.unwrap();
    let created: Value = serde_json::from_str(&created).unwrap();
    created["id"].as_str().unwrap().to_owned()
}

/// Lets the keeper believe that it made this one, a day ago.
async fn remember(world: &World, id: &str) {
    let table = Table::new(clients::dynamodb(&world.dynamodb.endpoint()), TABLE.to_owned());
    let fingerprint = fingerprint(&Secret::new(VERIFICATION_TOKEN.to_owned()));
    let memory = Memory { id: id.to_owned(), fingerprint, healthy_at_ms: System.now_ms() - DAY_MS };
    assert!(table.advance(&Job::new("subscription"), 0, &memory.to_json()).await.unwrap());
}

fn standing(world: &World) -> Vec<Subscription> {
    world.vendor.with(|vendor| vendor.subscriptions(System.now_ms()).cloned().collect())
}

fn change(world: &World, id: &str, change: impl FnOnce(&mut Subscription)) {
    world.vendor.with(|vendor| change(vendor.subscription_mut(id, System.now_ms()).unwrap()));
}

/// A subscription of another service of the same user and application.
async fn somebody_elses(world: &World) -> String {
    let id = subscribe(world, 86_400, VERIFICATION_TOKEN).await;
    change(world, &id, |theirs| {
        theirs.address = ELSEWHERE.to_owned();
        theirs.event_filters.truncate(1);
    });
    world.vendor.with(|vendor| vendor.blacklist(&id, "theirs to mend", System.now_ms()));
    id
}

/// A run of the reconciler: how the subscription is, and whether there was a repair.
async fn run(world: &World) -> (String, bool) {
    outcome(&world.run_reconciler().await.unwrap())
}

fn outcome(summary: &Value) -> (String, bool) {
    (summary["subscription"].as_str().unwrap().to_owned(), summary["repaired"].as_bool().unwrap())
}

/// How many alarms there were so far. Each is one count of the metric and one line for a person.
fn alarms(world: &World) -> usize {
    let logs = world.reconciler.logs();
    let counted = logs.iter().filter(|line| line.contains(r#""SubscriptionUnhealthy":1"#)).count();
    let told: Vec<_> = logs.iter().filter(|line| line.contains("the subscription needs help")).collect();
    assert_eq!(told.len(), counted, "{told:?}");
    assert!(told.iter().all(|line| line.contains(r#""why":"#) && line.contains(r#""advice":"#)), "{told:?}");
    assert_eq!(logs.iter().filter(|line| line.contains(r#""level":"ERROR""#)).count(), counted);
    counted
}

/// Exactly one of ours stands, it is as it should be, and a call that happens now is heard. Answers its id.
async fn heard(world: &World, session: &str) -> String {
    let mut ours = standing(world);
    ours.retain(|one| one.address != ELSEWHERE);
    let [one] = ours.as_slice() else { panic!("one of ours: {ours:?}") };
    assert_eq!(one.address, world.webhook_url.url());
    assert_eq!(one.event_filters, ["/restapi/v1.0/account/800000001/telephony/sessions", FILTERS[1]]);
    let told = world.vendor.deliver(&hang_up(session, &[&format!("90{session}")])).await;
    let told: BTreeMap<_, _> = told.into_iter().map(|told| (told.subscription_id, told.status)).collect();
    assert_eq!(told, BTreeMap::from([(one.id.clone(), Some(200))]), "active, and nobody else hears it");
    let key = format!("#{session}");
    assert!(world.rows().iter().any(|row| row["pk"].as_str().unwrap().ends_with(&key)), "{session} has a row");
    one.id.clone()
}

#[tokio::test]
async fn whatever_breaks_it_the_next_run_puts_it_right() {
    type Break = fn(&World, &str);
    let cases: [(&str, Break, (&str, bool)); 6] = [
        ("nothing", |_, _| {}, ("healthy", false)),
        (
            "blacklisted",
            |world, id| assert!(world.vendor.with(|vendor| vendor.blacklist(id, "timed out", System.now_ms()))),
            ("repaired", true),
        ),
        ("expired", |world, id| change(world, id, |ours| ours.expires_at_ms = System.now_ms()), ("created", true)),
        (
            "wrong address",
            |world, id| change(world, id, |ours| ours.address = "https://before.example.com/".to_owned()),
            ("repaired", true),
        ),
        ("wrong filter", |world, id| change(world, id, |ours| ours.event_filters.truncate(1)), ("repaired", true)),
        (
            "near its end",
            |world, id| change(world, id, |ours| ours.expires_at_ms = System.now_ms() + 2 * DAY_MS),
            ("renewed", false),
        ),
    ];
    let world = world().await;
    let theirs = somebody_elses(&world).await;
    let before = standing(&world)[0].clone();
    assert_eq!(run(&world).await, ("created".to_owned(), true), "missing");
    let mut id = heard(&world, "s-0").await;
    for (n, (case, breaks, (expected, repaired))) in cases.into_iter().enumerate() {
        breaks(&world, &id);
        assert_eq!(run(&world).await, (expected.to_owned(), repaired), "{case}");
        let now = heard(&world, &format!("s-{}", n + 1)).await;
        assert_eq!(now != id, repaired, "{case}");
        id = now;
    }
    let ends_at_ms = standing(&world).iter().find(|one| one.id == id).unwrap().expires_at_ms;
    assert!(ends_at_ms > System.now_ms() + 19 * 365 * DAY_MS, "the longest life, and renewed to it");
    let theirs = standing(&world).into_iter().find(|one| one.id == theirs).unwrap();
    assert_eq!(format!("{theirs:?}"), format!("{before:?}"), "left alone in all cases");
    assert_eq!(alarms(&world), 0);
}

#[tokio::test]
async fn of_several_of_ours_only_the_one_stays_whose_token_is_known() {
    let world = world().await;
    let by_hand =
        [subscribe(&world, 3_000_000, "who knows").await, subscribe(&world, 4_000_000, VERIFICATION_TOKEN).await];
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    let known = heard(&world, "s-1").await;
    assert!(!by_hand.contains(&known));
    subscribe(&world, 5_000_000, "who knows").await;
    assert_eq!(run(&world).await, ("healthy".to_owned(), false));
    assert_eq!(heard(&world, "s-2").await, known);
    assert_eq!(alarms(&world), 0);
}

#[tokio::test]
async fn a_shorter_life_is_taken_where_the_vendor_gives_no_longer() {
    for (longest_s, years) in [(315_360_000, 10), (604_800, 0)] {
        let world = world_with(|config| config.vendor.max_expires_in_s = longest_s).await;
        assert_eq!(run(&world).await, ("created".to_owned(), true));
        let lives_ms = standing(&world)[0].expires_at_ms - System.now_ms();
        assert_eq!(lives_ms / (365 * DAY_MS), if years == 0 { 0 } else { years - 1 }, "{longest_s}");
        heard(&world, "s-1").await;
        assert_eq!((run(&world).await.0.as_str(), alarms(&world)), ("healthy", 0));
    }
}

#[tokio::test]
async fn the_vendors_reminder_renews_at_once() {
    let world = world().await;
    // So short a life that the vendor reminds from the first moment on.
    let mut written = world
        .dynamodb
        .gate()
        .hold(|operation, body| operation == "UpdateItem" && body.to_string().contains(schema::RENEWAL_SIGNAL));
    let id = subscribe(&world, 200_000, VERIFICATION_TOKEN).await;
    remember(&world, &id).await;
    written.reached().await;
    drop(written);
    // The webhook has one process: what it answers after that was written after that.
    world.post(&delivery(&hang_up("s-0", &[]))).await;
    change(&world, &id, |ours| ours.expires_at_ms -= 60_000_000);
    let ended_at_ms = standing(&world)[0].expires_at_ms;

    let mut batch = world.dynamodb.stream_batch(TABLE).unwrap();
    let records = batch["Records"].as_array_mut().unwrap();
    // What the template's event source does.
    records.retain(|one| one["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().starts_with(schema::SIGNALS));
    assert_eq!(records.len(), 1);
    assert_eq!(outcome(&world.reconciler.invoke(&batch).await.unwrap()), ("renewed".to_owned(), true));
    assert_eq!(heard(&world, "s-1").await, id);
    assert!(standing(&world)[0].expires_at_ms > ended_at_ms);
    assert_eq!(alarms(&world), 0);
}

#[tokio::test]
async fn a_reminder_that_cannot_be_written_is_not_taken() {
    let world = world().await;
    let reminder = json!({ "uuid": "1", "event": FILTERS[1], "subscriptionId": "x", "body": { "expiresIn": 259_000 } });
    world.dynamodb.gate().refuse_all(true);
    let refused = Answer { status: 503, outcome: "store_unavailable".into() };
    assert_eq!(world.post(&delivery(&reminder)).await, refused);
    world.dynamodb.gate().refuse_all(false);
    let taken = Answer { status: 200, outcome: "renewal_reminder".into() };
    assert_eq!(world.post(&delivery(&reminder)).await, taken);
}

#[tokio::test]
async fn a_new_verification_token_makes_a_new_subscription_and_is_in_no_log() {
    let world = world_with(|_| {}).await;
    run(&world).await;
    let id = heard(&world, "s-1").await;
    let rotate = async |tokens: &[&str]| {
        world.secrets.put(VERIFICATION_SECRET, &json!({ "verification_token": tokens }).to_string());
        // Both hold secrets for five minutes.
        world.webhook.restart().await.unwrap();
        world.reconciler.restart().await.unwrap();
    };
    rotate(&["canary-new-token", VERIFICATION_TOKEN]).await;
    assert_eq!(heard(&world, "s-2").await, id, "the old one is still accepted");
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    let new = heard(&world, "s-3").await;
    assert_ne!(new, id);
    rotate(&["canary-new-token"]).await;
    assert_eq!(heard(&world, "s-4").await, new, "it was given the new one");
    assert_eq!((run(&world).await.0.as_str(), alarms(&world)), ("healthy", 0));
    let written = [world.reconciler.logs().join("\n"), format!("{:?}", world.dynamodb.rows(TABLE).unwrap())].concat();
    let logs = world.reconciler.logs().join("\n");
    for canary in ["canary-new-token", VERIFICATION_TOKEN, "sim-secret", "sim.jwt.assertion"] {
        assert!(!written.contains(canary), "{canary} is in a log or a row");
    }
    assert!(logs.contains("secret_rotated"), "the logs are there");
}

#[tokio::test]
async fn killed_before_it_could_remember_the_next_run_replaces_what_it_made() {
    let world = world().await;
    let mut held = world
        .dynamodb
        .gate()
        .hold(|operation, body| operation == "UpdateItem" && body.to_string().contains("vendor#cursor#subscription"));
    let (killed, ()) = tokio::join!(world.run_reconciler(), async {
        held.reached().await;
        world.reconciler.kill().await;
    });
    assert!(killed.is_err(), "{killed:?}");
    drop(held);
    world.reconciler.restart().await.unwrap();
    assert_eq!(run(&world).await, ("repaired".to_owned(), true), "the gap is still to be looked at");
    heard(&world, "s-1").await;
}

#[tokio::test]
async fn an_event_for_somebody_else_fails_the_run() {
    let world = world().await;
    let misrouted = json!({ "Records": [{ "eventSource": "aws:s3", "s3": {} }] });
    assert!(world.reconciler.invoke(&misrouted).await.is_err());
    assert_eq!(world.vendor_statuses("/v1.0/subscription"), Vec::<u16>::new());
}
