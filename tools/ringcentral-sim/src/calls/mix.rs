//! Which kinds of calls a day has.

use fastrand::Rng;

/// A kind of call (API.md §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A customer is led to an agent by a voice menu and put on hold once.
    Ivr,
    /// A customer calls an agent.
    Inbound,
    /// An agent calls a customer.
    Outbound,
    /// A customer waits in a queue; the first agent does not answer, the second does.
    Queue,
    /// The first agent hands the customer on without a word: two recordings in one session.
    BlindTransfer,
    /// The first agent asks the second in another session and hands the customer over to it.
    AttendedTransfer,
    /// An agent takes a customer into a conference, which is another session, with `sessionId` `"0"`.
    Conference,
    /// The first agent parks the customer, the second picks up in another session.
    Park,
    /// The agent starts and stops recording by hand: several recordings of one party.
    OnDemand,
    /// Recording is paused and taken up again.
    Paused,
    /// Nobody answers, and the caller speaks to the voice mail.
    Voicemail,
    /// Nobody answers.
    Missed,
    /// A talk below the vendor's minimum, announced as recorded.
    TooShort,
}

impl Shape {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::Ivr,
        Self::Inbound,
        Self::Outbound,
        Self::Queue,
        Self::BlindTransfer,
        Self::AttendedTransfer,
        Self::Conference,
        Self::Park,
        Self::OnDemand,
        Self::Paused,
        Self::Voicemail,
        Self::Missed,
        Self::TooShort,
    ];
}

/// How many calls of each kind there are in a round; rounds follow one another until the day is full.
#[derive(Clone, Debug)]
pub struct Mix([(Shape, u32); Shape::ALL.len()]);

impl Mix {
    /// No calls at all, to be added to.
    pub fn none() -> Self {
        Self(Shape::ALL.map(|shape| (shape, 0)))
    }

    /// The same, with this many calls of a kind in a round.
    pub fn with(mut self, shape: Shape, calls: u32) -> Self {
        for (known, count) in &mut self.0 {
            if *known == shape {
                *count = calls;
            }
        }
        self
    }

    pub(super) fn deck(&self) -> Deck {
        let round = self.0.iter().flat_map(|(shape, calls)| std::iter::repeat_n(*shape, *calls as usize)).collect();
        Deck { round, left: Vec::new() }
    }
}

impl Default for Mix {
    /// A round of 22 calls with each kind in it.
    fn default() -> Self {
        Self(Shape::ALL.map(|shape| match shape {
            Shape::Inbound | Shape::Outbound => (shape, 3),
            Shape::Ivr | Shape::Queue | Shape::BlindTransfer | Shape::OnDemand | Shape::TooShort => (shape, 2),
            Shape::AttendedTransfer
            | Shape::Conference
            | Shape::Park
            | Shape::Paused
            | Shape::Voicemail
            | Shape::Missed => (shape, 1),
        }))
    }
}

/// Deals the kinds of a round in random order, then those of the next: a short day is varied too.
pub(super) struct Deck {
    round: Vec<Shape>,
    left: Vec<Shape>,
}

impl Deck {
    pub(super) fn deal(&mut self, rng: &mut Rng) -> Option<Shape> {
        if self.left.is_empty() {
            self.left.extend(&self.round);
            rng.shuffle(&mut self.left);
        }
        self.left.pop()
    }
}
