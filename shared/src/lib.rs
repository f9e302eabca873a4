//! The library every Ringvault function and tool stands on.
//!
//! Imports run one way: `usecases`, `clients`, `config` and `telemetry` → `ports` → `domain`. [`failure`] and [`secret`]
//! are words everybody uses. `domain` is pure; no SDK, HTTP or Lambda type is named in `domain`, `ports` or `usecases`.

pub mod clients;
pub mod config;
pub mod domain;
pub mod failure;
pub mod ports;
pub mod secret;
pub mod telemetry;
pub mod usecases;
