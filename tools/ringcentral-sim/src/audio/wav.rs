//! RIFF/WAVE, PCM, 8 kHz, 16 bit, mono.

use super::melody::Melody;
use std::f64::consts::TAU;

const SAMPLE_RATE_HZ: u32 = 8_000;
const BYTES_PER_SAMPLE: u16 = 2;
const AMPLITUDE: f64 = 7_000.0;

pub(super) const HEADER_BYTES: usize = 44;

pub(super) fn file(melody: &Melody, duration_s: u32) -> Vec<u8> {
    let samples = SAMPLE_RATE_HZ * duration_s;
    let data_bytes = samples * u32::from(BYTES_PER_SAMPLE);
    let mut bytes = header(data_bytes);
    bytes.reserve(data_bytes as usize);
    for index in 0..samples {
        bytes.extend(sample(melody, index).to_le_bytes());
    }
    bytes
}

/// A file with these samples.
pub(super) fn around(data: Vec<u8>) -> Vec<u8> {
    let mut bytes = header(data.len() as u32);
    bytes.extend(data);
    bytes
}

/// The head of a file with so many bytes of samples: PCM, 8 kHz, 16 bit, mono.
pub fn header(data_bytes: u32) -> Vec<u8> {
    const FORMAT_CHUNK_BYTES: u32 = 16;
    const PCM: u16 = 1;
    const CHANNELS: u16 = 1;
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(b"RIFF");
    bytes.extend((36 + data_bytes).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(FORMAT_CHUNK_BYTES.to_le_bytes());
    bytes.extend(PCM.to_le_bytes());
    bytes.extend(CHANNELS.to_le_bytes());
    bytes.extend(SAMPLE_RATE_HZ.to_le_bytes());
    bytes.extend((SAMPLE_RATE_HZ * u32::from(BYTES_PER_SAMPLE)).to_le_bytes());
    bytes.extend(BYTES_PER_SAMPLE.to_le_bytes());
    bytes.extend((BYTES_PER_SAMPLE * 8).to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes
}

fn sample(melody: &Melody, index: u32) -> i16 {
    let at_s = f64::from(index) / f64::from(SAMPLE_RATE_HZ);
    let chord = melody.chord_at(u64::from(index) * 1_000 / u64::from(SAMPLE_RATE_HZ));
    let wave = (TAU * chord.low_hz * at_s).sin() + (TAU * chord.high_hz * at_s).sin();
    (AMPLITUDE * wave) as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_decoder_hears_two_seconds_of_sound() {
        let bytes = file(&Melody::of("900000001005"), 2);
        let reader = hound::WavReader::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(
            reader.spec(),
            hound::WavSpec {
                channels: 1,
                sample_rate: 8_000,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int
            }
        );
        let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        assert_eq!(samples.len(), 16_000);
        assert!(samples.iter().any(|sample| sample.unsigned_abs() > 10_000));
        assert_eq!(bytes.len(), 44 + 32_000);
    }
}
