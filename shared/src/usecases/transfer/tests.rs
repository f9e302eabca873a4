use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use futures_util::{FutureExt, future::join, stream};
use tokio::sync::mpsc;

use super::*;
use crate::{
    domain::{
        call_log::{CallLogAnswer, CallLogPage},
        ids::TelephonySessionId,
    },
    ports::recording_source::{ByteStream, LiveCall, LookUp, Window},
};

const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt and samples";
const LENGTH: u64 = WAV.len() as u64;
const FAR_MS: u64 = 1_000_000;

/// A clock that stands still but where somebody waits for the vendor.
#[derive(Default)]
struct Stopped(Cell<u64>);

impl Clock for Stopped {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.set(self.0.get() + u64::try_from(duration.as_millis()).unwrap());
    }
}

/// Answers what stands in its script, one after the other.
#[derive(Default)]
struct Script {
    answers: RefCell<VecDeque<Result<Incoming, SourceError>>>,
    asked: RefCell<Vec<u64>>,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = Result<Incoming, SourceError>>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), asked: RefCell::default() }
    }
}

impl RecordingSource for Script {
    async fn fetch(&self, _: Place<'_>, rest: Option<&Rest>, _: u64) -> Result<Incoming, SourceError> {
        self.asked.borrow_mut().push(rest.map_or(0, |rest| rest.from));
        self.answers.borrow_mut().pop_front().unwrap_or(Err(SourceError::Malformed("nothing is left")))
    }

    async fn look_up(&self, _: &LookUp, _: u64) -> Result<CallLogAnswer, SourceError> {
        Err(SourceError::ForeignOrigin)
    }

    async fn page(&self, _: &Window, _: u64) -> Result<CallLogPage, SourceError> {
        Err(SourceError::ForeignOrigin)
    }

    async fn live(&self, _: &TelephonySessionId, _: u64) -> Result<LiveCall, SourceError> {
        Err(SourceError::ForeignOrigin)
    }

    async fn free(&self) -> usize {
        0
    }

    fn pace_ms(&self) -> u64 {
        0
    }

    async fn settle(&self) {}
}

fn reset() -> Result<Bytes, Interrupted> {
    Err(Interrupted("connection reset".into()))
}

/// A body of these pieces.
fn body(pieces: Vec<Result<Bytes, Interrupted>>) -> ByteStream {
    Box::pin(stream::iter(pieces))
}

fn piece(bytes: &'static [u8]) -> Result<Bytes, Interrupted> {
    Ok(Bytes::from_static(bytes))
}

fn incoming(length: Option<u64>, pieces: Vec<Result<Bytes, Interrupted>>) -> Result<Incoming, SourceError> {
    let content_type = Some("audio/wav".into());
    Ok(Incoming { content_type, length, part_end: None, version: None, body: body(pieces) })
}

/// The part of [`WAV`] that begins at `from`, as a 206 says it.
fn part(from: usize, to: usize) -> Result<Incoming, SourceError> {
    let bytes = incoming(Some(LENGTH), vec![piece(&WAV[from..to])]);
    bytes.map(|incoming| Incoming { part_end: Some(to as u64), ..incoming })
}

/// What came out, and how it ended.
fn poured(script: &Script) -> Result<(Vec<u8>, Poured), Unusable> {
    let clock = Stopped::default();
    block_on(async {
        let opened = open(script, &clock, Place::Listed("https://media/1"), 0, FAR_MS).await?;
        let (into, mut from) = mpsc::channel::<Result<Bytes, Interrupted>>(1);
        let taken = async {
            let mut bytes = Vec::new();
            while let Some(Ok(chunk)) = from.recv().await {
                bytes.extend_from_slice(&chunk);
            }
            bytes
        };
        let (poured, bytes) = join(opened.pour(into), taken).await;
        Ok((bytes, poured))
    })
}

/// Polls it until it is done: nothing here waits for anything outside.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    let mut polls = std::iter::repeat_with(|| work.as_mut().poll(&mut context)).take(10_000);
    polls.find_map(|polled| if let Poll::Ready(done) = polled { Some(done) } else { None }).unwrap()
}

fn assert_whole(script: &Script, asked: &[u64]) {
    let (bytes, poured) = poured(script).unwrap();
    assert!(matches!(poured, Poured::Whole { .. }), "{poured:?}");
    assert_eq!((bytes.as_slice(), script.asked.borrow().as_slice()), (WAV, asked));
}

/// Why it broke off.
fn broken(script: &Script) -> String {
    match poured(script) {
        Ok((_, Poured::Broken(broken))) | Err(Unusable::Broken(broken)) => broken.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_head_is_passed_on_with_the_rest_and_all_is_measured() {
    for length in [Some(LENGTH), None] {
        let script = Script::of([incoming(length, vec![piece(&WAV[..5]), piece(&WAV[5..20]), piece(&WAV[20..])])]);
        let (bytes, poured) = poured(&script).unwrap();
        let Poured::Whole { fingerprint, .. } = poured else { panic!("{poured:?}") };
        let mut digests = Digests::default();
        digests.add(WAV);
        assert_eq!((bytes.as_slice(), fingerprint), (WAV, digests.finish()));
    }
}

#[test]
fn an_error_page_is_refused_before_anything_is_uploaded() {
    for page in [&b"<!DOCTYPE html><html>"[..], b"", b"RIFF\x24\0\0\0WAV"] {
        let refused = poured(&Script::of([incoming(Some(page.len() as u64), vec![piece(page)])]));
        assert!(matches!(refused, Err(Unusable::NotAudio(NotAudio::Bytes))));
    }
}

#[test]
fn a_body_that_breaks_off_goes_on_where_it_did() {
    for cut in [1, 12, 13, 26] {
        for how in [vec![piece(&WAV[..cut]), reset()], vec![piece(&WAV[..cut])]] {
            assert_whole(&Script::of([incoming(Some(LENGTH), how), part(cut, WAV.len())]), &[0, cut as u64]);
        }
    }
    let undeclared = incoming(None, vec![piece(&WAV[..20]), reset()]);
    assert_whole(&Script::of([undeclared, part(20, WAV.len())]), &[0, 20]);
}

#[test]
fn a_body_that_is_whole_needs_no_good_end() {
    assert_whole(&Script::of([incoming(Some(LENGTH), vec![piece(WAV), reset()])]), &[0]);
}

#[test]
fn a_body_is_continued_five_times_and_no_more() {
    let cuts = |number: usize| {
        let first = incoming(Some(LENGTH), vec![piece(&WAV[..14])]);
        std::iter::once(first).chain(
            (14..14 + number)
                .map(|at| part(at, at + 1).map(|incoming| Incoming { part_end: Some(LENGTH), ..incoming })),
        )
    };
    assert_whole(&Script::of(cuts(4).chain([part(18, WAV.len())])), &[0, 14, 15, 16, 17, 18]);
    let script = Script::of(cuts(9));
    assert!(broken(&script).ends_with("after 19 of 27 bytes: it ended early, for the 6th time"), "{}", broken(&script));
    assert_eq!(script.asked.borrow().len(), 6);
}

#[test]
fn parts_nobody_asked_for_are_followed_to_the_end_if_they_are_not_too_many() {
    let in_parts = |of: usize| Script::of((0..WAV.len()).step_by(of).map(move |at| part(at, WAV.len().min(at + of))));
    assert_whole(&in_parts(13), &[0, 13, 26]);
    assert_whole(&in_parts(2), &(0..14).map(|part| 2 * part).collect::<Vec<u64>>());
    let crumbs = in_parts(1);
    assert!(broken(&crumbs).ends_with("after 1 of 27 bytes: it comes in too many parts"));
    assert_eq!(*crumbs.asked.borrow(), [0], "no permit is spent on what cannot be had");
}

#[test]
fn a_part_without_bytes_is_a_body_that_broke_off() {
    let empty = || part(20, 20);
    let script = Script::of([part(0, 20)].into_iter().chain((0..9).map(|_| empty())));
    let said = broken(&script);
    assert!(said.ends_with("after 20 of 27 bytes: it ended early, for the 6th time"), "{said}");
}

#[test]
fn what_comes_in_parts_has_no_length_for_the_bucket() {
    let clock = Stopped::default();
    for (script, length) in [
        (Script::of([part(0, 20)]), None),
        (Script::of([part(0, WAV.len())]), Some(LENGTH)),
        (Script::of([incoming(Some(LENGTH), vec![piece(WAV)])]), Some(LENGTH)),
        (Script::of([incoming(None, vec![piece(WAV)])]), None),
    ] {
        let opened = block_on(open(&script, &clock, Place::Listed("https://media/1"), 0, FAR_MS)).unwrap();
        assert_eq!(opened.length(), length);
    }
}

#[test]
fn other_lengths_than_declared_are_refused() {
    let over = Script::of([incoming(Some(LENGTH - 1), vec![piece(WAV)])]);
    assert!(broken(&over).ends_with("more came than the declared 26 bytes"));
    let over_the_part = part(0, 20).map(|incoming| Incoming { part_end: Some(19), ..incoming });
    assert!(broken(&Script::of([over_the_part])).ends_with("more came than the declared 19 bytes"));
    let another = part(20, WAV.len()).map(|incoming| Incoming { length: Some(99), ..incoming });
    let script = Script::of([incoming(Some(LENGTH), vec![piece(&WAV[..20])]), another]);
    assert!(broken(&script).ends_with("after 20 of 27 bytes: its length is another now"));
}

#[test]
fn where_it_cannot_be_continued_it_says_why() {
    let cut = || incoming(Some(LENGTH), vec![piece(&WAV[..20]), reset()]);
    let gone = Err(SourceError::Status { status: 416, code: Some("CMN-107".into()) });
    let said = broken(&Script::of([cut(), gone]));
    assert!(said.ends_with("after 20 of 27 bytes: it does not go on: the vendor answered 416 CMN-107"), "{said}");
    let throttled = Err(Closed::Throttled { retry_after: Duration::from_secs(60) }.into());
    assert!(broken(&Script::of([cut(), throttled])).ends_with("no permit to go on was free"));
    let (_, poured) = poured(&Script::of([cut(), Err(Closed::Forbidden.into())])).unwrap();
    assert!(matches!(poured, Poured::Broken(Broken::Closed(Closed::Forbidden))), "{poured:?}");
}

/// A body that stops in the middle without a word.
fn stalled() -> Result<Incoming, SourceError> {
    let stalls = stream::iter([piece(&WAV[..20])]).chain(stream::pending());
    incoming(Some(LENGTH), vec![]).map(|incoming| Incoming { body: Box::pin(stalls), ..incoming })
}

#[test]
fn a_recording_that_comes_too_slowly_is_given_up() {
    // The clock jumps to the end of patience as soon as the body makes itself waited for.
    let script = Script::of([stalled(), part(20, WAV.len())]);
    assert!(broken(&script).ends_with("after 20 of 27 bytes: it comes too slowly"));
    assert_eq!(*script.asked.borrow(), [0], "another body would not be waited for either");
}

#[test]
fn bytes_are_taken_no_longer_than_the_run_has_time_for() {
    let clock = Stopped(Cell::new(FAR_MS - 5));
    let script = Script::of([stalled()]);
    let opened = block_on(open(&script, &clock, Place::Listed("https://media/1"), 0, FAR_MS)).unwrap();
    let (into, mut from) = mpsc::channel::<Result<Bytes, Interrupted>>(1);
    let taken = async { while from.recv().await.is_some() {} };
    let (poured, ()) = block_on(join(opened.pour(into), taken));
    let Poured::Broken(broken) = poured else { panic!("{poured:?}") };
    assert!(broken.to_string().ends_with("after 20 of 27 bytes: the run's time is over"));
    assert_eq!(clock.now_ms(), FAR_MS);
}

#[test]
fn who_takes_no_more_ends_it() {
    let clock = Stopped::default();
    let script = Script::of([incoming(Some(LENGTH), vec![piece(&WAV[..14]), piece(&WAV[14..])])]);
    let opened = open(&script, &clock, Place::Listed("https://media/1"), 0, FAR_MS).now_or_never().unwrap().unwrap();
    let (into, from) = mpsc::channel(1);
    drop(from);
    assert!(matches!(opened.pour(into).now_or_never(), Some(Poured::Unwanted)));
}
