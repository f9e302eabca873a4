//! The stand-ins, reached by the real AWS SDK clients and by a real function.

#![expect(clippy::unwrap_used, reason = "clippy sees tests in test functions, not in what they share")]

mod clients;
mod double;
mod dynamodb;
mod function_url;
mod iam;
mod lambda;
mod s3;
mod secrets;
