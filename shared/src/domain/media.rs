//! Which audio a body is: what the server says, confirmed by the first bytes.

mod playing_time;

pub use playing_time::PlayingTime;

/// An audio format RingCentral delivers recordings in (API.md §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioFormat {
    /// MPEG audio, layer III.
    Mp3,
    /// RIFF/WAVE.
    Wav,
}

/// How many first bytes decide; a body that is shorter is no recording.
pub const SNIFF_BYTES: usize = 12;

/// Why a body is not taken for a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAudio {
    /// The server names a type that is not a recording's.
    #[error("the content type is not audio/mpeg or audio/wav")]
    Type,
    /// The first bytes are neither MPEG audio nor RIFF/WAVE, or too few.
    #[error("the first bytes are neither MPEG audio nor RIFF/WAVE")]
    Bytes,
    /// Both are audio, but not the same.
    #[error("the content type and the first bytes name different formats")]
    Disagree,
}

impl AudioFormat {
    /// The file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
        }
    }

    /// The media type the object is stored with.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
        }
    }

    /// Decides the format from the `Content-Type` header, parameters and aliases allowed (API.md §8), and the first
    /// [`SNIFF_BYTES`] bytes. A missing or generic type leaves the decision to the bytes.
    ///
    /// # Errors
    /// Says which of the two is wrong, or that they disagree.
    pub fn identify(content_type: Option<&str>, first: &[u8]) -> Result<Self, NotAudio> {
        let declared = match content_type {
            None => None,
            Some(header) => Self::declared(header)?,
        };
        let found = Self::sniff(first).ok_or(NotAudio::Bytes)?;
        match declared {
            Some(declared) if declared != found => Err(NotAudio::Disagree),
            Some(_) | None => Ok(found),
        }
    }

    /// The format a `Content-Type` header names; none if it is a generic type.
    ///
    /// # Errors
    /// It names a type that is not a recording's.
    pub fn declared(header: &str) -> Result<Option<Self>, NotAudio> {
        let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "audio/mpeg" | "audio/mp3" | "audio/mpeg3" | "audio/x-mpeg" | "audio/x-mp3" => Ok(Some(Self::Mp3)),
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Ok(Some(Self::Wav)),
            "application/octet-stream" | "binary/octet-stream" => Ok(None),
            _ => Err(NotAudio::Type),
        }
    }

    fn sniff(first: &[u8]) -> Option<Self> {
        let first = first.get(..SNIFF_BYTES)?;
        if &first[..4] == b"RIFF" && &first[8..12] == b"WAVE" {
            return Some(Self::Wav);
        }
        let tagged = &first[..3] == b"ID3";
        let [sync, version_and_layer, rates] = [first[0], first[1], first[2]];
        // Frame sync, a defined version, layer III, and neither the forbidden bit rate nor sample rate.
        let frame = sync == 0xFF
            && version_and_layer & 0xE0 == 0xE0
            && version_and_layer & 0x18 != 0x08
            && version_and_layer & 0x06 == 0x02
            && rates & 0xF0 != 0xF0
            && rates & 0x0C != 0x0C;
        (tagged || frame).then_some(Self::Mp3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";
    const MP3: &[u8] = b"\xFF\xFB\x90\xC0\0\0\0\0\0\0\0\0";
    const TAGGED: &[u8] = b"ID3\x04\0\0\0\0\0\0\0\0";

    #[test]
    fn aliases_and_parameters() {
        for (header, first, format) in [
            (Some("audio/mpeg"), MP3, AudioFormat::Mp3),
            (Some("Audio/MP3; charset=binary"), TAGGED, AudioFormat::Mp3),
            (Some("audio/x-wav"), WAV, AudioFormat::Wav),
            (Some(" audio/wav ;codec=1"), WAV, AudioFormat::Wav),
            (Some("application/octet-stream"), WAV, AudioFormat::Wav),
            (None, MP3, AudioFormat::Mp3),
        ] {
            assert_eq!(AudioFormat::identify(header, first), Ok(format), "{header:?}");
        }
    }

    #[test]
    fn error_pages_and_lies_are_refused() {
        for (case, header, first, why) in [
            ("html with 200", Some("text/html"), &b"<html><body>"[..], NotAudio::Type),
            ("json as audio", Some("audio/mpeg"), b"{\"errorCode\":", NotAudio::Bytes),
            ("empty", Some("audio/mpeg"), b"", NotAudio::Bytes),
            ("eleven bytes", Some("audio/wav"), &WAV[..11], NotAudio::Bytes),
            ("wav as mpeg", Some("audio/mpeg"), WAV, NotAudio::Disagree),
            ("a film", None, b"RIFF\x24\0\0\0AVI LIST", NotAudio::Bytes),
            ("something called WAVE", None, b"RAFF\x24\0\0\0WAVEfmt ", NotAudio::Bytes),
            ("no version of MPEG", None, b"\xFF\xEB\x90\xC0\0\0\0\0\0\0\0\0", NotAudio::Bytes),
            ("layer II", None, b"\xFF\xFD\x90\xC0\0\0\0\0\0\0\0\0", NotAudio::Bytes),
            ("no bit rate", None, b"\xFF\xFB\xF0\xC0\0\0\0\0\0\0\0\0", NotAudio::Bytes),
            ("no sample rate", None, b"\xFF\xFB\x9C\xC0\0\0\0\0\0\0\0\0", NotAudio::Bytes),
            ("all ones", None, b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", NotAudio::Bytes),
        ] {
            assert_eq!(AudioFormat::identify(header, first), Err(why), "{case}");
        }
    }
}
