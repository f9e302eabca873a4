//! CloudWatch, as far as alarms go: values come in, alarms change their states.
//!
//! Each minute CloudWatch looks at the periods that end then, and at more of them than must be bad: if enough of them have values, the latest of
//! those decide, and what is missing is not asked about; only where too few have values are the missing ones filled in.

use std::{collections::BTreeMap, ops::Range};

use shared::telemetry::{
    alarms::{Alarm, Bad, Missing, Statistic},
    metrics::Metric,
};

/// So many periods more are looked at than must be bad: CloudWatch's documentation has this in its examples, and says that the
/// number varies.
const LOOKED_BACK: usize = 2;

/// From one look at an alarm to the next: periods end with each minute, not only with each period.
const MINUTE_S: u32 = 60;
const MINUTE_MS: u64 = 60_000;

/// A value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Of which.
    pub metric: Metric,
    /// What.
    pub value: f64,
    /// When, epoch milliseconds.
    pub at_ms: u64,
}

/// How an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not in alarm.
    Ok,
    /// In alarm.
    Alarm,
}

/// How `alarm` stands at each whole minute of `stretch` (epoch milliseconds) at which one of its periods has passed. Before, it did
/// not exist: it begins not in alarm, and fills nothing in until as many periods have passed as it looks at.
pub fn states(alarm: &Alarm, points: &[Point], stretch: Range<u64>) -> Vec<(u64, State)> {
    let minutes = usize::try_from(alarm.period_s / MINUTE_S).unwrap_or(usize::MAX).max(1);
    let (first, end) = (stretch.start.div_ceil(MINUTE_MS), stretch.end / MINUTE_MS);
    let count = usize::try_from(end.saturating_sub(first)).unwrap_or_default();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); count];
    for point in points.iter().filter(|point| point.metric == alarm.metric) {
        let minute = (point.at_ms / MINUTE_MS).checked_sub(first).and_then(|minute| usize::try_from(minute).ok());
        if let Some(minute) = minute.and_then(|minute| values.get_mut(minute)) {
            minute.push(point.value);
        }
    }
    // Whether the period that ends with each minute is bad.
    let bad = |period: &[Vec<f64>]| {
        let values: Vec<f64> = period.iter().flatten().copied().collect();
        (!values.is_empty()).then(|| is_bad(alarm.bad, summed_up(alarm.statistic, &values)))
    };
    let ends: Vec<Option<bool>> = values.windows(minutes).map(bad).collect();
    let mut state = State::Ok;
    let step = |(last, end_ms)| {
        let seen: Vec<Option<bool>> =
            (0..=last).rev().step_by(minutes).take(looked_at(alarm)).filter_map(|end| ends.get(end).copied()).collect();
        state = next(alarm, &seen, state);
        (end_ms, state)
    };
    (0..ends.len()).zip((first + minutes as u64..).map(|minute| minute * MINUTE_MS)).map(step).collect()
}

/// When each alarm went into alarm within `stretch` (epoch milliseconds) for the first time, by name.
pub fn fired<'a>(alarms: &'a [Alarm], points: &[Point], stretch: Range<u64>) -> BTreeMap<&'a str, u64> {
    let first = |alarm: &'a Alarm| {
        let at = states(alarm, points, stretch.clone()).into_iter().find(|(_, state)| *state == State::Alarm);
        at.map(|(at_ms, _)| (alarm.name, at_ms))
    };
    alarms.iter().filter_map(first).collect()
}

/// The names of the alarms that are in alarm at the end of `stretch`, epoch milliseconds.
pub fn ringing<'a>(alarms: &'a [Alarm], points: &[Point], stretch: Range<u64>) -> Vec<&'a str> {
    let rings = |alarm: &&Alarm| {
        let last = states(alarm, points, stretch.clone()).pop();
        last.is_some_and(|(_, state)| state == State::Alarm)
    };
    alarms.iter().filter(rings).map(|alarm| alarm.name).collect()
}

fn summed_up(statistic: Statistic, values: &[f64]) -> f64 {
    match statistic {
        Statistic::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
        Statistic::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Statistic::Sum => values.iter().sum(),
    }
}

fn is_bad(bad: Bad, value: f64) -> bool {
    match bad {
        Bad::Below(threshold) | Bad::BelowParameter(_, threshold) => value < threshold,
        Bad::AtLeast(threshold) => value >= threshold,
    }
}

/// How many periods an alarm looks at.
fn looked_at(alarm: &Alarm) -> usize {
    must_be_bad(alarm).saturating_add(LOOKED_BACK)
}

fn must_be_bad(alarm: &Alarm) -> usize {
    usize::try_from(alarm.periods).unwrap_or(usize::MAX)
}

/// The state after the periods `seen`, the last first, each bad or not or without a value.
fn next(alarm: &Alarm, seen: &[Option<bool>], before: State) -> State {
    let real: Vec<bool> = seen.iter().filter_map(|bad| *bad).take(must_be_bad(alarm)).collect();
    let all_bad = real.iter().all(|bad| *bad);
    let bad = if real.len() == must_be_bad(alarm) {
        all_bad
    } else if seen.len() < looked_at(alarm) {
        return before;
    } else {
        match alarm.missing {
            Missing::NotBreaching => false,
            Missing::Breaching => all_bad,
            Missing::Ignore => return before,
        }
    };
    if bad { State::Alarm } else { State::Ok }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD_MS: u64 = 60_000;

    const ALARM: Alarm = Alarm {
        name: "Tested",
        metric: Metric::Backlog,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(1.0),
        period_s: 60,
        periods: 3,
        missing: Missing::NotBreaching,
    };

    fn at(value: f64, at_ms: u64) -> Point {
        Point { metric: Metric::Backlog, value, at_ms }
    }

    /// A value in the middle of each period: `0` is good, `X` bad, `-` none.
    fn points(drawn: &str) -> Vec<Point> {
        let periods = (0..).zip(drawn.chars());
        let valued = periods.filter(|(_, period)| *period != '-');
        valued.map(|(n, period)| at(f64::from(u8::from(period == 'X')), n * PERIOD_MS + PERIOD_MS / 2)).collect()
    }

    /// The states at the periods' ends: `0` is OK, `X` alarm.
    fn drawn(alarm: &Alarm, values: &str) -> String {
        let stretch = 0..values.len() as u64 * PERIOD_MS;
        let states = states(alarm, &points(values), stretch);
        states.into_iter().map(|(_, state)| if state == State::Alarm { 'X' } else { '0' }).collect()
    }

    #[test]
    fn so_many_periods_must_be_bad_one_after_the_other() {
        for (periods, values, expected) in [
            (1, "0X0", "0X0"),
            (1, "XX", "XX"),
            (2, "0X0XX0", "0000X0"),
            (3, "XX0XXX0", "00000X0"),
            (3, "XXXX", "00XX"),
        ] {
            let alarm = Alarm { periods, ..ALARM };
            assert_eq!(drawn(&alarm, values), expected, "{periods} of {values}");
        }
    }

    #[test]
    fn missing_values_are_filled_in_only_where_too_few_are_there() {
        // The last period of each, as CloudWatch's documentation has them; where it says "retain", the state before.
        for (values, not_breaching, breaching, ignore) in [
            ("0-X-X", '0', '0', '0'),
            ("0----", '0', '0', '0'),
            ("-----", '0', 'X', '0'),
            ("0XX-X", 'X', 'X', 'X'),
            ("--X--", '0', 'X', '0'),
            ("XXX-----", '0', 'X', 'X'),
            ("XXX--", 'X', 'X', 'X'),
            ("XXX---", '0', 'X', 'X'),
            ("000-----", '0', 'X', '0'),
            ("000---", '0', '0', '0'),
        ] {
            for (missing, expected) in
                [(Missing::NotBreaching, not_breaching), (Missing::Breaching, breaching), (Missing::Ignore, ignore)]
            {
                let last = drawn(&Alarm { missing, ..ALARM }, values).pop();
                assert_eq!(last, Some(expected), "{values} {missing:?}");
            }
        }
    }

    #[test]
    fn an_alarm_that_is_new_fills_nothing_in_yet() {
        let alarm = Alarm { missing: Missing::Breaching, ..ALARM };
        assert_eq!(drawn(&alarm, "-----"), "0000X");
        assert_eq!(drawn(&alarm, "XXX"), "00X", "what is there counts at once");
    }

    #[test]
    fn periods_end_with_each_minute() {
        let slow = Alarm { period_s: 3 * 60, periods: 2, ..ALARM };
        for (values, expected) in [
            // Two periods one after the other, wherever they begin.
            ("-X--X----", "000XXXX"),
            ("X--X-----", "000XXXX"),
            ("-X-------", "0000000"),
        ] {
            assert_eq!(drawn(&slow, values), expected, "{values}");
        }
        let silence = Alarm { bad: Bad::Below(1.0), statistic: Statistic::Sum, missing: Missing::Breaching, ..slow };
        assert_eq!(drawn(&silence, "X------------"), "0000000000X", "four periods are looked at");
    }

    #[test]
    fn a_threshold_belongs_to_one_side() {
        for (bad, value, expected) in [
            (Bad::Below(1.0), 1.0, false),
            (Bad::Below(1.0), 0.999, true),
            (Bad::BelowParameter("Target", 100.0), 100.0, false),
            (Bad::BelowParameter("Target", 100.0), 99.99, true),
            (Bad::AtLeast(20.0), 20.0, true),
            (Bad::AtLeast(20.0), 19.0, false),
        ] {
            assert_eq!(is_bad(bad, value), expected, "{bad:?} {value}");
        }
    }

    #[test]
    fn the_statistic_sums_up_a_period() {
        let values = [at(2.0, 0), at(-1.0, 1), at(3.0, PERIOD_MS - 1)];
        for (statistic, bad, not_bad) in [
            (Statistic::Minimum, Bad::Below(-0.5), Bad::Below(-1.0)),
            (Statistic::Maximum, Bad::AtLeast(3.0), Bad::AtLeast(3.1)),
            (Statistic::Sum, Bad::AtLeast(4.0), Bad::AtLeast(4.1)),
        ] {
            for (bad, expected) in [(bad, State::Alarm), (not_bad, State::Ok)] {
                let alarm = Alarm { statistic, bad, periods: 1, ..ALARM };
                assert_eq!(states(&alarm, &values, 0..PERIOD_MS), [(PERIOD_MS, expected)], "{statistic:?} {bad:?}");
            }
        }
    }

    #[test]
    fn a_value_belongs_to_the_period_it_begins_and_to_its_metric() {
        let alarm = Alarm { periods: 1, ..ALARM };
        let on_the_edge = [at(1.0, PERIOD_MS)];
        let expected = [(PERIOD_MS, State::Ok), (2 * PERIOD_MS, State::Alarm)];
        assert_eq!(states(&alarm, &on_the_edge, 0..2 * PERIOD_MS), expected);
        assert_eq!(states(&alarm, &on_the_edge, 1..2 * PERIOD_MS), expected[1..], "a period that is cut is none");
        assert_eq!(states(&alarm, &on_the_edge, 0..2 * PERIOD_MS - 1), expected[..1]);
        let another = [Point { metric: Metric::Blocked, ..on_the_edge[0] }];
        assert_eq!(fired(&[alarm], &another, 0..10 * PERIOD_MS), BTreeMap::new());
    }

    #[test]
    fn what_fired_and_what_rings_are_told_by_name() {
        let alarms = [Alarm { periods: 1, ..ALARM }, Alarm { name: "Slower", ..ALARM }];
        let values = points("0X000XXX");
        assert_eq!(fired(&alarms, &values, 0..3 * PERIOD_MS), BTreeMap::from([("Tested", 2 * PERIOD_MS)]));
        assert_eq!(ringing(&alarms, &values, 0..3 * PERIOD_MS), [""; 0]);
        let both = BTreeMap::from([("Tested", 2 * PERIOD_MS), ("Slower", 8 * PERIOD_MS)]);
        assert_eq!(fired(&alarms, &values, 0..8 * PERIOD_MS), both);
        assert_eq!(ringing(&alarms, &values, 0..8 * PERIOD_MS), ["Tested", "Slower"]);
    }
}
