//! Sweeps of a reconciler over a call log that is hard to read.

use std::{cell::Cell, collections::BTreeMap, time::Duration};

use futures_util::FutureExt;
use shared::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage, Listed, LoggedCall, Offer},
        day::DAY_MS,
        ids::{AccountId, RecordingId, TelephonySessionId},
        ladder::Ladder,
        permits::Share,
        session::Schedule,
    },
    ports::{
        clock::Clock,
        recording_source::{Closed, Incoming, LiveCall, LookUp, Place, RecordingSource, Rest, SourceError, Window},
        session_store::StoreError,
    },
    usecases::{
        reconcile::{Reconciler, Swept, Task},
        stopped::Stopped,
    },
};

use crate::memory::MemoryTable;

const NOW_MS: u64 = 100 * DAY_MS;
const CALLS: u64 = 6_000;
/// One recorded call in each of these steps of the last day, milliseconds.
const STEP_MS: u64 = DAY_MS / CALLS;
const PER_PAGE: usize = 1_000;

/// A clock that stands, whoever sleeps.
struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        NOW_MS
    }

    async fn sleep(&self, _: Duration) {}
}

/// A log of many calls, that gives few pages in one run.
struct Log {
    pages_left: Cell<usize>,
    /// No page with more calls than this can be read.
    most_calls: usize,
}

impl Log {
    fn answer(&self, window: &Window) -> Result<CallLogPage, SourceError> {
        let Some(left) = self.pages_left.get().checked_sub(1) else {
            return Err(Closed::Throttled { retry_after: Duration::from_secs(60) }.into());
        };
        self.pages_left.set(left);
        let first_ms = NOW_MS - DAY_MS;
        let began = (0..CALLS).rev().map(|n| first_ms + n * STEP_MS);
        let began: Vec<u64> = began.filter(|at_ms| (window.from_ms..=window.to_ms).contains(at_ms)).collect();
        let skipped = (window.page as usize - 1) * PER_PAGE;
        let page: Vec<u64> = began.iter().copied().skip(skipped).take(PER_PAGE).collect();
        if page.len() > self.most_calls {
            return Err(SourceError::Malformed("the body is too large"));
        }
        let calls: BTreeMap<_, _> = page.iter().map(|at_ms| logged(*at_ms)).collect();
        Ok(CallLogPage {
            calls,
            whole: true,
            oldest_ms: page.last().copied(),
            more: began.len() > skipped + PER_PAGE,
            ..CallLogPage::default()
        })
    }
}

fn logged(at_ms: u64) -> (TelephonySessionId, LoggedCall) {
    let recording = RecordingId::parse(&at_ms.to_string()).unwrap();
    let offer = Offer { content_uri: format!("https://media/{at_ms}"), listed: Listed::default() };
    let said = CallLogAnswer {
        records: 1,
        whole: true,
        parts: 1,
        offered: [(recording, offer)].into(),
        too_short: Vec::new(),
    };
    let account = Some(AccountId::parse("800").unwrap());
    let call = LoggedCall { account, began_ms: Some(at_ms), said, ..LoggedCall::default() };
    (TelephonySessionId::parse(&format!("s-{at_ms}")).unwrap(), call)
}

impl RecordingSource for Log {
    async fn fetch(&self, _: Place<'_>, _: Option<&Rest>, _: u64) -> Result<Incoming, SourceError> {
        Err(SourceError::ForeignOrigin)
    }

    async fn look_up(&self, _: &LookUp, _: u64) -> Result<CallLogAnswer, SourceError> {
        Err(SourceError::ForeignOrigin)
    }

    async fn page(&self, window: &Window, _: u64) -> Result<CallLogPage, SourceError> {
        self.answer(window)
    }

    async fn live(&self, _: &TelephonySessionId, _: u64) -> Result<LiveCall, SourceError> {
        Ok(LiveCall::Over)
    }

    async fn free(&self) -> usize {
        0
    }

    fn pace_ms(&self) -> u64 {
        6_000
    }

    async fn settle(&self) {}
}

/// One run of the trailing sweep.
fn run(table: &MemoryTable, log: &Log) -> Result<Swept, StoreError> {
    let schedule = Schedule {
        first_attempt_delay: Duration::ZERO,
        ladder: Ladder::new(vec![Duration::ZERO]).unwrap(),
        quiet_period: Duration::ZERO,
        unlisted_after: Duration::ZERO,
        row_ttl: Duration::ZERO,
    };
    let share = Share::of_percent(30).unwrap();
    let reconciler = Reconciler { table, source: log, clock: &Still, schedule: &schedule, share };
    let task = Task::Trailing { window_ms: 26 * 3_600_000, now: false, since_ms: None };
    reconciler.sweep(&task, u64::MAX, |_| {}).now_or_never().expect("nothing waits here")
}

#[test]
fn a_window_that_no_run_can_read_to_its_end_is_read_in_shorter_ones() {
    let (table, log) = (MemoryTable::default(), Log { pages_left: Cell::new(0), most_calls: PER_PAGE });
    let mut runs = 0;
    loop {
        log.pages_left.set(3);
        let swept = run(&table, &log).unwrap();
        runs += 1;
        if swept.is_done() {
            break;
        }
        assert_eq!(swept.stopped, Some(Stopped::Throttled));
        assert!(runs < 12, "{swept:?}");
    }
    assert_eq!(table.with_rows(BTreeMap::len), 6_000, "every call was read");
}

#[test]
fn a_page_that_cannot_be_read_is_made_shorter() {
    let (table, log) = (MemoryTable::default(), Log { pages_left: Cell::new(usize::MAX), most_calls: 700 });
    let first = run(&table, &log).unwrap();
    assert_eq!((first.stopped, first.next_ms), (Some(Stopped::LogUnreadable), first.from_ms));
    let mut runs = 1;
    while !run(&table, &log).unwrap().is_done() {
        runs += 1;
        assert!(runs < 20, "it never ends");
    }
    assert_eq!(table.with_rows(BTreeMap::len), 6_000);
}
