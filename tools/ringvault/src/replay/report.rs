//! What a replay prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use local_cloud::{dynamodb::TableError, s3::StoredObject};
use serde_json::{Map, Value};

use super::{Kind, ReplayError, now_ms, text};
use crate::stack::{BUCKET, Stack, key_of};

/// A function's reply on one line.
pub(super) fn reply(kind: Kind, reply: &Value) -> String {
    match kind {
        Kind::Http | Kind::RingCentral => {
            format!("answered {} {}", reply["statusCode"], text(reply, "body").unwrap_or_default())
        }
        Kind::Schedule | Kind::Stream => {
            let counts = reply.as_object().into_iter().flatten().filter(|(_, count)| **count != 0);
            let counts: Vec<String> = counts.map(|(name, count)| format!("{name} {count}")).collect();
            if counts.is_empty() { "nothing due".to_owned() } else { counts.join(", ") }
        }
    }
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

/// What became of every recording heard of.
pub(super) struct Archive {
    recordings: Vec<Recording>,
}

struct Recording {
    id: String,
    state: String,
    way: Option<String>,
    reason: Option<String>,
    object: Option<StoredObject>,
    identical: bool,
}

impl Archive {
    /// Reads table and bucket, and compares every object with what the vendor has.
    pub(super) fn read(stack: &Stack) -> Result<Self, TableError> {
        let objects = stack.s3.objects(BUCKET);
        let mut recordings = Vec::new();
        for row in stack.sessions()? {
            let heard = row.get("heard").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let heard: BTreeSet<&str> = heard.filter_map(|element| element.split('|').next()).collect();
            for id in heard {
                let result = row.get(&format!("r#{id}")).cloned().unwrap_or_default();
                let object =
                    text(&result, "key").and_then(|key| objects.iter().find(|object| object.key == key)).cloned();
                let held = object.as_ref().and_then(|object| std::fs::read(&object.path).ok());
                let offered = stack.vendor.with(|vendor| vendor.audio_of(id));
                recordings.push(Recording {
                    id: id.to_owned(),
                    state: text(&result, "state").unwrap_or("waiting").to_owned(),
                    way: text(&result, "way").map(str::to_owned),
                    reason: text(&result, "reason").map(str::to_owned),
                    identical: held.is_some() && held == offered,
                    object,
                });
            }
        }
        Ok(Self { recordings })
    }

    /// Whether nothing waits, and every archived recording lies in the bucket, byte for byte as the vendor offered it.
    pub(super) fn is_whole(&self) -> bool {
        let waiting = self.recordings.iter().any(|recording| recording.state == "waiting");
        !waiting && self.archived().all(|recording| recording.identical)
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\nrecordings")?;
        for recording in &self.recordings {
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
        let by = |way: &str| self.archived().filter(|recording| recording.way.as_deref() == Some(way)).count();
        writeln!(
            out,
            "{} of {} archived: {} by the direct media URL, {} by the call log",
            self.archived().count(),
            self.recordings.len(),
            by("direct"),
            by("call_log")
        )
    }

    fn archived(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.iter().filter(|recording| recording.state == "archived")
    }
}
