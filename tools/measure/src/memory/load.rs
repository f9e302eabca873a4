//! What is archived, and how much memory that may take.

/// A small recording that is archived before the load: until the vendor has answered once, the archiver sends one request
/// at a time.
pub(crate) const FIRST: u64 = 9_000;
const FIRST_BYTES: u64 = 100_044;

/// A load: so many bodies of one size, all due at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    /// A backlog of long calls: all of a run's transfers at once.
    Ten115Mb,
    /// One longer than any recording of the vendor's.
    One1Gb,
    /// The size at which another tool was seen to take 658 MiB.
    One300Mib,
    /// As many bodies as are taken at once whose length nobody declares.
    Two300MibUndeclared,
}

impl Load {
    pub(crate) const ALL: [Self; 4] = [Self::Ten115Mb, Self::One1Gb, Self::One300Mib, Self::Two300MibUndeclared];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ten115Mb => "ten_115_mb",
            Self::One1Gb => "one_1_gb",
            Self::One300Mib => "one_300_mib",
            Self::Two300MibUndeclared => "two_300_mib_undeclared",
        }
    }

    /// How many bodies. From ten on the archiver carries ten at once, below that all of them.
    pub(crate) fn bodies(self) -> usize {
        match self {
            Self::Ten115Mb => 10,
            Self::One1Gb | Self::One300Mib => 1,
            Self::Two300MibUndeclared => 2,
        }
    }

    /// The size of each, bytes.
    pub(crate) fn body_bytes(self) -> u64 {
        match self {
            Self::Ten115Mb => 115_000_000,
            Self::One1Gb => 1_000_000_000,
            Self::One300Mib | Self::Two300MibUndeclared => 300 * 1024 * 1024,
        }
    }

    /// Whether the reply says how long the body is; if not, it comes in chunks.
    pub(crate) fn is_declared(self) -> bool {
        match self {
            Self::Ten115Mb | Self::One1Gb | Self::One300Mib => true,
            Self::Two300MibUndeclared => false,
        }
    }

    /// The most resident memory that is promised, MiB.
    pub(crate) fn limit_mib(self) -> f64 {
        match self {
            Self::Ten115Mb => 64.0,
            Self::One1Gb => 40.0,
            Self::One300Mib => 35.0,
            Self::Two300MibUndeclared => 80.0,
        }
    }

    /// The ids of its recordings. A body follows from its id.
    pub(crate) fn recordings(self) -> Vec<u64> {
        (1..=self.bodies() as u64).map(|number| FIRST + number).collect()
    }

    /// The size of a recording there is, bytes.
    pub(crate) fn bytes_of(self, recording: u64) -> Option<u64> {
        let is_first = (recording == FIRST).then_some(FIRST_BYTES);
        is_first.or_else(|| self.recordings().contains(&recording).then(|| self.body_bytes()))
    }
}
