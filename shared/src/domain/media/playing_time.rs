//! How long audio plays, told from its bytes as they pass. What cannot be told is unknown: it is evidence, no condition.

use super::AudioFormat;

/// No call lasts a year: who says so has a strange header.
const LONGEST_MS: u64 = 365 * 24 * 3_600_000;

/// Measures the playing time of a body while its bytes pass, in their order.
#[derive(Debug, Clone)]
pub struct PlayingTime(Meter);

#[derive(Debug, Clone)]
enum Meter {
    Wav(Wav),
    Mp3(Mp3),
}

impl PlayingTime {
    /// Of a body of this format.
    pub fn of(format: AudioFormat) -> Self {
        Self(match format {
            AudioFormat::Wav => Meter::Wav(Wav::default()),
            AudioFormat::Mp3 => Meter::Mp3(Mp3::default()),
        })
    }

    /// Adds the bytes that come next.
    pub fn add(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Meter::Wav(wav) => wav.add(bytes),
            Meter::Mp3(mp3) => mp3.add(bytes),
        }
    }

    /// The playing time of all bytes so far, milliseconds.
    pub fn finish(&self) -> Option<u64> {
        let plays_ms = match &self.0 {
            Meter::Wav(wav) => wav.finish(),
            Meter::Mp3(mp3) => mp3.finish(),
        };
        plays_ms.filter(|plays_ms| *plays_ms < LONGEST_MS)
    }
}

/// Reads something of fixed length that may come in several pieces, after bytes that do not matter.
#[derive(Debug, Clone, Default)]
struct Cursor {
    skip: u64,
    kept: Vec<u8>,
}

impl Cursor {
    /// Takes from `bytes` what is passed over and then up to `wanted` bytes in all; true once they are there.
    fn fill(&mut self, bytes: &mut &[u8], wanted: usize) -> bool {
        let passed = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        *bytes = &bytes[passed..];
        self.skip -= passed as u64;
        if self.skip > 0 {
            return false;
        }
        let taken = wanted.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..taken]);
        *bytes = &bytes[taken..];
        self.kept.len() == wanted
    }
}

/// RIFF/WAVE: chunks of an id, a length and a content. `fmt ` says how many bytes a second has, `data` holds the samples.
#[derive(Debug, Clone, Default)]
struct Wav {
    cursor: Cursor,
    at: WavAt,
    bytes_per_second: u32,
    played_bytes: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum WavAt {
    #[default]
    Riff,
    Chunk,
    Format {
        rest: u64,
    },
    Samples {
        left: u64,
    },
}

impl Wav {
    const RIFF_BYTES: usize = 12;
    const CHUNK_BYTES: usize = 8;
    const FORMAT_BYTES: usize = 16;

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.at = match self.at {
                WavAt::Riff if self.cursor.fill(&mut bytes, Self::RIFF_BYTES) => {
                    self.cursor.kept.clear();
                    WavAt::Chunk
                }
                WavAt::Chunk if self.cursor.fill(&mut bytes, Self::CHUNK_BYTES) => self.enter_chunk(),
                WavAt::Format { rest } if self.cursor.fill(&mut bytes, Self::FORMAT_BYTES) => {
                    let kept = std::mem::take(&mut self.cursor.kept);
                    self.bytes_per_second = u32::from_le_bytes([kept[8], kept[9], kept[10], kept[11]]);
                    self.cursor.skip = rest;
                    WavAt::Chunk
                }
                WavAt::Samples { left } => {
                    let played = left.min(bytes.len() as u64);
                    self.played_bytes += played;
                    bytes = &bytes[usize::try_from(played).unwrap_or(bytes.len())..];
                    if left == played { WavAt::Chunk } else { WavAt::Samples { left: left - played } }
                }
                at @ (WavAt::Riff | WavAt::Chunk | WavAt::Format { .. }) => at,
            };
        }
    }

    fn enter_chunk(&mut self) -> WavAt {
        let kept = std::mem::take(&mut self.cursor.kept);
        let length = u32::from_le_bytes([kept[4], kept[5], kept[6], kept[7]]);
        let padded = u64::from(length) + u64::from(length % 2);
        match &kept[..4] {
            b"fmt " if length >= 16 => WavAt::Format { rest: padded - 16 },
            // Who writes a file while it is spoken does not know its length yet.
            b"data" if length == 0 || length == u32::MAX => WavAt::Samples { left: u64::MAX },
            b"data" => WavAt::Samples { left: length.into() },
            _ => {
                self.cursor.skip = padded;
                WavAt::Chunk
            }
        }
    }

    fn finish(&self) -> Option<u64> {
        (self.played_bytes * 1_000).checked_div(self.bytes_per_second.into())
    }
}

/// MPEG audio, layer III: frames, each with a header that says how long it is and how long it plays, perhaps after a tag.
#[derive(Debug, Clone, Default)]
struct Mp3 {
    cursor: Cursor,
    begun: bool,
    /// After this nothing is read: the bytes are no frames any more.
    lost: bool,
    played_us: u64,
}

impl Mp3 {
    const HEADER_BYTES: usize = 4;
    const TAG_BYTES: usize = 10;

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.lost {
            let wanted = if self.begun { Self::HEADER_BYTES } else { Self::TAG_BYTES };
            if !self.cursor.fill(&mut bytes, wanted) {
                return;
            }
            let kept = std::mem::take(&mut self.cursor.kept);
            let passed = kept.len() as u64;
            if !self.begun && kept.starts_with(b"ID3") {
                self.cursor.skip = kept[6..10].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7F));
            } else {
                match frame(&kept) {
                    Some((length, plays_us)) if length >= passed => {
                        self.played_us += plays_us;
                        self.cursor.skip = length - passed;
                    }
                    Some(_) | None => self.lost = true,
                }
            }
            self.begun = true;
        }
    }

    fn finish(&self) -> Option<u64> {
        (self.played_us > 0).then_some(self.played_us / 1_000)
    }
}

/// Length in bytes and playing time in microseconds of the frame that begins with these bytes.
fn frame(header: &[u8]) -> Option<(u64, u64)> {
    const KBITS_1: [u64; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const KBITS_2: [u64; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const HERTZ: [u64; 3] = [44_100, 48_000, 32_000];
    let [0xFF, kind, rates, ..] = *header else { return None };
    if kind & 0xE6 != 0xE2 {
        return None;
    }
    let hertz = HERTZ.get(usize::from(rates >> 2 & 3))?;
    let index = usize::from(rates >> 4);
    let (samples, kbits, hertz) = match kind >> 3 & 3 {
        3 => (1_152, KBITS_1.get(index)?, *hertz),
        2 => (576, KBITS_2.get(index)?, hertz / 2),
        0 => (576, KBITS_2.get(index)?, hertz / 4),
        _ => return None,
    };
    let length = samples / 8 * kbits * 1_000 / hertz + u64::from(rates >> 1 & 1);
    (*kbits > 0).then_some((length, samples * 1_000_000 / hertz))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(format: AudioFormat, body: &[u8], piece: usize) -> Option<u64> {
        let mut time = PlayingTime::of(format);
        body.chunks(piece).for_each(|bytes| time.add(bytes));
        time.finish()
    }

    /// Two seconds of 8 kHz, 16 bit, with a chunk of odd length before the format.
    fn wav(data_length: u32) -> Vec<u8> {
        let mut body = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x12\0\0\0\x01\0\x01\0".to_vec();
        body.extend(8_000_u32.to_le_bytes());
        body.extend(16_000_u32.to_le_bytes());
        body.extend(*b"\x02\0\x10\0\0\0data");
        body.extend(data_length.to_le_bytes());
        body.extend([7; 32_000]);
        body
    }

    #[test]
    fn a_wave_file_plays_as_long_as_its_samples() {
        let mut tagged = wav(32_000);
        tagged.extend(*b"LIST\x02\0\0\0xy");
        for piece in [1, 7, 4_096, 100_000] {
            assert_eq!(measured(AudioFormat::Wav, &tagged, piece), Some(2_000), "{piece}");
        }
        assert_eq!(measured(AudioFormat::Wav, &wav(64_000), 999), Some(2_000), "what came, not what was promised");
        assert_eq!(measured(AudioFormat::Wav, &wav(u32::MAX), 999), Some(2_000), "a length nobody knew");
        assert_eq!(measured(AudioFormat::Wav, b"RIFF\x24\0\0\0WAVEfmt and samples", 5), None);
    }

    #[test]
    fn who_writes_while_it_is_spoken_knows_no_length_and_a_short_format_is_none() {
        assert_eq!(measured(AudioFormat::Wav, &wav(0), 999), Some(2_000), "a length not yet known");
        assert_eq!(measured(AudioFormat::Wav, &wav(16_000), 999), Some(1_000), "what is behind the samples is none");
        let mut cut = b"RIFF\0\0\0\0WAVEfmt \x0e\0\0\0".to_vec();
        cut.extend([1; 14]);
        cut.extend(&wav(32_000)[12..]);
        assert_eq!(measured(AudioFormat::Wav, &cut, 5), Some(2_000), "it is passed over, and the next one counts");
    }

    #[test]
    fn a_year_is_no_length_of_a_call() {
        let slow = |bytes: usize| {
            let mut head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\x01\0\0\0\0\0\0\0data".to_vec();
            head.extend(u32::MAX.to_le_bytes());
            let mut time = PlayingTime::of(AudioFormat::Wav);
            time.add(&head);
            (0..bytes / 1_000).for_each(|_| time.add(&[0; 1_000]));
            time.add(&vec![0; bytes % 1_000]);
            time.finish()
        };
        assert_eq!(slow(31_535_999), Some(LONGEST_MS - 1_000));
        assert_eq!(slow(31_536_000), None);
    }

    #[test]
    fn every_version_of_mpeg_has_its_frames() {
        for (header, expected) in [
            // 2.5 at 32 kbit/s and 11.025 kHz, 2 at 22.05 kHz, 1 at 48 kHz, without and with a byte of padding.
            (b"\xFF\xE3\x40\xC0", Some((208, 52_244))),
            (b"\xFF\xF3\x40\xC0", Some((104, 26_122))),
            (b"\xFF\xFB\x94\xC0", Some((384, 24_000))),
            (b"\xFF\xFB\x96\xC0", Some((385, 24_000))),
            (b"\xFF\xFB\x92\xC0", Some((418, 26_122))),
            // No version, no bit rate, a free one, no sample rate, another layer.
            (b"\xFF\xEB\x40\xC0", None),
            (b"\xFF\xFB\xF0\xC0", None),
            (b"\xFF\xFB\x00\xC0", None),
            (b"\xFF\xFB\x9C\xC0", None),
            (b"\xFF\xFD\x90\xC0", None),
        ] {
            assert_eq!(frame(header), expected, "{header:x?}");
        }
    }

    #[test]
    fn a_long_tag_is_passed_over_and_one_between_frames_ends_them() {
        let mut frame = vec![0; 288];
        frame[..4].copy_from_slice(b"\xFF\xF3\x88\xC0");
        // The highest bit of each of the four bytes does not count: 1 * 128 * 128 + 3 * 128 + 5.
        let tagged = [b"ID3\x04\0\0\x80\x81\x83\x85".as_slice(), &[9; 16_773], &frame.repeat(50)].concat();
        assert_eq!(measured(AudioFormat::Mp3, &tagged, 700), Some(1_800));
        let after = [frame.as_slice(), b"TAG and a title.", &frame].concat();
        assert_eq!(measured(AudioFormat::Mp3, &after, 64), Some(36));
        let between = [frame.as_slice(), b"ID3\x04\0\0\0\0\0\x05", &[9; 5], &frame].concat();
        assert_eq!(measured(AudioFormat::Mp3, &between, 64), Some(36));
    }

    #[test]
    fn an_mp3_file_plays_as_long_as_its_frames() {
        // MPEG-2, 64 kbit/s, 16 kHz: 288 bytes, 36 ms; then MPEG-1, 128 kbit/s, 44.1 kHz: 417 bytes, 26.122 ms.
        let frames = |header: &[u8; 4], length: usize, number: usize| {
            let mut frame = vec![0; length];
            frame[..4].copy_from_slice(header);
            frame.repeat(number)
        };
        let slow = frames(b"\xFF\xF3\x88\xC0", 288, 100);
        let fast = frames(b"\xFF\xFB\x90\xC0", 417, 100);
        let tagged = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[9; 130], &slow].concat();
        for piece in [1, 10, 287, 100_000] {
            assert_eq!(measured(AudioFormat::Mp3, &slow, piece), Some(3_600), "{piece}");
            assert_eq!(measured(AudioFormat::Mp3, &tagged, piece), Some(3_600), "{piece}");
            assert_eq!(measured(AudioFormat::Mp3, &fast, piece), Some(2_612), "{piece}");
        }
        let closed = [slow.as_slice(), b"TAG and a title"].concat();
        assert_eq!(measured(AudioFormat::Mp3, &closed, 64), Some(3_600), "what follows the frames is none");
        assert_eq!(measured(AudioFormat::Mp3, b"no frames at all", 64), None);
    }
}
