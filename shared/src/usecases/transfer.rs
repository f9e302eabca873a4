//! A body on its way from the vendor into the bucket: looked at before the upload begins, measured while it passes, and
//! continued where it breaks off.

use std::{pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use tokio::sync::mpsc::Sender;

use crate::{
    domain::{
        checksum::{Digests, Fingerprint},
        media::{AudioFormat, NotAudio, PlayingTime, SNIFF_BYTES},
    },
    ports::{
        clock::Clock,
        recording_source::{Closed, Incoming, Interrupted, Place, RecordingSource, Rest, SourceError},
    },
};

/// So often a body is asked to go on where it broke off; each time costs a permit.
const MOST_CUTS: u32 = 5;

/// Who sends parts nobody asked for is asked for the next one, if the whole comes in no more than these: each costs a
/// permit.
const MOST_PARTS: u64 = 20;

/// So long a recording may be waited for, on the whole, and longer by the time its bytes take at this rate: the one at
/// which the vendor's larger files play. Time in which we do not ask for bytes does not count.
const PATIENCE_MS: u64 = 120_000;
const LEAST_BYTES_PER_MS: u64 = 16;

/// So long the bucket is kept waiting in the middle of an upload for a permit to go on with: it gives up by itself after
/// about twice that.
const UPLOAD_WAITS_MS: u64 = 10_000;

/// A body that is audio as far as its head tells.
pub(super) struct Opened<'a, R, C> {
    pub(super) format: AudioFormat,
    head: Bytes,
    reader: Reader<'a, R, C>,
}

/// Why a body is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error(transparent)]
    NotAudio(#[from] NotAudio),
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Off(#[from] Interrupted),
    /// It could not be asked to go on, and nothing else may be asked either.
    #[error(transparent)]
    Closed(#[from] Closed),
}

/// What came of pouring a body out.
#[derive(Debug)]
pub(super) enum Poured {
    /// All of it passed.
    Whole { fingerprint: Fingerprint, duration_ms: Option<u64> },
    /// It broke off; whoever took it was told.
    Broken(Broken),
    /// Nobody took it any more.
    Unwanted,
}

/// Asks for a recording, reads the head of its body and decides the format. For its first byte a permit is waited for until
/// `wait_until_ms`; bytes are taken until `until_ms`.
pub(super) async fn open<'a, R: RecordingSource, C: Clock>(
    source: &'a R,
    clock: &'a C,
    place: Place<'a>,
    wait_until_ms: u64,
    until_ms: u64,
) -> Result<Opened<'a, R, C>, Unusable> {
    let incoming = source.fetch(place, None, wait_until_ms).await?;
    let content_type = incoming.content_type.clone();
    let in_parts = incoming.part_end.is_some_and(|end| incoming.length != Some(end));
    let mut reader = Reader {
        source,
        clock,
        place,
        until_ms,
        in_parts,
        incoming,
        format: None,
        position: 0,
        came: 0,
        waited_ms: 0,
        cuts: 0,
        parts: 0,
    };
    let mut head = BytesMut::new();
    while head.len() < SNIFF_BYTES
        && let Some(chunk) = reader.next().await?
    {
        head.extend_from_slice(&chunk);
    }
    let format = AudioFormat::identify(content_type.as_deref(), &head)?;
    reader.format = Some(format);
    Ok(Opened { format, head: head.freeze(), reader })
}

impl<R: RecordingSource, C: Clock> Opened<'_, R, C> {
    /// Length in bytes, where it is known and the whole comes at one go: what comes in parts may keep the bucket waiting
    /// for longer than it waits within one request.
    pub(super) fn length(&self) -> Option<u64> {
        self.reader.incoming.length.filter(|_| !self.reader.in_parts)
    }

    /// Pours the whole body into `into`, as fast as it is taken there. If it breaks off, its taker is told.
    pub(super) async fn pour(self, into: Sender<Result<Bytes, Interrupted>>) -> Poured {
        let Self { format, head, mut reader } = self;
        let (mut digests, mut time) = (Digests::default(), PlayingTime::of(format));
        let mut next: Result<_, Broken> = Ok(Some(head));
        loop {
            match next {
                Ok(Some(chunk)) => {
                    digests.add(&chunk);
                    time.add(&chunk);
                    if into.send(Ok(chunk)).await.is_err() {
                        return Poured::Unwanted;
                    }
                }
                Ok(None) => return Poured::Whole { fingerprint: digests.finish(), duration_ms: time.finish() },
                Err(broken) => {
                    let told = Interrupted(broken.to_string());
                    return if into.send(Err(told)).await.is_ok() { Poured::Broken(broken) } else { Poured::Unwanted };
                }
            }
            next = reader.next().await;
        }
    }
}

/// Reads a recording from one body, or from as many as it takes.
struct Reader<'a, R, C> {
    source: &'a R,
    clock: &'a C,
    place: Place<'a>,
    /// When no more bytes are taken, epoch milliseconds.
    until_ms: u64,
    /// The body that is being read.
    incoming: Incoming,
    /// Whether the first body is a part.
    in_parts: bool,
    /// Once it is known.
    format: Option<AudioFormat>,
    /// How many bytes of the recording have come.
    position: u64,
    /// How many of them in this body.
    came: u64,
    /// How long they have been waited for.
    waited_ms: u64,
    cuts: u32,
    parts: u64,
}

/// Why a body does not go on by itself.
enum Pause {
    /// It was a part, and came to its end.
    Part,
    /// It broke off.
    Cut(String),
}

impl<R: RecordingSource, C: Clock> Reader<'_, R, C> {
    /// The bytes that come next; nothing at the end of the recording.
    async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let pause = match self.next_of_this_body().await? {
                Ok(Some(chunk)) => return self.count(chunk).map(Some),
                Ok(None) if self.incoming.length.is_none_or(|length| length == self.position) => return Ok(None),
                Ok(None) if self.incoming.part_end == Some(self.position) && self.came > 0 => Pause::Part,
                Ok(None) => Pause::Cut("it ended early".to_owned()),
                Err(_) if self.incoming.length == Some(self.position) => return Ok(None),
                Err(Interrupted(why)) => Pause::Cut(why),
            };
            self.go_on(pause).await?;
        }
    }

    /// What this body gives next, unless that takes too long.
    async fn next_of_this_body(&mut self) -> Result<Result<Option<Bytes>, Interrupted>, Broken> {
        let begun_ms = self.clock.now_ms();
        let patience_ms = (PATIENCE_MS + self.position / LEAST_BYTES_PER_MS).saturating_sub(self.waited_ms);
        let left_ms = self.until_ms.saturating_sub(begun_ms);
        let late = pin!(self.clock.sleep(Duration::from_millis(patience_ms.min(left_ms))));
        let next = match select(self.incoming.body.next(), late).await {
            Either::Left((next, _)) => next.transpose(),
            Either::Right(_) if left_ms <= patience_ms => return Err(self.off("the run's time is over")),
            Either::Right(_) => return Err(self.off("it comes too slowly")),
        };
        self.waited_ms += self.clock.now_ms().saturating_sub(begun_ms);
        Ok(next)
    }

    fn count(&mut self, chunk: Bytes) -> Result<Bytes, Broken> {
        self.position += chunk.len() as u64;
        self.came += chunk.len() as u64;
        let ends = [self.incoming.length, self.incoming.part_end].into_iter().flatten().min();
        match ends {
            Some(end) if self.position > end => {
                Err(Interrupted(format!("more came than the declared {end} bytes")).into())
            }
            Some(_) | None => Ok(chunk),
        }
    }

    /// It broke off here, for this reason.
    fn off(&self, why: &str) -> Broken {
        let of = self.incoming.length.map_or(String::new(), |length| format!(" of {length}"));
        Interrupted(format!("after {}{of} bytes: {why}", self.position)).into()
    }

    /// Whether it takes too many more parts like this one.
    fn is_crumbled(&self) -> bool {
        let left = self.incoming.length.map_or(0, |length| length.saturating_sub(self.position));
        self.parts + left.div_ceil(self.came.max(1)) > MOST_PARTS
    }

    /// Asks for the rest.
    async fn go_on(&mut self, pause: Pause) -> Result<(), Broken> {
        match pause {
            Pause::Part => {
                self.parts += 1;
                if self.is_crumbled() {
                    return Err(self.off("it comes in too many parts"));
                }
            }
            Pause::Cut(why) => {
                self.cuts += 1;
                if self.cuts > MOST_CUTS {
                    return Err(self.off(&format!("{why}, for the {}th time", self.cuts)));
                }
                tracing::debug!(why, position = self.position, "a body broke off; its rest is asked for");
            }
        }
        let now_ms = self.clock.now_ms();
        let within_ms = if self.in_parts { self.until_ms } else { now_ms.saturating_add(UPLOAD_WAITS_MS) };
        let rest = Rest { from: self.position, version: self.incoming.version.clone() };
        let incoming = match self.source.fetch(self.place, Some(&rest), within_ms.min(self.until_ms)).await {
            Ok(incoming) => incoming,
            Err(SourceError::Closed(Closed::Throttled { .. })) => return Err(self.off("no permit to go on was free")),
            Err(SourceError::Closed(closed)) => return Err(closed.into()),
            Err(error) => return Err(self.off(&format!("it does not go on: {error}"))),
        };
        if self.incoming.length.is_some() && incoming.length != self.incoming.length {
            return Err(self.off("its length is another now"));
        }
        let is_of = |content_type: &str| {
            AudioFormat::declared(content_type)
                .is_ok_and(|of| of.is_none() || self.format.is_none() || of == self.format)
        };
        if !incoming.content_type.as_deref().is_none_or(is_of) {
            return Err(self.off("its rest is of another type"));
        }
        let version = incoming.version.clone().or(rest.version);
        (self.incoming, self.came) = (Incoming { version, ..incoming }, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
