//! What an operator is woken for. The template has exactly these alarms, the runbook a section on each.

use super::metrics::Metric;

/// An alarm of CloudWatch on one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// Its name: of its resource in the template, less `Alarm`, and of its section in the runbook.
    pub name: &'static str,
    /// What it watches.
    pub metric: Metric,
    /// What it makes of the values of a period.
    pub statistic: Statistic,
    /// What is bad.
    pub bad: Bad,
    /// A period, seconds.
    pub period_s: u32,
    /// How many periods must be bad, one after the other.
    pub periods: u32,
    /// What a period without a value counts as.
    pub missing: Missing,
}

/// What the values of a period come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The least of them.
    Minimum,
    /// The greatest.
    Maximum,
    /// All together.
    Sum,
}

/// Which values are bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bad {
    /// Less than this.
    Below(f64),
    /// Less than the template's parameter of this name, which by default is this.
    BelowParameter(&'static str, f64),
    /// This or more.
    AtLeast(f64),
}

/// What a period without a value counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Good: nothing happened.
    NotBreaching,
    /// Bad: something should have happened.
    Breaching,
    /// As the one before: nobody looked.
    Ignore,
}

const MINUTE_S: u32 = 60;
const HOUR_S: u32 = 3_600;
const DAY_S: f64 = 86_400.0;

/// All alarms.
pub const ALARMS: &[Alarm] = &[
    Alarm {
        name: "ArchiveIncomplete",
        metric: Metric::Completeness,
        statistic: Statistic::Minimum,
        bad: Bad::BelowParameter("CompletenessTargetPercent", 100.0),
        period_s: HOUR_S,
        periods: 1,
        missing: Missing::Ignore,
    },
    Alarm {
        name: "ArchiveDamaged",
        metric: Metric::Defects,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(1.0),
        period_s: HOUR_S,
        periods: 1,
        missing: Missing::Ignore,
    },
    Alarm {
        name: "SlackLow",
        metric: Metric::Slack,
        statistic: Statistic::Minimum,
        bad: Bad::Below(7.0 * DAY_S),
        // What waits on long steps of its ladder only the hourly proof sees.
        period_s: HOUR_S,
        periods: 1,
        missing: Missing::NotBreaching,
    },
    Alarm {
        name: "ArchiverSilent",
        metric: Metric::ArchiverHeartbeat,
        statistic: Statistic::Sum,
        bad: Bad::Below(1.0),
        period_s: 5 * MINUTE_S,
        periods: 3,
        missing: Missing::Breaching,
    },
    Alarm {
        name: "ReconcilerSilent",
        metric: Metric::ReconcilerHeartbeat,
        statistic: Statistic::Sum,
        bad: Bad::Below(1.0),
        period_s: 15 * MINUTE_S,
        periods: 4,
        missing: Missing::Breaching,
    },
    Alarm {
        name: "ProofOverdue",
        metric: Metric::ProofAge,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(2.0 * DAY_S),
        period_s: HOUR_S,
        periods: 1,
        missing: Missing::Ignore,
    },
    Alarm {
        name: "SubscriptionUnhealthy",
        metric: Metric::SubscriptionUnhealthy,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(1.0),
        period_s: 15 * MINUTE_S,
        periods: 3,
        missing: Missing::NotBreaching,
    },
    Alarm {
        name: "AccessRefused",
        metric: Metric::AccessRefused,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(1.0),
        period_s: 15 * MINUTE_S,
        periods: 1,
        missing: Missing::NotBreaching,
    },
    Alarm {
        name: "RecordingsBlocked",
        metric: Metric::Blocked,
        statistic: Statistic::Maximum,
        bad: Bad::AtLeast(1.0),
        period_s: HOUR_S,
        periods: 1,
        missing: Missing::NotBreaching,
    },
    Alarm {
        name: "DeliveriesForged",
        metric: Metric::DeliveriesForged,
        statistic: Statistic::Sum,
        bad: Bad::AtLeast(20.0),
        period_s: 5 * MINUTE_S,
        periods: 1,
        missing: Missing::NotBreaching,
    },
];
