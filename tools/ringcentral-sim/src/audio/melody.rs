//! Which two tones sound when.

use sha2::{Digest, Sha256};

const NOTE_MS: u64 = 240;
const LOWEST_HZ: f64 = 220.0;
const INTERVALS_SEMITONES: [u8; 4] = [4, 5, 7, 12];

/// A melody in two voices, drawn from the digest of a recording id.
pub(super) struct Melody {
    digest: [u8; 32],
}

/// What sounds at one moment.
#[derive(Clone, Copy)]
pub(super) struct Chord {
    pub(super) low_hz: f64,
    pub(super) high_hz: f64,
}

impl Melody {
    pub(super) fn of(recording_id: &str) -> Self {
        Self { digest: Sha256::digest(recording_id).into() }
    }

    pub(super) fn chord_at(&self, at_ms: u64) -> Chord {
        let place = (at_ms / NOTE_MS) % self.digest.len() as u64;
        let byte = self.digest[place as usize];
        let low = byte % 24;
        let high = low + INTERVALS_SEMITONES[usize::from(byte / 64)];
        Chord { low_hz: pitch_hz(low), high_hz: pitch_hz(high) }
    }
}

fn pitch_hz(semitones: u8) -> f64 {
    LOWEST_HZ * 2f64.powf(f64::from(semitones) / 12.0)
}
