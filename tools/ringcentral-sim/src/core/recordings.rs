//! Recording metadata and content (API.md §8).

use super::Simulator;
use super::fault::Fault;
use super::message::{Origin, Reply, Request};
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
        &self,
        account: &str,
        id: &str,
        request: &Request,
        now_ms: u64,
    ) -> Result<Reply, Fault> {
        self.check_recording_permission()?;
        let hand_built = request.origin == Origin::Media && account == "~";
        if hand_built && let Some((_, recording)) = self.find_recording(id) {
            match &recording.direct {
                Direct::Status(status) => return Err(Fault::of_status(*status)),
                Direct::Redirect(address) => return Ok(Reply::html(302).with("Location", address)),
                Direct::Html => return Ok(Reply::html(200)),
                Direct::Served => {}
            }
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
        serve(recording, request.header("range"))
    }

    fn check_recording_permission(&self) -> Result<(), Fault> {
        if self.settings.grants(PERMISSION) { Ok(()) } else { Err(Fault::app_lacks(PERMISSION)) }
    }

    fn ready_recording(&self, id: &str, now_ms: u64) -> Result<&Recording, Fault> {
        let found = self.find_recording(id).filter(|(call, recording)| call.is_ready(recording, now_ms));
        found.map(|(_, recording)| recording).ok_or_else(|| Fault::not_found("recordingId"))
    }
}

fn serve(recording: &Recording, range: Option<&str>) -> Result<Reply, Fault> {
    let content_type = recording.served_content_type.as_deref().unwrap_or(recording.format.content_type());
    let audio = Bytes::from(recording.audio());
    let total_bytes = audio.len();
    let mut reply = match range {
        None => Reply::new(200, content_type, audio),
        Some(range) => {
            let (first, last) = parse_range(range, total_bytes).ok_or_else(Fault::bad_range)?;
            Reply::new(206, content_type, audio.slice(first..=last))
                .with("Content-Range", format!("bytes {first}-{last}/{total_bytes}"))
        }
    };
    match recording.body_fault {
        BodyFault::None => {}
        BodyFault::Html => return Ok(Reply::html(200)),
        BodyFault::CutShort => reply.body.truncate(reply.body.len() / 2),
        BodyFault::Empty => return Ok(Reply::new(200, content_type, Bytes::new())),
    }
    Ok(reply.with("Accept-Ranges", "bytes"))
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
