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

/// Starts logging, as far as [`heard`] goes.
pub fn init(level: LevelFilter) {
    let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false);
    tracing_subscriber::registry().with(json).with(heard(level)).init();
}

/// `level` is for our own code; libraries are heard from `warn` on, because their chatter can hold headers and bodies.
fn heard(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_targets(["shared", "webhook", "archiver", "reconciler"].map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_are_heard_from_warn_on_however_much_is_asked_for() {
        let all = heard(LevelFilter::TRACE);
        for target in ["hyper::proto", "h2", "reqwest", "rustls", "aws_smithy_runtime", "lambda_runtime", "log", ""] {
            let heard = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            let heard = heard.into_iter().filter(|level| all.would_enable(target, level));
            assert_eq!(Vec::from_iter(heard), [Level::ERROR, Level::WARN], "{target}");
        }
        assert!(["shared::usecases", "webhook"].iter().all(|ours| all.would_enable(ours, &Level::TRACE)));
    }

    #[test]
    fn the_level_is_for_libraries_too_where_it_asks_for_less() {
        let few = heard(LevelFilter::ERROR);
        assert!(["hyper", "shared"].iter().all(|target| !few.would_enable(target, &Level::WARN)));
        assert!(["hyper", "shared"].iter().all(|target| few.would_enable(target, &Level::ERROR)));
    }
}
