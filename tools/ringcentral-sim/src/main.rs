//! The simulator for whoever writes against RingCentral, in any language.

use clap::Parser;
use ringcentral_sim::server::{Config, ControlServer, SimServer};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, future, io};

/// Runs a simulated RingCentral on 127.0.0.1 until it is interrupted.
///
/// Prints one line for each of its addresses: `platform URL`, `media URL` and `control URL`. An application uses the
/// first two; the third is for who plays fate. README.md of this package says what the control API can do.
#[derive(Parser)]
#[command(name = "ringcentral-sim", version)]
struct Cli {
    /// A JSON file: `settings` that differ from the defaults, `events` that have happened, `days` of calls to come.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Port of the platform, `https://platform.ringcentral.com`; 0: any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port of the media host, `https://media.ringcentral.com`; 0: any.
    #[arg(long, default_value_t = 0)]
    media_port: u16,
    /// Port of the control API; 0: any.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ringcentral-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> io::Result<()> {
    let config = cli.config.as_deref().map(read).transpose()?.unwrap_or_default();
    let simulator = SimServer::start_on(config.settings.clone(), cli.port, cli.media_port).await?;
    simulator.begin(&config);
    println!("platform {}", simulator.platform_url());
    println!("media {}", simulator.media_url());
    let control = ControlServer::start(simulator, cli.control_port).await?;
    println!("control {}", control.url());
    future::pending().await
}

fn read(file: &Path) -> io::Result<Config> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(named)?;
    serde_json::from_str(&text).map_err(|error| named(error.into()))
}
