//! The parts of AWS that Ringvault stands on, on loopback and inside one process: DynamoDB, S3, Secrets Manager
//! and the Lambda Runtime API. No container, no Java, no network.
//!
//! For demos, replays and tests. The Lambda crates never depend on it.
//!
//! Every server binds a port of its own choosing, refuses connections once stopped, and stops when it is dropped.
//! A real AWS SDK client reaches each with its `endpoint()`, [`REGION`] and a key pair: the
//! administrator's, [`ACCESS_KEY_ID`] and [`SECRET_ACCESS_KEY`], or that of a role ([`iam::Iam::add`]).

pub mod arn;
pub mod binaries;
pub mod dynamodb;
pub mod function_url;
pub mod iam;
mod ids;
pub mod lambda;
pub mod s3;
pub mod secrets;
mod server;
mod sync;

use std::io;
use std::path::PathBuf;

/// The access key id of the administrator, who may do everything.
pub const ACCESS_KEY_ID: &str = "AKIALOCALCLOUD000000";
/// The secret that belongs to every access key id. S3 checks signatures made with it.
pub const SECRET_ACCESS_KEY: &str = "local-cloud-secret-access-key";
/// The region of everything here.
pub const REGION: &str = "us-east-1";
/// The account that owns everything here.
pub const ACCOUNT_ID: &str = "000000000000";

/// Why a stand-in did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No loopback port.
    #[error("could not listen on 127.0.0.1 for {service}; check that this machine allows loopback listeners")]
    Listen {
        /// What was to listen.
        service: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The folder for objects cannot be used.
    #[error("could not use the folder {path} for objects; choose one that can be written", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database did not open.
    #[error("could not open the in-memory database")]
    Database(#[source] dynoxide::errors::DynoxideError),
    /// The client that carries requests from the gate to the database was not made.
    #[error("could not make the HTTP client of the DynamoDB gate")]
    Client(#[source] reqwest::Error),
}
