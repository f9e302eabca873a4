//! Everything that a site writes down where nothing private may stand, and the search of it.

use std::{collections::BTreeSet, path::Path};

use local_cloud::lambda::Function;
use ringvault::stack::{BUCKET, Stack, StackError, TABLE, key_of};
use serde_json::{Map, Value};

use crate::canaries::{Canaries, Found, Kind};

/// The variable that sets how much a function logs.
pub const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// All there is.
pub const MOST: &str = "trace";

/// Objects whose whole text is read. Manifests say who called whom, and recordings are what was said.
const REPORTS: &str = "reports/";

/// Where something is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A function's output, panics too.
    Log,
    /// A line of a function's output that CloudWatch reads metrics from.
    Metrics,
    /// What a function answers, errors too.
    Answer,
    /// The keys of objects, of those too that were only asked for.
    ObjectKey,
    /// What S3 keeps beside an object's bytes.
    ObjectMetadata,
    /// The text of a report.
    Report,
    /// The keys of rows, of those too that were only asked for.
    RowKey,
    /// What `ringvault` shows its user.
    Output,
}

/// Something written down.
#[derive(Debug, Clone)]
pub struct Written {
    /// Where.
    pub place: Place,
    /// What.
    pub text: String,
}

/// Something private that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
    /// The text around it.
    pub excerpt: String,
}

/// All that a site has written down so far.
pub fn written(stack: &Stack) -> Vec<Written> {
    let functions = [&*stack.webhook, &stack.archiver, &stack.reconciler];
    let logs = functions.into_iter().flat_map(|function| of_log(&function.logs()));
    let said = functions.into_iter().flat_map(Function::said).map(|text| Written { place: Place::Answer, text });
    logs.chain(said).chain(of_bucket(stack)).chain(of_calls(stack)).chain(of_table(stack)).collect()
}

/// What a site that did not start has written.
pub(crate) fn of_a_failed_start(error: &StackError, dir: &Path) -> Vec<Written> {
    let said = Written { place: Place::Answer, text: format!("{error}\n{error:?}") };
    of_logs(dir).chain([said]).collect()
}

/// What the functions of a site in this folder have logged, as far as they were started.
pub fn of_logs(dir: &Path) -> impl Iterator<Item = Written> {
    ["webhook", "archiver", "reconciler"].into_iter().flat_map(|name| {
        let log = std::fs::read_to_string(dir.join(format!("{name}.log"))).unwrap_or_default();
        of_log(&log.lines().map(str::to_owned).collect::<Vec<_>>())
    })
}

/// The lines of a log, in one piece: what is private does not span two, and lines are many.
fn of_log(lines: &[String]) -> [Written; 2] {
    let (metrics, others): (Vec<_>, Vec<_>) =
        lines.iter().map(String::as_str).partition(|line| line.contains("\"_aws\""));
    [(Place::Metrics, metrics), (Place::Log, others)].map(|(place, lines)| Written { place, text: lines.join("\n") })
}

fn of_bucket(stack: &Stack) -> Vec<Written> {
    let mut written = Vec::new();
    for object in stack.s3.objects(BUCKET) {
        if object.key.starts_with(REPORTS) {
            let text = std::fs::read_to_string(&object.path).unwrap_or_default();
            written.push(Written { place: Place::Report, text });
        }
        let beside = format!("{:?} {:?} {}", object.content_type, object.metadata, object.storage_class);
        written.push(Written { place: Place::ObjectMetadata, text: beside });
        written.push(Written { place: Place::ObjectKey, text: object.key });
    }
    let open = stack.s3.open_uploads(BUCKET).into_iter();
    written.extend(open.map(|text| Written { place: Place::ObjectKey, text }));
    written
}

/// What the functions have asked of AWS, whatever came of it.
fn of_calls(stack: &Stack) -> Vec<Written> {
    let (mut objects, mut rows) = (BTreeSet::new(), BTreeSet::new());
    for recorded in stack.iam.calls() {
        objects.insert(recorded.call.resource);
        rows.extend(recorded.call.leading_keys);
    }
    let joined = |place, texts: BTreeSet<String>| Written { place, text: Vec::from_iter(texts).join("\n") };
    vec![joined(Place::ObjectKey, objects), joined(Place::RowKey, rows)]
}

fn of_table(stack: &Stack) -> Vec<Written> {
    let rows = stack.dynamodb.rows(TABLE).unwrap_or_default();
    // Whole names of attributes: parties and recordings stand in them.
    let names = |row: &Map<String, Value>| Vec::from_iter(row.keys().cloned()).join("\n");
    rows.iter().map(|row| Written { place: Place::RowKey, text: format!("{}\n{}", key_of(row), names(row)) }).collect()
}

/// What of it is private.
pub fn hits(canaries: &Canaries, written: &[Written]) -> Vec<Hit> {
    let in_one = |Written { place, text }: &Written| {
        let hit = |found: Found| Hit { place: *place, kind: found.kind, excerpt: found.excerpt };
        canaries.in_text(text).into_iter().map(hit).collect::<Vec<_>>()
    };
    written.iter().flat_map(in_one).collect()
}

/// Nothing of it may be.
///
/// # Panics
/// Something is.
pub fn assert_clean(canaries: &Canaries, written: &[Written]) {
    let hits = hits(canaries, written);
    assert!(hits.is_empty(), "written down, and private: {hits:#?}");
}

/// The functions log all they can.
///
/// # Panics
/// One of them does not.
pub(crate) fn assert_talkative(stack: &Stack) {
    for function in [&*stack.webhook, &stack.archiver, &stack.reconciler] {
        let level = function.config().env.get(LEVEL).map(String::as_str);
        assert_eq!(level, Some(MOST), "{} may keep to itself what it would log elsewhere", function.name());
    }
}
