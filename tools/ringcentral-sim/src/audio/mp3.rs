//! MPEG-1 Layer III, mono, 32 kHz, 64 kbit/s, without an encoder.
//!
//! A frame holds two granules of 576 spectral lines. Ours leave "big values" empty and write a few lines of magnitude
//! one in the "count1" region, where table B gives a quad of lines a fixed four-bit code (the complement of the four
//! magnitudes) followed by one sign bit for each line that is not zero. How loud a one is, `global_gain` says.

use super::melody::{Chord, Melody};

pub(super) const FRAME_BYTES: usize = 288;
const FRAME_MS: u64 = 36;
const GRANULE_MS: u64 = FRAME_MS / 2;
const SIDE_INFO_BITS: usize = 17 * 8;
/// Sync word, MPEG-1, Layer III, no CRC; 64 kbit/s, 32 kHz, no padding; mono, original.
const HEADER: [u8; 4] = [0xFF, 0xFB, 0x58, 0xC4];
const LINE_HZ: f64 = 16_000.0 / 576.0;
const GLOBAL_GAIN: u32 = 196;

pub(super) fn file(melody: &Melody, duration_s: u32) -> Vec<u8> {
    let frames = (u64::from(duration_s) * 1_000).div_ceil(FRAME_MS);
    (0..frames).flat_map(|index| frame(melody, index * FRAME_MS)).collect()
}

/// A stream with these frames, whose first bytes become headers.
pub(super) fn stamped(mut frames: Vec<u8>) -> Vec<u8> {
    for frame in frames.chunks_exact_mut(FRAME_BYTES) {
        frame[..HEADER.len()].copy_from_slice(&HEADER);
    }
    frames
}

fn frame(melody: &Melody, at_ms: u64) -> Vec<u8> {
    let granules = [at_ms, at_ms + GRANULE_MS].map(|at_ms| spectrum(melody.chord_at(at_ms)));
    let side_info = side_info(&granules);
    debug_assert_eq!(side_info.length, SIDE_INFO_BITS);
    let mut main_data = Bits::default();
    for granule in &granules {
        main_data.append(granule);
    }
    let mut bytes = HEADER.to_vec();
    bytes.extend(side_info.bytes);
    bytes.extend(main_data.bytes);
    bytes.resize(FRAME_BYTES, 0);
    bytes
}

fn side_info(granules: &[Bits; 2]) -> Bits {
    let mut bits = Bits::default();
    bits.push(0, 9); // main_data_begin: nothing is borrowed from earlier frames
    bits.push(0, 5); // private bits
    bits.push(0, 4); // scfsi
    for granule in granules {
        bits.push(granule.length as u32, 12); // part2_3_length
        bits.push(0, 9); // big_values
        bits.push(GLOBAL_GAIN, 8);
        bits.push(0, 4); // scalefac_compress: scale factors take no bits
        bits.push(0, 1); // window_switching_flag
        bits.push(0, 3 * 5); // table_select of three regions
        bits.push(0, 4 + 3); // region0_count, region1_count
        bits.push(0, 1); // preflag
        bits.push(0, 1); // scalefac_scale
        bits.push(1, 1); // count1table_select: table B
    }
    bits
}

fn spectrum(chord: Chord) -> Bits {
    let (low, high) = (line_of(chord.low_hz), line_of(chord.high_hz));
    let mut bits = Bits::default();
    for first in (0..=high).step_by(4) {
        let mut magnitudes = 0;
        for line in first..first + 4 {
            magnitudes = magnitudes << 1 | u32::from(line == low || line == high);
        }
        bits.push(!magnitudes & 0b1111, 4);
        bits.push(0, magnitudes.count_ones());
    }
    bits
}

fn line_of(pitch_hz: f64) -> u32 {
    (pitch_hz / LINE_HZ) as u32
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    /// Appends the low `width` bits of `value`, the highest of them first.
    fn push(&mut self, value: u32, width: u32) {
        for place in (0..width).rev() {
            self.push_bit(value >> place & 1 == 1);
        }
    }

    fn append(&mut self, other: &Self) {
        for place in 0..other.length {
            self.push_bit(other.bytes[place / 8] >> (7 - place % 8) & 1 == 1);
        }
    }

    fn push_bit(&mut self, bit: bool) {
        if self.length.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= u8::from(bit) << (7 - self.length % 8);
        }
        self.length += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_starts_with_the_header() {
        let bytes = file(&Melody::of("900000001005"), 4);
        assert_eq!(bytes.len() % FRAME_BYTES, 0);
        assert_eq!(bytes.len() / FRAME_BYTES, 112);
        assert!(bytes.chunks(FRAME_BYTES).all(|frame| frame.starts_with(&HEADER)));
    }

    #[test]
    fn a_decoder_hears_four_seconds_of_sound() {
        let bytes = file(&Melody::of("900000001005"), 4);
        let mut reader = nanomp3::SliceReader::<f32>::new(&bytes);
        assert_eq!(reader.sample_rate(), 32_000);
        let mut samples = Vec::new();
        let mut buffer = vec![0f32; 4_096];
        loop {
            let read = reader.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            samples.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(samples.len(), 112 * 1_152);
        for second in samples.chunks_exact(32_000) {
            let power = second.iter().map(|sample| sample * sample).sum::<f32>() / second.len() as f32;
            assert!((0.000_1..0.5).contains(&power), "power {power}");
        }
    }
}
