//! What a unit of work says of itself, as metrics. What was looked at is a value though it be 0; what was not is none.

use super::{Measured, metrics::Metric};
use crate::{
    domain::subscription::{Alarm, Outcome},
    usecases::{archive_due, oversee, record_notification, stopped::Stopped},
};

/// The metrics of a run of the archiver that came to its end. One that left the work to another has seen nothing.
pub fn archiver(summary: &archive_due::Summary) -> Measured {
    if summary.stopped == Some(Stopped::AnotherRun) {
        return Vec::new();
    }
    let blocked = summary.conflicts + summary.forbidden + summary.foreign_hosts + summary.unreadable;
    let mut measured = vec![
        (Metric::ArchiverHeartbeat, 1.0),
        (Metric::RecordingsArchived, (summary.direct + summary.call_log + summary.adopted) as f64),
        (Metric::Backlog, summary.backlog as f64),
        (Metric::AccessRefused, one_if(summary.stopped.is_some_and(is_refusal))),
        (Metric::Blocked, blocked as f64),
    ];
    measured.extend(summary.slack_seconds.map(|slack_s| (Metric::Slack, slack_s as f64)));
    measured
}

/// The metrics of a run of the reconciler, though it may have failed in the middle.
pub fn reconciler(summary: &oversee::Summary) -> Measured {
    let mut measured = Vec::new();
    if summary.is_whole {
        measured.push((Metric::ReconcilerHeartbeat, 1.0));
    }
    let sweeps = || [&summary.reconciled, &summary.backfilled].into_iter().flatten();
    let kept = summary.subscription.map(of_subscription);
    if let Some(Kept { unhealthy: Some(unhealthy), .. }) = kept {
        measured.push((Metric::SubscriptionUnhealthy, one_if(unhealthy)));
    }
    if kept.is_some() || sweeps().next().is_some() {
        let refused =
            kept.is_some_and(|kept| kept.refused) || sweeps().filter_map(|swept| swept.stopped).any(is_refusal);
        measured.push((Metric::AccessRefused, one_if(refused)));
    }
    if let Some(reconciled) = &summary.reconciled {
        measured.push((Metric::RecordingsUnheard, reconciled.unheard as f64));
        measured.push((Metric::Blocked, sweeps().map(|swept| swept.unreadable).sum::<usize>() as f64));
    }
    let proved = &summary.proved;
    measured.extend(proved.age_seconds.map(|age_s| (Metric::ProofAge, age_s as f64)));
    if proved.looked {
        measured.extend(proved.counts.map(|counts| (Metric::Completeness, 100.0 * counts.share())));
        measured.push((Metric::Defects, proved.defects.values().sum::<usize>() as f64));
        measured.extend(proved.slack_seconds.map(|slack_s| (Metric::Slack, slack_s as f64)));
    }
    measured
}

/// How a delivery at the webhook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It was authentic, and dealt with.
    Taken(record_notification::Outcome),
    /// It did not carry the verification token.
    Forged,
    /// The table or the secret was out of reach.
    NotRecorded,
}

/// The metrics of a delivery; one that went well has none.
pub fn delivery(delivered: Delivered) -> Measured {
    use record_notification::Outcome;

    match delivered {
        Delivered::Taken(Outcome::Recorded | Outcome::Known | Outcome::NotOfInterest | Outcome::RenewalReminder) => {
            Vec::new()
        }
        Delivered::Taken(Outcome::NotUnderstood(_)) => vec![(Metric::DeliveriesNotUnderstood, 1.0)],
        Delivered::Forged => vec![(Metric::DeliveriesForged, 1.0)],
        Delivered::NotRecorded => vec![(Metric::DeliveriesNotRecorded, 1.0)],
    }
}

/// What a look at the subscription means.
#[derive(Clone, Copy)]
struct Kept {
    /// Whether a person must look at it; none where RingCentral did not let us look.
    unhealthy: Option<bool>,
    /// Whether RingCentral refuses us.
    refused: bool,
}

fn of_subscription(outcome: Outcome) -> Kept {
    let (unhealthy, refused) = match outcome {
        Outcome::Healthy | Outcome::Renewed | Outcome::Created | Outcome::Repaired => (Some(false), false),
        Outcome::Alarm(Alarm::CredentialsRefused) => (None, true),
        Outcome::Alarm(Alarm::PermissionMissing) => (Some(true), true),
        Outcome::Alarm(
            Alarm::AddressRefused
            | Alarm::ListFailed
            | Alarm::LimitReached
            | Alarm::CreateRefused
            | Alarm::CreateUnanswered
            | Alarm::CreatedUnfit
            | Alarm::RenewFailed
            | Alarm::DeleteFailed,
        ) => (Some(true), false),
    };
    Kept { unhealthy, refused }
}

/// Whether a run ended because RingCentral refuses us: time does not help.
fn is_refusal(stopped: Stopped) -> bool {
    match stopped {
        Stopped::CredentialsRefused | Stopped::PermissionMissing => true,
        Stopped::AnotherRun
        | Stopped::Deadline
        | Stopped::Throttled
        | Stopped::CredentialsUnavailable
        | Stopped::PermitsUnavailable
        | Stopped::LogUnreadable
        | Stopped::Paced
        | Stopped::FreshWork => false,
    }
}

fn one_if(so: bool) -> f64 {
    if so { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests;
