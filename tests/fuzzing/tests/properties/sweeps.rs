//! The call log read window by window, cut off anywhere: no call is passed over.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, VecDeque},
    future::pending,
    ops::Range,
    time::Duration,
};

use proptest::prelude::*;
use shared::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage, Listed, LoggedCall, Offer},
        day::DAY_MS,
        ids::{AccountId, RecordingId, TelephonySessionId},
        ladder::Ladder,
        permits::Share,
        session::Schedule,
        sweep::Sweep,
    },
    ports::{
        clock::Clock,
        recording_source::{Closed, Incoming, LiveCall, LookUp, Place, RecordingSource, Rest, SourceError, Window},
    },
    usecases::reconcile::{Reconciler, Swept, Task},
};
use simulation::memory::MemoryTable;

use crate::{cases, run};

const BEGIN_MS: u64 = 1_776_124_800_000;
const WINDOW_MS: u64 = 26 * 3_600_000;
/// Of the vendor's log.
const CALLS_ON_A_PAGE: usize = 2;

/// How the vendor answers a page.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// After so long, milliseconds.
    Well(u64),
    Throttled,
    Fails,
    /// It never comes: the run is killed.
    Never,
}

/// The vendor's log, and the time.
struct World {
    /// When its calls began, epoch milliseconds; the place is the call's name.
    calls: Vec<u64>,
    answers: RefCell<VecDeque<Answer>>,
    now_ms: Cell<u64>,
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.now_ms.set(self.now_ms.get() + duration.as_millis() as u64);
    }
}

impl RecordingSource for World {
    async fn page(&self, window: &Window, _: u64) -> Result<CallLogPage, SourceError> {
        let answer = self.answers.borrow_mut().pop_front();
        match answer.unwrap_or(Answer::Well(1)) {
            Answer::Well(takes_ms) => self.sleep(Duration::from_millis(takes_ms)).await,
            Answer::Throttled => return Err(Closed::Throttled { retry_after: Duration::from_secs(60) }.into()),
            Answer::Fails => return Err(SourceError::Unreachable("nobody answers".to_owned())),
            Answer::Never => pending().await,
        }
        Ok(self.show(window))
    }

    async fn fetch(&self, _: Place<'_>, _: Option<&Rest>, _: u64) -> Result<Incoming, SourceError> {
        unreachable!("a sweep fetches nothing")
    }

    async fn look_up(&self, _: &LookUp, _: u64) -> Result<CallLogAnswer, SourceError> {
        unreachable!("a sweep reads whole windows")
    }

    async fn live(&self, _: &TelephonySessionId, _: u64) -> Result<LiveCall, SourceError> {
        unreachable!("a sweep reads the log alone")
    }

    async fn free(&self) -> usize {
        10
    }

    fn pace_ms(&self) -> u64 {
        6_000
    }

    async fn settle(&self) {}
}

impl World {
    /// The newest calls first, and both ends of the window are in it.
    fn show(&self, window: &Window) -> CallLogPage {
        let shown = window.from_ms..=window.to_ms.min(self.now_ms());
        let mut calls: Vec<_> =
            self.calls.iter().enumerate().filter(|(_, began_ms)| shown.contains(began_ms)).collect();
        calls.sort_by_key(|(_, began_ms)| std::cmp::Reverse(**began_ms));
        let from = (window.page as usize - 1) * CALLS_ON_A_PAGE;
        let on_it = calls.iter().skip(from).take(CALLS_ON_A_PAGE);
        CallLogPage {
            calls: on_it.map(|(name, began_ms)| (session(*name), logged(*name, **began_ms))).collect(),
            whole: true,
            more: calls.len() > from + CALLS_ON_A_PAGE,
            ..CallLogPage::default()
        }
    }

    fn sweep(&self, table: &MemoryTable, task: &Task, takes_ms: u64) -> Option<Swept> {
        let schedule = Schedule {
            first_attempt_delay: Duration::ZERO,
            ladder: Ladder::new(vec![Duration::ZERO]).unwrap(),
            quiet_period: Duration::ZERO,
            unlisted_after: Duration::from_secs(3_600),
            row_ttl: Duration::ZERO,
        };
        let reconciler = Reconciler { table, source: self, clock: self, schedule: &schedule, share: Share::WHOLE };
        run(reconciler.sweep(task, self.now_ms() + takes_ms, |_| {})).map(Result::unwrap)
    }
}

fn session(name: usize) -> TelephonySessionId {
    TelephonySessionId::parse(&format!("s-{name}")).unwrap()
}

fn logged(name: usize, began_ms: u64) -> LoggedCall {
    let offer = Offer { content_uri: "https://media.ringcentral.com/x".to_owned(), listed: Listed::default() };
    let recording = RecordingId::parse(&format!("9{name}")).unwrap();
    LoggedCall {
        account: AccountId::parse("800").ok(),
        began_ms: Some(began_ms),
        said: CallLogAnswer {
            records: 1,
            whole: true,
            parts: 1,
            offered: [(recording, offer)].into(),
            ..CallLogAnswer::default()
        },
        ..LoggedCall::default()
    }
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let answer = prop_oneof![
        8 => (1..60_000_u64).prop_map(Answer::Well),
        1 => Just(Answer::Throttled),
        1 => Just(Answer::Fails),
        1 => Just(Answer::Never),
    ];
    prop::collection::vec(answer, 0..60)
}

/// When calls begin in so long a time: anywhere, close together, and where a window is likely to end.
fn calls(length_ms: u64) -> impl Strategy<Value = Vec<u64>> {
    let at_an_edge = (0..=length_ms / DAY_MS, 0..3_u64).prop_map(|(day, more)| (day * DAY_MS + more).saturating_sub(1));
    let close = (0..30_u64).prop_map(move |more| length_ms / 3 + more * 700);
    let began = prop_oneof![4 => 0..length_ms, 2 => at_an_edge, 2 => close];
    prop::collection::vec(began.prop_map(|after_ms| BEGIN_MS + after_ms), 1..40)
}

fn world(calls: Vec<u64>, answers: Vec<Answer>, now_ms: u64) -> World {
    World { calls, answers: RefCell::new(answers.into()), now_ms: Cell::new(now_ms) }
}

/// The calls that began in a stretch, and have no row.
fn passed_over(world: &World, known: &BTreeSet<TelephonySessionId>, stretch: &Range<u64>) -> Vec<u64> {
    let in_it = world.calls.iter().enumerate().filter(|(_, began_ms)| stretch.contains(began_ms));
    in_it.filter(|(name, _)| !known.contains(&session(*name))).map(|(_, began_ms)| began_ms - BEGIN_MS).collect()
}

/// Takes the rows out, as if all were archived and long gone.
fn take_rows(table: &MemoryTable, known: &mut BTreeSet<TelephonySessionId>) {
    for key in table.with_rows(|rows| rows.keys().cloned().collect::<Vec<_>>()) {
        table.tamper(&key, |_| None);
        known.insert(key.session);
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn trailing_windows_leave_no_gap_however_runs_end_and_however_late_they_are(
        calls in calls(9 * DAY_MS),
        answers in answers(),
        runs in prop::collection::vec((60_000..2 * DAY_MS, 1_000..300_000_u64, any::<bool>()), 1..12),
    ) {
        let world = world(calls, answers, BEGIN_MS);
        let table = MemoryTable::default();
        let mut known = BTreeSet::new();
        // As the function does it: nothing before the stack began.
        let task = |now| Task::Trailing { window_ms: WINDOW_MS, now, since_ms: Some(BEGIN_MS) };
        for (after_ms, takes_ms, now) in runs {
            world.now_ms.set(world.now_ms() + after_ms);
            let swept = world.sweep(&table, &task(now), takes_ms);
            take_rows(&table, &mut known);
            if let Some(Swept { next_ms, .. }) = swept {
                prop_assert_eq!(passed_over(&world, &known, &(BEGIN_MS..next_ms)), [0; 0]);
            }
        }
        world.answers.borrow_mut().clear();
        for _ in 0..2 {
            let takes_ms = u64::MAX - world.now_ms();
            let swept = world.sweep(&table, &task(true), takes_ms).unwrap();
            prop_assert_eq!(swept.next_ms, swept.to_ms);
            take_rows(&table, &mut known);
            prop_assert_eq!(passed_over(&world, &known, &(BEGIN_MS..swept.to_ms)), [0; 0]);
        }
    }

    #[test]
    fn a_backfill_adds_every_call_of_its_stretch_in_however_many_runs(
        calls in calls(20 * DAY_MS),
        answers in answers(),
        length_ms in 1..20 * DAY_MS,
        takes in prop::collection::vec(1_000..300_000_u64, 1..8),
    ) {
        let stretch = BEGIN_MS..BEGIN_MS + length_ms;
        let world = world(calls, answers, BEGIN_MS + 30 * DAY_MS);
        let table = MemoryTable::default();
        let mut known = BTreeSet::new();
        let task = Task::Backfill { stretch: Some(stretch.clone()), retention_ms: 0 };
        for run in 0.. {
            prop_assert!(run < 2_000, "it ends");
            let swept = world.sweep(&table, &task, takes[run % takes.len()]);
            take_rows(&table, &mut known);
            let next_ms = swept.map_or(stretch.start, |swept| swept.next_ms);
            prop_assert_eq!(passed_over(&world, &known, &(stretch.start..next_ms)), [0; 0]);
            if next_ms >= stretch.end {
                break;
            }
            world.now_ms.set(world.now_ms() + 300_000);
        }
    }

    #[test]
    fn windows_follow_each_other_to_the_end_whatever_is_done_of_each(
        length_ms in 1..200 * DAY_MS,
        steps in prop::collection::vec((0..=1_000_u64, 0..1_000_usize, prop::bool::weighted(0.3)), 1..200),
    ) {
        let stretch = BEGIN_MS..BEGIN_MS + length_ms;
        let mut sweep = Sweep::over(stretch.clone());
        for (done, calls, too_many) in steps {
            let (window, left) = (sweep.window(), sweep.left());
            prop_assert_eq!((window.start, left.end, sweep.stretch()), (left.start, stretch.end, stretch.clone()));
            prop_assert_eq!(window.is_empty(), sweep.is_done());
            prop_assert!(window.end <= stretch.end);
            if too_many && !sweep.is_narrow() {
                sweep.narrow();
                prop_assert!(sweep.window().start == window.start && sweep.window().end <= window.end);
            } else {
                let at_ms = window.start + (window.end - window.start) * done / 1_000;
                sweep.advance(at_ms, calls);
                prop_assert_eq!(sweep.left(), at_ms..stretch.end, "no further than was done, and no less");
            }
            prop_assert_eq!(Sweep::parse(&sweep.to_json()), Some(sweep.clone()));
        }
    }
}
