//! A server of recordings that does what no server should: raw HTTP/1.1 on loopback, byte for byte as a script says.

mod answer;

pub use answer::Answer;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use answer::Reply;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request's head is no longer than this.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long it is waited for the other side to take what it was sent, milliseconds.
const TAKEN_WITHIN_MS: u32 = 5_000;

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Position of the first byte asked for, if it was not the whole.
    pub from: Option<usize>,
    /// The `If-Range` header.
    pub if_range: Option<String>,
    /// The `Accept-Encoding` header.
    pub accept_encoding: Option<String>,
}

/// The server. It stops when it is dropped.
#[derive(Debug)]
pub struct Hostile {
    origin: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

/// By recording.
#[derive(Debug, Default)]
struct State {
    scripts: BTreeMap<String, Script>,
    asked: BTreeMap<String, Vec<Asked>>,
}

#[derive(Debug, Default)]
struct Script {
    answers: Vec<Answer>,
    next: usize,
}

impl Hostile {
    /// Starts on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { origin, state, serving }
    }

    /// Where it is: scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Lets a recording be answered like this: the first answer is for who asks for the whole, and each further one for
    /// who goes on to ask for the rest. The last one repeats.
    pub fn script(&self, recording: &str, answers: Vec<Answer>) {
        lock(&self.state).scripts.insert(recording.to_owned(), Script { answers, next: 0 });
    }

    /// The requests for a recording, in their order.
    pub fn asked(&self, recording: &str) -> Vec<Asked> {
        lock(&self.state).asked.get(recording).cloned().unwrap_or_default()
    }

    /// How many requests came in all.
    pub fn requests(&self) -> usize {
        lock(&self.state).asked.values().map(Vec::len).sum()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl State {
    /// Notes a request and decides its reply.
    fn reply(&mut self, recording: &str, asked: Asked) -> Reply {
        let from = asked.from;
        self.asked.entry(recording.to_owned()).or_default().push(asked);
        let Some(script) = self.scripts.get_mut(recording) else {
            return Answer::with("404 Not Found", "", b"").reply(from);
        };
        let at = if from.is_none() { 0 } else { script.next.min(script.answers.len() - 1) };
        script.next = at + 1;
        script.answers[at].reply(from)
    }
}

/// One request on one connection. Who does not want the reply any more goes away: that is no failure.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(head) = read_head(&mut stream).await else { return };
    let (recording, asked) = understand(&head);
    let reply = lock(&state).reply(&recording, asked);
    let _ = send(&mut stream, &reply).await;
    if reply.resets {
        delivered(&stream).await;
        let _ = stream.set_zero_linger();
    }
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The recording in the path, or else the path without its query, and what is asked of it.
fn understand(head: &str) -> (String, Asked) {
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split([' ', '?']).nth(1)).unwrap_or_default();
    let recording = path.split_once("/recording/").map_or(path, |(_, rest)| rest.split('/').next().unwrap_or_default());
    let headers: BTreeMap<String, &str> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    let text = |name: &str| headers.get(name).map(|value| (*value).to_owned());
    let range = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let asked = Asked {
        from: range.map(|from| from.parse().expect("a position")),
        if_range: text("if-range"),
        accept_encoding: text("accept-encoding"),
    };
    (recording.to_owned(), asked)
}

async fn send(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for (n, piece) in reply.pieces().enumerate() {
        if n > 0 {
            tokio::time::sleep(reply.pause).await;
        }
        stream.write_all(piece).await?;
    }
    Ok(())
}

/// Waits until everything sent has arrived: a reset takes back what has not. Only Linux tells; elsewhere a reset comes
/// somewhat earlier in the body.
async fn delivered(stream: &TcpStream) {
    let (Ok(here), Ok(there)) = (stream.local_addr(), stream.peer_addr()) else { return };
    for _ in 0..TAKEN_WITHIN_MS {
        if unacknowledged(here, there).unwrap_or(0) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// How many bytes of a connection the kernel still keeps, in case they must be sent again.
fn unacknowledged(here: SocketAddr, there: SocketAddr) -> Option<u64> {
    let named = |address: SocketAddr| match address {
        SocketAddr::V4(address) => {
            Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port()))
        }
        SocketAddr::V6(_) => None,
    };
    let ends = [named(here)?, named(there)?];
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let mut rows = table.lines().map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    let row = rows.find(|row| row.len() > 3 && row[..2] == ends)?;
    u64::from_str_radix(row[3].split(':').next()?, 16).ok()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
