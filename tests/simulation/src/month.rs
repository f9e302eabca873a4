//! A month in the life of a stack that nothing is wrong with: every tick of every minute, and what the functions measure
//! meanwhile.

use std::collections::BTreeSet;

use ringcentral_sim::{
    DeliverySettings, Outage, OutageAnswer, Settings, Sound,
    calls::{Day, Troubles},
    world::Script,
};
use shared::domain::{day, ids::AccountId, object_key::ObjectKey, session::RecordingState};

use crate::{
    cloudwatch::Point,
    knobs::Knobs,
    logs::Logs,
    schedule::{archive_each_minute, reconcile_every_quarter},
    vendor::Bodies,
    world::{DAY_MS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, Plan, World},
};

/// What the days are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Nothing goes wrong; events say as much of the calls as they do in life.
    Clean,
    /// What happens on any day and needs nobody: recordings that come late or by the second way, bodies that break off, events
    /// that are lost, late and double, a stranger at the webhook, and each day two minutes of 503 and one of 429 from another limiter.
    Rough,
}

/// A month that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Month {
    /// Days.
    pub days: u64,
    /// Calls of them.
    pub calls: usize,
    /// Recordings the vendor offered.
    pub offered: usize,
    /// Those that are archived.
    pub archived: usize,
    /// Reports that lie in the bucket.
    pub reports: usize,
    /// How often the archiver ran, and the reconciler.
    pub runs: [u64; 2],
    /// What the vendor received and must not have, and runs that came to no end.
    pub wrongs: Vec<String>,
    /// Everything that was measured.
    pub points: Vec<Point>,
    /// When it began, epoch milliseconds.
    pub from_ms: u64,
    /// When it ended, epoch milliseconds.
    pub to_ms: u64,
}

/// Calls of a working day; none at weekends. The first day is a Monday.
const CALLS: u32 = 50;
const WEEKEND: [u64; 2] = [5, 6];

/// So often a stranger knocks at the webhook on each rough day, within minutes: half of what an alarm is for.
const KNOCKS: u64 = 10;

/// No call begins in the last hours of the last day: all are archived when it ends.
const QUIET_MS: u64 = 6 * HOUR_MS;

/// Lives through so many days with the chance of a seed.
pub fn month(weather: Weather, days: u64, seed: u64) -> Month {
    tracing::subscriber::with_default(Logs::default(), || live(weather, days, seed))
}

fn live(weather: Weather, days: u64, seed: u64) -> Month {
    let to_ms = MIDNIGHT_MS + days * DAY_MS;
    let settings = Settings {
        sound: Sound::Sketch,
        delivery: weather.delivery(),
        outages: weather.outages(days),
        seed,
        ..Settings::default()
    };
    let account = AccountId::parse(&settings.account_id);
    let world = World::new(Plan {
        seed,
        keep_trace: false,
        faults_until_ms: MIDNIGHT_MS,
        settings,
        knobs: Knobs::default(),
        bodies: Bodies::Prompt,
        refusing: None,
    });
    let scripts: Vec<Script> = (0..days)
        .filter(|day| !WEEKEND.contains(&(day % 7)))
        .flat_map(|day| weather.day(seed, day, days).scripts())
        .collect();
    let offered = scripts.iter().flat_map(|script| &script.recordings).filter(|recording| !recording.too_short);
    let offered: BTreeSet<String> = offered.map(|recording| recording.id.clone()).collect();
    let calls = scripts.len();
    scripts.into_iter().for_each(|script| world.vendor.core.borrow_mut().schedule(script));
    world.tell();
    world.functions.oversee();
    world.spawner.spawn(reconcile_every_quarter(world.clone(), to_ms));
    world.spawner.spawn(archive_each_minute(world.clone(), to_ms));
    if weather == Weather::Rough {
        world.spawner.spawn(knock_each_day(world.clone(), days));
    }
    world.run(|| true);
    let archived = world.table.with_rows(|rows| {
        let results = rows.values().flat_map(|stored| &stored.row.results);
        let archived = results.filter(|(_, result)| result.state == RecordingState::Archived);
        archived.filter(|(recording, _)| offered.contains(recording.as_str())).count()
    });
    let is_reported = |day: &u64| {
        let day = day::Day::of(MIDNIGHT_MS + day * DAY_MS);
        account.as_ref().is_ok_and(|account| world.bucket.document(&ObjectKey::report(account, day)).is_some())
    };
    let reports = (0..days).filter(is_reported).count();
    Month {
        days,
        calls,
        offered: offered.len(),
        archived,
        reports,
        runs: world.functions.runs(),
        wrongs: world.vendor.wrongs.borrow().clone(),
        points: world.functions.measured(),
        from_ms: MIDNIGHT_MS,
        to_ms,
    }
}

async fn knock_each_day(world: World, days: u64) {
    for day in 0..days {
        world.time.sleep_until(MIDNIGHT_MS + day * DAY_MS + 3 * HOUR_MS).await;
        for _ in 0..KNOCKS {
            world.functions.knock();
            world.time.sleep(MINUTE_MS / KNOCKS).await;
        }
    }
}

impl Weather {
    fn day(self, seed: u64, day: u64, days: u64) -> Day {
        let start_ms = MIDNIGHT_MS + day * DAY_MS;
        let length_ms = if day + 1 == days { DAY_MS - QUIET_MS } else { DAY_MS };
        let troubles = match self {
            Self::Clean => Troubles::NONE,
            Self::Rough => Troubles {
                direct_missing: 0.1,
                direct_failing: 0.05,
                moved: 0.05,
                broken_body: 0.05,
                octet_stream: 0.05,
                late: 0.05,
                listed_early: 0.1,
                linked_late: 0.1,
                ..Troubles::NONE
            },
        };
        Day { calls: CALLS, length_ms, troubles, ..Day::new(seed * 1_000 + day, start_ms) }
    }

    fn delivery(self) -> DeliverySettings {
        match self {
            Self::Clean => DeliverySettings::default(),
            Self::Rough => DeliverySettings {
                drop_share: 0.02,
                duplicate_share: 0.05,
                reorder_share: 0.05,
                delay_share: 0.02,
                ..DeliverySettings::default()
            },
        }
    }

    fn outages(self, days: u64) -> Vec<Outage> {
        let on = |day: u64, minute: u64, minutes: u64, answer| {
            let from_ms = MIDNIGHT_MS + day * DAY_MS + minute * MINUTE_MS;
            Outage { from_ms, until_ms: from_ms + minutes * MINUTE_MS, share: 1.0, path_part: String::new(), answer }
        };
        match self {
            Self::Clean => Vec::new(),
            Self::Rough => (0..days)
                .flat_map(|day| {
                    // Each day at another time.
                    let minute = 60 + day * 37 % 1_200;
                    [on(day, minute, 2, OutageAnswer::Error(503)), on(day, minute + 90, 1, OutageAnswer::OtherLimiter)]
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shared::telemetry::{alarms::ALARMS, metrics::Metric};

    use super::*;
    use crate::cloudwatch::fired;

    fn values(month: &Month, metric: Metric) -> u64 {
        month.points.iter().filter(|point| point.metric == metric).count() as u64
    }

    #[test]
    fn days_on_which_nothing_is_wrong_fire_no_alarm_though_much_happens() {
        for weather in [Weather::Clean, Weather::Rough] {
            let month = month(weather, 3, 1);
            assert_eq!(fired(ALARMS, &month.points, month.from_ms..month.to_ms), BTreeMap::new(), "{weather:?}");
            assert!(month.offered > 100, "{weather:?}: {} recordings", month.offered);
            assert_eq!(month.archived, month.offered, "{weather:?}");
            assert_eq!(month.runs, [3 * 1_440, 3 * 96], "{weather:?}: each tick is a run");
            assert_eq!(month.wrongs, [""; 0], "{weather:?}");
            let knocks = if weather == Weather::Rough { 3 * KNOCKS } else { 0 };
            assert_eq!(values(&month, Metric::DeliveriesForged), knocks, "{weather:?}");
            assert_eq!(month.reports, 2, "{weather:?}: of each day that has closed");
            let heartbeats = [Metric::ArchiverHeartbeat, Metric::ReconcilerHeartbeat];
            assert_eq!(heartbeats.map(|metric| values(&month, metric)), month.runs, "{weather:?}");
            assert!(values(&month, Metric::Completeness) > 40, "{weather:?}");
        }
    }
}
