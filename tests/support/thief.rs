//! A server that waits for what is not meant for it, on loopback: it keeps every byte of every connection.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What it answers once it has read a request's head: nothing is here. With room at the vendor's limit, so that nobody
/// who may come waits for a permit.
const ANSWER: &[u8] = b"HTTP/1.1 404 Not Found\r\nX-Rate-Limit-Group: heavy\r\nX-Rate-Limit-Limit: 1000\r\n\
    X-Rate-Limit-Window: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The server. It stops when it is dropped.
#[derive(Debug)]
pub struct Thief {
    port: u16,
    caught: Arc<Mutex<Caught>>,
    serving: Vec<JoinHandle<()>>,
}

/// What came.
#[derive(Debug, Clone, Default)]
pub struct Caught {
    /// How many connections were made.
    pub connections: usize,
    /// What was sent on them.
    pub bytes: Vec<u8>,
}

impl Caught {
    /// Whether this was among it.
    pub fn holds(&self, text: &str) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

impl Thief {
    /// Starts on a port of its own, of IPv4 and, where the machine has it, IPv6.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let six = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await;
        let caught = Arc::<Mutex<Caught>>::default();
        let serving = [Some(listener), six.ok()].into_iter().flatten();
        let serving = serving.map(|listener| tokio::spawn(listen(listener, Arc::clone(&caught)))).collect();
        Self { port, caught, serving }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is: scheme, host and port.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What has come so far.
    pub fn caught(&self) -> Caught {
        lock(&self.caught).clone()
    }
}

impl Drop for Thief {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

async fn listen(listener: TcpListener, caught: Arc<Mutex<Caught>>) {
    while let Ok((stream, _)) = listener.accept().await {
        lock(&caught).connections += 1;
        tokio::spawn(serve(stream, Arc::clone(&caught)));
    }
}

async fn serve(mut stream: TcpStream, caught: Arc<Mutex<Caught>>) {
    let (mut buffer, mut mine) = ([0; 4096], Vec::new());
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        lock(&caught).bytes.extend_from_slice(&buffer[..length]);
        mine.extend_from_slice(&buffer[..length]);
        if mine.ends_with(b"\r\n\r\n") {
            let _ = stream.write_all(ANSWER).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
