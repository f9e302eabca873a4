//! Logs as JSON lines on standard output, and metrics in CloudWatch's embedded metric format.

pub mod alarms;
pub mod measured;
pub mod metrics;
mod record;

pub use record::{Measured, Record};

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
