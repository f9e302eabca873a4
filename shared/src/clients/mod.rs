//! Adapters: the ports over the real AWS, RingCentral and the system.

pub mod aws;
pub mod dynamodb;
pub mod ringcentral;
pub mod s3;
pub mod secrets;
pub mod system;
