//! The media host of a load: it serves each recording as fast as it is taken, and notes what it has sent.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures_util::stream;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, task::AbortHandle};

use super::{load::Load, wave::Wave};

/// A server on a loopback port of its own. It takes no more requests once it is dropped.
pub(super) struct Source {
    origin: String,
    shared: Arc<Shared>,
    serving: AbortHandle,
}

/// What was asked of a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Served {
    /// Requests for bodies, whatever became of them, by recording.
    pub(super) requests: BTreeMap<u64, usize>,
    /// The most bodies of which something, but not all, was sent at one time.
    pub(super) most_at_once: usize,
    /// The SHA-256 of the bodies that were sent to their end, by recording.
    pub(super) whole: BTreeMap<u64, [u8; 32]>,
    under_way: usize,
}

struct Shared {
    load: Load,
    served: Mutex<Served>,
}

/// A body on its way.
struct Sending {
    shared: Arc<Shared>,
    recording: u64,
    wave: Wave,
    digest: Sha256,
    under_way: bool,
}

impl Source {
    /// Serves the bodies of `load` from now on.
    pub(super) async fn start(load: Load) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared { load, served: Mutex::default() });
        let content = "/restapi/v1.0/account/{account}/recording/{recording}/content";
        let router = Router::new().route(content, get(send)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async { axum::serve(listener, router).await }).abort_handle();
        Ok(Self { origin, shared, serving })
    }

    /// Its base URL, without a trailing slash.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// What it was asked so far.
    pub(super) fn served(&self) -> Served {
        self.shared.served().clone()
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn served(&self) -> MutexGuard<'_, Served> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(State(shared): State<Arc<Shared>>, Path((_, recording)): Path<(String, u64)>) -> Response {
    let load = shared.load;
    let Some(size_bytes) = load.bytes_of(recording) else { return StatusCode::NOT_FOUND.into_response() };
    *shared.served().requests.entry(recording).or_default() += 1;
    let wave = Wave::new(recording, size_bytes);
    let sending = Sending { shared, recording, wave, digest: Sha256::new(), under_way: false };
    let body = Body::from_stream(stream::iter(sending.map(Ok::<_, Infallible>)));
    let content_type = (header::CONTENT_TYPE, "audio/wav");
    if load.is_declared() {
        ([content_type], [(header::CONTENT_LENGTH, size_bytes.to_string())], body).into_response()
    } else {
        ([content_type], body).into_response()
    }
}

impl Iterator for Sending {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = self.wave.next()?;
        self.digest.update(&piece);
        if !self.under_way {
            self.begin();
        }
        if self.wave.left_bytes() == 0 {
            self.shared.served().whole.insert(self.recording, self.digest.finalize_reset().into());
            self.end();
        }
        Some(piece)
    }
}

impl Sending {
    fn begin(&mut self) {
        self.under_way = true;
        let mut served = self.shared.served();
        served.under_way += 1;
        served.most_at_once = served.most_at_once.max(served.under_way);
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.under_way) {
            self.shared.served().under_way -= 1;
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(shared: &Arc<Shared>, recording: u64, size_bytes: u64) -> Sending {
        let wave = Wave::new(recording, size_bytes);
        Sending { shared: Arc::clone(shared), recording, wave, digest: Sha256::new(), under_way: false }
    }

    #[test]
    fn bodies_count_while_something_of_them_is_sent() {
        let shared = Arc::new(Shared { load: Load::Ten115Mb, served: Mutex::default() });
        let (mut one, mut two) = (sending(&shared, 1, 50), sending(&shared, 2, 50));
        assert_eq!(shared.served().most_at_once, 0);
        one.next().unwrap();
        drop(one);
        two.next().unwrap();
        assert_eq!(shared.served().most_at_once, 1);
        let mut three = sending(&shared, 3, 50);
        three.next().unwrap();
        assert_eq!(shared.served().most_at_once, 2);
    }

    #[test]
    fn a_whole_body_leaves_its_digest_and_half_a_body_none() {
        let shared = Arc::new(Shared { load: Load::Ten115Mb, served: Mutex::default() });
        let whole: Vec<u8> = sending(&shared, 1, 100_000).flatten().collect();
        sending(&shared, 2, 100_000).next().unwrap();
        let digest: [u8; 32] = Sha256::digest(&whole).into();
        assert_eq!(shared.served().whole, BTreeMap::from([(1, digest)]));
    }
}
