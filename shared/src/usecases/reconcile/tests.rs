mod log;
mod rows;
mod tick;

use super::*;
use crate::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage, LoggedCall},
        day::DAY_MS,
        ids::TelephonySessionId,
        session::{SessionKey, SessionRow, tests::id},
    },
    ports::recording_source::SourceError,
    usecases::fakes::{Jumping, Table, Vendor, schedule, silent},
};

const NOW_MS: u64 = 20 * DAY_MS;
const FAR_MS: u64 = NOW_MS + 600_000;
/// A stretch that is one window.
const STRETCH: std::ops::Range<u64> = 10 * DAY_MS..11 * DAY_MS;

/// A call of account 800 that began then and offers these recordings.
fn logged(session: &str, began_ms: u64, offered: &[&str]) -> (TelephonySessionId, LoggedCall) {
    let call = LoggedCall {
        account: Some(id(AccountId::parse, "800")),
        began_ms: Some(began_ms),
        said: silent(offered),
        ..LoggedCall::default()
    };
    (id(TelephonySessionId::parse, session), call)
}

fn page(calls: impl IntoIterator<Item = (TelephonySessionId, LoggedCall)>, more: bool) -> CallLogPage {
    CallLogPage { calls: calls.into_iter().collect(), whole: true, more, ..CallLogPage::default() }
}

fn key(session: &str) -> SessionKey {
    SessionKey { account: id(AccountId::parse, "800"), session: id(TelephonySessionId::parse, session) }
}

fn sweep(table: &Table, vendor: &Vendor<'_>, task: &Task, until_ms: u64) -> Result<Swept, StoreError> {
    let schedule = schedule();
    let reconciler =
        Reconciler { table, source: vendor, clock: vendor.clock, schedule: &schedule, share: Share::WHOLE };
    vendor.clock.run(reconciler.sweep(task, until_ms, |_| {}))
}

/// A sweep of the stretch over these pages.
fn swept_over(table: &Table, pages: impl IntoIterator<Item = CallLogPage>) -> Result<Swept, StoreError> {
    let clock = Jumping::at(NOW_MS);
    let vendor = Vendor::new(&clock);
    vendor.pages.borrow_mut().extend(pages.into_iter().map(Ok));
    sweep(table, &vendor, &Task::Range(STRETCH), FAR_MS)
}

fn swept(next_ms: u64) -> Swept {
    Swept {
        from_ms: 1,
        to_ms: 100,
        next_ms,
        pages: 11,
        calls: 3,
        offered: 4,
        unheard: 5,
        amended: 6,
        reopened: 7,
        too_short: 8,
        silent: 9,
        unreadable: 10,
        accounts: [AccountId::parse("800").unwrap()].into(),
        days: [Day::of(0)].into(),
        stopped: Some(Stopped::Throttled),
    }
}

#[test]
fn a_sweep_is_done_when_it_has_come_to_its_end() {
    assert_eq!([99, 100, 101].map(|next_ms| swept(next_ms).is_done()), [false, true, true]);
}

#[test]
fn two_runs_of_a_sweep_are_told_as_one_that_stands_where_the_later_does() {
    let (account, day) = (AccountId::parse("801").unwrap(), Day::of(DAY_MS));
    let later = Swept {
        from_ms: 2,
        to_ms: 200,
        accounts: [account.clone()].into(),
        days: [day].into(),
        stopped: None,
        ..swept(150)
    };
    let both = Swept {
        from_ms: 2,
        to_ms: 200,
        next_ms: 150,
        pages: 22,
        calls: 6,
        offered: 8,
        unheard: 10,
        amended: 12,
        reopened: 14,
        too_short: 16,
        silent: 18,
        unreadable: 20,
        accounts: [AccountId::parse("800").unwrap(), account].into(),
        days: [Day::of(0), day].into(),
        stopped: None,
    };
    assert_eq!(swept(50).and_then(later), both);
    assert_eq!(swept(50).and_then(Swept { stopped: Some(Stopped::Paced), ..swept(60) }).stopped, Some(Stopped::Paced));
}
