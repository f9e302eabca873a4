//! Streams of ours as bodies of S3, and back.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use aws_sdk_s3::primitives::ByteStream as S3Stream;
use bytes::Bytes;
use futures_util::stream;
use http_body::{Body, Frame, SizeHint};

use crate::ports::recording_source::{ByteStream, Interrupted};

/// A stream of known length as the body of a request.
pub(super) fn streamed(stream: ByteStream, size_bytes: u64) -> S3Stream {
    S3Stream::from_body_1_x(SizedBody { stream: Mutex::new(stream), remaining: size_bytes })
}

/// The body of a reply as a stream.
pub(super) fn read(body: S3Stream) -> ByteStream {
    Box::pin(stream::unfold(body, |mut body| async move {
        let chunk = body.next().await?;
        Some((chunk.map_err(|error| Interrupted(error.to_string())), body))
    }))
}

/// The mutex is never locked: it makes the stream `Sync`, which the SDK asks for although it polls from one place.
struct SizedBody {
    stream: Mutex<ByteStream>,
    remaining: u64,
}

impl Body for SizedBody {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        let polled = stream.as_mut().poll_next(context);
        polled.map(|next| {
            next.map(|chunk| {
                let chunk = chunk?;
                self.remaining = self.remaining.saturating_sub(chunk.len() as u64);
                Ok(Frame::data(chunk))
            })
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}
