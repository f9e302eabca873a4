//! What a failed call means for its caller.

use std::time::Duration;

/// Asked of every failure: can it work next time, and might it already have happened?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It did not happen and may work later; not before the hint, where the other side gave one.
    Transient {
        /// The other side's own word on when to come back.
        retry_after: Option<Duration>,
    },
    /// It may or may not have happened: read back before writing again.
    Indeterminate,
    /// It did not happen and never will as it is.
    Permanent,
}
