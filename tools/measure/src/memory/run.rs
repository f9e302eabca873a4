//! One load, from its events to its objects.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use local_cloud::{dynamodb::TableError, lambda::InvokeError, s3::StoredObject};
use ringcentral_sim::world::ListedAt;
use ringvault::{
    replay::{EventFile, Kind},
    stack::{BUCKET, Binaries, Stack, StackConfig, StackError},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    load::{FIRST, Load},
    source::{Served, Source},
};
use crate::{
    local::{Folder, hang_up},
    process::Resident,
};

/// Longer than any load takes; a run is cut at nine tenths of it.
const ARCHIVER_TIMEOUT_MS: u64 = 900_000;

const READ_BYTES: usize = 1024 * 1024;

/// What came of a load.
pub(super) struct Outcome {
    pub(super) load: Load,
    /// Resident memory of the archiver before it met the load, MiB.
    pub(super) idle_mib: f64,
    /// The most resident memory it ever took, MiB.
    pub(super) peak_mib: f64,
    /// How long the run took.
    pub(super) took: Duration,
    /// Recordings it says it archived.
    pub(super) archived: u64,
    /// Recordings of which exactly one object holds the bytes that were sent.
    pub(super) identical: usize,
    /// Requests for a body.
    pub(super) downloads: usize,
    /// The most bodies under way at one time.
    pub(super) most_at_once: usize,
    /// What the table says of the recordings that are not archived.
    pub(super) reasons: Vec<String>,
}

/// Why a load came to no end.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The local stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A function.
    #[error("{0}")]
    Invoke(#[from] InvokeError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The webhook did not take an event.
    #[error("the webhook answered {0}")]
    Webhook(Value),
    /// The media host, the folder, an object or `/proc`.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The process that was to be measured is another one by now.
    #[error("the archiver's process did not outlive its run")]
    Replaced,
}

impl Outcome {
    /// What was promised and is not so.
    pub(super) fn broken(&self) -> Vec<String> {
        let bodies = self.load.bodies();
        let limit_mib = self.load.limit_mib();
        let mut broken = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        hold(self.peak_mib <= limit_mib, format!("the peak is {:.1} MiB, promised are {limit_mib}", self.peak_mib));
        hold(self.archived == bodies as u64, format!("{} of {bodies} recordings are archived", self.archived));
        hold(self.identical == bodies, format!("{} of {bodies} objects hold what was sent", self.identical));
        hold(self.downloads == bodies, format!("{} downloads for {bodies} recordings", self.downloads));
        hold(self.most_at_once == bodies, format!("{} of {bodies} bodies came at once", self.most_at_once));
        broken.extend(self.reasons.iter().cloned());
        broken
    }

    /// MiB archived in a second.
    pub(super) fn mib_per_second(&self) -> f64 {
        let mib = self.load.body_bytes() as f64 * self.identical as f64 / f64::from(1 << 20);
        mib / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

/// Archives `load` with an archiver of its own. The clock is `elapsed`.
pub(super) async fn run(binaries: &Binaries, load: Load, elapsed: &impl Fn() -> Duration) -> Result<Outcome, RunError> {
    let folder = Folder::create(binaries, "memory").map_err(doing("the folder for objects cannot be made"))?;
    let source = Source::start(load).await.map_err(doing("the media host does not start"))?;
    let mut config = StackConfig::quick(&folder.0);
    config.archiver_timeout_ms = ARCHIVER_TIMEOUT_MS;
    config.env.insert("RINGCENTRAL_MEDIA_URL".to_owned(), source.origin().to_owned());
    config.env.insert("FIRST_ATTEMPT_DELAY_SECONDS".to_owned(), "0".to_owned());
    let account = config.vendor.account_id.clone();
    let stack = Stack::start(binaries, config).await?;
    happen(&stack, &account, FIRST, &source).await?;
    stack.run_archiver().await?;
    for recording in load.recordings() {
        happen(&stack, &account, recording, &source).await?;
    }
    let pids = stack.archiver.pids();
    let idle = resident(&pids)?;
    let began = elapsed();
    let summary = stack.run_archiver().await?;
    let took = elapsed().saturating_sub(began);
    let after = resident(&pids)?;
    if stack.archiver.pids() != pids {
        return Err(RunError::Replaced);
    }
    let (served, objects) = (source.served(), stack.s3.objects(BUCKET));
    let identical = load.recordings().into_iter().map(|recording| is_identical(load, recording, &served, &objects));
    Ok(Outcome {
        load,
        idle_mib: idle.now_mib,
        peak_mib: after.peak_mib,
        took,
        archived: summary["archived"].as_u64().unwrap_or_default(),
        identical: identical.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|same| *same).count(),
        downloads: load.recordings().iter().filter_map(|recording| served.requests.get(recording)).sum(),
        most_at_once: served.most_at_once,
        reasons: reasons(&stack)?,
    })
}

/// Why recordings are not archived, in the table's words.
fn reasons(stack: &Stack) -> Result<Vec<String>, TableError> {
    let rows = stack.sessions()?;
    let results = rows.iter().flatten().filter_map(|(name, result)| Some((name.strip_prefix("r#")?, result)));
    let open = results.filter_map(|(recording, result)| Some((recording, result["reason"].as_str()?)));
    Ok(open.map(|(recording, reason)| format!("{recording}: {reason}")).collect())
}

/// Tells vendor and webhook of a call with one recording, which lies at `source`; the call log says so too.
async fn happen(stack: &Stack, account: &str, recording: u64, source: &Source) -> Result<(), RunError> {
    let event = hang_up(account, &format!("s-{recording}"), &recording.to_string());
    stack.vendor.learn(&event);
    stack.vendor.with(|vendor| {
        if let Some(recording) = vendor.recording_mut(&recording.to_string()) {
            recording.listed_at = ListedAt::Other(source.origin().to_owned());
        }
    });
    let delivery = EventFile { name: recording.to_string(), kind: Kind::RingCentral, json: event };
    let reply = stack.webhook.invoke(&delivery.as_http()).await?;
    if reply["statusCode"] == 200 { Ok(()) } else { Err(RunError::Webhook(reply)) }
}

/// The memory of the one process there is.
fn resident(pids: &[u32]) -> Result<Resident, RunError> {
    let [pid] = pids else { return Err(RunError::Replaced) };
    Resident::of(*pid).map_err(doing("the archiver's memory cannot be read"))
}

/// Whether one object holds what was sent of a recording: looked at in the file, and S3 was told the same.
fn is_identical(load: Load, recording: u64, served: &Served, objects: &[StoredObject]) -> Result<bool, RunError> {
    let named = |object: &&StoredObject| object.key.ends_with(&format!("/{recording}.wav"));
    let mine: Vec<_> = objects.iter().filter(named).collect();
    let ([object], Some(sent)) = (mine.as_slice(), served.whole.get(&recording)) else { return Ok(false) };
    let (size_bytes, held) = digest(&object.path).map_err(doing("an object cannot be read"))?;
    // S3 has no SHA-256 over the whole of what came in parts.
    let told = match &object.checksum_sha256 {
        Some(told) => *told == BASE64_STANDARD.encode(sent),
        None => !load.is_declared(),
    };
    Ok(size_bytes == load.body_bytes() && held == *sent && told)
}

/// Size in bytes and SHA-256 of a file.
fn digest(path: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; READ_BYTES];
    let (mut size_bytes, mut digest) = (0, Sha256::new());
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((size_bytes, digest.finalize().into())),
            some => {
                size_bytes += some as u64;
                digest.update(&buffer[..some]);
            }
        }
    }
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { doing, source }
}
