//! A day of calls in a minute: simulated vendor, local cloud, the real functions, until every recording has ended.

mod day;
mod outcome;

use std::{io, path::Path, time::Duration};

use local_cloud::{dynamodb::TableError, lambda::InvokeError};
use serde_json::Value;

pub use day::stack_config;
pub use outcome::Outcome;

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
    /// Archiver or reconciler.
    #[error("a function: {0}")]
    Function(#[from] InvokeError),
    /// The reconciler could not subscribe the webhook.
    #[error("the reconciler did not subscribe the webhook: {0}")]
    NotSubscribed(Value),
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
    /// Has the reconciler subscribe the webhook, lets the day happen, drives the schedules until nothing is due and nothing
    /// unheard of is left, and judges what lies in table and bucket, which is the folder `dir`.
    ///
    /// # Errors
    /// The stack's.
    pub async fn run(&self, stack: &Stack, dir: &Path, progress: &mut Progress) -> Result<Outcome, DemoError> {
        let started_ms = (self.now_ms)();
        let summary = stack.run_reconciler().await?;
        if summary["subscription"] != "created" {
            return Err(DemoError::NotSubscribed(summary));
        }
        let day = day::of_calls(self.seed, (self.now_ms)());
        progress.announce(&day::announcement(&day))?;
        let scripts = day::scripts(&day);
        let sessions = scripts.len();
        let expected = scripts.iter().map(|script| script.recordings.len()).sum();
        stack.vendor.with(|vendor| scripts.into_iter().for_each(|script| vendor.schedule(script)));
        let unheard = self.settle(stack, started_ms, expected, progress).await?;
        let now_ms = (self.now_ms)();
        Ok(Outcome::judge(
            stack,
            &Archive::read(stack)?,
            outcome::Frame {
                seed: self.seed,
                calls: day.calls,
                sessions,
                unheard,
                seconds: now_ms.saturating_sub(started_ms) as f64 / 1_000.0,
                now_ms,
                folder: dir.to_owned(),
            },
        ))
    }

    /// Drives the schedules until the day is over, no session is due and the call log knows no more than the table. Answers
    /// of how many recordings no event had told.
    async fn settle(
        &self,
        stack: &Stack,
        started_ms: u64,
        expected: usize,
        progress: &mut Progress,
    ) -> Result<u64, DemoError> {
        let (mut quiet_since_ms, mut unheard, mut shown) = (None, 0, None);
        loop {
            tokio::time::sleep(TICK).await;
            let now_ms = (self.now_ms)();
            let due_ms = stack.next_due_ms()?;
            if due_ms.is_some_and(|due_ms| due_ms <= now_ms) {
                stack.run_archiver().await?;
                let (ended, seconds) = (ended(stack)?, now_ms.saturating_sub(started_ms) as f64 / 1_000.0);
                let words = format!("{ended} of {expected} recordings have ended, {seconds:.1} s");
                if shown != Some(ended) {
                    progress.show(ended as u64, expected as u64, &words)?;
                }
                shown = Some(ended);
            }
            let since_ms = *quiet_since_ms.get_or_insert(now_ms);
            if due_ms.is_some() || !is_over(stack, now_ms) {
                quiet_since_ms = None;
            } else if now_ms.saturating_sub(since_ms) >= LAST_DELIVERIES_MS {
                let found = stack.reconcile(started_ms.saturating_sub(LAST_DELIVERIES_MS), now_ms).await?;
                let found = found["reconciled"]["unheard"].as_u64().unwrap_or(0);
                unheard += found;
                if found == 0 {
                    progress.end()?;
                    return Ok(unheard);
                }
                quiet_since_ms = None;
            }
            if now_ms.saturating_sub(started_ms) > SETTLE_WITHIN_MS {
                progress.end()?;
                return Ok(unheard);
            }
        }
    }
}

/// Whether the day has passed: nothing more happens, and all that will be listed is.
fn is_over(stack: &Stack, now_ms: u64) -> bool {
    stack.vendor.with(|vendor| {
        let to_come = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms > now_ms);
        let listed = vendor.offered().all(|offered| !to_come(offered.listed_at_ms));
        // The subscription's renewal is years away.
        let happens = vendor.next_ms().is_some_and(|next_ms| next_ms < now_ms + SETTLE_WITHIN_MS);
        !happens && listed
    })
}

/// How many recordings have ended.
fn ended(stack: &Stack) -> Result<usize, TableError> {
    let ends = |(name, result): &(&String, &Value)| {
        let state = result.get("state").and_then(Value::as_str);
        name.starts_with("r#") && state.is_some_and(|state| state != "waiting")
    };
    Ok(stack.sessions()?.iter().map(|row| row.iter().filter(ends).count()).sum())
}
