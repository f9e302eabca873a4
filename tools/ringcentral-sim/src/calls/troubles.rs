//! What may go wrong with recordings and with their place in the call log (API.md §7, §8, §11).

use super::spread::pick;
use crate::world::{BodyFault, Call, Direct, ListedAt, Recording};
use fastrand::Rng;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Where recordings that moved away are said to be.
const ELSEWHERE: &str = "https://media.example.com";

/// Shares of the recordings, or of the calls, that meet a trouble; all between 0 and 1. The troubles of one group
/// exclude each other, so their shares come to at most 1. Those of different groups meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Troubles {
    /// Way: the hand-built URL answers 404, half of them for good, half for a few answers.
    pub direct_missing: f64,
    /// Way: the hand-built URL answers 500, 502, 503 or 504, in the same manner.
    pub direct_failing: f64,
    /// Way: the hand-built URL answers 200 with a page of HTML, in the same manner.
    pub direct_html: f64,
    /// Way: the hand-built URL answers 302, in the same manner.
    pub direct_redirect: f64,
    /// Way: the file is at the platform origin, and only the log says so.
    pub moved: f64,
    /// Way: the log names a host that serves nothing. Such a recording can never be fetched, and stays offered.
    pub elsewhere: f64,
    /// Body: one of the [`BodyFault`]s, for one to three answers.
    pub broken_body: f64,
    /// Body: served as `application/octet-stream`.
    pub octet_stream: f64,
    /// Fate: ready ten minutes to four hours after the party's end, not within a minute.
    pub late: f64,
    /// Fate: never made, and never offered, though events name it.
    pub lost: f64,
    /// Fate: deleted by a user, half of them within a minute of the end, half within four hours.
    pub deleted: f64,
    /// Call: never in the log.
    pub unlisted: f64,
    /// Call: in the log while it runs, and rewritten later.
    pub listed_early: f64,
    /// Call: its record names the recordings one to ten minutes after it appears.
    pub linked_late: f64,
}

#[derive(Clone, Copy)]
enum Way {
    Missing,
    Failing,
    Html,
    Redirect,
    Moved,
    Elsewhere,
}

#[derive(Clone, Copy)]
enum Body {
    Broken,
    OctetStream,
}

#[derive(Clone, Copy)]
enum Fate {
    Late,
    Lost,
    Deleted,
}

#[derive(Clone, Copy)]
enum Listing {
    Never,
    Early,
    LinkedLate,
}

impl Troubles {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        direct_missing: 0.0,
        direct_failing: 0.0,
        direct_html: 0.0,
        direct_redirect: 0.0,
        moved: 0.0,
        elsewhere: 0.0,
        broken_body: 0.0,
        octet_stream: 0.0,
        late: 0.0,
        lost: 0.0,
        deleted: 0.0,
        unlisted: 0.0,
        listed_early: 0.0,
        linked_late: 0.0,
    };

    /// Makes a recording behave as its place in the unit cube says.
    pub(super) fn of_recording(&self, recording: &mut Recording, place: [f64; 3], hurry: u64, rng: &mut Rng) {
        let [way, body, fate] = place;
        recording.ready_after_ms = Some(within(rng, 0..=MINUTE_MS, hurry));
        if recording.too_short {
            return;
        }
        if let Some(way) = pick(way, &self.ways()) {
            lead_astray(recording, way, rng);
        }
        match pick(body, &[(self.broken_body, Body::Broken), (self.octet_stream, Body::OctetStream)]) {
            None => {}
            Some(Body::Broken) => {
                recording.body_fault = BODY_FAULTS[rng.usize(..BODY_FAULTS.len())];
                recording.spoilt_answers = rng.u32(1..=3);
            }
            Some(Body::OctetStream) => recording.served_content_type = Some("application/octet-stream".to_owned()),
        }
        match pick(fate, &[(self.late, Fate::Late), (self.lost, Fate::Lost), (self.deleted, Fate::Deleted)]) {
            None => {}
            Some(Fate::Late) => recording.ready_after_ms = Some(within(rng, 10 * MINUTE_MS..=4 * HOUR_MS, hurry)),
            Some(Fate::Lost) => {
                recording.ready_after_ms = None;
                recording.deleted_after_ms = Some(0);
            }
            Some(Fate::Deleted) => {
                let latest_ms = if rng.bool() { MINUTE_MS } else { 4 * HOUR_MS };
                recording.deleted_after_ms = Some(within(rng, 0..=latest_ms, hurry));
            }
        }
    }

    /// Makes the log treat a call as its place in `[0, 1)` says. Without trouble it is listed after 15 to 30 s.
    pub(super) fn of_call(&self, call: &mut Call, place: f64, hurry: u64, rng: &mut Rng) {
        let shares = [
            (self.unlisted, Listing::Never),
            (self.listed_early, Listing::Early),
            (self.linked_late, Listing::LinkedLate),
        ];
        call.listed_after_ms = Some(within(rng, 15 * SECOND_MS..=30 * SECOND_MS, hurry));
        match pick(place, &shares) {
            None => {}
            Some(Listing::Never) => call.listed_after_ms = None,
            Some(Listing::Early) => call.listed_early = true,
            Some(Listing::LinkedLate) => call.linked_after_ms = within(rng, MINUTE_MS..=10 * MINUTE_MS, hurry),
        }
    }

    fn ways(&self) -> [(f64, Way); 6] {
        [
            (self.direct_missing, Way::Missing),
            (self.direct_failing, Way::Failing),
            (self.direct_html, Way::Html),
            (self.direct_redirect, Way::Redirect),
            (self.moved, Way::Moved),
            (self.elsewhere, Way::Elsewhere),
        ]
    }
}

impl Default for Troubles {
    /// A fifteenth or so of each, but for [`Troubles::elsewhere`], which is none.
    fn default() -> Self {
        Self {
            direct_missing: 0.08,
            direct_failing: 0.06,
            direct_html: 0.06,
            direct_redirect: 0.04,
            moved: 0.06,
            elsewhere: 0.0,
            broken_body: 0.2,
            octet_stream: 0.06,
            late: 0.06,
            lost: 0.06,
            deleted: 0.06,
            unlisted: 0.05,
            listed_early: 0.08,
            linked_late: 0.08,
        }
    }
}

const BODY_FAULTS: [BodyFault; 8] = [
    BodyFault::Html,
    BodyFault::CutShort,
    BodyFault::Empty,
    BodyFault::Json,
    BodyFault::WrongLength,
    BodyFault::Trickle,
    BodyFault::UnaskedPart,
    BodyFault::Undeclared,
];

fn lead_astray(recording: &mut Recording, way: Way, rng: &mut Rng) {
    match way {
        Way::Missing => recording.direct = Direct::Status(404),
        Way::Failing => recording.direct = Direct::Status([500, 502, 503, 504][rng.usize(..4)]),
        Way::Html => recording.direct = Direct::Html,
        Way::Redirect => recording.direct = Direct::Redirect(format!("{ELSEWHERE}/recording/{}", recording.id)),
        Way::Moved => recording.listed_at = ListedAt::Platform,
        Way::Elsewhere => recording.listed_at = ListedAt::Other(ELSEWHERE.to_owned()),
    }
    recording.spoilt_answers = if rng.bool() { u32::MAX } else { rng.u32(1..=3) };
}

fn within(rng: &mut Rng, range_ms: std::ops::RangeInclusive<u64>, hurry: u64) -> u64 {
    rng.u64(range_ms) / hurry.max(1)
}
