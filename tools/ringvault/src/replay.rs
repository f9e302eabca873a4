//! Sends sample events through the real function binaries and shows what they change.

mod event_file;
mod report;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use local_cloud::lambda::InvokeError;
use ringcentral_sim::world::ListedAt;
use serde_json::Value;

pub use event_file::{EventFile, EventFileError, Kind};
use report::Seen;

use crate::{
    archive::Archive,
    stack::{Stack, StackError},
};

/// A replay that has not settled by then never will.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// Why a replay ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// An event file.
    #[error(transparent)]
    EventFile(#[from] EventFileError),
    /// The local stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The table.
    #[error(transparent)]
    Table(#[from] local_cloud::dynamodb::TableError),
    /// A function that does not even answer with an error of its own.
    #[error("{file}: {source}")]
    Invoke {
        /// What was sent.
        file: String,
        /// What came of it.
        source: InvokeError,
    },
    /// The files speak of several accounts.
    #[error("the simulated vendor has one account, and the files speak of several: {0}")]
    TwoAccounts(String),
    /// Standard output.
    #[error("could not write the report: {0}")]
    Output(#[from] io::Error),
}

/// What a replay is to do.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The events, in the order they are sent.
    pub files: Vec<EventFile>,
    /// Whether the archiver is driven until nothing is due.
    pub until_settled: bool,
}

impl Replay {
    /// Reads the event files.
    ///
    /// # Errors
    /// Says what is wrong with which file.
    pub fn read(paths: &[PathBuf], until_settled: bool) -> Result<Self, ReplayError> {
        let files: Vec<EventFile> = paths.iter().map(|path| EventFile::read(path)).collect::<Result<_, _>>()?;
        Ok(Self { files, until_settled })
    }

    /// The account the files speak of, if they speak of any.
    ///
    /// # Errors
    /// The simulated vendor has one account only.
    pub fn account(&self) -> Result<Option<String>, ReplayError> {
        let accounts: BTreeSet<String> = self.files.iter().flat_map(EventFile::accounts).collect();
        if accounts.len() > 1 {
            return Err(ReplayError::TwoAccounts(accounts.into_iter().collect::<Vec<_>>().join(", ")));
        }
        Ok(accounts.into_iter().next())
    }

    /// Sends every file to the function it is for, printing replies and changes to `out`. True if no function failed and,
    /// where settling was asked for, every recording heard of is archived, byte for byte the vendor's, or has ended for a
    /// reason.
    ///
    /// # Errors
    /// A file cannot be read, or the stack fails.
    pub async fn run(&self, stack: &Stack, out: &mut impl Write) -> Result<bool, ReplayError> {
        teach(stack, &self.files);
        let mut seen = Seen::default();
        let mut answered = true;
        for file in &self.files {
            let reply = match file.kind {
                Kind::Http => stack.webhook.invoke(&file.json).await,
                Kind::RingCentral => stack.webhook.invoke(&file.as_http()).await,
                Kind::Schedule | Kind::Stream => stack.archiver.invoke(&file.json).await,
                Kind::Range => stack.reconciler.invoke(&file.json).await,
            };
            writeln!(out, "{} ({})", file.name, file.kind.describe())?;
            match reply {
                Ok(reply) => {
                    answered &= reply["statusCode"].as_u64().is_none_or(|status| status < 500);
                    writeln!(out, "  {}", report::reply(file.kind, &reply))?;
                }
                Err(InvokeError::Function { error_type, message }) => {
                    answered = false;
                    writeln!(out, "  failed: {} ({error_type})", message.trim())?;
                }
                Err(source) => return Err(ReplayError::Invoke { file: file.name.clone(), source }),
            }
            seen.print_changes(stack, out)?;
        }
        if !self.until_settled {
            return Ok(answered);
        }
        end_open_calls(stack, &self.files);
        let settled = settle(stack, &mut seen, out).await?;
        let archive = Archive::read(stack)?;
        report::print_archive(&archive, out)?;
        Ok(answered && settled && archive.is_whole())
    }
}

/// Tells the vendor of the calls the files speak of. The files of every second recording have moved away from the media
/// host, so that both ways of the hybrid strategy are seen.
fn teach(stack: &Stack, files: &[EventFile]) {
    for notification in files.iter().filter_map(EventFile::notification) {
        stack.vendor.learn(&notification);
    }
    let recordings: BTreeSet<String> = files.iter().flat_map(EventFile::recordings).collect();
    stack.vendor.with(|vendor| {
        for id in recordings.iter().skip(1).step_by(2) {
            if let Some(recording) = vendor.recording_mut(id) {
                recording.listed_at = ListedAt::Platform;
            }
        }
    });
}

/// Ends the calls whose end is in none of the files: otherwise they would run for ever.
fn end_open_calls(stack: &Stack, files: &[EventFile]) {
    stack.vendor.with(|vendor| {
        for session in files.iter().filter_map(EventFile::session) {
            let parties = vendor.call_mut(&session).map(|call| call.parties.as_mut_slice()).unwrap_or_default();
            for party in parties {
                party.ended_at_ms.get_or_insert(now_ms());
            }
        }
    });
}

/// Drives the schedule until no session is due any more.
async fn settle(stack: &Stack, seen: &mut Seen, out: &mut impl Write) -> Result<bool, ReplayError> {
    let give_up_ms = now_ms() + u64::try_from(SETTLE_WITHIN.as_millis()).unwrap_or(u64::MAX);
    while let Some(due_ms) = stack.next_due_ms()? {
        if now_ms() > give_up_ms {
            writeln!(out, "not settled after {} s", SETTLE_WITHIN.as_secs())?;
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(due_ms.saturating_sub(now_ms()))).await;
        let summary = stack.run_archiver().await;
        let summary = summary.map_err(|source| ReplayError::Invoke { file: "schedule".to_owned(), source })?;
        writeln!(out, "schedule ({})", Kind::Schedule.describe())?;
        writeln!(out, "  {}", report::reply(Kind::Schedule, &summary))?;
        seen.print_changes(stack, out)?;
    }
    Ok(true)
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// A member of a JSON object as text, or nothing.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
