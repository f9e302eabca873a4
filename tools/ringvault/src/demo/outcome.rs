//! What came of the day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use ringcentral_sim::core::Offered;
use serde_json::{Value, json};

use crate::{
    archive::{Archive, Recording},
    stack::{BUCKET, Stack},
};

/// What is known of a demo apart from its archive.
pub(super) struct Frame {
    pub(super) seed: u64,
    pub(super) calls: u32,
    pub(super) sessions: usize,
    /// Recordings no event had told of.
    pub(super) unheard: u64,
    pub(super) seconds: f64,
    /// When the archive was looked at, epoch milliseconds.
    pub(super) now_ms: u64,
    pub(super) folder: PathBuf,
}

/// The figures of a demo; [`fmt::Display`] is a table.
#[derive(Debug)]
pub struct Outcome {
    seed: u64,
    calls: u32,
    sessions: usize,
    unheard: u64,
    seconds: f64,
    folder: PathBuf,
    offered: usize,
    archived: usize,
    direct: usize,
    fallback: usize,
    adopted: usize,
    bytes_identical: bool,
    objects: usize,
    settled: usize,
    described: usize,
    throttled: usize,
    /// Recordings that ended otherwise, by the name of their ending, each with its reason.
    endings: BTreeMap<String, Vec<(String, String)>>,
    missing: Vec<String>,
}

impl Outcome {
    pub(super) fn judge(stack: &Stack, archive: &Archive, frame: Frame) -> Self {
        let offers: Vec<Offered> = stack.vendor.with(|vendor| vendor.offered().collect());
        let still_served = |offered: &&Offered| {
            let listed = offered.listed_at_ms.zip(offered.ready_at_ms).is_some();
            listed && offered.deleted_at_ms.is_none_or(|at_ms| at_ms > frame.now_ms)
        };
        let unjust: BTreeSet<&String> =
            offers.iter().filter(still_served).map(|offered| &offered.recording_id).collect();
        // What no event told of and the log does not offer, nobody can know.
        let known: BTreeSet<&String> = archive.recordings.iter().map(|recording| &recording.id).collect();
        let offered = offers.iter().map(|offered| &offered.recording_id);
        let offered: BTreeSet<String> =
            offered.filter(|id| known.contains(id) || unjust.contains(id)).cloned().collect();
        let throttled = stack.vendor.with(|vendor| vendor.requests().iter().filter(|one| one.status == 429).count());
        let mut endings: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut missing = offered.clone();
        for Recording { id, state, reason, object, .. } in &archive.recordings {
            match state.as_str() {
                "waiting" => continue,
                "archived" if object.is_none() => continue,
                "archived" => {}
                // No ending is true while the log names the file and it is served.
                _ if unjust.contains(id) => continue,
                _ => endings.entry(state.clone()).or_default().push((id.clone(), reason.clone().unwrap_or_default())),
            }
            missing.remove(id);
        }
        let Frame { seed, calls, sessions, unheard, seconds, folder, .. } = frame;
        Self {
            seed,
            calls,
            sessions,
            unheard,
            seconds,
            folder: folder.join(BUCKET),
            offered: offered.len(),
            archived: archive.archived().count(),
            direct: archive.archived_by("direct"),
            fallback: archive.archived_by("call_log"),
            adopted: archive.archived_by("adopted"),
            bytes_identical: archive.is_identical(),
            objects: stack.s3.objects(BUCKET).iter().filter(|object| object.key.starts_with("recordings/")).count(),
            settled: archive.settled,
            described: archive.described,
            throttled,
            endings,
            missing: missing.into_iter().collect(),
        }
    }

    /// Whether nothing is missing, every archived byte, and no other, is what the vendor offered, and every settled
    /// session has a manifest that says so.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
            && self.bytes_identical
            && self.objects == self.archived
            && self.described == self.settled
    }

    /// One object with all figures.
    pub fn to_json(&self) -> Value {
        let endings: BTreeMap<&String, usize> = self.endings.iter().map(|(name, all)| (name, all.len())).collect();
        json!({
            "seed": self.seed,
            "calls": self.calls,
            "sessions": self.sessions,
            "offered": self.offered,
            "unheard": self.unheard,
            "archived": self.archived,
            "direct": self.direct,
            "fallback": self.fallback,
            "adopted": self.adopted,
            "terminal": self.terminal(),
            "endings": endings,
            "missing": self.missing.len(),
            "bytes_identical": self.bytes_identical,
            "settled": self.settled,
            "described": self.described,
            "throttled": self.throttled,
            "seconds": self.seconds,
            "folder": self.folder,
        })
    }

    fn terminal(&self) -> usize {
        self.endings.values().map(Vec::len).sum()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, sessions, seconds, throttled, .. } = self;
        writeln!(out, "{calls} calls in {sessions} telephony sessions, {seconds:.1} s, {throttled} times throttled")?;
        writeln!(out, "offered        {:>3}", self.offered)?;
        writeln!(out, "  unheard of   {:>3}  no event told of them; the reconciler found them", self.unheard)?;
        writeln!(out, "archived       {:>3}", self.archived)?;
        writeln!(out, "  direct       {:>3}  by the media URL built from the id", self.direct)?;
        writeln!(out, "  fallback     {:>3}  by the call log's contentUri", self.fallback)?;
        writeln!(out, "  adopted      {:>3}  found in the bucket", self.adopted)?;
        writeln!(out, "ended without  {:>3}", self.terminal())?;
        for (name, recordings) in &self.endings {
            writeln!(out, "  {name:<12} {:>3}", recordings.len())?;
            for (id, reason) in recordings {
                writeln!(out, "    {id}  {reason}")?;
            }
        }
        writeln!(out, "missing        {:>3}", self.missing.len())?;
        for id in &self.missing {
            writeln!(out, "    {id}")?;
        }
        let bytes = if self.bytes_identical { "identical to the vendor's" } else { "NOT THE VENDOR'S" };
        writeln!(out, "bytes               {bytes}")?;
        let Self { described, settled, .. } = self;
        writeln!(
            out,
            "manifests      {described:>3}  of {settled} settled sessions, agreeing with every object they name"
        )?;
        write!(out, "files               {}", self.folder.display())
    }
}
