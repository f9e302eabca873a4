//! A body on its way into the bucket: looked at before the upload begins, measured while it passes.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};

use crate::{
    domain::media::{AudioFormat, NotAudio, SNIFF_BYTES},
    ports::recording_source::{ByteStream, Incoming, Interrupted},
};

/// A body without a declared length is held in memory up to this size; longer ones wait for multipart uploads.
pub(super) const MAX_UNDECLARED_BYTES: usize = 5 * 1024 * 1024;

/// A body that is audio as far as its head tells.
pub(super) struct Opened {
    pub(super) format: AudioFormat,
    pub(super) size_bytes: u64,
    pub(super) body: ByteStream,
    pub(super) tally: Tally,
}

/// Why a body is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error(transparent)]
    NotAudio(#[from] NotAudio),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("cannot take a body of undeclared length over {MAX_UNDECLARED_BYTES} bytes")]
    UndeclaredLength,
}

/// Reads the head of a body, decides the format, and prepares the whole for the bucket.
pub(super) async fn open(mut incoming: Incoming) -> Result<Opened, Unusable> {
    let mut head = BytesMut::new();
    read_until(&mut incoming.body, &mut head, SNIFF_BYTES).await?;
    let format = AudioFormat::identify(incoming.content_type.as_deref(), &head)?;
    let size_bytes = match incoming.length {
        Some(length) => length,
        None => {
            read_until(&mut incoming.body, &mut head, MAX_UNDECLARED_BYTES + 1).await?;
            if head.len() > MAX_UNDECLARED_BYTES {
                return Err(Unusable::UndeclaredLength);
            }
            head.len() as u64
        }
    };
    let tally = Tally::default();
    let whole = stream::iter([Ok(head.freeze())]).chain(incoming.body);
    Ok(Opened { format, size_bytes, body: measured(Box::pin(whole), size_bytes, tally.clone()), tally })
}

async fn read_until(body: &mut ByteStream, into: &mut BytesMut, enough: usize) -> Result<(), Interrupted> {
    while into.len() < enough {
        match body.next().await {
            Some(chunk) => into.extend_from_slice(&chunk?),
            None => break,
        }
    }
    Ok(())
}

/// Passes the bytes on, counting and hashing them; fails where they end early or run over.
fn measured(body: ByteStream, size_bytes: u64, tally: Tally) -> ByteStream {
    let passed = stream::unfold(Some(body), move |body| {
        let tally = tally.clone();
        async move {
            let mut body = body?;
            let chunk = match body.next().await {
                Some(chunk) => chunk,
                None if tally.seen() < size_bytes => {
                    Err(Interrupted(format!("{} of {size_bytes} bytes came", tally.seen())))
                }
                None => return None,
            };
            match chunk.and_then(|chunk| tally.add(chunk, size_bytes)) {
                Ok(chunk) => Some((Ok(chunk), Some(body))),
                Err(interrupted) => {
                    tally.break_off(interrupted.clone());
                    Some((Err(interrupted), None))
                }
            }
        }
    });
    // An unfolded stream may not be polled after its end, and the SDK does so.
    Box::pin(passed.fuse())
}

/// What has passed so far; shared with the stream it measures.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    bytes: u64,
    digest: Sha256,
    interrupted: Option<Interrupted>,
}

impl Tally {
    fn add(&self, chunk: Bytes, size_bytes: u64) -> Result<Bytes, Interrupted> {
        self.with(|passed| {
            passed.bytes += chunk.len() as u64;
            if passed.bytes > size_bytes {
                return Err(Interrupted(format!("more than the declared {size_bytes} bytes came")));
            }
            passed.digest.update(&chunk);
            Ok(chunk)
        })
    }

    fn break_off(&self, interrupted: Interrupted) {
        self.with(|passed| passed.interrupted = Some(interrupted));
    }

    fn seen(&self) -> u64 {
        self.with(|passed| passed.bytes)
    }

    /// Why the source failed, if it did.
    pub(super) fn interrupted(&self) -> Option<Interrupted> {
        self.with(|passed| passed.interrupted.clone())
    }

    /// SHA-256 of everything that passed, base64.
    pub(super) fn sha256(&self) -> String {
        self.with(|passed| BASE64_STANDARD.encode(passed.digest.clone().finalize()))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Passed) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, TryStreamExt};

    use super::*;

    const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt and samples";

    fn incoming(chunks: &[&'static [u8]], length: Option<u64>) -> Incoming {
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk))).collect();
        Incoming { content_type: Some("audio/wav".into()), length, body: Box::pin(stream::iter(chunks)) }
    }

    fn opened(incoming: Incoming) -> Result<Opened, Unusable> {
        open(incoming).now_or_never().unwrap()
    }

    fn drained(opened: Opened) -> Result<Vec<u8>, Interrupted> {
        opened.body.map_ok(|chunk| chunk.to_vec()).try_concat().now_or_never().unwrap()
    }

    #[test]
    fn the_head_is_passed_on_with_the_rest() {
        for length in [Some(WAV.len() as u64), None] {
            let opened = opened(incoming(&[&WAV[..5], &WAV[5..20], &WAV[20..]], length)).unwrap();
            assert_eq!((opened.format, opened.size_bytes), (AudioFormat::Wav, WAV.len() as u64));
            let tally = opened.tally.clone();
            assert_eq!(drained(opened).unwrap(), WAV);
            assert_eq!(tally.sha256(), BASE64_STANDARD.encode(Sha256::digest(WAV)));
            assert_eq!(tally.interrupted(), None);
        }
    }

    #[test]
    fn a_body_that_ends_early_or_runs_over_fails_its_stream() {
        for (length, message) in [(40, "27 of 40 bytes came"), (26, "more than the declared 26 bytes came")] {
            let opened = opened(incoming(&[&WAV[..14], &WAV[14..]], Some(length))).unwrap();
            let tally = opened.tally.clone();
            assert_eq!(WAV.len(), 27);
            assert_eq!(drained(opened), Err(Interrupted(message.into())));
            assert!(tally.interrupted().is_some());
        }
    }

    #[test]
    fn an_error_page_is_refused_before_anything_is_uploaded() {
        let page = opened(incoming(&[b"<!DOCTYPE html><html>"], None));
        assert!(matches!(page, Err(Unusable::NotAudio(NotAudio::Bytes))));
        assert!(matches!(opened(incoming(&[], Some(0))), Err(Unusable::NotAudio(NotAudio::Bytes))));
    }

    #[test]
    fn a_long_body_of_undeclared_length_is_refused() {
        static LONG: [u8; MAX_UNDECLARED_BYTES] = [0; MAX_UNDECLARED_BYTES];
        let long = opened(incoming(&[WAV, &LONG], None));
        assert!(matches!(long, Err(Unusable::UndeclaredLength)));
    }
}
