//! A day of calls in a minute: simulated vendor, local cloud, the real functions, until every recording has ended.

mod day;
mod outcome;
mod subscription;

use std::{io, path::Path, time::Duration};

use local_cloud::{dynamodb::TableError, lambda::InvokeError};
use serde_json::Value;

pub use day::stack_config;
pub use outcome::Outcome;
pub use subscription::SubscribeError;

use crate::{
    archive::Archive,
    progress::Progress,
    stack::{Stack, StackError},
};

/// A demo that has not settled by then never will.
const SETTLE_WITHIN_MS: u64 = 55_000;

/// How often the schedule looks whether something is due: the minute of the deployed schedule, hurried.
const TICK: Duration = Duration::from_millis(50);

/// Notifications are on their way for so long at most after their call has ended.
const LAST_DELIVERIES_MS: u64 = 1_000;

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The local stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The archiver.
    #[error("the archiver: {0}")]
    Archiver(#[from] InvokeError),
    /// The subscription at the vendor.
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
    /// Standard output or error.
    #[error("could not write: {0}")]
    Output(#[from] io::Error),
}

/// A demo about to begin.
pub struct Demo<'a> {
    /// What the day grows from.
    pub seed: u64,
    /// Epoch milliseconds, now.
    pub now_ms: &'a dyn Fn() -> u64,
}

impl Demo<'_> {
    /// Subscribes, lets the day happen, drives the schedule until nothing is due any more, and judges what lies in
    /// table and bucket, which is the folder `dir`.
    ///
    /// # Errors
    /// The stack's.
    pub async fn run(&self, stack: &Stack, dir: &Path, progress: &mut Progress) -> Result<Outcome, DemoError> {
        let started_ms = (self.now_ms)();
        subscription::create(stack).await?;
        let day = day::of_calls(self.seed, (self.now_ms)());
        progress.announce(&day::announcement(&day))?;
        let scripts = day.scripts();
        let sessions = scripts.len();
        let expected = scripts.iter().map(|script| script.recordings.len()).sum();
        stack.vendor.with(|vendor| scripts.into_iter().for_each(|script| vendor.schedule(script)));
        self.settle(stack, started_ms, expected, progress).await?;
        let now_ms = (self.now_ms)();
        Ok(Outcome::judge(
            stack,
            &Archive::read(stack)?,
            outcome::Frame {
                seed: self.seed,
                calls: day.calls,
                sessions,
                seconds: now_ms.saturating_sub(started_ms) as f64 / 1_000.0,
                now_ms,
                folder: dir.to_owned(),
            },
        ))
    }

    /// Drives the schedule until the day is over and no session is due any more.
    async fn settle(
        &self,
        stack: &Stack,
        started_ms: u64,
        expected: usize,
        progress: &mut Progress,
    ) -> Result<(), DemoError> {
        let mut quiet_since_ms = None;
        loop {
            tokio::time::sleep(TICK).await;
            let now_ms = (self.now_ms)();
            let due_ms = stack.next_due_ms()?;
            if due_ms.is_some_and(|due_ms| due_ms <= now_ms) {
                stack.run_archiver().await?;
                let (ended, seconds) = (ended(stack)?, now_ms.saturating_sub(started_ms) as f64 / 1_000.0);
                let words = format!("{ended} of {expected} recordings have ended, {seconds:.1} s");
                progress.show(ended as u64, expected as u64, &words)?;
            }
            let over = stack.vendor.with(|vendor| vendor.next_ms()).is_none() && due_ms.is_none();
            let since_ms = *quiet_since_ms.get_or_insert(now_ms);
            if !over {
                quiet_since_ms = None;
            } else if now_ms.saturating_sub(since_ms) >= LAST_DELIVERIES_MS {
                return Ok(progress.end()?);
            }
            if now_ms.saturating_sub(started_ms) > SETTLE_WITHIN_MS {
                return Ok(progress.end()?);
            }
        }
    }
}

/// How many recordings have ended.
fn ended(stack: &Stack) -> Result<usize, TableError> {
    let ends = |(name, result): &(&String, &Value)| {
        let state = result.get("state").and_then(Value::as_str);
        name.starts_with("r#") && state.is_some_and(|state| state != "waiting")
    };
    Ok(stack.sessions()?.iter().map(|row| row.iter().filter(ends).count()).sum())
}
