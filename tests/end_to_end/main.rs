//! The function binaries, from event to object: the real Lambda Runtime API protocol, the real AWS SDKs on the wire.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod archiver;
mod bodies;
mod bucket;
mod completeness;
mod demo;
mod endings;
mod event_files;
mod grants;
mod hostile;
mod hybrid;
mod orders;
mod reconcile;
mod replay;
mod reports;
mod secrecy;
mod start;
mod store_down;
mod stream;
mod subscription;
mod uploads;
mod watching;
mod webhook;
