//! What only a person or time can put right: one alarm a run, nothing lost, and well again by itself afterwards.

use ringcentral_sim::{Outage, OutageAnswer};
use shared::{clients::system::System, ports::clock::Clock};
use tests::world_with;

use super::{alarms, change, heard, run, somebody_elses, standing, world};

/// The scope without what the events of calls need.
const DEAF: &str = "ReadCallLog ReadCallRecording SubscriptionWebhook";
const HEARING: &str = "ReadCallLog ReadCallRecording SubscriptionWebhook CallControl";

#[tokio::test]
async fn a_missing_permission_is_one_alarm_a_run_and_heals_when_it_is_granted() {
    let world = world_with(|config| config.vendor.scope = DEAF.to_owned()).await;
    let theirs = {
        world.vendor.with(|vendor| vendor.settings_mut().auth_limit = 1_000);
        somebody_elses(&world).await
    };
    let mut ours = None;
    for n in 1..=3 {
        assert_eq!(run(&world).await, ("permission_missing".to_owned(), false));
        let ids: Vec<_> = standing(&world).into_iter().map(|one| one.id).filter(|id| *id != theirs).collect();
        assert_eq!(ids.len(), 1, "the trial goes again");
        assert_eq!(ours.get_or_insert(ids[0].clone()), &ids[0], "and the old one stays");
        assert_eq!(alarms(&world), n);
    }
    world.vendor.with(|vendor| vendor.settings_mut().scope = HEARING.to_owned());
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    heard(&world, "s-1").await;
    assert_eq!((run(&world).await.0.as_str(), alarms(&world)), ("healthy", 3));
    assert!(standing(&world).iter().any(|one| one.id == theirs));
}

#[tokio::test]
async fn a_list_that_fails_is_one_alarm_and_changes_nothing() {
    let world = world().await;
    run(&world).await;
    let id = heard(&world, "s-1").await;
    for (n, answer) in
        [OutageAnswer::Error(503), OutageAnswer::Html(502), OutageAnswer::Empty(500)].into_iter().enumerate()
    {
        let path_part = "/v1.0/subscription".to_owned();
        let outage = Outage { from_ms: 0, until_ms: u64::MAX, share: 1.0, path_part, answer };
        world.vendor.with(|vendor| vendor.settings_mut().outages = vec![outage]);
        assert_eq!(run(&world).await, ("list_failed".to_owned(), false), "{answer:?}");
        assert_eq!(alarms(&world), n + 1, "{answer:?}");
        world.vendor.with(|vendor| vendor.settings_mut().outages.clear());
        assert_eq!(run(&world).await, ("healthy".to_owned(), false), "{answer:?}");
    }
    world.vendor.with(|vendor| vendor.settings_mut().light_limit = 0);
    assert_eq!(run(&world).await, ("list_failed".to_owned(), false), "429");
    assert_eq!(alarms(&world), 4);
    assert_eq!(run(&world).await, ("list_failed".to_owned(), false), "and nothing is sent into the penalty");
    let lists = world.vendor_statuses("/v1.0/subscription");
    assert_eq!(lists.iter().filter(|status| **status == 429).count(), 1, "{lists:?}");
    assert_eq!(heard(&world, "s-2").await, id);
}

#[tokio::test]
async fn a_webhook_that_does_not_answer_is_one_alarm_and_nothing_is_deleted() {
    let world = world().await;
    run(&world).await;
    let id = heard(&world, "s-1").await;
    world.vendor.with(|vendor| vendor.blacklist(&id, "timed out", System.now_ms()));
    world.webhook.kill().await;
    assert_eq!(run(&world).await, ("address_refused".to_owned(), false));
    assert_eq!((standing(&world).len(), alarms(&world)), (1, 1));
    world.webhook.restart().await.unwrap();
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    assert_ne!(heard(&world, "s-2").await, id);
    assert_eq!(alarms(&world), 1);
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_replaced_by_the_next_run() {
    let world = world().await;
    let unheard = |status| world.vendor.with(|vendor| vendor.settings_mut().creation_unheard = status);
    unheard(Some(504));
    for n in 1..=2 {
        assert_eq!(run(&world).await, ("create_unanswered".to_owned(), false));
        assert_eq!((standing(&world).len(), alarms(&world)), (n, n));
    }
    unheard(None);
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    let id = heard(&world, "s-1").await;

    world.vendor.with(|vendor| vendor.blacklist(&id, "timed out", System.now_ms()));
    unheard(Some(504));
    assert_eq!(run(&world).await, ("create_unanswered".to_owned(), false));
    assert_eq!((standing(&world).len(), alarms(&world)), (2, 3), "the old one is not deleted");
    unheard(None);
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    assert_ne!(heard(&world, "s-2").await, id);
}

#[tokio::test]
async fn thirty_of_others_leave_no_room_and_a_broken_one_of_ours_makes_it() {
    let world = world().await;
    run(&world).await;
    let ours = heard(&world, "s-0").await;
    for _ in 0..29 {
        somebody_elses(&world).await;
    }
    world.vendor.with(|vendor| vendor.blacklist(&ours, "timed out", System.now_ms()));
    assert_eq!(run(&world).await, ("repaired".to_owned(), true));
    let ours = heard(&world, "s-1").await;
    assert_eq!((standing(&world).len(), alarms(&world)), (30, 0));

    change(&world, &ours, |ours| ours.expires_at_ms = System.now_ms());
    somebody_elses(&world).await;
    assert_eq!(run(&world).await, ("limit_reached".to_owned(), false));
    assert_eq!((standing(&world).len(), alarms(&world)), (30, 1));
}
