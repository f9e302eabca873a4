//! Recordings of which nothing comes to an end: each attempt costs a run much of its time.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use shared::ports::recording_source::ByteStream;

use crate::executor::Time;

/// What is wrong with all that the vendor sends of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poison {
    /// No answer comes.
    Mute,
    /// The body stands still after its first piece.
    Stalled,
    /// The body goes on for ever.
    Endless,
}

/// Between two pieces of an endless body, milliseconds.
const PAUSE_MS: u64 = 1_000;

/// Longer than anybody waits, milliseconds.
const FOR_EVER_MS: u64 = 3_600_000;

impl Poison {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Mute, Self::Stalled, Self::Endless];

    /// What comes in the place of a body.
    pub(crate) fn body(self, whole: Bytes, time: Time) -> ByteStream {
        let pause_ms = match self {
            Self::Mute | Self::Stalled => FOR_EVER_MS,
            Self::Endless => PAUSE_MS,
        };
        let piece = whole.slice(..whole.len().min(1_024));
        let pieces = stream::iter([piece.clone()]).chain(stream::repeat(piece)).enumerate();
        Box::pin(pieces.then(move |(number, piece)| {
            let pause = time.sleep(if number == 0 { 0 } else { pause_ms });
            async move {
                pause.await;
                Ok(piece)
            }
        }))
    }
}
