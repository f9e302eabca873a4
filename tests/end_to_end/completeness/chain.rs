//! What breaks the chain of reports, and what does not.

use super::*;

fn broken(n: u64) -> Defect {
    Defect { class: DefectClass::BrokenChain, about: About::Object(ObjectKey::report(&account(), day(n))) }
}

#[tokio::test]
async fn a_report_that_was_changed_breaks_the_chain_at_its_key_alone() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.leave(&[call("s-1", 1, [waiting("11")])]).await;
    world.run(4, "01:00:00").await;
    world.leave(&[call("s-1", 1, [archived("11")])]).await;
    world.run(4, "02:00:00").await;
    assert_eq!(world.broken().await, []);
    let cases: [(&str, &[u64]); 3] = [("{}", &[2]), ("not even JSON", &[1, 2]), ("", &[0, 1, 2, 3])];
    for (text, days) in cases {
        for n in days {
            world.overwrite(&ObjectKey::report(&account(), day(*n)), text).await;
        }
        let expected: Vec<_> = days.iter().map(|n| broken(*n)).collect();
        assert_eq!(world.broken().await, expected, "{text}");
    }
    assert_eq!(world.run(4, "03:00:00").await.defects, BTreeMap::from([(DefectClass::BrokenChain, 4)]));
}

#[tokio::test]
async fn a_report_that_is_gone_or_was_slipped_in_breaks_the_chain_too() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.run(4, "01:00:00").await;
    world.bucket.remove(&ObjectKey::report(&account(), day(2)));
    assert_eq!(world.broken().await, [broken(2)]);
    let forged = Report { previous: None, ..world.report(3).unwrap() };
    let forged = String::from_utf8(forged.to_json()).unwrap();
    world.overwrite(&ObjectKey::report(&account(), day(8)), &forged).await;
    assert_eq!(world.broken().await, [broken(2), broken(8)]);
}

#[tokio::test]
async fn a_lost_table_goes_on_after_the_last_report_of_the_bucket() {
    let before = World::default();
    before.run(0, "00:00:00").await;
    before.run(3, "01:00:00").await;
    let world = World { table: MemoryTable::default(), ..before };
    world.run(3, "02:00:00").await;
    world.run(4, "02:00:00").await;
    let report = world.report(3).unwrap();
    assert_eq!((report.sequence, report.previous.unwrap().key), (4, ObjectKey::report(&account(), day(2))));
    assert_eq!(world.broken().await, []);
}

#[tokio::test]
async fn the_hourly_run_verifies_the_end_of_the_chain_and_what_it_never_has() {
    let world = World::default();
    world.run(0, "00:00:00").await;
    world.run(151, "01:00:00").await;
    let sound = world.report(10).unwrap().to_json();
    let overwrite = async |n, text: &str| world.overwrite(&ObjectKey::report(&account(), day(n)), text).await;
    let told = async |time: &str| world.run(151, time).await.defects.into_values().sum::<usize>();

    overwrite(10, "{}").await;
    for time in ["02:00:00", "03:00:00"] {
        assert_eq!(told(time).await, 1, "it was never verified, {time}");
    }
    overwrite(10, std::str::from_utf8(&sound).unwrap()).await;
    assert_eq!(told("04:00:00").await, 0);
    overwrite(10, "{}").await;
    assert_eq!(told("05:00:00").await, 0, "that was verified and is not looked at any more");
    assert_eq!(world.broken().await, [broken(10)]);
    overwrite(140, "{}").await;
    assert_eq!(told("06:00:00").await, 2, "where the end is wrong, all is looked at");
}
