//! What a replay prints.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use local_cloud::s3::StoredObject;
use serde_json::{Map, Value};

use super::{Kind, ReplayError, now_ms, text};
use crate::{
    archive::Archive,
    stack::{BUCKET, Stack, key_of},
};

/// A function's reply on one line.
pub(super) fn reply(kind: Kind, reply: &Value) -> String {
    match kind {
        Kind::Http | Kind::RingCentral => {
            format!("answered {} {}", reply["statusCode"], text(reply, "body").unwrap_or_default())
        }
        Kind::Schedule | Kind::Stream => counts(reply, "nothing due"),
        Kind::Range => counts(&reply["reconciled"], "no calls"),
    }
}

fn counts(summary: &Value, nothing: &str) -> String {
    let counts = summary.as_object().into_iter().flatten();
    let counts = counts.filter(|(name, count)| **count != 0 && !name.ends_with("_ms"));
    let counts: Vec<String> = counts.map(|(name, count)| format!("{name} {count}")).collect();
    if counts.is_empty() { nothing.to_owned() } else { counts.join(", ") }
}

/// What table and bucket held when last looked at.
#[derive(Default)]
pub(super) struct Seen {
    rows: BTreeMap<String, Map<String, Value>>,
    objects: Vec<StoredObject>,
}

impl Seen {
    /// Prints what has changed since the last look.
    pub(super) fn print_changes(&mut self, stack: &Stack, out: &mut impl Write) -> Result<(), ReplayError> {
        for row in stack.sessions()? {
            let key = key_of(&row).to_owned();
            let before = self.rows.insert(key.clone(), row.clone()).unwrap_or_default();
            let changes: Vec<String> = changes(&before, &row);
            if !changes.is_empty() {
                writeln!(out, "  table  {key}: {}", changes.join(", "))?;
            }
        }
        let objects = stack.s3.objects(BUCKET);
        for object in objects.iter().filter(|object| !self.objects.contains(object)) {
            writeln!(out, "  bucket {} ({} bytes)", object.key, object.size_bytes)?;
        }
        self.objects = objects;
        Ok(())
    }
}

/// The attributes that changed, without the bookkeeping and without who called whom.
fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let queued = [before, after].into_iter().any(|row| row.contains_key("queue"));
    let shown = |name: &str| match name {
        "heard" | "ended" | "queue" => true,
        "due_at" => queued,
        name => name.starts_with("r#"),
    };
    let mut changes = Vec::new();
    for (name, value) in after.iter().filter(|(name, value)| shown(name) && before.get(*name) != Some(value)) {
        changes.push(match name.as_str() {
            "due_at" => format!("due in {:.1} s", value.as_u64().unwrap_or(0).saturating_sub(now_ms()) as f64 / 1000.0),
            name if name.starts_with("r#") => format!("{name} {}", text(value, "state").unwrap_or_default()),
            _ => format!("{name} {value}"),
        });
    }
    let gone = before.keys().filter(|name| shown(name) && !after.contains_key(*name));
    changes.extend(gone.map(|name| format!("{name} removed")));
    changes
}

/// Prints what became of every recording heard of.
pub(super) fn print_archive(archive: &Archive, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nrecordings")?;
    for recording in &archive.recordings {
        let way = match recording.way.as_deref() {
            Some("direct") => "direct media URL",
            Some("call_log") => "call log's contentUri",
            Some(other) => other,
            None => recording.reason.as_deref().unwrap_or_default(),
        };
        writeln!(out, "  {}  {}  {way}", recording.id, recording.state)?;
        if let Some(object) = &recording.object {
            let bytes = if recording.identical { "identical to the vendor's" } else { "NOT THE VENDOR'S" };
            writeln!(out, "    {}  {} bytes, {bytes}", object.path.display(), object.size_bytes)?;
        }
    }
    writeln!(
        out,
        "{} of {} archived: {} by the direct media URL, {} by the call log",
        archive.archived().count(),
        archive.recordings.len(),
        archive.archived_by("direct"),
        archive.archived_by("call_log")
    )
}
