//! What a world has come to, but for times and the number of looks and writes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use ringcentral_sim::core::SubscriptionStatus;
use shared::{
    domain::{
        completeness::{DayProof, Defect, Report},
        ids::AccountId,
        manifest::Manifest,
        object_key::ObjectKey,
        session::{Heard, SessionKey, Way},
        subscription::Memory,
    },
    ports::{
        archive_store::ArchiveStore,
        cursor_store::{CursorStore, Job},
    },
    usecases::prove::Prover,
};

use crate::{
    chance::SimulatedClock,
    memory::StoredRow,
    world::{DAY_MS, World},
};

/// What a world has come to.
#[derive(Debug, PartialEq)]
pub(super) struct Rest {
    rows: BTreeMap<SessionKey, Row>,
    /// The recordings in the bucket, by their SHA-256.
    objects: BTreeMap<ObjectKey, String>,
    manifests: BTreeMap<ObjectKey, Manifest>,
    /// What each report says, and its place in the chain.
    reports: BTreeMap<ObjectKey, (DayProof, u64)>,
    /// What is wrong with the chain.
    broken: Vec<String>,
    /// The subscriptions at the vendor's, and whether each is the one that is remembered.
    subscriptions: Vec<Subscribed>,
}

#[derive(Debug, PartialEq)]
struct Row {
    heard: BTreeSet<Heard>,
    queued: bool,
    /// All else, as it would be described in the bucket.
    told: Manifest,
}

#[derive(Debug, PartialEq)]
struct Subscribed {
    address: String,
    filters: Vec<String>,
    status: SubscriptionStatus,
    token: Option<String>,
    /// Whether its life is not about to end.
    lasts: bool,
    remembered: bool,
}

/// What is far enough from its end not to be renewed, milliseconds.
const LASTS_MS: u64 = 7 * DAY_MS;

impl Rest {
    pub(super) fn of(world: &World) -> Self {
        let account = AccountId::parse(&world.vendor.core.borrow().settings().account_id);
        let chain = account.iter().filter_map(|account| chain(world, account)).flatten();
        Self {
            rows: rows(world),
            objects: world.bucket.with_objects(|objects| {
                let digests = objects.iter().map(|(key, object)| (key.clone(), object.sha256.clone()));
                digests.collect()
            }),
            manifests: documents(world, "sessions/", |json| Manifest::parse(json).ok().map(without_times)),
            reports: documents(world, "reports/", |json| {
                Report::parse(json).ok().map(|report| (report.proof, report.sequence))
            }),
            broken: chain.collect(),
            subscriptions: subscriptions(world),
        }
    }

    /// What is not the same in another world, by name.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        found.extend(unequal(&self.rows, &other.rows).map(|key| format!("the row of {}", key.session)));
        found.extend(unequal(&self.objects, &other.objects).map(ToString::to_string));
        found.extend(unequal(&self.manifests, &other.manifests).map(ToString::to_string));
        let reported =
            |key: &ObjectKey| format!("{key}: {:?}, not {:?}", other.reports.get(key), self.reports.get(key));
        found.extend(unequal(&self.reports, &other.reports).map(reported));
        found.extend((self.broken != other.broken).then(|| format!("the chain: {:?}", other.broken)));
        let subscribed = || format!("the subscriptions: {:?}", other.subscriptions);
        found.extend((self.subscriptions != other.subscriptions).then(subscribed));
        found
    }
}

/// Keys under which two maps have something else.
fn unequal<'a, K: Ord, V: PartialEq>(
    one: &'a BTreeMap<K, V>,
    other: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = &'a K> {
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    keys.into_iter().filter(|key| one.get(*key) != other.get(*key))
}

fn rows(world: &World) -> BTreeMap<SessionKey, Row> {
    world.table.with_rows(|rows| {
        let row = |stored: &StoredRow| Row {
            heard: stored.row.heard.clone(),
            queued: stored.queued,
            told: without_times(Manifest::of(&stored.row)),
        };
        rows.iter().map(|(key, stored)| (key.clone(), row(stored))).collect()
    })
}

fn without_times(mut manifest: Manifest) -> Manifest {
    (manifest.happened_ms, manifest.first_seen_ms) = (0, 0);
    for recording in manifest.recordings.values_mut() {
        let result = &mut recording.result;
        // Known to the run that asked or fetched, if it lived on: what the call log said, the way, and how long it plays.
        (result.at_ms, result.content_uri, result.listed, result.silent_since_ms) = (0, None, None, None);
        result.archived.iter_mut().for_each(|archived| (archived.way, archived.duration_ms) = (Way::Direct, None));
    }
    manifest
}

/// What lies below a prefix, read; what cannot be read is left out, and so differs.
fn documents<T>(world: &World, prefix: &str, read: impl Fn(&[u8]) -> Option<T>) -> BTreeMap<ObjectKey, T> {
    // The bucket in memory answers at once.
    let listed = world.bucket.list(prefix).now_or_never().and_then(Result::ok).unwrap_or_default();
    let read = listed.into_iter().filter_map(|entry| {
        let said = world.bucket.document(&entry.key).and_then(|json| read(&json))?;
        Some((entry.key, said))
    });
    read.collect()
}

/// What is wrong with the chain of reports.
fn chain(world: &World, account: &AccountId) -> Option<Vec<String>> {
    let clock = SimulatedClock { time: world.time.clone(), dice: world.dice.clone(), ahead_ms: 0 };
    let prover = Prover { sessions: &world.table, archive: &world.bucket, cursors: &world.table, clock: &clock };
    let defects = prover.verify_chain(account).now_or_never();
    let said = |defect: &Defect| format!("{}: {:?}", defect.class.name(), defect.about);
    defects.map(|defects| defects.map_or_else(|error| vec![error.to_string()], |all| all.iter().map(said).collect()))
}

fn subscriptions(world: &World) -> Vec<Subscribed> {
    let cursor = world.table.cursor(&Job::new("subscription")).now_or_never().and_then(Result::ok).unwrap_or_default();
    let memory = cursor.state.as_deref().and_then(Memory::parse);
    let now_ms = world.time.now_ms();
    let core = world.vendor.core.borrow();
    let subscribed = core.subscriptions(now_ms).map(|one| Subscribed {
        address: one.address.clone(),
        filters: one.event_filters.clone(),
        status: one.status.clone(),
        token: one.verification_token().map(str::to_owned),
        lasts: one.expires_at_ms > now_ms + LASTS_MS,
        remembered: memory.as_ref().is_some_and(|memory| memory.id == one.id),
    });
    subscribed.collect()
}
