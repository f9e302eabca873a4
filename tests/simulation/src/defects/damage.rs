//! Defects of every class, put where nothing was wrong.

use std::{collections::BTreeSet, error::Error};

use bytes::Bytes;
use futures_util::stream;
use shared::{
    domain::{
        completeness::{About, Defect, DefectClass},
        day::Day,
        ids::RecordingId,
        manifest::Manifest,
        media::AudioFormat,
        object_key::ObjectKey,
        session::{KeptManifest, RecordingResult},
    },
    ports::archive_store::{ArchiveStore, NewObject, ObjectOrigin},
};

use super::population::{Population, account, recording};
use crate::{
    chance::Dice,
    memory::{Fate, MemoryBucket, MemoryTable, PastCall, sha256},
};

/// Only every second report is damaged, at most: the rest must still be believed.
const REPORTS_PER_BREAK: usize = 2;

/// What is damaged.
struct Scene<'a> {
    dice: &'a Dice,
    table: &'a MemoryTable,
    bucket: &'a MemoryBucket,
}

/// A settled call and its recording that is damaged.
struct Victim<'a> {
    call: &'a PastCall,
    id: &'a RecordingId,
    bytes: &'a Bytes,
}

/// Seeds as many defects, of all classes, each in a call of its own, and answers what must be found.
pub(super) async fn seed(
    population: &Population,
    defects: usize,
    dice: &Dice,
    table: &MemoryTable,
    bucket: &MemoryBucket,
) -> Result<BTreeSet<Defect>, Box<dyn Error>> {
    let scene = Scene { dice, table, bucket };
    let days: Vec<_> = population.days().collect();
    let breaks = (defects / DefectClass::ALL.len()).min(days.len() / REPORTS_PER_BREAK);
    let mut seeded = BTreeSet::new();
    for day in chosen(&days, breaks, dice) {
        seeded.insert(scene.break_chain(*day).await?);
    }
    let settled: Vec<_> = population.calls.iter().filter_map(victim).collect();
    let victims = chosen(&settled, defects - breaks, dice);
    let mut classes = DefectClass::ALL.into_iter().filter(|class| *class != DefectClass::BrokenChain).cycle();
    for (victim, class) in victims.into_iter().zip(&mut classes) {
        seeded.insert(scene.damage(victim, class, &days).await?);
    }
    if seeded.len() < defects {
        return Err(format!("there are too few recordings for {defects} defects").into());
    }
    Ok(seeded)
}

/// The first archived recording of a call that has settled.
fn victim(call: &PastCall) -> Option<Victim<'_>> {
    let settled = !call.recordings.values().any(|fate| *fate == Fate::Waiting);
    let archived = call.recordings.iter().find_map(|(id, fate)| match fate {
        Fate::Archived(bytes) => Some(Victim { call, id, bytes }),
        Fate::Waiting | Fate::Ended(_) => None,
    });
    archived.filter(|_| settled)
}

/// So many of them, each at most once, in the order of chance.
fn chosen<'a, T>(all: &'a [T], many: usize, dice: &Dice) -> Vec<&'a T> {
    let mut left: Vec<_> = all.iter().collect();
    let mut chosen = Vec::new();
    while chosen.len() < many && !left.is_empty() {
        let at = usize::try_from(dice.between(0..=left.len() as u64 - 1)).unwrap_or_default();
        chosen.push(left.swap_remove(at));
    }
    chosen
}

impl Victim<'_> {
    fn key(&self, day: Day, format: AudioFormat) -> ObjectKey {
        ObjectKey::of(&self.call.key.account, day, self.id, format)
    }

    fn about(&self) -> About {
        About::Recording { recording: self.id.clone(), session: self.call.key.session.clone() }
    }
}

impl Scene<'_> {
    async fn damage(&self, victim: &Victim<'_>, class: DefectClass, days: &[Day]) -> Result<Defect, Box<dyn Error>> {
        let key = victim.key(victim.call.day(), AudioFormat::Mp3);
        let about = match class {
            DefectClass::MissingRow => {
                self.forget(victim);
                victim.about()
            }
            DefectClass::MissingObject => {
                self.bucket.remove(&key);
                victim.about()
            }
            DefectClass::WrongSize => {
                let length = victim.bytes.len() - if self.dice.hits(0.5) { 1 } else { victim.bytes.len() };
                self.bucket.put_foreign(key, victim.bytes.slice(..length));
                victim.about()
            }
            DefectClass::ChangedBytes => {
                let mut bytes = victim.bytes.to_vec();
                bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                self.bucket.put_foreign(key, bytes.into());
                victim.about()
            }
            DefectClass::Duplicate => About::Object(self.duplicate(victim, days).await?),
            DefectClass::EarlyArchived => {
                self.bucket.remove(&key);
                self.take_the_proof(victim).await?;
                victim.about()
            }
            DefectClass::StrayObject => {
                // Of a number that no recording has, or what is no recording at all.
                let (stranger, day) = (recording(self.dice.between(1..=999_999_999)), victim.call.day());
                let stray =
                    victim.key(day, AudioFormat::Wav).as_str().replace(victim.id.as_str(), &format!("{stranger}9"));
                let stray = if self.dice.hits(0.5) { stray } else { stray.replace(".wav", ".txt") };
                let stray = ObjectKey::from_listing(stray);
                self.bucket.put_foreign(stray.clone(), victim.bytes.clone());
                About::Object(stray)
            }
            DefectClass::BrokenChain => return self.break_chain(victim.call.day()).await,
        };
        Ok(Defect { class, about })
    }

    /// The row loses the recording, and is gone if it was its only one.
    fn forget(&self, victim: &Victim<'_>) {
        self.table.tamper(&victim.call.key, |mut row| {
            row.heard.retain(|heard| heard.recording != *victim.id);
            row.results.remove(victim.id);
            (!row.heard.is_empty()).then_some(row)
        });
    }

    /// The same bytes in the other format, or under another day.
    async fn duplicate(&self, victim: &Victim<'_>, days: &[Day]) -> Result<ObjectKey, Box<dyn Error>> {
        let day = victim.call.day();
        let elsewhere = days.iter().copied().find(|other| day.next() == *other || other.next() == day);
        let elsewhere = elsewhere.filter(|_| self.dice.hits(0.5));
        let (day, format) = elsewhere.map_or((day, AudioFormat::Wav), |other| (other, AudioFormat::Mp3));
        let (account, session) = (victim.call.key.account.clone(), victim.call.key.session.clone());
        let object = NewObject {
            key: victim.key(day, format),
            format,
            size_bytes: Some(victim.bytes.len() as u64),
            origin: ObjectOrigin { account, session, recording: victim.id.clone() },
        };
        self.bucket.create(&object, Box::pin(stream::iter([Ok(victim.bytes.clone())]))).await?;
        Ok(object.key)
    }

    /// The manifest says that the recording waits, and the row knows no other.
    async fn take_the_proof(&self, victim: &Victim<'_>) -> Result<(), Box<dyn Error>> {
        let Some(stored) = self.table.row(&victim.call.key) else { return Err("the row has vanished".into()) };
        let mut before = stored.row;
        before.results.insert(victim.id.clone(), RecordingResult::default());
        let manifest = Manifest::of(&before);
        let (key, json) = (manifest.object_key(), Bytes::from(manifest.to_json()));
        let sha256 = sha256(&json);
        self.overwrite(&key, json).await?;
        self.table.tamper(&victim.call.key, |mut row| {
            row.manifest = Some(KeptManifest { key, sha256 });
            Some(row)
        });
        Ok(())
    }

    /// The report says that one more was archived than was.
    async fn break_chain(&self, day: Day) -> Result<Defect, Box<dyn Error>> {
        let key = ObjectKey::report(&account(), day);
        let json = self.bucket.document(&key).ok_or("there is no report")?;
        let text = std::str::from_utf8(&json)?.replacen("\"archived\": ", "\"archived\": 1", 1);
        self.overwrite(&key, text.into()).await?;
        Ok(Defect { class: DefectClass::BrokenChain, about: About::Object(key) })
    }

    async fn overwrite(&self, key: &ObjectKey, json: Bytes) -> Result<(), Box<dyn Error>> {
        let there = self.bucket.read(key).await?.map(|reading| reading.etag);
        self.bucket.write(key, json, there.as_deref()).await?;
        Ok(())
    }
}
