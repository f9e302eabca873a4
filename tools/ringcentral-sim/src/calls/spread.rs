//! Chance that is spread evenly: what has a share of a tenth befalls three or so of thirty, not none and not nine.

use fastrand::Rng;

/// The powers of 1/g, where g is the root of x⁴ = x + 1: steps whose multiples, taken modulo 1, fill the unit cube evenly.
const STEPS: [f64; 3] = [0.819_172_513_396_164_5, 0.671_043_606_703_789_3, 0.549_700_477_901_970_3];

/// Points of the unit cube, one after another.
pub(super) struct Spread([f64; 3]);

impl Spread {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self([rng.f64(), rng.f64(), rng.f64()])
    }

    pub(super) fn next(&mut self) -> [f64; 3] {
        for (place, step) in self.0.iter_mut().zip(STEPS) {
            *place = (*place + step).fract();
        }
        self.0
    }
}

/// The thing whose share a place in `[0, 1)` falls into, if it falls into one.
pub(super) fn pick<T: Copy>(place: f64, shares: &[(f64, T)]) -> Option<T> {
    let mut upper = 0.0;
    let hit = shares.iter().find(|(share, _)| {
        upper += share;
        place < upper
    });
    hit.map(|(_, thing)| *thing)
}
