//! Recording metadata and content (API.md §8).

use super::Simulator;
use super::fault::Fault;
use super::message::{Manner, Origin, Reply, Request};
use crate::settings::Settings;
use crate::world::{BodyFault, Direct, ListedAt, Recording};
use bytes::Bytes;
use serde_json::json;

const PERMISSION: &str = "ReadCallRecording";

impl Simulator {
    pub(super) fn recording_metadata(&self, id: &str, now_ms: u64) -> Result<Reply, Fault> {
        self.check_recording_permission()?;
        let recording = self.ready_recording(id, now_ms)?;
        let links = self.links();
        Ok(Reply::json(
            200,
            &json!({
                "uri": links.recording(id),
                "id": id,
                "contentUri": links.content(recording),
                "contentType": recording.format.content_type(),
                "duration": recording.duration_s,
            }),
        ))
    }

    pub(super) fn recording_content(
        &mut self,
        account: &str,
        id: &str,
        request: &Request,
        now_ms: u64,
    ) -> Result<Reply, Fault> {
        self.check_recording_permission()?;
        let hand_built = request.origin == Origin::Media && account == "~";
        if hand_built
            && let Some(recording) = self.world.recording_mut(id)
            && let Some(spoilt) = spoilt_direct(recording)
        {
            return spoilt;
        }
        let recording = self.ready_recording(id, now_ms)?;
        let lives_here = match recording.listed_at {
            ListedAt::Media => request.origin == Origin::Media,
            ListedAt::Platform => request.origin == Origin::Platform,
            ListedAt::Other(_) => false,
        };
        if !lives_here {
            return Err(Fault::not_found("recordingId"));
        }
        let served = Served::new(recording, &self.settings);
        let range = request.header("range");
        let fault = self.world.recording_mut(id).map_or(BodyFault::None, |recording| next_body_fault(recording, range));
        served.reply(range, fault)
    }

    fn check_recording_permission(&self) -> Result<(), Fault> {
        if self.settings.grants(PERMISSION) { Ok(()) } else { Err(Fault::app_lacks(PERMISSION)) }
    }

    fn ready_recording(&self, id: &str, now_ms: u64) -> Result<&Recording, Fault> {
        let retention_days = self.settings.retention_days;
        let found = self.world.recording(id);
        let found = found.filter(|(call, recording)| call.is_ready(recording, retention_days, now_ms));
        found.map(|(_, recording)| recording).ok_or_else(|| Fault::not_found("recordingId"))
    }
}

/// What the hand-built URL answers instead of the file, if this answer is to be spoilt.
fn spoilt_direct(recording: &mut Recording) -> Option<Result<Reply, Fault>> {
    let left = recording.spoilt_answers.checked_sub(1)?;
    let spoilt = match &recording.direct {
        Direct::Served => return None,
        Direct::Status(status) => Err(Fault::of_status(*status)),
        Direct::Redirect(address) => Ok(Reply::html(302).with("Location", address)),
        Direct::Html => Ok(Reply::html(200)),
    };
    count_down(recording, left);
    Some(spoilt)
}

/// What is wrong with the next body. Who asks for a range after an unasked part gets it.
fn next_body_fault(recording: &mut Recording, range: Option<&str>) -> BodyFault {
    let Some(left) = recording.spoilt_answers.checked_sub(1) else {
        return BodyFault::None;
    };
    let fault = recording.body_fault;
    if fault == BodyFault::None || (fault == BodyFault::UnaskedPart && range.is_some()) {
        return BodyFault::None;
    }
    count_down(recording, left);
    fault
}

fn count_down(recording: &mut Recording, left: u32) {
    if recording.spoilt_answers != u32::MAX {
        recording.spoilt_answers = left;
    }
}

/// A file about to be served.
struct Served {
    audio: Bytes,
    content_type: String,
    trickle: Manner,
}

impl Served {
    fn new(recording: &Recording, settings: &Settings) -> Self {
        let true_type = recording.format.content_type();
        Self {
            audio: Bytes::from(recording.audio(settings.sound)),
            content_type: recording.served_content_type.as_deref().unwrap_or(true_type).to_owned(),
            trickle: Manner::Trickle {
                piece_bytes: settings.trickle_piece_bytes.max(1),
                pause_ms: settings.trickle_pause_ms,
            },
        }
    }

    fn reply(&self, range: Option<&str>, fault: BodyFault) -> Result<Reply, Fault> {
        let range = range.map(|range| parse_range(range, self.audio.len()).ok_or_else(Fault::bad_range)).transpose()?;
        let mut reply = self.bytes(range).with("Accept-Ranges", "bytes");
        match fault {
            BodyFault::None => {}
            BodyFault::Html => return Ok(Reply::html(200)),
            BodyFault::Empty => return Ok(Reply::new(200, &self.content_type, Bytes::new())),
            BodyFault::Json => {
                return Ok(Reply::new(200, &self.content_type, Fault::not_found("recordingId").reply().body));
            }
            BodyFault::CutShort => {
                reply.body.truncate(reply.body.len() / 2);
                reply.manner = Manner::Broken;
            }
            BodyFault::WrongLength => {
                let announced = reply.body.len() + 1;
                reply = reply.announcing(Some(announced));
                reply.manner = Manner::Broken;
            }
            BodyFault::Trickle => reply.manner = self.trickle,
            BodyFault::UnaskedPart => return Ok(self.bytes(Some((0, self.audio.len() / 2)))),
            BodyFault::Undeclared => reply = reply.announcing(None),
        }
        Ok(reply)
    }

    fn bytes(&self, range: Option<(usize, usize)>) -> Reply {
        let Some((first, last)) = range else {
            return Reply::new(200, &self.content_type, self.audio.clone());
        };
        let total_bytes = self.audio.len();
        Reply::new(206, &self.content_type, self.audio.slice(first..=last))
            .with("Content-Range", format!("bytes {first}-{last}/{total_bytes}"))
    }
}

/// Reads a header with one range of bytes; gives the first and the last position.
fn parse_range(header: &str, total_bytes: usize) -> Option<(usize, usize)> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let end = total_bytes.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", suffix) => {
            let wanted = suffix.parse::<usize>().ok().filter(|wanted| *wanted > 0)?;
            (total_bytes.saturating_sub(wanted), end)
        }
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_refused() {
        let cases = [
            ("bytes=0-99", Some((0, 99))),
            ("bytes=900-", Some((900, 999))),
            ("bytes=-100", Some((900, 999))),
            ("bytes=990-5000", Some((990, 999))),
            ("bytes=1000-", None),
            ("bytes=5-4", None),
            ("bytes=-0", None),
            ("bytes=0-1,5-6", None),
            ("items=0-1", None),
        ];
        for (header, expected) in cases {
            assert_eq!(parse_range(header, 1_000), expected, "{header}");
        }
    }
}
