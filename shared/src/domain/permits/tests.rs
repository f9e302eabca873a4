//! One ledger.

use super::*;

/// A ledger of the documented limit that the vendor has confirmed.
fn ledger() -> Ledger {
    Ledger { heard: true, ..Ledger::of(&Group::heavy()) }
}

fn ids(numbers: std::ops::Range<u64>) -> Vec<PermitId> {
    numbers.map(|number| PermitId::new("run", number, Share::WHOLE)).collect()
}

fn granted(reserved: &Reserved) -> usize {
    match reserved {
        Reserved::Granted(ids) => ids.len(),
        Reserved::NotBefore(_) => 0,
    }
}

#[test]
fn until_a_reply_has_come_one_request_is_out() {
    let mut ledger = Ledger::of(&Group::heavy());
    let permits = ids(0..3);
    assert_eq!(ledger.free(0), 1);
    assert_eq!(ledger.reserve(&permits, Share::WHOLE, 0, 40_000), Reserved::Granted(permits[..1].to_vec()));
    assert_eq!(ledger.reserve(&permits[1..], Share::WHOLE, 10, 0), Reserved::NotBefore(260));
    ledger.answered(&permits[0], 300);
    ledger.follow(Plan { limit: Some(3), window_ms: None });
    assert_eq!((ledger.free(300), granted(&ledger.reserve(&permits[1..], Share::WHOLE, 300, 40_000))), (2, 2));
}

#[test]
fn no_more_than_the_limit_is_granted() {
    let mut ledger = ledger();
    assert_eq!(granted(&ledger.reserve(&ids(0..7), Share::WHOLE, 0, 40_000)), 7);
    assert_eq!(granted(&ledger.reserve(&ids(7..14), Share::WHOLE, 1, 40_000)), 3);
    assert_eq!(ledger.reserve(&ids(14..15), Share::WHOLE, 2, 40_000), Reserved::NotBefore(100_100));
}

#[test]
fn a_permit_is_free_a_window_after_its_own_reply() {
    let mut ledger = Ledger { limit: 2, ..ledger() };
    let permits = ids(0..2);
    ledger.reserve(&permits, Share::WHOLE, 0, 40_000);
    ledger.answered(&permits[0], 300);
    ledger.answered(&permits[1], 900);
    assert_eq!(ledger.reserve(&ids(2..3), Share::WHOLE, 60_399, 0), Reserved::NotBefore(60_400));
    assert_eq!(granted(&ledger.reserve(&ids(2..4), Share::WHOLE, 60_400, 100_000)), 1);
    assert_eq!(ledger.reserve(&ids(4..5), Share::WHOLE, 60_400, 0), Reserved::NotBefore(61_000));
}

#[test]
fn what_was_not_used_is_free_at_once() {
    let mut ledger = Ledger { limit: 1, ..ledger() };
    let permits = ids(0..2);
    ledger.reserve(&permits[..1], Share::WHOLE, 0, 40_000);
    ledger.give_back(&permits[0]);
    assert_eq!(granted(&ledger.reserve(&permits[1..], Share::WHOLE, 1, 40_000)), 1);
}

#[test]
fn the_same_wish_twice_is_granted_once() {
    let mut ledger = ledger();
    let permits = ids(0..4);
    let first = ledger.reserve(&permits, Share::WHOLE, 0, 40_000);
    assert_eq!(ledger.reserve(&permits, Share::WHOLE, 5, 40_000), first);
    assert_eq!(ledger.uses.len(), 4);
}

#[test]
fn a_lower_limit_holds_for_what_is_already_out() {
    let mut ledger = ledger();
    let permits = ids(0..10);
    ledger.reserve(&permits, Share::WHOLE, 0, 0);
    for (at_ms, permit) in (0..).step_by(1_000).zip(&permits) {
        ledger.answered(permit, at_ms);
    }
    ledger.follow(Plan { limit: Some(5), window_ms: None });
    assert_eq!(
        ledger.reserve(&ids(10..11), Share::WHOLE, 60_100, 0),
        Reserved::NotBefore(65_100),
        "six of ten must have left"
    );
    ledger.follow(Plan { limit: Some(40), window_ms: Some(0) });
    assert_eq!(granted(&ledger.reserve(&ids(10..60), Share::WHOLE, 60_100, 100_000)), 31);
}

#[test]
fn nothing_is_granted_while_it_is_frozen_and_no_freeze_is_shortened() {
    let mut ledger = ledger();
    ledger.freeze(90_000);
    ledger.freeze(50_000);
    assert_eq!(
        ledger.reserve(&ids(0..1), Share::WHOLE, 90_099, 0),
        Reserved::NotBefore(90_100),
        "another clock may be behind"
    );
    assert_eq!(granted(&ledger.reserve(&ids(0..1), Share::WHOLE, 90_100, 130_000)), 1);
}

#[test]
fn names_of_groups_are_data_but_must_be_names() {
    assert_eq!(Group::parse(" Heavy "), Some(Group::heavy()));
    assert_eq!(Group::parse("media-2").map(|group| Ledger::of(&group).limit), Some(10));
    for text in ["", "a#b", "a b", "ü", "012345678901234567890123456789012"] {
        assert_eq!(Group::parse(text), None, "{text:?}");
    }
}

#[test]
fn who_keeps_within_a_share_leaves_the_rest_to_others() {
    let mut ledger = ledger();
    let share = Share::of_percent(30).unwrap();
    let shared = |numbers: std::ops::Range<u64>| -> Vec<PermitId> {
        numbers.map(|number| PermitId::new("other", number, share)).collect()
    };
    let first = shared(0..5);
    assert_eq!(ledger.reserve(&first, share, 0, 1_000), Reserved::Granted(first[..3].to_vec()));
    assert_eq!(ledger.reserve(&shared(5..6), share, 10, 0), Reserved::NotBefore(61_100), "one of its own must leave");
    assert_eq!(granted(&ledger.reserve(&ids(0..10), Share::WHOLE, 10, 40_000)), 7, "the others have what is left");
    assert_eq!(granted(&ledger.reserve(&shared(5..9), share, 61_100, 70_000)), 3);
    assert_eq!(ledger.reserve(&ids(10..11), Share::WHOLE, 61_100, 0), Reserved::NotBefore(100_100));

    ledger.follow(Plan { limit: Some(2), window_ms: None });
    assert_eq!(granted(&ledger.reserve(&shared(9..12), share, 200_000, 200_000)), 1, "one at least");
    assert_eq!(granted(&ledger.reserve(&ids(12..14), Share::WHOLE, 200_000, 200_000)), 1);
}

#[test]
fn a_full_window_makes_a_share_wait_too() {
    let mut ledger = ledger();
    let share = Share::of_percent(50).unwrap();
    assert_eq!(granted(&ledger.reserve(&ids(0..10), Share::WHOLE, 0, 5_000)), 10);
    let mine = [PermitId::new("other", 0, share)];
    assert_eq!(ledger.reserve(&mine, share, 1, 0), Reserved::NotBefore(65_100));
    assert_eq!(Share::of_percent(0).or(Share::of_percent(101)), None);
    assert_eq!(share.pace_ms(6_000), 12_000);
}
