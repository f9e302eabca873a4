//! The vendor.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;

use super::Jumping;
use crate::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage, Listed, LoggedCall, Offer, Offers},
        ids::{RecordingId, TelephonySessionId},
        session::tests::id,
    },
    ports::{
        clock::Clock,
        recording_source::{
            Closed, Incoming, Interrupted, LiveCall, LookUp, Place, RecordingSource, Rest, SourceError, Window,
        },
    },
};

/// A whole recording.
pub(crate) const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt and samples";

/// What is answered to who asks for a recording.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gives {
    Audio,
    Page,
    Status(u16),
    Elsewhere,
    Forbidden,
    /// Half of it, and no rest.
    Half,
}

/// Answers what stands here, and what does not stand here with a 404, an empty page or silence. Each request takes
/// `takes_ms`, and uses a permit up.
pub(crate) struct Vendor<'a> {
    pub(crate) clock: &'a Jumping,
    pub(crate) takes_ms: u64,
    pub(crate) permits: Cell<usize>,
    /// How many are free each time that is asked, where that changes.
    pub(crate) frees: RefCell<VecDeque<usize>>,
    /// By `direct ID` or by address.
    pub(crate) gives: BTreeMap<String, Gives>,
    pub(crate) answers: BTreeMap<String, Result<CallLogAnswer, u16>>,
    pub(crate) pages: RefCell<VecDeque<Result<CallLogPage, SourceError>>>,
    pub(crate) live: BTreeMap<String, LiveCall>,
    pub(crate) said: RefCell<Vec<String>>,
    pub(crate) windows: RefCell<Vec<Window>>,
}

/// An answer that speaks for all calls, and offers these.
pub(crate) fn silent(offered: &[&str]) -> CallLogAnswer {
    CallLogAnswer { records: 1, whole: true, parts: offered.len(), offered: offers(offered), too_short: Vec::new() }
}

fn offers(offered: &[&str]) -> Offers {
    let offer = |text: &&str| {
        let content_uri = format!("https://media/{text}");
        (id(RecordingId::parse, text), Offer { content_uri, listed: Listed::default() })
    };
    offered.iter().map(offer).collect()
}

/// A page that offers recordings of sessions.
pub(crate) fn page(calls: &[(&str, &[&str])]) -> CallLogPage {
    let call = |(session, offered): &(&str, &[&str])| {
        let said = CallLogAnswer { whole: false, ..silent(offered) };
        (id(TelephonySessionId::parse, session), LoggedCall { said, ..LoggedCall::default() })
    };
    CallLogPage { calls: calls.iter().map(call).collect(), ..CallLogPage::default() }
}

impl<'a> Vendor<'a> {
    pub(crate) fn new(clock: &'a Jumping) -> Self {
        Self {
            clock,
            takes_ms: 10,
            permits: Cell::new(1_000),
            frees: RefCell::default(),
            gives: BTreeMap::new(),
            answers: BTreeMap::new(),
            pages: RefCell::default(),
            live: BTreeMap::new(),
            said: RefCell::default(),
            windows: RefCell::default(),
        }
    }

    pub(crate) fn give(mut self, places: &[&str], gives: Gives) -> Self {
        self.gives.extend(places.iter().map(|place| ((*place).to_owned(), gives)));
        self
    }

    async fn hear(&self, what: String) -> Result<(), SourceError> {
        let Some(left) = self.permits.get().checked_sub(1) else {
            return Err(Closed::Throttled { retry_after: Duration::from_secs(60) }.into());
        };
        self.permits.set(left);
        self.said.borrow_mut().push(what);
        self.clock.sleep(Duration::from_millis(self.takes_ms)).await;
        Ok(())
    }
}

fn status(status: u16) -> SourceError {
    SourceError::Status { status, code: None }
}

impl RecordingSource for Vendor<'_> {
    async fn fetch(&self, place: Place<'_>, rest: Option<&Rest>, _: u64) -> Result<Incoming, SourceError> {
        let place = match place {
            Place::Direct(recording) => format!("direct {recording}"),
            Place::Listed(address) => address.to_owned(),
        };
        self.hear(place.clone()).await?;
        let body = |length: usize, pieces: Vec<Result<Bytes, Interrupted>>| Incoming {
            content_type: None,
            length: Some(length as u64),
            part_end: None,
            version: None,
            body: Box::pin(stream::iter(pieces)),
        };
        match self.gives.get(&place) {
            _ if rest.is_some() => Err(status(416)),
            None => Err(status(404)),
            Some(Gives::Status(code)) => Err(status(*code)),
            Some(Gives::Elsewhere) => Err(SourceError::ForeignOrigin),
            Some(Gives::Forbidden) => Err(SourceError::Status { status: 403, code: Some("CMN-408".to_owned()) }),
            Some(Gives::Audio) => Ok(body(
                WAV.len(),
                [&WAV[..14], &WAV[14..20], &WAV[20..]].map(|piece| Ok(Bytes::from_static(piece))).to_vec(),
            )),
            Some(Gives::Half) => Ok(body(WAV.len(), vec![Ok(Bytes::from_static(&WAV[..14]))])),
            Some(Gives::Page) => {
                let page = b"<!DOCTYPE html><html>";
                Ok(body(page.len(), vec![Ok(Bytes::from_static(page))]))
            }
        }
    }

    async fn look_up(&self, look_up: &LookUp, _: u64) -> Result<CallLogAnswer, SourceError> {
        self.hear(format!("ask {}", look_up.session)).await?;
        let known = self.answers.get(look_up.session.as_str()).cloned();
        known.unwrap_or_else(|| Ok(silent(&[]))).map_err(status)
    }

    async fn page(&self, window: &Window, _: u64) -> Result<CallLogPage, SourceError> {
        self.hear(format!("page {}", window.page)).await?;
        self.windows.borrow_mut().push(window.clone());
        self.pages.borrow_mut().pop_front().unwrap_or_else(|| Ok(CallLogPage::default()))
    }

    async fn live(&self, session: &TelephonySessionId, _: u64) -> Result<LiveCall, SourceError> {
        self.said.borrow_mut().push(format!("live {session}"));
        Ok(self.live.get(session.as_str()).cloned().unwrap_or(LiveCall::Over))
    }

    async fn free(&self) -> usize {
        if let Some(free) = self.frees.borrow_mut().pop_front() {
            self.permits.set(free);
        }
        self.permits.get()
    }

    fn pace_ms(&self) -> u64 {
        6_000
    }

    async fn settle(&self) {
        self.said.borrow_mut().push("settle".to_owned());
    }
}
