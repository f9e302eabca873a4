//! What the reconciler sees to besides calls: one subscription that hears them, and a report of every day that has closed.

use std::{collections::BTreeSet, iter};

use futures_util::FutureExt;
use ringcentral_sim::core::SubscriptionStatus;
use shared::{
    domain::{
        completeness::{Link, Report},
        day::Day,
        object_key::ObjectKey,
        session::{RecordingState, SessionRow},
        subscription::{FILTERS, Memory},
    },
    ports::cursor_store::{CursorStore, Job},
};

use super::Judge;
use crate::{
    functions::WEBHOOK_URL,
    memory::sha256,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS},
};

/// Reports are below this.
const REPORTS: &str = "reports/";

/// A day is closed so long after its end; clocks may be a little off, milliseconds.
const CLOSED_AFTER_MS: u64 = HOUR_MS - MINUTE_MS;

/// What had settled so long before the reconciler's last run its reports must tell of, milliseconds.
const TOLD_WITHIN_MS: u64 = 2 * HOUR_MS;

impl Judge {
    /// Looks at the subscription and at the reports. The reconciler was started until `until_ms`, epoch milliseconds.
    pub(crate) fn look_at_oversight(&mut self, until_ms: u64) {
        self.look_at_subscription();
        self.look_at_chain();
        let closed = iter::successors(Some(Day::of(MIDNIGHT_MS)), |day| Some(day.next()));
        for day in closed.take_while(|day| day.start_ms() + DAY_MS + CLOSED_AFTER_MS + TOLD_WITHIN_MS <= until_ms) {
            self.look_at_report(day, until_ms.saturating_sub(TOLD_WITHIN_MS));
        }
    }

    /// One healthy subscription leads to the webhook, and it is the one that is remembered.
    fn look_at_subscription(&mut self) {
        // The memory table answers at once.
        let cursor = self.table.cursor(&Job::new("subscription")).now_or_never().and_then(Result::ok);
        let remembered = cursor.and_then(|cursor| Memory::parse(&cursor.state?)).map(|memory| memory.id);
        let core = self.vendor.core.borrow();
        let ours: Vec<_> =
            core.subscriptions(self.time.now_ms()).filter(|one| one.address == WEBHOOK_URL).cloned().collect();
        drop(core);
        let [one] = &ours[..] else {
            return self.complain(format!("{} subscriptions lead to the webhook", ours.len()));
        };
        let hears = one.status == SubscriptionStatus::Active && one.event_filters.len() == FILTERS.len();
        let carries = one.verification_token() == self.knobs.accepted.first().copied();
        if !hears || !carries || remembered.as_ref() != Some(&one.id) {
            self.complain(format!("the subscription is not what it should be; remembered is {remembered:?}: {one:?}"));
        }
    }

    /// Each report names the one that was issued before it, and none is of a day that had not closed.
    fn look_at_chain(&mut self) {
        let mut previous: Option<Link> = None;
        for (sequence, (key, version, json)) in (1..).zip(self.bucket.versions(REPORTS)) {
            let Ok(report) = Report::parse(&json) else { return self.complain(format!("{key} is no report")) };
            if report.sequence != sequence || report.previous != previous {
                self.complain(format!("report {sequence} at {key} is not chained to the one before it"));
            }
            if report.issued_ms < report.proof.day.start_ms() + DAY_MS + CLOSED_AFTER_MS {
                self.complain(format!("{key} was issued before the day had closed"));
            }
            let is_whole = report.proof.missing.is_empty() && report.proof.defects.is_empty();
            // What an older table does not know any more may be found by nobody.
            if self.restores == 0 && !is_whole {
                let (missing, defects) = (&report.proof.missing, &report.proof.defects);
                self.complain(format!("{key} says that {missing:?} are missing, and {defects:?}"));
            }
            previous = Some(Link { key, version: Some(version), sha256: sha256(&json) });
        }
    }

    /// The last report of a day tells of every session that had settled by `by_ms`, epoch milliseconds, as it did.
    fn look_at_report(&mut self, day: Day, by_ms: u64) {
        let rows: Vec<SessionRow> = self.table.with_rows(|rows| {
            let rows = rows.values().map(|stored| &stored.row);
            rows.filter(|row| row.day == day && !row.recordings().is_empty()).cloned().collect()
        });
        let Some(account) = rows.first().map(|row| row.key.account.clone()) else { return };
        let key = ObjectKey::report(&account, day);
        let Some(report) = self.bucket.document(&key).and_then(|json| Report::parse(&json).ok()) else {
            return self.complain(format!("{day} has closed, and there is no report of it"));
        };
        let had_settled = |row: &&SessionRow| {
            let changed_ms = self.changed_ms.get(&row.key).copied().unwrap_or_default();
            row.unfinished().is_empty() && row.manifest.is_some() && changed_ms <= by_ms
        };
        let settled: Vec<&SessionRow> = rows.iter().filter(had_settled).collect();
        let count = |of: &[&SessionRow], state| {
            let states = of.iter().flat_map(|row| row.recordings().into_iter().map(|one| row.result(one).state));
            states.filter(|one| *one == state).count()
        };
        let all: Vec<&SessionRow> = rows.iter().collect();
        let counts = report.proof.counts;
        for (told, state) in [
            (counts.archived, RecordingState::Archived),
            (counts.too_short, RecordingState::TooShort),
            (counts.unavailable, RecordingState::Unavailable),
            (counts.deleted, RecordingState::Deleted),
        ] {
            // Of what an older table does not know any more, manifests tell.
            let (least, most) =
                (count(&settled, state), if self.restores == 0 { count(&all, state) } else { usize::MAX });
            if told < least || told > most {
                let name = state.name();
                self.complain(format!("{key} counts {told} as {name}, and {least} had settled so"));
            }
        }
        let named: BTreeSet<_> = report.proof.manifests.iter().map(|link| &link.key).collect();
        let unnamed = settled.iter().filter_map(|row| row.manifest.as_ref()).find(|kept| !named.contains(&kept.key));
        if let Some(kept) = unnamed {
            self.complain(format!("{key} does not rest on {}", kept.key));
        }
    }
}
