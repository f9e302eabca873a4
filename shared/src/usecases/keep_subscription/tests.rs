mod vendor;

use std::{cell::RefCell, time::Duration};

use vendor::{Failure, Row, Vendor, status};

use super::*;
use crate::ports::cursor_store::Cursor;

const NOW_MS: u64 = 1_776_159_000_000;
const YEAR_MS: u64 = 365 * 86_400_000;
const ADDRESS: &str = "https://hook.example.com/";

fn healthy(id: &str) -> Subscription {
    let filters = FILTERS.map(str::to_owned).to_vec();
    let (address, disabled) = (ADDRESS.to_owned(), Vec::new());
    Subscription { id: id.to_owned(), address, active: true, filters, disabled, expires_at_ms: NOW_MS + YEAR_MS }
}

fn blacklisted(id: &str) -> Subscription {
    Subscription { active: false, ..healthy(id) }
}

fn deaf(id: &str) -> Subscription {
    let all = healthy(id).filters;
    Subscription { filters: vec![all[1].clone()], disabled: vec![all[0].clone()], ..healthy(id) }
}

/// A row that knows this one as healthy, a quarter of an hour ago.
fn knows(id: &str) -> Row {
    let fingerprint = fingerprint(&Secret::new("hush".to_owned()));
    let memory = Memory { id: id.to_owned(), fingerprint, healthy_at_ms: NOW_MS - 900_000 };
    Row(RefCell::new(Cursor { rev: 1, state: Some(memory.to_json()) }))
}

fn alarm_of(kept: &Kept) -> Alarm {
    let Outcome::Alarm(alarm) = kept.outcome else { panic!("{kept:?}") };
    alarm
}

#[test]
fn a_healthy_one_is_left_alone_and_remembered() {
    let (vendor, row) = (Vendor::with(&[healthy("a")]), knows("a"));
    let kept = vendor.run(&row, Occasion::Schedule);
    let expected = Kept { outcome: Outcome::Healthy, repaired: false, healthy_at_ms: Some(NOW_MS - 900_000) };
    assert_eq!((kept, vendor.said.take()), (expected, vec!["list".to_owned()]));
    let again = vendor.run(&row, Occasion::Schedule);
    assert_eq!(again.healthy_at_ms, Some(NOW_MS));
}

#[test]
fn a_missing_one_is_created_with_the_longest_life_that_is_accepted() {
    for (longest_s, refusals) in [(None, 0), (Some(630_720_000), 0), (Some(315_360_000), 1), (Some(604_800), 2)] {
        let (vendor, row) = (Vendor { longest_s, ..Vendor::default() }, Row::default());
        let kept = vendor.run(&row, Occasion::Schedule);
        assert_eq!(kept, Kept { outcome: Outcome::Created, repaired: true, healthy_at_ms: None });
        let said = vendor.said.take();
        assert_eq!(said.iter().filter(|said| *said == "refuse a life").count(), refusals, "{said:?}");
        assert_eq!((said[1].as_str(), vendor.ids()), ("warm", vec!["new-1".to_owned()]));
        assert_eq!(vendor.run(&row, Occasion::Schedule).outcome, Outcome::Healthy);
    }
}

#[test]
fn a_life_the_vendor_never_accepts_is_told() {
    let vendor = Vendor { longest_s: Some(1), ..Vendor::default() };
    assert_eq!(alarm_of(&vendor.run(&Row::default(), Occasion::Schedule)), Alarm::CreateRefused);
    assert_eq!(vendor.said.take().len(), 2 + LIFETIMES_S.len());
}

#[test]
fn nothing_is_deleted_before_the_new_one_stands() {
    let (vendor, row) = (Vendor::with(&[blacklisted("a"), blacklisted("b")]), knows("a"));
    let kept = vendor.run(&row, Occasion::Schedule);
    assert_eq!((kept.outcome, kept.repaired), (Outcome::Repaired, true));
    assert_eq!(vendor.said.take(), ["list", "warm", "create new-1", "delete a", "delete b"]);
}

#[test]
fn where_no_more_are_allowed_one_of_ours_goes_first_and_the_stand_in_only_if_it_is_alone() {
    let alone = Vendor { most: Some(1), ..Vendor::with(&[healthy("a")]) };
    assert_eq!(alone.run(&Row::default(), Occasion::Schedule).outcome, Outcome::Repaired);
    assert_eq!(alone.said.take(), ["list", "warm", "refuse one more", "delete a", "create new-1"]);
    let several = || Vendor { most: Some(3), ..Vendor::with(&[healthy("a"), blacklisted("b"), healthy("c")]) };
    let vendor = several();
    assert_eq!(vendor.run(&Row::default(), Occasion::Schedule).outcome, Outcome::Repaired);
    let said = ["list", "warm", "refuse one more", "delete b", "create new-1", "delete c", "delete a"];
    assert_eq!(vendor.said.take(), said);
    let deaf = several();
    deaf.deaf.set(true);
    assert_eq!(alarm_of(&deaf.run(&Row::default(), Occasion::Schedule)), Alarm::PermissionMissing);
    assert_eq!(deaf.ids(), ["a"], "it still stands in");
    let vendor = Vendor { most: Some(1), ..Vendor::with(&[blacklisted("a")]) };
    let kept = vendor.run(&knows("a"), Occasion::Schedule);
    assert_eq!((kept.outcome, kept.repaired), (Outcome::Repaired, true));
    assert_eq!(vendor.said.take(), ["list", "warm", "refuse one more", "delete a", "create new-1"]);
    let theirs = Subscription { address: "https://other.example.com/".to_owned(), ..healthy("theirs") };
    let vendor = Vendor { most: Some(1), ..Vendor::with(&[theirs]) };
    assert_eq!(alarm_of(&vendor.run(&Row::default(), Occasion::Schedule)), Alarm::LimitReached);
    assert_eq!(vendor.ids(), ["theirs"]);
}

#[test]
fn a_missing_permission_costs_a_trial_a_run_until_it_is_granted() {
    let (vendor, row) = (Vendor::with(&[deaf("a")]), knows("a"));
    vendor.deaf.set(true);
    for trial in ["new-1", "new-2"] {
        let kept = vendor.run(&row, Occasion::Schedule);
        assert_eq!((alarm_of(&kept), kept.repaired), (Alarm::PermissionMissing, false));
        assert_eq!(kept.healthy_at_ms, Some(NOW_MS - 900_000), "the gap goes on");
        let said = vendor.said.take();
        assert_eq!(said, ["list", "warm", &format!("create {trial}"), &format!("delete {trial}")]);
        assert_eq!(vendor.ids(), ["a"]);
    }
    vendor.deaf.set(false);
    let kept = vendor.run(&row, Occasion::Schedule);
    assert_eq!((kept.outcome, kept.repaired), (Outcome::Repaired, true));
    assert_eq!(vendor.ids(), ["new-3"]);
}

#[test]
fn a_deaf_one_is_better_than_none() {
    let (vendor, row) = (Vendor::default(), Row::default());
    vendor.deaf.set(true);
    assert_eq!(alarm_of(&vendor.run(&row, Occasion::Schedule)), Alarm::PermissionMissing);
    assert_eq!(vendor.ids(), ["new-1"]);
    assert_eq!(alarm_of(&vendor.run(&row, Occasion::Schedule)), Alarm::PermissionMissing);
    assert_eq!(vendor.ids(), ["new-1"], "and a second one no better than the first");
}

#[test]
fn a_renewal_that_is_refused_leads_to_a_new_one() {
    let refusals: [Failure; 2] = [|| status(404, "CMN-102"), || status(403, "CMN-408")];
    for refusal in refusals {
        let vendor = Vendor { fails: Some(("renew", refusal)), ..Vendor::with(&[healthy("a")]) };
        let kept = vendor.run(&knows("a"), Occasion::Reminder);
        assert_eq!((kept.outcome, kept.repaired), (Outcome::Repaired, true));
        assert_eq!(vendor.said.take(), ["list", "renew a", "warm", "create new-1", "delete a"]);
    }
}

#[test]
fn what_could_not_be_renewed_stands_in_for_a_deaf_one_unless_it_has_gone() {
    for (refusal, left) in [((|| status(403, "CMN-408")) as Failure, "a"), (|| status(404, "CMN-102"), "new-1")] {
        let vendor = Vendor { fails: Some(("renew", refusal)), ..Vendor::with(&[healthy("a")]) };
        vendor.deaf.set(true);
        assert_eq!(alarm_of(&vendor.run(&knows("a"), Occasion::Reminder)), Alarm::PermissionMissing);
        assert!(vendor.ids().contains(&left.to_owned()), "{:?}", vendor.ids());
        assert_eq!(vendor.ids().contains(&"new-1".to_owned()), left == "new-1");
    }
}

#[test]
fn only_a_life_that_is_refused_is_asked_for_again() {
    let refused: Failure = || status(400, "SUB-520");
    let vendor = Vendor { fails: Some(("create", refused)), ..Vendor::default() };
    assert_eq!(alarm_of(&vendor.run(&Row::default(), Occasion::Schedule)), Alarm::AddressRefused);
    assert_eq!(vendor.said.take(), ["list", "warm", "create new-1"]);
}

#[test]
fn a_reminder_renews() {
    let vendor = Vendor::with(&[healthy("a"), healthy("b")]);
    let kept = vendor.run(&knows("a"), Occasion::Reminder);
    assert_eq!((kept.outcome, kept.repaired), (Outcome::Renewed, false));
    assert_eq!(vendor.said.take(), ["list", "renew a", "delete b"]);
}

#[test]
fn a_creation_without_an_answer_is_not_tried_again_and_the_next_run_finds_it() {
    let lost: Failure = || SourceError::Unreachable("timeout".to_owned());
    let mut vendor = Vendor { fails: Some(("create", lost)), ..Vendor::with(&[blacklisted("a")]) };
    let row = knows("a");
    let kept = vendor.run(&row, Occasion::Schedule);
    assert_eq!((alarm_of(&kept), kept.repaired), (Alarm::CreateUnanswered, false));
    assert_eq!(vendor.said.take(), ["list", "warm", "create new-1"]);
    vendor.fails = None;
    let kept = vendor.run(&row, Occasion::Schedule);
    let expected = Kept { outcome: Outcome::Repaired, repaired: true, healthy_at_ms: Some(NOW_MS - 900_000) };
    assert_eq!((kept, vendor.ids()), (expected, vec!["new-2".to_owned()]), "which token new-1 has, nobody remembers");
}

#[test]
fn every_failure_is_the_one_alarm_it_should_be_and_deletes_nothing() {
    let throttled: Failure = || Closed::Throttled { retry_after: Duration::from_secs(60) }.into();
    let refused: Failure = || Closed::from(CredentialsError::Refused { code: "OAU-140".to_owned() }).into();
    let unaccepted: Failure = || Closed::from(CredentialsError::NotAccepted).into();
    let no_token: Failure = || Closed::from(CredentialsError::Unavailable("reset".to_owned())).into();
    let cases: [(&str, Failure, Alarm); 17] = [
        ("list", || status(503, "CMN-201"), Alarm::ListFailed),
        ("list", throttled, Alarm::ListFailed),
        ("list", || SourceError::Malformed("no list"), Alarm::ListFailed),
        ("list", || status(403, "CMN-401"), Alarm::PermissionMissing),
        ("list", refused, Alarm::CredentialsRefused),
        ("list", unaccepted, Alarm::CredentialsRefused),
        ("list", no_token, Alarm::ListFailed),
        ("create", || status(400, "SUB-520"), Alarm::AddressRefused),
        ("create", || status(400, "SUB-521"), Alarm::AddressRefused),
        ("create", || status(400, "SUB-524"), Alarm::AddressRefused),
        ("create", || status(400, "SUB-525"), Alarm::AddressRefused),
        ("create", || status(403, "CMN-401"), Alarm::PermissionMissing),
        ("create", || status(403, "CMN-408"), Alarm::CreateRefused),
        ("create", || status(504, "CMN-201"), Alarm::CreateUnanswered),
        ("create", throttled, Alarm::CreateRefused),
        ("create", unaccepted, Alarm::CredentialsRefused),
        ("create", no_token, Alarm::CreateRefused),
    ];
    for (call, error, expected) in cases {
        let row = knows("a");
        let vendor = Vendor { fails: Some((call, error)), ..Vendor::with(&[blacklisted("a")]) };
        let kept = vendor.run(&row, Occasion::Schedule);
        assert_eq!((alarm_of(&kept), kept.repaired), (expected, false), "{call} {}", error());
        assert!(vendor.ids().contains(&"a".to_owned()), "{call} {}", error());
        assert_eq!(row.0.borrow().rev, 1, "nothing is remembered as healthy");
    }
    let unreachable: Failure = || SourceError::Unreachable("reset".to_owned());
    for (call, occasion, expected) in
        [("renew", Occasion::Reminder, Alarm::RenewFailed), ("delete", Occasion::Schedule, Alarm::DeleteFailed)]
    {
        let vendor = Vendor { fails: Some((call, unreachable)), ..Vendor::with(&[healthy("a"), healthy("b")]) };
        let row = knows("a");
        assert_eq!(alarm_of(&vendor.run(&row, occasion)), expected);
        assert_eq!((vendor.ids().len(), row.0.borrow().rev), (2, 2), "{call}: a healthy one stands");
    }
}

#[test]
fn a_memory_that_cannot_be_read_is_none() {
    let row = Row(RefCell::new(Cursor { rev: 7, state: Some("{".to_owned()) }));
    let vendor = Vendor::with(&[healthy("a")]);
    let kept = vendor.run(&row, Occasion::Schedule);
    assert_eq!(kept, Kept { outcome: Outcome::Repaired, repaired: true, healthy_at_ms: None });
    assert_eq!(row.0.borrow().rev, 8);
    assert_eq!(vendor.said.take(), ["list", "warm", "create new-1", "delete a"], "and so is its token's");
}

#[test]
fn one_whose_token_nobody_remembers_stays_until_a_new_one_stands() {
    let refused: Failure = || status(403, "CMN-408");
    let vendor = Vendor { fails: Some(("create", refused)), ..Vendor::with(&[healthy("a")]) };
    let row = Row::default();
    assert_eq!(alarm_of(&vendor.run(&row, Occasion::Schedule)), Alarm::CreateRefused);
    assert_eq!((vendor.ids(), row.0.borrow().rev), (vec!["a".to_owned()], 0), "and it is not remembered as ours");
    assert_eq!(vendor.said.take(), ["list", "warm", "create new-1"]);
}
