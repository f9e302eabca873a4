//! Where the runs of a function are killed, and how many awaits those have that are not.

use std::{cell::RefCell, collections::VecDeque};

/// The awaits of one function's runs.
#[derive(Default)]
pub(crate) struct Awaits {
    /// At which of theirs the next runs are killed.
    dooms: RefCell<VecDeque<u32>>,
    passed: RefCell<Vec<u32>>,
}

impl Awaits {
    /// The next run that has so many awaits is killed at this one, after those that were asked for before.
    pub(crate) fn kill_at(&self, awaits: u32) {
        self.dooms.borrow_mut().push_back(awaits);
    }

    /// The await at which the run that begins now is killed, if it has so many.
    pub(super) fn doom(&self) -> Option<u32> {
        self.dooms.borrow_mut().pop_front()
    }

    /// A run came to its end, though it may have been `doomed`: then the next one is.
    pub(super) fn survived(&self, passed: u32, doomed: Option<u32>) {
        self.passed.borrow_mut().push(passed);
        if let Some(awaits) = doomed {
            self.dooms.borrow_mut().push_front(awaits);
        }
    }

    /// The awaits of the runs that came to their ends, in the order in which they did.
    pub(crate) fn passed(&self) -> Vec<u32> {
        self.passed.borrow().clone()
    }
}
