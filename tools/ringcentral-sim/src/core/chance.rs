//! Chance that falls the same way every time.

/// What a draw is for. Draws for one purpose do not change those for another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Lag,
    Drop,
    Duplicate,
    DuplicateNewUuid,
    Reorder,
    Delay,
    Outage,
}

/// Chance of one seed.
pub(super) struct Chance {
    pub(super) seed: u64,
}

impl Chance {
    /// Whether the `number`th draw for a purpose falls into a share between 0 and 1.
    pub(super) fn falls(&self, purpose: Purpose, number: u64, share: f64) -> bool {
        const STEPS: u64 = 1 << 53;
        let place = (self.draw(purpose, number) % STEPS) as f64 / STEPS as f64;
        place < share
    }

    /// A number from `first` to `last`.
    pub(super) fn between(&self, purpose: Purpose, number: u64, first: u64, last: u64) -> u64 {
        first + self.draw(purpose, number) % (last.saturating_sub(first).saturating_add(1))
    }

    fn draw(&self, purpose: Purpose, number: u64) -> u64 {
        mix(mix(mix(self.seed) ^ purpose as u64) ^ number)
    }
}

/// Spreads a number over all 64 bits (the finisher of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_kept_and_repeats() {
        let fallen = |seed| (0..10_000).filter(|number| Chance { seed }.falls(Purpose::Drop, *number, 0.3)).count();
        assert!((2_800..3_200).contains(&fallen(1)), "{}", fallen(1));
        assert_eq!(fallen(1), fallen(1));
        assert_ne!(fallen(1), fallen(2));
        assert!((0..1_000).all(|number| Chance { seed: 1 }.falls(Purpose::Drop, number, 1.0)));
        assert!(!(0..1_000).any(|number| Chance { seed: 1 }.falls(Purpose::Drop, number, 0.0)));
    }

    #[test]
    fn a_number_lies_between() {
        let drawn = (0..1_000).map(|number| Chance { seed: 7 }.between(Purpose::Lag, number, 60, 130));
        assert!(drawn.clone().all(|number| (60..=130).contains(&number)));
        assert_eq!((drawn.clone().min(), drawn.max()), (Some(60), Some(130)));
    }
}
