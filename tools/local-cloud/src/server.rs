//! The one HTTP server behind every stand-in.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
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
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // An error here is a client that went away; there is nobody left to tell.
    drop(connection.await);
}
