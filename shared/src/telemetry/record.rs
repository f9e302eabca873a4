//! The one line that a unit of work leaves: the record in the log, which carries its metrics in CloudWatch's embedded metric
//! format.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tracing::Level;

use super::{DIMENSION, NAMESPACE, metrics::Metric};
use crate::domain::day::format_time;

/// Metrics with their values, each at most once.
pub type Measured = Vec<(Metric, f64)>;

/// The record of one unit of work: a run, or a delivery.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    target: &'static str,
    message: &'static str,
    level: Level,
    table: &'a str,
    now_ms: u64,
    fields: Map<String, Value>,
    measured: Measured,
}

impl<'a> Record<'a> {
    /// Of a unit of work that went well, in the stack of this table, as of `now_ms` (epoch milliseconds). `target` is the
    /// function, `message` says what the unit is.
    pub fn new(target: &'static str, message: &'static str, table: &'a str, now_ms: u64) -> Self {
        Self { target, message, level: Level::INFO, table, now_ms, fields: Map::new(), measured: Vec::new() }
    }

    /// Gives it another level.
    #[must_use]
    pub fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Adds a field, in small letters: those with a capital are metrics.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.fields.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Adds metrics.
    #[must_use]
    pub fn measured(mut self, measured: Measured) -> Self {
        self.measured.extend(measured);
        self
    }

    /// The line. Without metrics it is none of CloudWatch's.
    pub fn to_json(&self) -> Value {
        let mut line = self.fields.clone();
        let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
        put("timestamp", format_time(self.now_ms).into());
        put("level", self.level.as_str().into());
        put("target", self.target.into());
        put("message", self.message.into());
        put(DIMENSION, self.table.into());
        if !self.measured.is_empty() {
            let names =
                self.measured.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit().name()}));
            let metrics: Vec<Value> = names.collect();
            put(
                "_aws",
                json!({
                    "Timestamp": self.now_ms,
                    "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}],
                }),
            );
        }
        for (metric, value) in &self.measured {
            put(metric.name(), number(*value));
        }
        line.into()
    }

    /// Writes the line, whatever the log level is: a metric must not be lost to it.
    pub fn print(&self) {
        println!("{}", self.to_json());
    }
}

/// A whole number is written as one.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT { (value as i64).into() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record<'static> {
        Record::new("archiver", "run", "calls", 1_776_124_800_000).with("request_id", "r-1")
    }

    #[test]
    fn the_record_and_its_metrics_are_one_line() {
        let line = record().measured(vec![(Metric::Backlog, 3.0), (Metric::Completeness, 99.5)]).to_json();
        assert_eq!(
            line,
            json!({
                "timestamp": "2026-04-14T00:00:00.000Z",
                "level": "INFO",
                "target": "archiver",
                "message": "run",
                "request_id": "r-1",
                "Table": "calls",
                "_aws": {
                    "Timestamp": 1_776_124_800_000_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Ringvault",
                        "Dimensions": [["Table"]],
                        "Metrics": [{"Name": "Backlog", "Unit": "Count"}, {"Name": "Completeness", "Unit": "Percent"}],
                    }],
                },
                "Backlog": 3,
                "Completeness": 99.5,
            })
        );
    }

    #[test]
    fn without_a_metric_it_is_a_record_and_nothing_else() {
        let line = record().at(Level::ERROR).with("error", "the table is out of reach").to_json();
        assert_eq!((&line["level"], &line["error"]), (&json!("ERROR"), &json!("the table is out of reach")));
        assert_eq!(line.get("_aws"), None);
    }

    #[test]
    fn whole_numbers_are_written_as_such_as_far_as_they_are_exact() {
        for (value, text) in [(0.0, "0"), (-7.0, "-7"), (0.5, "0.5"), (1e300, "1e+300"), (-9.3e18, "-9.3e+18")] {
            assert_eq!(number(value).to_string(), text);
        }
    }
}
