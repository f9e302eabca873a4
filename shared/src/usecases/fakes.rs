//! A table, a bucket, a vendor and a clock for the tests of use cases: each does what it is asked at once, unless it was
//! told to fail. Those of `tests/simulation` stand on this library as others see it: its own unit tests are compiled with
//! other types of the same names, and cannot use them.

mod bucket;
mod table;
mod vendor;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

pub(crate) use bucket::Bucket;
pub(crate) use table::{Kept, Table};
pub(crate) use vendor::{Gives, Vendor, WAV, page, silent};

use crate::{
    domain::{ladder::Ladder, session::Schedule},
    ports::clock::{Chance, Clock},
};

/// Calls that are to fail, by how they begin, and how; each as often as it stands here.
pub(crate) type Failures<E> = RefCell<Vec<(&'static str, fn() -> E)>>;

/// The failure that `call` is to meet, if there is one.
pub(crate) fn failure<E>(failures: &Failures<E>, call: &str) -> Result<(), E> {
    let mut failures = failures.borrow_mut();
    let at = failures.iter().position(|(begins, _)| call.starts_with(begins));
    at.map_or(Ok(()), |at| Err(failures.remove(at).1()))
}

/// A clock that jumps to the next time somebody waits for when nothing else is left to do.
#[derive(Debug, Default)]
pub(crate) struct Jumping {
    now_ms: Cell<u64>,
    waits: RefCell<Vec<(u64, Waker)>>,
}

impl Jumping {
    pub(crate) fn at(now_ms: u64) -> Self {
        Self { now_ms: Cell::new(now_ms), waits: RefCell::default() }
    }

    /// Does it, however long it takes.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            if !woken.0.swap(false, Ordering::Relaxed) {
                self.jump();
            }
        }
    }

    fn jump(&self) {
        let mut waits = self.waits.borrow_mut();
        let next_ms = waits.iter().map(|(until_ms, _)| *until_ms).min().expect("it waits for nothing");
        self.now_ms.set(next_ms);
        waits.extract_if(.., |(until_ms, _)| *until_ms <= next_ms).for_each(|(_, waker)| waker.wake());
    }
}

/// Whether somebody has something to do without the clock.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Clock for Jumping {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    async fn sleep(&self, duration: Duration) {
        let until_ms = self.now_ms() + u64::try_from(duration.as_millis()).unwrap();
        poll_fn(|context| {
            if self.now_ms() >= until_ms {
                return Poll::Ready(());
            }
            self.waits.borrow_mut().push((until_ms, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

impl Chance for Jumping {
    fn next(&self) -> f64 {
        0.5
    }
}

/// A minute and two between attempts, a quarter of an hour of quiet.
pub(crate) fn schedule() -> Schedule {
    Schedule {
        first_attempt_delay: Duration::from_secs(60),
        ladder: Ladder::new([60, 120].map(Duration::from_secs).to_vec()).unwrap(),
        quiet_period: Duration::from_secs(900),
        unlisted_after: Duration::from_secs(3_600),
        row_ttl: Duration::ZERO,
    }
}
