//! Logs as JSON lines on standard output, and metrics in CloudWatch's embedded metric format.

pub mod alarms;
pub mod metrics;

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// CloudWatch namespace of every metric.
pub const NAMESPACE: &str = "Ringvault";

/// The one dimension of every metric: the name of the table, which no two stacks share.
pub const DIMENSION: &str = "Table";

/// The level `AWS_LAMBDA_LOG_LEVEL` asks for; `info` where it asks for none.
pub fn level(lookup: impl Fn(&'static str) -> Option<String>) -> LevelFilter {
    lookup("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// Starts logging. `level` is for our own code; libraries are heard from `warn` on, because their chatter can hold
/// headers and bodies.
pub fn init(level: LevelFilter) {
    let ours = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_targets(["shared", "webhook", "archiver", "reconciler"].map(|target| (target, level)));
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    tracing_subscriber::registry().with(json).with(ours).init();
}

/// Emits one count of metric `name` of `function`, as of `now_ms` (epoch milliseconds).
pub fn count(function: &str, name: &str, value: u64, now_ms: u64) {
    println!("{}", embedded_metric(function, name, "Count", value, now_ms));
}

/// Emits one time of metric `name` of `function`, in seconds, as of `now_ms` (epoch milliseconds).
pub fn seconds(function: &str, name: &str, value: i64, now_ms: u64) {
    println!("{}", embedded_metric(function, name, "Seconds", value, now_ms));
}

/// Emits one share of metric `name` of `function`, in percent, as of `now_ms` (epoch milliseconds).
pub fn percent(function: &str, name: &str, value: f64, now_ms: u64) {
    println!("{}", embedded_metric(function, name, "Percent", value, now_ms));
}

fn embedded_metric(
    function: &str,
    name: &str,
    unit: &str,
    value: impl Into<serde_json::Value>,
    now_ms: u64,
) -> serde_json::Value {
    let value: serde_json::Value = value.into();
    serde_json::json!({
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": [{ "Name": name, "Unit": unit }],
            }],
        },
        "Function": function,
        name: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_names_its_value_and_dimension() {
        let line = embedded_metric("webhook", "DeliveriesForged", "Count", 1, 7);
        assert_eq!(line["DeliveriesForged"], 1);
        assert_eq!(line["Function"], "webhook");
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "DeliveriesForged");
    }
}
