//! What holds of whole histories: inputs that no random bytes would make, because they must fit together.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod events;
mod keys;
mod permits;
mod sweeps;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same ones in every run.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(8), ..Config::default() }
}

/// Runs what never waits; nothing if it does, and then it is as if it had been killed there.
fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
