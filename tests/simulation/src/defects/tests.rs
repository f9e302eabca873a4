use shared::{
    domain::{
        completeness::Vendor,
        day::{DAY_MS, Day},
    },
    usecases::prove::Hour,
};

use super::*;

fn found(damage: Damage) -> DefectsReport {
    defects(damage, || Duration::ZERO).unwrap()
}

#[test]
fn a_sound_archive_has_no_defects() {
    let report = found(Damage { recordings: 2_000, defects: 0, seed: 1 });
    assert_eq!(report.false_alarms, []);
    assert!(report.is_exact());
    assert_eq!(report.recordings, 2_000);
}

#[test]
fn every_seeded_defect_is_found_as_what_it_is() {
    for seed in 1..=4 {
        let report = found(Damage { recordings: 1_000, defects: 160, seed });
        assert!(report.is_exact(), "seed {seed}: {report:?}");
        assert_eq!(report.seeded.len(), DefectClass::ALL.len());
        assert_eq!(report.seeded.values().sum::<usize>(), 160);
    }
}

#[test]
fn the_hourly_run_finds_all_of_them_without_the_call_log() {
    let (seeded, found) = at_once(async {
        let damaged = Damaged::of(Damage { recordings: 1_000, defects: 160, seed: 1 }).await.unwrap();
        let days: BTreeSet<Day> = damaged.population.days().collect();
        damaged.clock.0.set(days.last().unwrap().start_ms() + 2 * DAY_MS);
        let hour = Hour {
            account: &population::account(),
            touched: &days,
            swept: true,
            now: false,
            until_ms: u64::MAX,
            vendor: Vendor { retention_ms: 90 * DAY_MS, pace_ms: 6_000 },
            began_ms: None,
            backfill_next_ms: None,
        };
        let found = damaged.prover().run(hour).await.unwrap().found.unwrap();
        (damaged.by_class(), found.defects)
    });
    assert_eq!(found, seeded);
    assert_eq!(seeded.len(), DefectClass::ALL.len());
}

#[test]
fn what_is_not_exact_is_not_called_so() {
    let seeded = BTreeMap::from([(DefectClass::MissingRow, 2)]);
    let exact = DefectsReport { found: seeded.clone(), seeded, ..DefectsReport::default() };
    assert!(exact.is_exact());
    let about =
        shared::domain::completeness::About::Object(shared::domain::object_key::ObjectKey::from_row("x".into()));
    let alarm = Defect { class: DefectClass::StrayObject, about };
    assert!(!DefectsReport { false_alarms: vec![alarm], ..exact.clone() }.is_exact());
    assert!(!DefectsReport { found: BTreeMap::new(), ..exact }.is_exact());
}

#[test]
fn too_few_recordings_are_a_clear_error() {
    let error = defects(Damage { recordings: 10, defects: 100, seed: 1 }, || Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "there are too few recordings for 100 defects");
}
