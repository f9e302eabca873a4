//! Real, playable audio made in code: a short melody that belongs to one recording id.

mod melody;
mod mp3;
mod sketch;
mod wav;

use crate::world::AudioFormat;
use melody::Melody;

pub use sketch::sketch;
pub use wav::header as wav_header;

/// Makes the whole file of a recording: the same bytes for the same arguments, other bytes for another id.
///
/// WAV is PCM, 8 kHz, 16 bit, mono; MP3 is MPEG-1 Layer III, 32 kHz, mono, 64 kbit/s. An MP3 lasts a whole number of
/// 36 ms frames, so it may be up to 35 ms longer than `duration_s` seconds. Sizes are those of API.md §8.
pub fn file(recording_id: &str, format: AudioFormat, duration_s: u32) -> Vec<u8> {
    let melody = Melody::of(recording_id);
    match format {
        AudioFormat::Wav => wav::file(&melody, duration_s),
        AudioFormat::Mp3 => mp3::file(&melody, duration_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_sounds_different_and_always_the_same() {
        for format in [AudioFormat::Wav, AudioFormat::Mp3] {
            let one = file("900000001005", format, 3);
            assert_eq!(one, file("900000001005", format, 3));
            assert_ne!(one, file("900000001006", format, 3));
        }
    }
}
