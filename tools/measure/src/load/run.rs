//! One load, from its senders to the rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use ringvault::stack::{Binaries, Stack, StackConfig, StackError, key_of};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    plan::{Facts, Plan},
    sender::Seen,
};
use crate::{local::Folder, process::Resident};

/// Processes of the webhook: Lambda would start more or fewer as they are needed.
pub(super) const INSTANCES: usize = 8;

/// When a process is warm, after the first delivery.
const WARM_AFTER: Duration = Duration::from_secs(10);

/// How much a warm process may still grow, MiB: pages that were not touched before. At a thousand events a second that is
/// some 500 bytes an event. Seen were 0.3, and 0.9 beside a flood.
const GROWTH_MIB: f64 = 3.0;

/// Attributes that tell when, and in how many steps, a row came about.
const OF_TIME: [&str; 4] = ["due_at", "rev", "seen_at", "ttl"];

/// A load.
pub(super) struct Scene<'a> {
    /// This program.
    pub(super) own: &'a Path,
    pub(super) seconds: u32,
    pub(super) rate: u32,
    /// Whether as many forgeries come beside the true events.
    pub(super) flooded: bool,
}

/// What came of a load.
pub(super) struct Outcome {
    /// True events.
    pub(super) offered: usize,
    /// What became of them, as their sender saw it.
    pub(super) seen: Seen,
    /// What became of the forgeries, if there were any.
    pub(super) forged: Option<Seen>,
    /// Events that were acknowledged and of which something is not in the table.
    pub(super) lost: usize,
    /// Rows that hold something no true event has said.
    pub(super) strange: usize,
    /// The rows without what differs from run to run.
    pub(super) rows: BTreeSet<String>,
    /// Resident memory of each instance, by its process: when warm, and in the end, MiB.
    pub(super) resident_mib: Vec<[f64; 2]>,
}

/// Why a load came to no end.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The local stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// A sender, the folder or `/proc`.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A sender did not tell what it has seen.
    #[error("a sender ended without a report: {0}")]
    Sender(String),
    /// A process that was to be measured is another one by now.
    #[error("a process of the webhook did not outlive the load")]
    Replaced,
}

/// Sends a load to a stack of its own.
pub(super) async fn run(binaries: &Binaries, scene: Scene<'_>) -> Result<Outcome, RunError> {
    let folder = Folder::create(binaries, "load").map_err(doing("the folder for logs cannot be made"))?;
    let mut config = StackConfig::quick(&folder.0);
    config.webhooks = INSTANCES;
    // Nobody reads it here, and at each write the stand-in goes over all that a stream holds.
    config.table.stream_view = None;
    let stack = Stack::start(binaries, config).await?;
    let plan = Plan::new((scene.seconds * scene.rate) as usize);
    let warm_after = WARM_AFTER.min(Duration::from_secs(u64::from(scene.seconds)) / 2);
    let warm = async {
        tokio::time::sleep(warm_after).await;
        resident(&stack)
    };
    let flood = async { if scene.flooded { scene.send(&stack, &plan, true).await.map(Some) } else { Ok(None) } };
    let (seen, forged, warm) = tokio::try_join!(scene.send(&stack, &plan, false), flood, warm)?;
    let end = resident(&stack)?;
    if !end.keys().eq(warm.keys()) {
        return Err(RunError::Replaced);
    }
    let rows = stack.sessions().map_err(StackError::from)?;
    let found = facts(&rows);
    let unacknowledged: BTreeSet<usize> = seen.unacknowledged.iter().copied().collect();
    let acknowledged = (0..plan.deliveries()).filter(|number| !unacknowledged.contains(number));
    let said = plan.says_in_all();
    let is_strange =
        |(session, sets): (&String, &_)| !said.hold(&Facts([(session.clone(), Clone::clone(sets))].into()));
    Ok(Outcome {
        offered: plan.deliveries(),
        lost: acknowledged.filter(|number| !found.hold(&plan.says(*number))).count(),
        strange: found.0.iter().filter(|row| is_strange(*row)).count(),
        rows: rows.into_iter().map(timeless).collect(),
        resident_mib: warm.into_values().zip(end.into_values()).map(|(warm, end)| [warm, end]).collect(),
        seen,
        forged,
    })
}

impl Scene<'_> {
    /// Starts a sender and waits for what it has seen.
    async fn send(&self, stack: &Stack, plan: &Plan, forged: bool) -> Result<Seen, RunError> {
        let mut command = Command::new(self.own);
        command.args(["sender", "--url", &stack.webhook_url.url(), "--deliveries", &plan.deliveries().to_string()]);
        command.args(["--rate", &self.rate.to_string()]).args(forged.then_some("--forged"));
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
        let Output { status, stdout, .. } = command.output().await.map_err(doing("a sender does not start"))?;
        let seen = status.success().then(|| Seen::read(&stdout)).flatten();
        seen.ok_or_else(|| RunError::Sender(status.to_string()))
    }
}

impl Outcome {
    /// What was promised and is not so.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut hold = |holds: bool, what: String| {
            if !holds {
                broken.push(what);
            }
        };
        let (offered, acknowledged) = (self.offered, self.seen.answered(200));
        hold(acknowledged == offered, format!("{acknowledged} of {offered} events were answered 200 within 3 s"));
        hold(self.lost == 0, format!("{} acknowledged events are not in the table", self.lost));
        hold(self.strange == 0, format!("{} rows hold what no true event said", self.strange));
        let growth = self.growth_mib();
        hold(growth <= GROWTH_MIB, format!("an instance grew by {growth:.1} MiB, promised are {GROWTH_MIB}"));
        if let Some(forged) = &self.forged {
            let refused = forged.answered(401);
            hold(refused == offered, format!("{refused} of {offered} forgeries were answered 401 within 3 s"));
        }
        broken
    }

    /// The most a warm instance still grew, MiB.
    fn growth_mib(&self) -> f64 {
        self.resident_mib.iter().map(|[warm, end]| end - warm).fold(f64::MIN, f64::max)
    }

    /// The largest instance when warm, and in the end, MiB.
    fn largest_mib(&self) -> [f64; 2] {
        [0, 1].map(|when| self.resident_mib.iter().map(|both| both[when]).fold(0.0, f64::max))
    }

    pub(super) fn as_json(&self) -> Value {
        let [warm, end] = self.largest_mib();
        let forged = self.forged.as_ref();
        json!({
            "offered": self.offered,
            "acknowledged": self.seen.answered(200),
            "acknowledged_per_second": self.per_second(),
            "lost": self.lost,
            "rows": self.rows.len(),
            "strange_rows": self.strange,
            "p50_ms": self.seen.p50_ms,
            "p99_ms": self.seen.p99_ms,
            "statuses": self.seen.statuses,
            "forged": forged.map(|forged| forged.statuses.values().sum::<usize>()),
            "refused": forged.map(|forged| forged.answered(401)),
            "forged_statuses": forged.map(|forged| &forged.statuses),
            "resident_mib_when_warm": warm,
            "resident_mib_in_the_end": end,
            "growth_mib": self.growth_mib(),
            "growth_limit_mib": GROWTH_MIB,
            "seconds": self.seen.seconds,
        })
    }

    fn per_second(&self) -> f64 {
        self.seen.answered(200) as f64 / self.seen.seconds.max(f64::EPSILON)
    }

    pub(super) fn print(&self) {
        let [warm, end] = self.largest_mib();
        println!("  offered             {}", self.offered);
        println!("  answered 200        {}, {:.0} a second", self.seen.answered(200), self.per_second());
        println!("  lost                {}", self.lost);
        println!("  rows                {}, {} of them with what no true event said", self.rows.len(), self.strange);
        println!("  answered after ms   {:.1} at the median, {:.1} for 99 of 100", self.seen.p50_ms, self.seen.p99_ms);
        if let Some(forged) = &self.forged {
            let (all, refused) = (forged.statuses.values().sum::<usize>(), forged.answered(401));
            println!("  forged              {all}, {refused} of them refused");
        }
        println!("  resident MiB        {warm:.1} when warm, {end:.1} in the end: the largest instance");
        println!("  growth MiB          {:<8.1} promised: at most {GROWTH_MIB} an instance", self.growth_mib());
        println!("  seconds             {:.1}", self.seen.seconds);
    }
}

/// Resident memory of the webhook's processes, MiB, by process.
fn resident(stack: &Stack) -> Result<BTreeMap<u32, f64>, RunError> {
    let resident = |pid| Ok((pid, Resident::of(pid).map_err(doing("the webhook's memory cannot be read"))?.now_mib));
    stack.webhook.pids().into_iter().map(resident).collect()
}

/// What rows hold.
fn facts(rows: &[Map<String, Value>]) -> Facts {
    let set = |row: &Map<String, Value>, name: &str| {
        let elements = row.get(name).and_then(Value::as_array).into_iter().flatten();
        elements.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let of_row = |row: &Map<String, Value>| {
        let session = key_of(row).rsplit('#').next().unwrap_or_default();
        (session.to_owned(), [set(row, "heard"), set(row, "ended")])
    };
    Facts(rows.iter().map(of_row).collect())
}

fn timeless(mut row: Map<String, Value>) -> String {
    row.retain(|name, _| !OF_TIME.contains(&name.as_str()));
    Value::from(row).to_string()
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> RunError {
    move |source| RunError::Io { doing, source }
}
