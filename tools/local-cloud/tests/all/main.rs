//! The stand-ins, reached by the real AWS SDK clients and by a real function.

mod clients;
mod double;
mod dynamodb;
mod function_url;
mod lambda;
mod s3;
mod secrets;
