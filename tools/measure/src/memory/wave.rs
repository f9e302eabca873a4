//! A recording of any length, made piece by piece.

use bytes::Bytes;
use fastrand::Rng;
use ringcentral_sim::audio::wav_header;

const HEADER_BYTES: u64 = 44;
const PIECE_BYTES: u64 = 64 * 1024;

/// The pieces of a RIFF/WAVE file, 8 kHz, 16 bit, mono: noise, which no two places of a file share. The same seed makes
/// the same noise.
pub(super) struct Wave {
    noise: Rng,
    size_bytes: u64,
    left_bytes: u64,
}

impl Wave {
    /// A file of `size_bytes` in all: at least its header, below 4 GiB.
    pub(super) fn new(seed: u64, size_bytes: u64) -> Self {
        Self { noise: Rng::with_seed(seed), size_bytes, left_bytes: size_bytes }
    }

    /// How much is still to come, bytes.
    pub(super) fn left_bytes(&self) -> u64 {
        self.left_bytes
    }
}

impl Iterator for Wave {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let piece = if self.left_bytes == self.size_bytes {
            wav_header(u32::try_from(self.size_bytes - HEADER_BYTES).unwrap_or(u32::MAX))
        } else {
            let mut noise = vec![0; self.left_bytes.min(PIECE_BYTES) as usize];
            self.noise.fill(&mut noise);
            noise
        };
        self.left_bytes -= piece.len() as u64;
        (!piece.is_empty()).then(|| piece.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(seed: u64, size_bytes: u64) -> Vec<u8> {
        Wave::new(seed, size_bytes).flatten().collect()
    }

    #[test]
    fn a_file_is_as_long_as_asked_and_says_so() {
        for size_bytes in [44, 45, 200_044] {
            let file = file(1, size_bytes);
            assert_eq!(file.len() as u64, size_bytes);
            assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
            let number = |at: usize| u64::from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap()));
            assert_eq!((number(4), number(24), number(40)), (size_bytes - 8, 8_000, size_bytes - 44));
        }
    }

    #[test]
    fn the_noise_follows_from_the_seed_and_does_not_repeat() {
        let one = file(1, 300_000);
        assert_eq!(one, file(1, 300_000));
        assert_ne!(one, file(2, 300_000));
        let pieces: Vec<_> = one[44..].chunks_exact(PIECE_BYTES as usize).collect();
        assert!(pieces.windows(2).all(|two| two[0] != two[1]));
    }
}
