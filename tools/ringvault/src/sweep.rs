//! `reconcile` and `backfill`: the reconciler's sweeps from a shell, until they are done.

use std::{collections::BTreeSet, fmt, io, iter, ops::Range, time::Duration};

use serde_json::{Value, json};
use shared::{
    domain::{
        completeness::{About, Counts, DayProof},
        day::{Day, format_time, millis, parse_time},
        ids::{AccountId, RecordingId},
    },
    ports::{
        clock::Clock,
        cursor_store::CursorStore,
        recording_source::RecordingSource,
        session_store::{SessionStore, StoreError},
    },
    usecases::{
        reconcile::{Reconciler, Swept, Task},
        stopped::Stopped,
    },
};

use crate::progress::Progress;

/// So long a permit is waited for before it is said that it is.
const TURN: Duration = Duration::from_secs(300);

/// Whoever must wait for others looks again after this.
const REST: Duration = Duration::from_secs(10);

/// Why a sweep came to no end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The table.
    #[error(transparent)]
    Table(#[from] StoreError),
    /// Nothing may be asked of RingCentral until a person has looked.
    #[error("RingCentral refuses: {0}")]
    Refused(&'static str),
    /// Standard output or error.
    #[error("could not write: {0}")]
    Output(#[from] io::Error),
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// What went unheard lately, or in a stretch of time, at once.
    Reconcile,
    /// What is older, in its turn.
    Backfill,
}

impl Wish {
    /// The reconciler's task.
    pub(crate) fn task(self, stretch: Option<Range<u64>>, window_ms: u64, retention_ms: u64) -> Task {
        match (self, stretch) {
            (Self::Reconcile, None) => Task::Trailing { window_ms, now: true, since_ms: None },
            (Self::Reconcile, Some(stretch)) => Task::Range(stretch),
            (Self::Backfill, stretch) => Task::Backfill { stretch, retention_ms },
        }
    }
}

/// What a sweep found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    swept: Swept,
    days: Vec<DayProof>,
}

/// Sweeps until it is done, through all pauses. It may be killed: who begins it again goes on.
///
/// # Errors
/// The table's, or where only a person can help.
pub async fn run<T: SessionStore + CursorStore, R: RecordingSource, C: Clock>(
    reconciler: &Reconciler<'_, T, R, C>,
    task: Task,
    progress: &mut Progress,
) -> Result<Outcome, SweepError> {
    let mut all = Swept::default();
    loop {
        let until_ms = reconciler.clock.now_ms() + millis(TURN);
        let mut shown = Ok(());
        let swept = reconciler.sweep(&task, until_ms, |swept| {
            if shown.is_ok() {
                shown = show(&all.clone().and_then(swept.clone()), progress);
            }
        });
        all = all.clone().and_then(swept.await?);
        shown?;
        match all.stopped {
            None => break,
            Some(Stopped::Deadline) => {}
            Some(Stopped::CredentialsRefused) => return Err(SweepError::Refused("the credentials")),
            Some(Stopped::PermissionMissing) => return Err(SweepError::Refused("the app lacks ReadCallLog")),
            Some(
                Stopped::AnotherRun
                | Stopped::Throttled
                | Stopped::CredentialsUnavailable
                | Stopped::PermitsUnavailable
                | Stopped::LogUnreadable
                | Stopped::Paced
                | Stopped::FreshWork,
            ) => reconciler.clock.sleep(REST).await,
        }
    }
    progress.end()?;
    Ok(Outcome { swept: all, days: Vec::new() })
}

fn show(swept: &Swept, progress: &mut Progress) -> io::Result<()> {
    let (done, stretch) = (swept.next_ms.saturating_sub(swept.from_ms), swept.to_ms.saturating_sub(swept.from_ms));
    progress.show(done, stretch, &words(swept))
}

/// How far it is, and what it waits for.
fn words(swept: &Swept) -> String {
    let waits = match swept.stopped {
        None | Some(Stopped::Deadline) => "",
        Some(Stopped::Paced) => "; adds no more for now: its share of RingCentral's limit",
        Some(Stopped::FreshWork) => "; waits: fresh recordings come first",
        Some(Stopped::Throttled) => "; waits for RingCentral's limit",
        Some(Stopped::AnotherRun) => "; waits: another run is at it",
        Some(
            Stopped::LogUnreadable
            | Stopped::CredentialsRefused
            | Stopped::CredentialsUnavailable
            | Stopped::PermissionMissing
            | Stopped::PermitsUnavailable,
        ) => "; waits: RingCentral or the table does not answer",
    };
    let Swept { calls, offered, unheard, .. } = swept;
    format!("up to {}: {calls} calls, {offered} recordings, {unheard} unheard of{waits}", format_time(swept.next_ms))
}

impl Outcome {
    /// The accounts of the calls.
    pub(crate) fn accounts(&self) -> &BTreeSet<AccountId> {
        &self.swept.accounts
    }

    /// The UTC days of the stretch.
    pub(crate) fn days(&self) -> impl Iterator<Item = Day> {
        let last = Day::of(self.swept.to_ms.saturating_sub(1));
        iter::successors(Some(Day::of(self.swept.from_ms)), |day| Some(day.next())).take_while(move |day| *day <= last)
    }

    /// The same, with what was found out about its days.
    #[must_use]
    pub(crate) fn with_days(self, days: Vec<DayProof>) -> Self {
        Self { days, ..self }
    }

    /// Whether everything could be read, nothing is missing and nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.swept.unreadable == 0 && self.days.iter().all(|proof| proof.missing.is_empty() && proof.defects.is_empty())
    }

    /// One JSON object.
    pub fn to_json(&self) -> Value {
        let mut json = json!(self.swept);
        json["days"] = self.days.iter().map(day_json).collect();
        for (name, at_ms) in [("from", self.swept.from_ms), ("to", self.swept.to_ms)] {
            json[name] = json!(format_time(at_ms));
        }
        json
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Swept { calls, offered, unheard, amended, reopened, too_short, silent, unreadable, .. } = &self.swept;
        writeln!(
            out,
            "calls          {calls}, begun {} to {}",
            format_time(self.swept.from_ms),
            format_time(self.swept.to_ms)
        )?;
        writeln!(out, "offered        {offered} recordings")?;
        writeln!(out, "unheard of     {unheard}: no event had told of these; the archiver fetches them")?;
        writeln!(out, "amended        {amended} sessions lacked something the call log says")?;
        writeln!(out, "reopened       {reopened} recordings had ended, and the call log offers them")?;
        writeln!(out, "too short      {too_short}")?;
        writeln!(
            out,
            "silent         {silent}: offered once, and no longer; they end as deleted if RingCentral denies them, too"
        )?;
        write!(out, "unreadable     {unreadable} calls or rows")?;
        if !self.days.is_empty() {
            write!(out, "\n\nday         offered  archived  waiting  deleted  missing  defects")?;
        }
        for proof in &self.days {
            let (day, counts, defects) = (proof.day, proof.counts, proof.defects.len());
            let Counts { archived, waiting, deleted, missing, .. } = counts;
            let offered = counts.offered();
            write!(
                out,
                "\n{day}  {offered:>7}  {archived:>8}  {waiting:>7}  {deleted:>7}  {missing:>7}  {defects:>7}"
            )?;
            for defect in &proof.defects {
                write!(out, "\n    {}  {}", defect.class.name(), about(&defect.about))?;
            }
        }
        Ok(())
    }
}

fn day_json(proof: &DayProof) -> Value {
    let counts = proof.counts;
    let defects = proof.defects.iter();
    json!({
        "account": proof.account.as_str(),
        "day": proof.day.to_string(),
        "offered": counts.offered(),
        "archived": counts.archived,
        "waiting": counts.waiting,
        "too_short": counts.too_short,
        "unavailable": counts.unavailable,
        "deleted": counts.deleted,
        "missing": proof.missing.iter().map(RecordingId::as_str).collect::<Vec<_>>(),
        "defects": defects.map(|it| json!({ "class": it.class.name(), "about": about(&it.about) })).collect::<Vec<_>>(),
    })
}

fn about(about: &About) -> &str {
    match about {
        About::Recording { recording, .. } => recording.as_str(),
        About::Object(key) => key.as_str(),
    }
}

/// A stretch of time from `--from` to `--to`.
///
/// # Errors
/// Says which is missing, or that it ends before it begins.
pub fn stretch(from_ms: Option<u64>, to_ms: Option<u64>) -> Result<Option<Range<u64>>, &'static str> {
    match (from_ms, to_ms) {
        (None, None) => Ok(None),
        (Some(from_ms), Some(to_ms)) if from_ms < to_ms => Ok(Some(from_ms..to_ms)),
        (Some(_), Some(_)) => Err("--to is not after --from"),
        (Some(_), None) => Err("--from needs a --to"),
        (None, Some(_)) => Err("--to needs a --from"),
    }
}

/// Reads a day or a time of the command line into epoch milliseconds.
///
/// # Errors
/// Says what would be one.
pub fn time(text: &str) -> Result<u64, &'static str> {
    let day = Day::parse(text).map(Day::start_ms);
    day.or_else(|| parse_time(text)).ok_or("neither a day (2026-03-02) nor a time (2026-03-02T15:00:00Z)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read() {
        assert_eq!(time("2026-03-02"), Ok(1_772_409_600_000));
        assert_eq!(time("2026-03-02T00:00:01Z"), Ok(1_772_409_601_000));
        for text in ["", "yesterday", "2026-3-2", "2026-02-30"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stretch_has_two_ends_in_order() {
        assert_eq!(stretch(None, None), Ok(None));
        assert_eq!(stretch(Some(1), Some(2)), Ok(Some(1..2)));
        for (from, to) in [(Some(1), None), (None, Some(1)), (Some(2), Some(2))] {
            assert!(stretch(from, to).is_err(), "{from:?} {to:?}");
        }
    }
}
