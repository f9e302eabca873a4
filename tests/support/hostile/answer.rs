//! What a hostile server answers, as bytes on the wire.

use std::time::Duration;

use bytes::Bytes;

/// What every answer says of the vendor's limit, so that no test waits for a permit (API.md §3).
const LIMIT: &str = "X-Rate-Limit-Group: heavy\r\nX-Rate-Limit-Limit: 1000\r\nX-Rate-Limit-Window: 60\r\n";

/// Time between the pieces of a body that trickles.
const PAUSE: Duration = Duration::from_millis(2);

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What goes before the status line.
    before: Vec<u8>,
    /// Status line and headers, if there are any.
    head: Option<Head>,
    body: Bytes,
    /// Whether it is the part of `body` that was asked for.
    heeds_range: bool,
    /// The longest part; it is a part even if the whole was asked for.
    longest_part: Option<usize>,
    /// After so many bytes of the body the connection ends.
    cut: Option<usize>,
    pieces: Option<usize>,
    resets: bool,
}

#[derive(Debug, Clone)]
struct Head {
    version: &'static str,
    status: String,
    headers: Vec<String>,
    framing: Framing,
}

/// How a body says where it ends.
#[derive(Debug, Clone)]
enum Framing {
    /// By its true length.
    Length,
    /// By this length, whatever the truth is.
    Claimed(String),
    /// In chunks of at most so many bytes.
    Chunks(usize),
    /// Not at all.
    None,
}

/// An answer, ready to be sent.
pub(super) struct Reply {
    wire: Vec<u8>,
    /// Length of the pieces it is sent in, bytes.
    piece: usize,
    pub(super) pause: Duration,
    /// Whether the connection ends in a reset.
    pub(super) resets: bool,
}

impl Answer {
    /// A status with a body of this type (none if empty), whatever was asked for.
    pub fn with(status: &str, content_type: &str, body: &[u8]) -> Self {
        let headers = match content_type {
            "" => vec![],
            content_type => vec![format!("Content-Type: {content_type}")],
        };
        Self::new(
            Some(Head { version: "HTTP/1.1", status: status.to_owned(), headers, framing: Framing::Length }),
            body,
        )
    }

    /// 200 and all of a body, whatever was asked for.
    pub fn ok(content_type: &str, body: &[u8]) -> Self {
        Self::with("200 OK", content_type, body)
    }

    /// What was asked for: all of a body, the rest of it as a 206, or, beyond its end, 416 (API.md §4, CMN-107).
    pub fn asked(content_type: &str, body: &[u8]) -> Self {
        Self { heeds_range: true, ..Self::ok(content_type, body) }
    }

    /// A 206 with at most so many bytes of what was asked for, even if that was all.
    pub fn part(content_type: &str, body: &[u8], longest: usize) -> Self {
        Self { longest_part: Some(longest), ..Self::asked(content_type, body) }
    }

    /// These bytes and no others, which need not be HTTP.
    pub fn raw(bytes: &[u8]) -> Self {
        Self::new(None, b"").after(bytes)
    }

    fn new(head: Option<Head>, body: &[u8]) -> Self {
        Self {
            before: Vec::new(),
            head,
            body: Bytes::copy_from_slice(body),
            heeds_range: false,
            longest_part: None,
            cut: None,
            pieces: None,
            resets: false,
        }
    }

    fn head(mut self, change: impl FnOnce(&mut Head)) -> Self {
        if let Some(head) = &mut self.head {
            change(head);
        }
        self
    }

    /// With one more header, `Name: value`.
    pub fn header(self, line: &str) -> Self {
        self.head(|head| head.headers.push(line.to_owned()))
    }

    /// With this `Content-Length`.
    pub fn length(self, claimed: impl ToString) -> Self {
        self.head(|head| head.framing = Framing::Claimed(claimed.to_string()))
    }

    /// In chunks of this many bytes.
    pub fn chunked(self, longest: usize) -> Self {
        self.head(|head| head.framing = Framing::Chunks(longest))
    }

    /// Without a word of where the body ends: the connection does.
    pub fn unframed(self) -> Self {
        self.head(|head| head.framing = Framing::None)
    }

    /// As an HTTP/1.0 server says it.
    pub fn old(self) -> Self {
        self.head(|head| head.version = "HTTP/1.0")
    }

    /// After these bytes.
    pub fn after(self, before: &[u8]) -> Self {
        Self { before: before.to_vec(), ..self }
    }

    /// The connection is closed after this many bytes of the body; of a body in chunks without its last chunk.
    pub fn cut(self, after: usize) -> Self {
        Self { cut: Some(after), ..self }
    }

    /// The connection ends in a reset.
    pub fn reset(self) -> Self {
        Self { resets: true, ..self }
    }

    /// In pieces of this many bytes, with pauses between them.
    pub fn trickling(self, piece: usize) -> Self {
        Self { pieces: Some(piece), ..self }
    }

    pub(super) fn reply(&self, from: Option<usize>) -> Reply {
        let mut wire = self.before.clone();
        if let Some(head) = &self.head {
            self.write(head, from, &mut wire);
        }
        let piece = self.pieces.unwrap_or(wire.len()).max(1);
        Reply { wire, piece, pause: PAUSE, resets: self.resets }
    }

    fn write(&self, head: &Head, from: Option<usize>, wire: &mut Vec<u8>) {
        let mut head = head.clone();
        let mut body = self.body.clone();
        if self.heeds_range && (from.is_some() || self.longest_part.is_some()) {
            let (first, total) = (from.unwrap_or(0), body.len());
            if first >= total {
                head.status = "416 Range Not Satisfiable".to_owned();
                head.headers =
                    vec!["Content-Type: application/json".to_owned(), format!("Content-Range: bytes */{total}")];
                head.framing = Framing::Length;
                body = Bytes::from_static(br#"{"errorCode":"CMN-107","message":"Range is not satisfiable"}"#);
            } else {
                let end = self.longest_part.map_or(total, |longest| total.min(first + longest));
                head.status = "206 Partial Content".to_owned();
                head.headers.push(format!("Content-Range: bytes {first}-{}/{total}", end - 1));
                body = body.slice(first..end);
            }
        }
        let framing = match &head.framing {
            Framing::Length => format!("Content-Length: {}\r\n", body.len()),
            Framing::Claimed(length) => format!("Content-Length: {length}\r\n"),
            Framing::Chunks(_) => "Transfer-Encoding: chunked\r\n".to_owned(),
            Framing::None => String::new(),
        };
        let headers: String = head.headers.iter().map(|line| format!("{line}\r\n")).collect();
        let lines = format!("{} {}\r\n{headers}{framing}{LIMIT}Connection: close\r\n\r\n", head.version, head.status);
        wire.extend_from_slice(lines.as_bytes());
        let sent = &body[..self.cut.map_or(body.len(), |cut| cut.min(body.len()))];
        match head.framing {
            Framing::Chunks(longest) => {
                for chunk in sent.chunks(longest) {
                    wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    wire.extend_from_slice(chunk);
                    wire.extend_from_slice(b"\r\n");
                }
                if self.cut.is_none() {
                    wire.extend_from_slice(b"0\r\n\r\n");
                }
            }
            Framing::Length | Framing::Claimed(_) | Framing::None => wire.extend_from_slice(sent),
        }
    }
}

impl Reply {
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.wire.chunks(self.piece)
    }
}
