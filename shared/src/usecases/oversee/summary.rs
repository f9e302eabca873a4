//! What a run says of itself.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    domain::{completeness::Counts, subscription::Outcome},
    usecases::{prove::Turn, reconcile::Swept},
};

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How the subscription is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Outcome>,
    /// Whether calls may have gone unheard before.
    pub repaired: bool,
    /// What the call log knew and the table did not, in the last hours or in the range asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<Swept>,
    /// The same of calls older than the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfilled: Option<Swept>,
    /// Closed days, held against the bucket.
    #[serde(skip_serializing_if = "Proved::is_nothing")]
    pub proved: Proved,
    /// Whether it did all that a scheduled run does, and came to its end.
    #[serde(skip)]
    pub is_whole: bool,
}

/// What was proved, of all accounts together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proved {
    /// Days.
    pub days: usize,
    /// Reports that were issued of them.
    pub issued: usize,
    /// Recordings that exist or existed at the vendor.
    pub offered: usize,
    /// Those in the bucket.
    pub archived: usize,
    /// Those to be fetched yet.
    pub waiting: usize,
    /// Those that nothing proves.
    pub missing: usize,
    /// What is wrong, by class.
    pub defects: BTreeMap<&'static str, usize>,
    /// Seconds until the vendor deletes something that is not archived, less what it takes to fetch all that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_seconds: Option<i64>,
    /// All counts; none where no closed day was looked at.
    #[serde(skip)]
    pub counts: Option<Counts>,
    /// Whether it was the turn of a proof.
    #[serde(skip)]
    pub looked: bool,
    /// Seconds since the last proof that came to its end, of the account where that is longest; before the first one since the
    /// stack's first run. None where there is no account whose days could be proved.
    #[serde(skip)]
    pub age_seconds: Option<u64>,
}

impl Proved {
    fn is_nothing(&self) -> bool {
        !self.looked
    }

    /// What was proved of an account more.
    pub(super) fn add(&mut self, turn: Turn) {
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
        self.slack_seconds = [self.slack_seconds, found.slack_s].into_iter().flatten().min();
    }
}

#[cfg(test)]
mod tests;
