//! What a run did: its answer, and its metrics.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::{
    domain::completeness::Counts,
    telemetry,
    usecases::{prove::Turn, reconcile::Swept, stopped::Stopped},
};

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// How the subscription is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subscription: Option<&'static str>,
    /// Whether calls may have gone unheard before.
    pub(crate) repaired: bool,
    /// What the call log knew and the table did not, in the last hours or in the range asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reconciled: Option<Swept>,
    /// The same of calls older than the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backfilled: Option<Swept>,
    /// Closed days, held against the bucket.
    #[serde(skip_serializing_if = "Proved::is_nothing")]
    pub(crate) proved: Proved,
}

/// What was proved, of all accounts together.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Proved {
    /// Days.
    days: usize,
    /// Reports that were issued of them.
    issued: usize,
    /// Recordings that exist or existed at the vendor.
    offered: usize,
    /// Those in the bucket.
    archived: usize,
    /// Those to be fetched yet.
    waiting: usize,
    /// Those that nothing proves.
    missing: usize,
    /// What is wrong, by class.
    defects: BTreeMap<&'static str, usize>,
    /// Seconds until the vendor deletes something that is not archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline_seconds: Option<i64>,
    #[serde(skip)]
    counts: Option<Counts>,
    #[serde(skip)]
    looked: bool,
    #[serde(skip)]
    age_seconds: Option<u64>,
}

impl Proved {
    fn is_nothing(&self) -> bool {
        !self.looked
    }

    /// What was proved of an account more.
    pub(crate) fn add(&mut self, turn: Turn) {
        self.age_seconds = self.age_seconds.max(turn.age_s);
        let Some(found) = turn.found else { return };
        self.looked = true;
        self.days += found.days;
        self.issued += found.issued;
        if let Some(counts) = found.counts {
            let all = self.counts.get_or_insert_default();
            all.add(&counts);
            (self.offered, self.archived) = (all.offered(), all.archived);
            (self.waiting, self.missing) = (all.waiting, all.missing);
        }
        for (class, number) in found.defects {
            *self.defects.entry(class.name()).or_default() += number;
        }
        self.deadline_seconds = [self.deadline_seconds, found.deadline_s].into_iter().flatten().min();
    }
}

impl Summary {
    /// Emits the run's metrics, as of `now_ms` (epoch milliseconds).
    pub(crate) fn report(&self, now_ms: u64) {
        let sweeps = || [&self.reconciled, &self.backfilled].into_iter().flatten();
        let stopped = |why| u64::from(sweeps().any(|swept| swept.stopped == Some(why)));
        let unheard = self.reconciled.as_ref().map_or(0, |swept| swept.unheard as u64);
        for (metric, count) in [
            ("RecordingsUnheard", unheard),
            ("RowsUnreadable", sweeps().map(|swept| swept.unreadable as u64).sum()),
            ("CredentialsRefused", stopped(Stopped::CredentialsRefused)),
            ("PermissionMissing", stopped(Stopped::PermissionMissing)),
        ] {
            if count > 0 {
                telemetry::count("reconciler", metric, count, now_ms);
            }
        }
        if let Some(age_s) = self.proved.age_seconds {
            telemetry::seconds("reconciler", "ProofAge", i64::try_from(age_s).unwrap_or(i64::MAX), now_ms);
        }
        if !self.proved.looked {
            return;
        }
        if let Some(counts) = &self.proved.counts {
            telemetry::percent("reconciler", "Completeness", 100.0 * counts.share(), now_ms);
            telemetry::count("reconciler", "RecordingsMissing", self.proved.missing as u64, now_ms);
        }
        telemetry::count("reconciler", "Defects", self.proved.defects.values().sum::<usize>() as u64, now_ms);
        if let Some(deadline_s) = self.proved.deadline_seconds {
            telemetry::seconds("reconciler", "Deadline", deadline_s, now_ms);
        }
    }
}
