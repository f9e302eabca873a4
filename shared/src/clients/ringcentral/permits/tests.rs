//! One process's hand in a ledger that others write too.

use std::cell::{Cell, RefCell};

use futures_util::{FutureExt, future::join_all};

use super::*;
use crate::{
    domain::permits::Ledger,
    ports::{
        permit_store::{KeptLedger, Replaced},
        session_store::StoreError,
    },
};

/// Rows in memory that answer at once, and count their writes.
#[derive(Default)]
struct Rows {
    rows: RefCell<BTreeMap<Group, KeptLedger>>,
    writes: Cell<usize>,
    failing: Cell<usize>,
    /// Lets others have their turn first.
    slow: Cell<bool>,
}

impl Rows {
    fn heard(limit: u32) -> Self {
        let rows = Self::default();
        let ledger = Ledger { heard: true, limit, ..Ledger::of(&Group::heavy()) };
        rows.rows.borrow_mut().insert(Group::heavy(), KeptLedger { ledger, rev: 1 });
        rows
    }

    fn kept(&self, group: &Group) -> KeptLedger {
        let empty = || KeptLedger { ledger: Ledger::of(group), rev: 0 };
        self.rows.borrow().get(group).cloned().unwrap_or_else(empty)
    }
}

impl PermitStore for &Rows {
    async fn ledger(&self, group: &Group) -> Result<KeptLedger, StoreError> {
        Ok(self.kept(group))
    }

    async fn replace(&self, group: &Group, rev: u64, ledger: &Ledger) -> Result<Replaced, StoreError> {
        if self.slow.get() {
            tokio::task::yield_now().await;
        }
        self.writes.set(self.writes.get() + 1);
        if self.failing.get() > 0 {
            self.failing.set(self.failing.get() - 1);
            return Err(StoreError::Indeterminate("timeout".to_owned()));
        }
        if self.kept(group).rev != rev {
            return Ok(Replaced::Changed(self.kept(group)));
        }
        self.rows.borrow_mut().insert(group.clone(), KeptLedger { ledger: ledger.clone(), rev: rev + 1 });
        Ok(Replaced::Done)
    }
}

/// A clock on which waiting takes no time of ours.
#[derive(Default)]
struct Hands(Cell<u64>);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.set(self.0.get() + u64::try_from(duration.as_millis()).unwrap());
    }
}

fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("nothing here waits for anybody")
}

fn take(permits: &Permits<&Rows>, clock: &Hands, wait_until_ms: u64) -> Result<Permit, Closed> {
    now(permits.take(Endpoint::Content, clock, wait_until_ms))
}

fn permits<'a>(rows: &'a Rows, holder: &str) -> Permits<&'a Rows> {
    Permits::new(rows, holder.to_owned())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[tokio::test]
async fn ten_callers_at_once_reserve_in_two_writes() {
    let (rows, clock) = (Rows::heard(10), Hands::default());
    rows.slow.set(true);
    let permits = permits(&rows, "a");
    let taken = join_all((0..10).map(|_| permits.take(Endpoint::Content, &clock, 0))).await;
    assert!(taken.iter().all(Result::is_ok));
    assert_eq!(rows.writes.get(), 2, "the first for itself, the second for all who stand behind it");
    rows.slow.set(false);
    let refused = take(&permits, &clock, 0);
    assert!(matches!(refused, Err(Closed::Throttled { retry_after }) if retry_after.as_millis() == 105_100));
}

#[test]
fn two_processes_share_one_limit_and_what_one_did_not_use_the_other_gets() {
    let (rows, clock) = (Rows::heard(3), Hands::default());
    let (mine, yours) = (permits(&rows, "a"), permits(&rows, "b"));
    let [first, second] = [(); 2].map(|()| take(&mine, &clock, 0).unwrap());
    let third = take(&yours, &clock, 0).unwrap();
    assert!(take(&yours, &clock, 0).is_err());
    mine.unsent(second);
    now(mine.settle(&clock));
    let fourth = take(&yours, &clock, 0).unwrap();
    assert_eq!(now(mine.free(Endpoint::Content, &clock)), 0);
    drop((first, third, fourth));
}

#[test]
fn a_revision_that_comes_again_with_other_contents_is_not_taken_for_what_was_known() {
    let (rows, clock) = (Rows::heard(1), Hands::default());
    let permits = permits(&rows, "a");
    let first = take(&permits, &clock, 0).unwrap();
    now(permits.answered(Endpoint::Content, first, &HeaderMap::new(), &clock));
    now(permits.settle(&clock));
    let frozen = Ledger { frozen_until_ms: 90_000, ..rows.kept(&Group::heavy()).ledger };
    let restored = KeptLedger { ledger: frozen, ..rows.kept(&Group::heavy()) };
    rows.rows.borrow_mut().insert(Group::heavy(), restored);
    clock.0.set(70_000);
    assert!(take(&permits, &clock, 0).is_err());
}

#[test]
fn a_caller_waits_for_the_moment_a_permit_is_free_again() {
    let (rows, clock) = (Rows::heard(1), Hands::default());
    let permits = permits(&rows, "a");
    let first = take(&permits, &clock, 0).unwrap();
    clock.0.set(300);
    now(permits.answered(Endpoint::Content, first, &HeaderMap::new(), &clock));
    assert!(take(&permits, &clock, 60_399).is_err());
    let _permit = take(&permits, &clock, 60_400).unwrap();
    assert_eq!(clock.now_ms(), 60_400, "a window after the reply, and what clocks may differ by");
}

#[test]
fn an_unanswered_request_counts_a_little_longer() {
    let (rows, clock) = (Rows::heard(1), Hands::default());
    let permits = permits(&rows, "a");
    let first = take(&permits, &clock, 0).unwrap();
    clock.0.set(30_000);
    now(permits.unanswered(first, &clock));
    let _permit = take(&permits, &clock, u64::MAX).unwrap();
    assert_eq!(clock.now_ms(), 95_100);
}

#[test]
fn a_write_whose_answer_is_lost_is_made_again_and_takes_nothing_twice() {
    let (rows, clock) = (Rows::heard(2), Hands::default());
    let permits = permits(&rows, "a");
    rows.failing.set(2);
    let _permit = take(&permits, &clock, 0).unwrap();
    assert_eq!(rows.kept(&Group::heavy()).ledger.uses.len(), 1);
    rows.failing.set(3);
    assert!(matches!(take(&permits, &clock, 0), Err(Closed::NoLedger(_))), "then it gives up");
}

#[test]
fn a_group_is_what_the_reply_says_it_is() {
    let (rows, clock) = (Rows::heard(10), Hands::default());
    let permits = permits(&rows, "a");
    let first = take(&permits, &clock, 0).unwrap();
    let said = headers(&[("X-Rate-Limit-Group", "Media"), ("X-Rate-Limit-Limit", "20"), ("X-Rate-Limit-Window", "30")]);
    now(permits.answered(Endpoint::Content, first, &said, &clock));
    now(permits.settle(&clock));
    let media = rows.kept(&Group::parse("media").unwrap()).ledger;
    assert_eq!((media.limit, media.window_ms, media.uses.len()), (20, 30_000, 1));
    let heavy = rows.kept(&Group::heavy()).ledger;
    assert_eq!((heavy.limit, heavy.uses.len()), (10, 0), "what was taken there is given back, and its limit stays");
    for _ in 0..19 {
        drop(take(&permits, &clock, 0).unwrap());
    }
    assert!(take(&permits, &clock, 0).is_err(), "no permit is granted a second time in the other group");
    assert_eq!(permits.pace_ms(Endpoint::Content), 1_500);
    assert_eq!(permits.pace_ms(Endpoint::CallLog), 6_000);
}

#[test]
fn a_429_closes_its_group_and_a_global_one_all_of_them() {
    for (code, closed, pause_ms) in
        [("CMN-301", vec!["heavy"], 60_000), ("CMN-310", vec!["auth", "heavy", "light", "medium"], 2_000)]
    {
        let (rows, clock) = (Rows::heard(10), Hands::default());
        let permits = permits(&rows, "a");
        let first = take(&permits, &clock, 0).unwrap();
        let said = headers(&[("x-rate-limit-limit", "10"), ("retry-after", "2")]);
        let throttled = Throttled::of(&said, Some(code.to_owned()));
        now(permits.throttled(Endpoint::Content, first, &said, &throttled, &clock));
        let frozen: Vec<String> = Group::documented()
            .filter(|group| rows.kept(group).ledger.frozen_until_ms == pause_ms + 100)
            .map(|group| group.to_string())
            .collect();
        assert_eq!(frozen, closed, "{code}");
        let other = take(&self::permits(&rows, "b"), &clock, pause_ms - 1);
        assert!(matches!(other, Err(Closed::Throttled { .. })), "{code}");
    }
}

#[test]
fn a_permit_that_lies_too_long_is_not_used() {
    let (rows, clock) = (Rows::heard(10), Hands::default());
    let permits = permits(&rows, "a");
    let gate = permits.gate(&Group::heavy());
    let ids = vec![PermitId::new("a", 77, Share::WHOLE)];
    gate.stock(&Group::heavy(), ids, 0);
    clock.0.set(10_001);
    assert!(gate.take_stock(10_001).is_none());
    assert!(gate.has_news(), "it is given back");
}
