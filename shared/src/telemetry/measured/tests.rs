use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    domain::completeness::Counts,
    usecases::{oversee::Proved, reconcile::Swept},
};

type Values = BTreeMap<&'static str, f64>;

fn values(measured: &Measured) -> Values {
    let values: Values = measured.iter().map(|(metric, value)| (metric.name(), *value)).collect();
    assert_eq!(values.len(), measured.len(), "each at most once");
    values
}

fn of_archiver(change: impl FnOnce(&mut archive_due::Summary)) -> Values {
    let mut summary = archive_due::Summary::default();
    change(&mut summary);
    values(&archiver(&summary))
}

fn of_reconciler(summary: &oversee::Summary) -> Values {
    values(&reconciler(summary))
}

fn swept(stopped: Option<Stopped>) -> Option<Swept> {
    Some(Swept { stopped, ..Swept::default() })
}

#[test]
fn a_run_of_the_archiver_that_had_nothing_to_do_says_so() {
    let expected = [("ArchiverHeartbeat", 1.0), ("RecordingsArchived", 0.0), ("Backlog", 0.0), ("AccessRefused", 0.0)];
    assert_eq!(of_archiver(|_| {}), expected.into_iter().chain([("Blocked", 0.0)]).collect());
}

#[test]
fn a_run_that_left_the_work_to_another_has_seen_nothing() {
    assert_eq!(of_archiver(|summary| summary.stopped = Some(Stopped::AnotherRun)), Values::new());
}

#[test]
fn what_the_archiver_achieved_and_what_blocks_it_are_sums() {
    let measured = of_archiver(|summary| {
        (summary.direct, summary.call_log, summary.adopted, summary.backlog) = (1, 2, 4, 9);
        (summary.conflicts, summary.forbidden, summary.foreign_hosts, summary.unreadable) = (1, 2, 4, 8);
        summary.slack_seconds = Some(-3);
    });
    let expected = [("RecordingsArchived", 7.0), ("Backlog", 9.0), ("Blocked", 15.0), ("Slack", -3.0)];
    assert!(expected.iter().all(|(name, value)| measured[name] == *value), "{measured:?}");
}

#[test]
fn access_is_refused_where_time_does_not_help() {
    for (stopped, refused) in [
        (Stopped::CredentialsRefused, 1.0),
        (Stopped::PermissionMissing, 1.0),
        (Stopped::CredentialsUnavailable, 0.0),
        (Stopped::Throttled, 0.0),
        (Stopped::Deadline, 0.0),
    ] {
        let measured = of_archiver(|summary| summary.stopped = Some(stopped));
        assert_eq!((measured["AccessRefused"], measured["ArchiverHeartbeat"]), (refused, 1.0), "{stopped:?}");
        let swept = oversee::Summary { backfilled: swept(Some(stopped)), ..oversee::Summary::default() };
        assert_eq!(of_reconciler(&swept)["AccessRefused"], refused, "{stopped:?}");
    }
}

#[test]
fn a_subscription_that_could_not_be_looked_at_is_neither_well_nor_ill() {
    for (outcome, unhealthy, refused) in [
        (Outcome::Healthy, Some(0.0), 0.0),
        (Outcome::Renewed, Some(0.0), 0.0),
        (Outcome::Created, Some(0.0), 0.0),
        (Outcome::Repaired, Some(0.0), 0.0),
        (Outcome::Alarm(Alarm::CredentialsRefused), None, 1.0),
        (Outcome::Alarm(Alarm::PermissionMissing), Some(1.0), 1.0),
        (Outcome::Alarm(Alarm::ListFailed), Some(1.0), 0.0),
        (Outcome::Alarm(Alarm::AddressRefused), Some(1.0), 0.0),
    ] {
        let measured = of_reconciler(&oversee::Summary { subscription: Some(outcome), ..oversee::Summary::default() });
        let told = (measured.get("SubscriptionUnhealthy").copied(), measured["AccessRefused"]);
        assert_eq!(told, (unhealthy, refused), "{outcome:?}");
    }
}

#[test]
fn a_whole_run_of_the_reconciler_that_proved_nothing_says_since_when() {
    let mut summary = oversee::Summary {
        subscription: Some(Outcome::Healthy),
        reconciled: Some(Swept { unheard: 3, unreadable: 1, ..Swept::default() }),
        backfilled: Some(Swept { unheard: 50, unreadable: 2, ..Swept::default() }),
        proved: Proved { age_seconds: Some(900), ..Proved::default() },
        is_whole: true,
        ..oversee::Summary::default()
    };
    let mut expected = Values::from([
        ("ReconcilerHeartbeat", 1.0),
        ("SubscriptionUnhealthy", 0.0),
        ("AccessRefused", 0.0),
        ("RecordingsUnheard", 3.0),
        ("Blocked", 3.0),
        ("ProofAge", 900.0),
    ]);
    assert_eq!(of_reconciler(&summary), expected);
    summary.is_whole = false;
    expected.remove("ReconcilerHeartbeat");
    assert_eq!(of_reconciler(&summary), expected, "a run that failed keeps what it has");
}

#[test]
fn a_run_that_came_to_nothing_says_nothing() {
    assert_eq!(of_reconciler(&oversee::Summary::default()), Values::new());
}

#[test]
fn a_proof_is_a_share_defects_and_the_time_left() {
    let mut proved = Proved { looked: true, ..Proved::default() };
    let of =
        |proved: &Proved| of_reconciler(&oversee::Summary { proved: proved.clone(), ..oversee::Summary::default() });
    assert_eq!(of(&proved), Values::from([("Defects", 0.0)]), "no day has closed yet");
    proved.counts = Some(Counts { archived: 3, missing: 1, waiting: 7, ..Counts::default() });
    proved.defects = [("duplicate", 2), ("stray_object", 1)].into();
    proved.slack_seconds = Some(86_400);
    assert_eq!(of(&proved), Values::from([("Completeness", 75.0), ("Defects", 3.0), ("Slack", 86_400.0)]));
}

#[test]
fn together_they_measure_everything_but_the_deliveries() {
    let whole = oversee::Summary {
        subscription: Some(Outcome::Healthy),
        reconciled: swept(None),
        proved: Proved {
            looked: true,
            counts: Some(Counts::default()),
            slack_seconds: Some(1),
            age_seconds: Some(1),
            ..Proved::default()
        },
        is_whole: true,
        ..oversee::Summary::default()
    };
    let measured = archiver(&archive_due::Summary::default()).into_iter().chain(reconciler(&whole));
    let measured: BTreeSet<Metric> = measured.map(|(metric, _)| metric).collect();
    let deliveries = [Metric::DeliveriesForged, Metric::DeliveriesNotUnderstood, Metric::DeliveriesNotRecorded];
    let left: Vec<Metric> = Metric::ALL.into_iter().filter(|metric| !measured.contains(metric)).collect();
    assert_eq!(left, deliveries);
}
