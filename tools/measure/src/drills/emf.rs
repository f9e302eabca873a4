//! Reads metrics off log lines, as CloudWatch does with its embedded metric format; what CloudWatch would pass over in silence
//! is an error.

use serde_json::Value;
use shared::{
    domain::day::DAY_MS,
    telemetry::{DIMENSION, NAMESPACE, metrics::Metric},
};
use simulation::cloudwatch::Point;

/// A line that means to carry metrics and does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}, in the line {line}")]
pub(super) struct Malformed {
    why: String,
    line: String,
}

/// CloudWatch takes values of so long ago, and of so far ahead.
const PAST_MS: u64 = 14 * DAY_MS;
const AHEAD_MS: u64 = 2 * 3_600_000;

/// The values a log line of `now_ms` (epoch milliseconds) carries for the stack of `table`; none if it is none of CloudWatch's.
pub(super) fn read(line: &str, table: &str, now_ms: u64) -> Result<Vec<Point>, Malformed> {
    if !line.contains("\"_aws\"") {
        return Ok(Vec::new());
    }
    points(line, table, now_ms).map_err(|why| Malformed { why, line: line.to_owned() })
}

fn points(line: &str, table: &str, now_ms: u64) -> Result<Vec<Point>, String> {
    let line: Value = serde_json::from_str(line).map_err(|error| format!("no JSON: {error}"))?;
    let aws = &line["_aws"];
    let at_ms = aws["Timestamp"].as_u64().ok_or("no Timestamp in milliseconds")?;
    if !(now_ms.saturating_sub(PAST_MS)..=now_ms + AHEAD_MS).contains(&at_ms) {
        return Err("the Timestamp is not of now, in milliseconds".to_owned());
    }
    let directives = aws["CloudWatchMetrics"].as_array().filter(|all| !all.is_empty()).ok_or("no CloudWatchMetrics")?;
    let mut points = Vec::new();
    for directive in directives {
        if directive["Namespace"] != NAMESPACE {
            return Err(format!("the namespace is not {NAMESPACE}"));
        }
        if directive["Dimensions"] != serde_json::json!([[DIMENSION]]) {
            return Err(format!("the dimension is not {DIMENSION} alone"));
        }
        if line[DIMENSION] != table {
            return Err(format!("{DIMENSION} is not {table}"));
        }
        let described = directive["Metrics"].as_array().filter(|all| !all.is_empty()).ok_or("no Metrics")?;
        for metric in described {
            let name = metric["Name"].as_str().ok_or("a metric without a name")?;
            let known = Metric::ALL.into_iter().find(|known| known.name() == name);
            let known = known.ok_or_else(|| format!("{name} is no metric of ours"))?;
            if metric["Unit"] != known.unit().name() {
                return Err(format!("{name} does not come in {}", known.unit().name()));
            }
            let value = line[name].as_f64().ok_or_else(|| format!("no number {name}"))?;
            if points.iter().any(|point: &Point| point.metric == known) {
                return Err(format!("{name} comes twice"));
            }
            points.push(Point { metric: known, value, at_ms });
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_MS: u64 = 1_772_409_600_000;

    fn line() -> Value {
        json!({
            "message": "run",
            "Table": "calls",
            "_aws": {
                "Timestamp": NOW_MS,
                "CloudWatchMetrics": [{
                    "Namespace": "Ringvault",
                    "Dimensions": [["Table"]],
                    "Metrics": [{"Name": "Backlog", "Unit": "Count"}, {"Name": "Completeness", "Unit": "Percent"}],
                }],
            },
            "Backlog": 3,
            "Completeness": 99.5,
        })
    }

    #[test]
    fn a_line_carries_values() {
        let expected = [(Metric::Backlog, 3.0), (Metric::Completeness, 99.5)];
        let expected = expected.map(|(metric, value)| Point { metric, value, at_ms: NOW_MS });
        assert_eq!(read(&line().to_string(), "calls", NOW_MS), Ok(expected.to_vec()));
        for other in ["", "panicked", r#"{"message":"run"}"#] {
            assert_eq!(read(other, "calls", NOW_MS), Ok(vec![]), "{other}");
        }
    }

    #[test]
    fn what_cloudwatch_would_pass_over_is_an_error() {
        let cases: [(&str, Value, &str); 14] = [
            ("/_aws/Timestamp", json!("7"), "no Timestamp in milliseconds"),
            ("/_aws/Timestamp", json!(0.5), "no Timestamp in milliseconds"),
            ("/_aws/Timestamp", json!(NOW_MS / 1_000), "the Timestamp is not of now, in milliseconds"),
            ("/_aws/Timestamp", json!(NOW_MS - PAST_MS - 1), "the Timestamp is not of now, in milliseconds"),
            ("/_aws/Timestamp", json!(NOW_MS + AHEAD_MS + 1), "the Timestamp is not of now, in milliseconds"),
            ("/_aws/CloudWatchMetrics", json!([]), "no CloudWatchMetrics"),
            ("/_aws/CloudWatchMetrics/0/Namespace", json!("Other"), "the namespace is not Ringvault"),
            ("/_aws/CloudWatchMetrics/0/Dimensions", json!([["Function"]]), "the dimension is not Table alone"),
            ("/_aws/CloudWatchMetrics/0/Dimensions", json!([["Table"], []]), "the dimension is not Table alone"),
            ("/Table", json!("others"), "Table is not calls"),
            ("/_aws/CloudWatchMetrics/0/Metrics", json!([]), "no Metrics"),
            ("/_aws/CloudWatchMetrics/0/Metrics/0/Name", json!("Backlogs"), "Backlogs is no metric of ours"),
            ("/_aws/CloudWatchMetrics/0/Metrics/0/Unit", json!("Seconds"), "Backlog does not come in Count"),
            ("/Backlog", json!("3"), "no number Backlog"),
        ];
        for (place, value, expected) in cases {
            let mut line = line();
            *line.pointer_mut(place).unwrap() = value;
            let why = read(&line.to_string(), "calls", NOW_MS).map_err(|malformed| malformed.why);
            assert_eq!(why, Err(expected.to_owned()), "{place}");
        }
        let cut = line().to_string();
        assert!(read(&cut[..cut.len() - 1], "calls", NOW_MS).is_err(), "half a line");
        let twice = line().to_string().replace("Completeness", "Backlog").replace("Percent", "Count");
        assert!(read(&twice, "calls", NOW_MS).is_err_and(|malformed| malformed.why == "Backlog comes twice"));
    }
}
