//! The simulator behind two HTTP origins on loopback. The clock and the network are here and nowhere else.

mod config;
mod control;
mod deliver;
mod drive;
mod http;

pub use config::{Config, DayOrder};
pub use control::ControlServer;
pub use deliver::DeliveryResult;

use crate::core::{Origin, Origins, Simulator};
use crate::settings::Settings;
use futures_util::future::join_all;
use reqwest::redirect;
use serde_json::Value;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// A running simulator. What happens by itself happens at its time, and notifications are sent. It stops when it is
/// dropped.
pub struct SimServer {
    shared: Arc<Shared>,
    origins: Origins,
    /// Dropping it tells both origins to close.
    _running: watch::Sender<()>,
}

/// What both origins and the deliveries share.
struct Shared {
    simulator: Mutex<Simulator>,
    client: reqwest::Client,
    /// Somebody looked at the simulator: what happens next may happen sooner.
    touched: Notify,
}

impl SimServer {
    /// Listens on two free ports of 127.0.0.1. Needs a Tokio runtime.
    ///
    /// # Errors
    /// The ports'.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::start_on(settings, 0, 0).await
    }

    /// Listens on these two ports of 127.0.0.1; 0 is any. Needs a Tokio runtime.
    ///
    /// # Errors
    /// The ports'.
    pub async fn start_on(settings: Settings, platform_port: u16, media_port: u16) -> io::Result<Self> {
        let platform = TcpListener::bind((Ipv4Addr::LOCALHOST, platform_port)).await?;
        let media = TcpListener::bind((Ipv4Addr::LOCALHOST, media_port)).await?;
        let origins = Origins {
            platform: format!("http://{}", platform.local_addr()?),
            media: format!("http://{}", media.local_addr()?),
        };
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy().build();
        let shared = Arc::new(Shared {
            simulator: Mutex::new(Simulator::new(settings, origins.clone())),
            client: client.map_err(io::Error::other)?,
            touched: Notify::new(),
        });
        let (running, stopped) = watch::channel(());
        http::serve(platform, Origin::Platform, shared.clone(), stopped.clone());
        http::serve(media, Origin::Media, shared.clone(), stopped.clone());
        drive::start(shared.clone(), stopped);
        Ok(Self { shared, origins, _running: running })
    }

    /// Base URL that stands for `https://platform.ringcentral.com`, without a trailing slash.
    pub fn platform_url(&self) -> &str {
        &self.origins.platform
    }

    /// Base URL that stands for `https://media.ringcentral.com`, without a trailing slash.
    pub fn media_url(&self) -> &str {
        &self.origins.media
    }

    /// Looks at the simulator, or changes it. No request is answered meanwhile.
    pub fn with<T>(&self, act: impl FnOnce(&mut Simulator) -> T) -> T {
        self.shared.with(act)
    }

    /// [`Simulator::learn`] at the present time.
    pub fn learn(&self, event: &Value) {
        self.with(|simulator| simulator.learn(event, now_ms()));
    }

    /// Sends an event to every subscription that hears it, all at once, and waits for their answers. Failures count as
    /// [`Simulator::delivered`] says. The world learns nothing from it: see [`SimServer::learn`].
    pub async fn deliver(&self, event: &Value) -> Vec<DeliveryResult> {
        let deliveries = self.with(|simulator| simulator.deliveries(event, now_ms()));
        join_all(deliveries.into_iter().map(|delivery| deliver::one(&self.shared, delivery))).await
    }
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut Simulator) -> T) -> T {
        let result = self.quietly(act);
        self.touched.notify_one();
        result
    }

    /// [`Shared::with`] of the one who is told of every touch.
    fn quietly<T>(&self, act: impl FnOnce(&mut Simulator) -> T) -> T {
        act(&mut self.simulator.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
