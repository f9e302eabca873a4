mod chain;
mod hour;

use std::collections::BTreeSet;

use super::*;
use crate::{
    domain::{
        completeness::{DefectClass, Pending, Progress, Report, Vendor},
        day::{DAY_MS, Day},
        ids::{AccountId, RecordingId, TelephonySessionId},
        manifest::Manifest,
        media::AudioFormat,
        session::{
            ArchivedBytes, KeptManifest, RecordingResult, RecordingState, SessionKey, SessionRow, Way,
            tests::{id, row},
        },
    },
    ports::{
        archive_store::ObjectOrigin,
        clock::Clock,
        cursor_store::{Cursor, Job},
    },
    usecases::{
        documents::sha256,
        fakes::{Bucket, Jumping, Table, WAV},
    },
};

/// An hour and a half after the beginning of a day: the one before has closed.
const NOW_MS: u64 = 100 * DAY_MS + 5_400_000;
const HOUR_MS: u64 = 3_600_000;

fn account() -> AccountId {
    id(AccountId::parse, "800")
}

fn yesterday() -> Day {
    Day::of(99 * DAY_MS)
}

/// A table that knows no more than which days are proved.
fn proved_through(day: Day) -> Table {
    let progress = Progress { through: Some(day), ..Progress::default() };
    let table = Table::default();
    let cursor = Cursor { rev: 1, state: Some(progress.to_json()) };
    table.cursors.borrow_mut().insert(Job::new("reports#800"), cursor);
    table
}

/// As many bytes as [`WAV`] has.
fn other_bytes() -> Vec<u8> {
    WAV.iter().map(u8::to_ascii_uppercase).collect()
}

struct World {
    table: Table,
    bucket: Bucket,
    clock: Jumping,
}

impl World {
    /// Everything is proved up to the day before yesterday.
    fn new() -> Self {
        Self { table: proved_through(Day::of(98 * DAY_MS)), bucket: Bucket::default(), clock: Jumping::at(NOW_MS) }
    }

    fn prover(&self) -> Prover<'_, Table, Bucket, Table, Jumping> {
        Prover { sessions: &self.table, archive: &self.bucket, cursors: &self.table, clock: &self.clock }
    }

    fn hour(&self, hour: Hour<'_>) -> Turn {
        self.clock.run(self.prover().run(hour)).unwrap()
    }

    /// An hour that has nothing special about it.
    fn run(&self) -> Completeness {
        self.hour(hour(&account(), &BTreeSet::new())).found.unwrap()
    }

    /// A call of that day with one recording, archived, described and settled.
    fn settled(&self, session: &str, recording: &str, day: Day) -> SessionRow {
        let mut row = row(&[format!("{recording}|p").as_str()], &["p"]);
        row.key = SessionKey { account: account(), session: id(TelephonySessionId::parse, session) };
        (row.day, row.happened_ms) = (day, day.start_ms() + 5);
        let recording = id(RecordingId::parse, recording);
        let key = ObjectKey::of(&row.key.account, day, &recording, AudioFormat::Wav);
        let archived = ArchivedBytes {
            sha256: sha256(WAV),
            crc64nvme: None,
            etag: sha256(WAV),
            size_bytes: WAV.len() as u64,
            format: AudioFormat::Wav,
            duration_ms: None,
            way: Way::Direct,
        };
        let origin =
            ObjectOrigin { account: account(), session: row.key.session.clone(), recording: recording.clone() };
        self.bucket.put(&key, WAV, Some(origin));
        let result = RecordingResult {
            state: RecordingState::Archived,
            key: Some(key),
            archived: Some(archived),
            at_ms: 7,
            ..RecordingResult::default()
        };
        row.results.insert(recording, result);
        let manifest = Manifest::of(&row);
        self.bucket.put(&manifest.object_key(), &manifest.to_json(), None);
        row.manifest = Some(KeptManifest { key: manifest.object_key(), sha256: sha256(&manifest.to_json()) });
        self.keep(row.clone(), None);
        row
    }

    fn keep(&self, row: SessionRow, due_at_ms: Option<u64>) {
        self.table.rows.borrow_mut().insert(row.key.clone(), crate::usecases::fakes::Kept { row, due_at_ms });
    }

    fn report(&self, day: Day) -> Option<Report> {
        Some(Report::parse(&self.bucket.bytes(&ObjectKey::report(&account(), day))?).unwrap())
    }
}

fn hour<'a>(account: &'a AccountId, touched: &'a BTreeSet<Day>) -> Hour<'a> {
    Hour {
        account,
        touched,
        swept: true,
        now: false,
        until_ms: u64::MAX,
        vendor: Vendor { retention_ms: 90 * DAY_MS, pace_ms: 6_000 },
        began_ms: Some(NOW_MS - 7_000_000),
        backfill_next_ms: None,
    }
}

#[test]
fn accounts_are_remembered_and_who_writes_meanwhile_is_waited_for() {
    let world = World::new();
    let read = |texts: &[&str]| -> BTreeSet<_> { texts.iter().map(|text| id(AccountId::parse, text)).collect() };
    let remember = |texts: &[&str]| world.clock.run(world.prover().accounts(&read(texts)));
    assert_eq!(remember(&[]).unwrap(), read(&[]));
    assert_eq!(remember(&["800"]).unwrap(), read(&["800"]));
    assert_eq!(remember(&["801"]).unwrap(), read(&["800", "801"]));
    world.table.fails.replace(vec![("advance accounts", || StoreError::Corrupt("another")); 3]);
    assert_eq!(remember(&["802"]).unwrap(), read(&["800", "801", "802"]));
    world.table.fails.replace(vec![("advance accounts", || StoreError::Corrupt("another")); 4]);
    assert!(matches!(remember(&["803"]), Err(ProveError::Contended)));
    assert_eq!(remember(&["800"]).unwrap().len(), 3, "who knows them all writes nothing");
}
