use super::*;
use crate::{domain::completeness::DefectClass, usecases::prove::Completeness};

fn turn(age_s: Option<u64>, found: Option<Completeness>) -> Turn {
    Turn { found, age_s }
}

#[test]
fn what_was_proved_of_all_accounts_is_added() {
    let counts = Counts { archived: 5, waiting: 2, too_short: 9, unavailable: 9, deleted: 1, missing: 3 };
    let defects = [(DefectClass::WrongSize, 3), (DefectClass::Duplicate, 2)];
    let found = |slack_s| Completeness {
        days: 3,
        issued: 2,
        counts: Some(counts),
        defects: defects.into(),
        slack_s,
        unfinished: false,
    };
    let mut proved = Proved::default();
    proved.add(turn(Some(7), Some(found(Some(90)))));
    proved.add(turn(Some(9), Some(found(Some(-80)))));
    proved.add(turn(None, Some(Completeness { counts: None, ..found(None) })));
    assert_eq!((proved.days, proved.issued), (9, 6));
    assert_eq!((proved.offered, proved.archived, proved.waiting, proved.missing), (22, 10, 4, 6));
    assert_eq!(proved.counts.map(|counts| counts.too_short), Some(18));
    assert_eq!(proved.defects, [("wrong_size", 9), ("duplicate", 6)].into());
    assert_eq!((proved.slack_seconds, proved.age_seconds), (Some(-80), Some(9)), "the worst of all");
}

#[test]
fn a_run_that_was_not_to_prove_anything_says_nothing_of_it() {
    let mut summary = Summary::default();
    summary.proved.add(turn(Some(7), None));
    assert!(summary.proved.is_nothing());
    assert_eq!(summary.proved, Proved { age_seconds: Some(7), ..Proved::default() });
    summary.proved.add(turn(None, Some(Completeness::default())));
    assert!(!summary.proved.is_nothing(), "nothing was found, but it was looked at");
}
