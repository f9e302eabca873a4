//! Numbers with what is promised of them.

/// Something measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// A word for it.
    pub name: &'static str,
    /// How much.
    pub value: f64,
    /// What several measurements come to.
    pub worst: Worst,
    /// What it may not pass: from above where the least is worst, else from below. `None`: nothing is promised.
    pub bound: Option<f64>,
}

/// Which of several values counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worst {
    /// The least.
    Least,
    /// The greatest.
    Greatest,
    /// All together.
    Sum,
}

impl Figure {
    /// Promised to be no less than `bound`.
    pub(super) fn at_least(name: &'static str, bound: f64, value: f64) -> Self {
        Self { name, value, worst: Worst::Least, bound: Some(bound) }
    }

    /// Promised to be no more than `bound`.
    pub(super) fn at_most(name: &'static str, bound: f64, value: f64) -> Self {
        Self { name, value, worst: Worst::Greatest, bound: Some(bound) }
    }

    /// Promised never to happen.
    pub(super) fn never(name: &'static str, times: usize) -> Self {
        Self { name, value: times as f64, worst: Worst::Sum, bound: Some(0.0) }
    }

    /// Only told.
    pub(super) fn told(name: &'static str, worst: Worst, value: f64) -> Self {
        Self { name, value, worst, bound: None }
    }

    /// Whether it is as promised.
    pub fn holds(&self) -> bool {
        self.bound.is_none_or(|bound| match self.worst {
            Worst::Least => self.value >= bound,
            Worst::Greatest | Worst::Sum => self.value <= bound,
        })
    }

    /// Takes in the same figure of another seed.
    pub fn meet(&mut self, other: &Self) {
        self.value = match self.worst {
            Worst::Least => self.value.min(other.value),
            Worst::Greatest => self.value.max(other.value),
            Worst::Sum => self.value + other.value,
        };
    }
}
