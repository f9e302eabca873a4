//! Whether a drill was exact.

use std::collections::BTreeMap;

use shared::telemetry::alarms::{Alarm, Bad, Statistic};
use simulation::cloudwatch::{Point, State, fired, ringing, states};

/// The moments of a drill, epoch milliseconds of its own clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// It began, and all was well.
    pub(super) began_ms: u64,
    /// The alarm's condition was brought about.
    pub(super) caused_ms: u64,
    /// The runbook's command was carried out.
    pub(super) mended_ms: u64,
    /// It ended.
    pub(super) ended_ms: u64,
}

/// What the alarms of a table did in a drill of one of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// The value that fired it; none where that was silence, or where it did not fire.
    pub(super) value: Option<f64>,
    /// The minutes from the condition to the alarm; none if it did not fire.
    pub(super) fired_min: Option<u64>,
    /// What was not as it should be.
    pub(super) wrongs: Vec<String>,
}

impl Verdict {
    /// Whether this very alarm fired, because of its condition, and was cleared.
    pub(super) fn is_exact(&self) -> bool {
        self.wrongs.is_empty()
    }

    /// Looks at what all `alarms` made of the values of a drill of the one called `name`.
    pub(super) fn of(name: &str, alarms: &[Alarm], points: &[Point], moments: Moments) -> Self {
        let Moments { began_ms, caused_ms, mended_ms, ended_ms } = moments;
        let mut wrongs = Vec::new();
        let all: BTreeMap<&str, u64> = fired(alarms, points, began_ms..ended_ms);
        for (other, at_ms) in &all {
            if *at_ms <= caused_ms {
                wrongs.push(format!("{other} fired while all was well"));
            } else if *other != name {
                wrongs.push(format!("{other} fired too"));
            } else if *at_ms > mended_ms {
                wrongs.push(format!("{other} fired only after the command"));
            }
        }
        let fired_ms = all.get(name).copied();
        if fired_ms.is_none() {
            wrongs.push(format!("{name} did not fire"));
        }
        let alarm = alarms.iter().find(|alarm| alarm.name == name);
        if alarm.is_some_and(|alarm| comes_again(alarm, points, moments)) {
            wrongs.push(format!("{name} fired again"));
        }
        let left = ringing(alarms, points, began_ms..ended_ms);
        wrongs.extend(left.into_iter().map(|left| format!("{left} was not cleared")));
        let value = alarm.zip(fired_ms).and_then(|(alarm, fired_ms)| worst(alarm, points, caused_ms, fired_ms));
        Self { value, fired_min: fired_ms.map(|at_ms| at_ms.saturating_sub(caused_ms) / 60_000), wrongs }
    }
}

/// Whether an alarm goes on again once it was off after the command.
fn comes_again(alarm: &Alarm, points: &[Point], moments: Moments) -> bool {
    let states = states(alarm, points, moments.began_ms..moments.ended_ms);
    let after = states.into_iter().filter(|(at_ms, _)| *at_ms >= moments.mended_ms).map(|(_, state)| state);
    after.skip_while(|state| *state == State::Alarm).any(|state| state == State::Alarm)
}

/// The worst value of an alarm's metric, or the sum where that is what counts; none where there was none.
fn worst(alarm: &Alarm, points: &[Point], from_ms: u64, to_ms: u64) -> Option<f64> {
    let within = points.iter().filter(|point| (from_ms..to_ms).contains(&point.at_ms));
    let values: Vec<f64> = within.filter(|point| point.metric == alarm.metric).map(|point| point.value).collect();
    match (alarm.statistic, alarm.bad) {
        (Statistic::Sum, Bad::AtLeast(_)) => Some(values.iter().sum()),
        // Silence.
        (Statistic::Sum, Bad::Below(_) | Bad::BelowParameter(..)) => None,
        (Statistic::Minimum | Statistic::Maximum, Bad::Below(_) | Bad::BelowParameter(..)) => {
            values.into_iter().reduce(f64::min)
        }
        (Statistic::Minimum | Statistic::Maximum, Bad::AtLeast(_)) => values.into_iter().reduce(f64::max),
    }
}

#[cfg(test)]
mod tests {
    use shared::telemetry::{
        alarms::{ALARMS, Missing},
        metrics::Metric,
    };

    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const MOMENTS: Moments =
        Moments { began_ms: 0, caused_ms: 4 * HOUR_MS, mended_ms: 6 * HOUR_MS, ended_ms: 10 * HOUR_MS };

    /// A stack whose proofs find two defects while they are there, and whose functions run.
    fn values() -> Vec<Point> {
        let every = |metric, minutes: u64, value: fn(u64) -> f64| {
            let times = (0..MOMENTS.ended_ms).step_by(usize::try_from(minutes * 60_000).unwrap());
            times.map(move |at_ms| Point { metric, value: value(at_ms), at_ms })
        };
        let damaged = |at_ms: u64| (MOMENTS.caused_ms..MOMENTS.mended_ms).contains(&at_ms);
        let mut values: Vec<Point> = every(Metric::ArchiverHeartbeat, 5, |_| 1.0).collect();
        values.extend(every(Metric::ReconcilerHeartbeat, 15, |_| 1.0));
        values.extend(every(Metric::Defects, 60, |_| 0.0));
        for point in &mut values {
            if point.metric == Metric::Defects && damaged(point.at_ms) {
                point.value = 2.0;
            }
        }
        values
    }

    fn with(change: impl Fn(&mut Alarm)) -> Vec<Alarm> {
        let mut alarms = ALARMS.to_vec();
        alarms.iter_mut().filter(|alarm| alarm.name == "ArchiveDamaged").for_each(change);
        alarms
    }

    fn wrongs(alarms: &[Alarm], values: &[Point]) -> Vec<String> {
        Verdict::of("ArchiveDamaged", alarms, values, MOMENTS).wrongs
    }

    #[test]
    fn the_table_as_it_is_is_exact() {
        let verdict = Verdict::of("ArchiveDamaged", ALARMS, &values(), MOMENTS);
        assert_eq!(verdict, Verdict { value: Some(2.0), fired_min: Some(1), wrongs: vec![] });
        assert!(verdict.is_exact());
    }

    #[test]
    fn a_table_that_is_wrong_is_found_out() {
        let silent = ["ArchiveDamaged did not fire".to_owned()];
        assert_eq!(wrongs(&with(|alarm| alarm.bad = Bad::AtLeast(3.0)), &values()), silent, "threshold");
        assert_eq!(wrongs(&with(|alarm| alarm.metric = Metric::Blocked), &values()), silent, "metric");
        assert_eq!(wrongs(&with(|alarm| alarm.periods = 3), &values()), silent, "periods");
        assert_eq!(wrongs(&with(|alarm| alarm.name = "Renamed"), &values())[0], "Renamed fired too");
        let early = wrongs(&with(|alarm| alarm.bad = Bad::AtLeast(0.0)), &values());
        assert_eq!(early, ["ArchiveDamaged fired while all was well", "ArchiveDamaged was not cleared"]);
        let unpunctual = with(|alarm| (alarm.period_s, alarm.missing) = (300, Missing::Breaching));
        let often = [&early[0], "ArchiveDamaged fired again", &early[1]];
        assert_eq!(wrongs(&unpunctual, &values()), often, "a proof comes once an hour");
    }

    #[test]
    fn another_alarm_beside_it_is_found_out() {
        let mut values = values();
        values.push(Point { metric: Metric::Blocked, value: 1.0, at_ms: 5 * HOUR_MS });
        assert_eq!(wrongs(ALARMS, &values), ["RecordingsBlocked fired too"]);
    }

    #[test]
    fn an_alarm_that_comes_again_is_found_out() {
        let mut values = values();
        let again = |point: &&mut Point| point.metric == Metric::Defects && point.at_ms == 8 * HOUR_MS;
        values.iter_mut().filter(again).for_each(|point| point.value = 1.0);
        assert_eq!(wrongs(ALARMS, &values), ["ArchiveDamaged fired again"]);
    }

    #[test]
    fn an_alarm_that_stays_is_found_out() {
        let mut values = values();
        for point in values.iter_mut().filter(|point| point.metric == Metric::Defects && point.at_ms >= 4 * HOUR_MS) {
            point.value = 1.0;
        }
        assert_eq!(wrongs(ALARMS, &values), ["ArchiveDamaged was not cleared"]);
    }
}
