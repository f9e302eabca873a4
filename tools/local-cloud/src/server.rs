//! The one HTTP server behind every stand-in.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex};

use axum::{Extension, Router};
use futures_util::future::select;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use crate::StartError;
use crate::sync::lock;

/// `None` once stopped.
type Connections = Arc<Mutex<Option<JoinSet<()>>>>;

/// An HTTP/1.1 server on a loopback port.
///
/// Not `axum::serve`, whose connections outlive it: SDK clients keep theirs open, and a store that is down must not
/// answer on them either.
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
    connections: Connections,
}

impl Server {
    /// Listens, and serves `router` from now on.
    pub(crate) async fn start(service: &'static str, router: Router) -> Result<Self, StartError> {
        let (listener, address) = listen(service).await?;
        let connections = Connections::new(Mutex::new(Some(JoinSet::new())));
        let accepting = tokio::spawn(accept(listener, router, Arc::clone(&connections))).abort_handle();
        Ok(Self { address, accepting, connections })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection, in the middle of a request too, and takes no more.
    pub(crate) fn stop(&self) {
        self.accepting.abort();
        drop(lock(&self.connections).take());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The connection of a request, among its extensions.
#[derive(Clone, Default)]
pub(crate) struct Connection(Arc<Notify>);

impl Connection {
    /// Cuts it, and with it whoever awaits this.
    pub(crate) async fn cut(&self) {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Binds a loopback port of the system's choosing, for `service`.
pub(crate) async fn listen(service: &'static str) -> Result<(TcpListener, SocketAddr), StartError> {
    let bind = async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        io::Result::Ok((listener, address))
    };
    bind.await.map_err(|source| StartError::Listen { service, source })
}

async fn accept(listener: TcpListener, router: Router, connections: Connections) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let mut connections = lock(&connections);
        let Some(connections) = connections.as_mut() else {
            return;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, router.clone()));
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Small replies must not wait for the client's delayed acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = Connection::default();
    let service = TowerToHyperService::new(router.layer(Extension(connection.clone())));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error here is a client that went away; there is nobody left to tell.
    drop(select(pin!(serving), pin!(connection.0.notified())).await);
}
