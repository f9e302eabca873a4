mod calm;
mod held;
mod leases;
mod rush;

use super::*;
use crate::{
    domain::{
        day::{DAY_MS, Day},
        ids::{RecordingId, TelephonySessionId},
        manifest::Manifest,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{
            RecordingState, SessionRow, Way,
            tests::{id, row},
        },
    },
    ports::{archive_store::ObjectOrigin, clock::Clock},
    usecases::fakes::{Bucket, Gives, Jumping, Table, Vendor, WAV, page, schedule, silent},
};

const NOW_MS: u64 = 10 * DAY_MS + DAY_MS / 2;
const DEADLINE_MS: u64 = NOW_MS + 300_000;

/// A call that was heard of so long ago, with these recordings, whose party has ended; none of it was tried.
fn call(session: &str, recordings: &[&str], ago_ms: u64) -> SessionRow {
    let heard: Vec<_> = recordings.iter().map(|text| format!("{text}|p")).collect();
    let heard: Vec<_> = heard.iter().map(String::as_str).collect();
    let mut row = row(&heard, &["p"]);
    row.key.session = id(TelephonySessionId::parse, session);
    row.attempts = 0;
    row.seen_at_ms = NOW_MS - ago_ms;
    row.happened_ms = row.seen_at_ms - 1_000;
    row.day = Day::of(row.happened_ms);
    row
}

fn recording(text: &str) -> RecordingId {
    id(RecordingId::parse, text)
}

/// Where a recording of a call lies.
fn key(row: &SessionRow, text: &str) -> ObjectKey {
    ObjectKey::of(&row.key.account, row.day, &recording(text), AudioFormat::Wav)
}

fn origin(row: &SessionRow, text: &str) -> ObjectOrigin {
    ObjectOrigin { account: row.key.account.clone(), session: row.key.session.clone(), recording: recording(text) }
}

/// One run over rows that have been due for as long as they are known.
struct World<'a> {
    table: Table,
    bucket: Bucket,
    vendor: Vendor<'a>,
    retention: Duration,
}

impl<'a> World<'a> {
    fn new(clock: &'a Jumping, rows: &[SessionRow]) -> Self {
        let table = Table::with(rows.iter().map(|row| (row.clone(), row.seen_at_ms)));
        let retention = Duration::from_millis(90 * DAY_MS);
        Self { table, bucket: Bucket::default(), vendor: Vendor::new(clock), retention }
    }

    fn give(self, places: &[&str], gives: Gives) -> Self {
        Self { vendor: self.vendor.give(places, gives), ..self }
    }

    fn try_run(&self) -> Result<Summary, StoreError> {
        let schedule = schedule();
        let archiver = Archiver {
            sessions: &self.table,
            source: &self.vendor,
            archive: &self.bucket,
            clock: self.vendor.clock,
            schedule: &schedule,
            retention: self.retention,
        };
        self.vendor.clock.run(archiver.archive_due(Run { id: "run", deadline_ms: DEADLINE_MS }))
    }

    fn run(&self) -> Summary {
        self.try_run().unwrap()
    }

    /// What the vendor was asked for.
    fn said(&self) -> Vec<String> {
        self.vendor.said.take().into_iter().filter(|said| said != "settle").collect()
    }

    fn state(&self, row: &SessionRow, text: &str) -> RecordingState {
        self.table.kept(&row.key).row.result(&recording(text)).state
    }

    fn reason(&self, row: &SessionRow, text: &str) -> String {
        self.table.kept(&row.key).row.result(&recording(text)).reason.unwrap_or_default()
    }

    /// How many looks were counted, and when it is due again, after now.
    fn standing(&self, row: &SessionRow) -> (u32, Option<u64>) {
        let kept = self.table.kept(&row.key);
        (kept.row.attempts, kept.due_at_ms.map(|due_at_ms| due_at_ms.saturating_sub(NOW_MS)))
    }
}
