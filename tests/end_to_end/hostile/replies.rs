//! What comes whole: error pages, lies about the type, heads that are none.

use tests::hostile::Answer;

use super::{Case, MP3, WAV, archived, mp3, refused, wav};

const BYTES: &str = "the first bytes are neither MPEG audio nor RIFF/WAVE";
const TYPE: &str = "the content type is not audio/mpeg or audio/wav";
const DISAGREE: &str = "the content type and the first bytes name different formats";
const ENCODED: &str = "the body is encoded in a way nobody asked for";
const NO_REPLY: &str = "could not reach the vendor";

pub(super) fn cases() -> Vec<Case> {
    [no_recording(), types(), encodings(), lengths(), heads()].into_iter().flatten().collect()
}

fn no_recording() -> Vec<Case> {
    let html = b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    let json = br#"{"errorCode":"CMN-102","message":"Resource for parameter [recordingId] is not found"}"#;
    let xml = br#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>"#;
    let avi = [b"RIFF\x24\0\0\0AVI LIST".as_slice(), &[0; 100]].concat();
    let aac = [b"\xFF\xF1\x50\x80".as_slice(), &[7; 100]].concat();
    let named = [
        ("nothing, and it says so", BYTES, MP3, b"".as_slice()),
        ("eleven bytes of WAV", BYTES, WAV, &wav(100)[..11]),
        ("three bytes of MP3", BYTES, MP3, &mp3(100)[..3]),
        ("HTML as such", TYPE, "text/html; charset=utf-8", html),
        ("HTML as MP3", BYTES, MP3, html),
        ("HTML as anything", BYTES, "application/octet-stream", html),
        ("JSON as such", TYPE, "application/json", json),
        ("JSON as MP3", BYTES, MP3, json),
        ("JSON as WAV", BYTES, WAV, json),
        ("an error in XML", TYPE, "application/xml", xml),
        ("an error in XML without a type", BYTES, "", xml),
        ("PDF as MP3", BYTES, MP3, b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj"),
        ("AVI as WAV", BYTES, WAV, &avi),
        ("AAC as MP3", BYTES, MP3, &aac),
        ("Ogg as MP3", BYTES, MP3, b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0"),
        ("only zeros", BYTES, WAV, &[0; 3_000]),
    ];
    let mut cases: Vec<Case> = named
        .into_iter()
        .map(|(name, why, content_type, body)| refused(name, why, vec![Answer::ok(content_type, body)]))
        .collect();
    cases.extend([
        refused("nothing, in chunks", BYTES, vec![Answer::ok(MP3, b"").chunked(100)]),
        refused("no content", BYTES, vec![Answer::with("204 No Content", "", b"").unframed()]),
        refused("audio with 500", "500", vec![Answer::with("500 Internal Server Error", WAV, &wav(3_000))]),
        refused("audio with 404", "404", vec![Answer::with("404 Not Found", MP3, &mp3(3_000))]),
        refused("not modified", "304", vec![Answer::with("304 Not Modified", MP3, b"").unframed()]),
    ]);
    cases
}

fn types() -> Vec<Case> {
    let (wav, mp3) = (wav(3_000), mp3(3_000));
    let stored = [
        ("WAV as anything", "wav", "application/octet-stream", &wav),
        ("MP3 as anything", "mp3", "binary/octet-stream", &mp3),
        ("WAV without a type", "wav", "", &wav),
        ("MP3 without a type", "mp3", "", &mp3),
        ("WAV by another name and with a parameter", "wav", "audio/x-wav;charset=binary", &wav),
        ("MP3 shouted", "mp3", "AUDIO/MPEG ; q=1", &mp3),
    ];
    let mut cases: Vec<Case> = stored
        .into_iter()
        .map(|(name, extension, content_type, body)| {
            archived(name, extension, body, vec![Answer::ok(content_type, body)])
        })
        .collect();
    cases.extend([
        refused("WAV as MP3", DISAGREE, vec![Answer::ok(MP3, &wav)]),
        refused("MP3 as WAV", DISAGREE, vec![Answer::ok(WAV, &mp3)]),
        refused("audio of another kind", TYPE, vec![Answer::ok("audio/ogg", &wav)]),
    ]);
    cases
}

fn encodings() -> Vec<Case> {
    let wav = wav(3_000);
    let packed = [b"\x1F\x8B\x08\0\0\0\0\0\0\x03".as_slice(), &[0x55; 300]].concat();
    let answer = |body: &[u8], line| Answer::ok(WAV, body).header(line);
    vec![
        refused("packed by gzip", ENCODED, vec![answer(&packed, "Content-Encoding: gzip")]),
        refused("gzip as the type says", TYPE, vec![Answer::ok("application/gzip", &packed)]),
        refused("gzip that is not mentioned", BYTES, vec![Answer::ok(WAV, &packed)]),
        refused("audio said to be packed", ENCODED, vec![answer(&wav, "Content-Encoding: br")]),
        refused(
            "packed for the journey",
            BYTES,
            vec![Answer::raw(
                &[
                    b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: gzip, chunked\r\n\r\n136\r\n",
                    &packed[..],
                    b"\r\n0\r\n\r\n",
                ]
                .concat(),
            )],
        ),
        archived("packed in no way", "wav", &wav, vec![answer(&wav, "Content-Encoding: identity")]),
        archived("in small chunks", "wav", &wav, vec![Answer::ok(WAV, &wav).chunked(7)]),
        archived("in one chunk", "wav", &wav, vec![Answer::ok(WAV, &wav).chunked(4_000)]),
        archived("trickling", "wav", &wav, vec![Answer::ok(WAV, &wav).trickling(100)]),
        archived("trickling in chunks", "wav", &wav, vec![Answer::ok(WAV, &wav).chunked(64).trickling(61)]),
        archived(
            "chunks with words on them, and a trailer",
            "wav",
            &wav[..3_000],
            vec![Answer::raw(
                &[
                    b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: chunked\r\n\r\nbb8;a=b\r\n",
                    &wav[..],
                    b"\r\n0\r\nX-Late: 1\r\n\r\n",
                ]
                .concat(),
            )],
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let wav = wav(3_000);
    let declared = |length: &str| Answer::asked(WAV, &wav).length(length);
    vec![
        refused(
            "one byte more is declared than there is",
            "its length is another now",
            vec![declared("3001"), Answer::asked(WAV, &wav)],
        ),
        // The message ends where it says: what follows belongs to nothing (RFC 9112 §6.3).
        archived("one byte less is declared than comes", "wav", &wav[..2_999], vec![declared("2999")]),
        archived(
            "another answer right behind the first",
            "wav",
            &wav,
            vec![Answer::ok(WAV, &[&wav[..], b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"].concat()).length(3_000)],
        ),
        refused("a length in words", NO_REPLY, vec![declared("three thousand")]),
        refused("a length below nothing", NO_REPLY, vec![declared("-3000")]),
        refused("two lengths", NO_REPLY, vec![declared("3000").header("Content-Length: 2999")]),
        archived("the same length twice", "wav", &wav, vec![declared("3000").header("Content-Length: 3000")]),
        refused(
            "chunks, and a length that is too short",
            "more came than the declared 2999 bytes",
            vec![Answer::ok(WAV, &wav).chunked(1_000).header("Content-Length: 2999")],
        ),
        refused(
            "chunks, and a length that is too long",
            "its length is another now",
            vec![Answer::ok(WAV, &wav).chunked(1_000).header("Content-Length: 3001"), Answer::asked(WAV, &wav)],
        ),
        refused(
            "a length beyond all objects",
            "its length is another now",
            vec![declared("9000000000000000000"), Answer::asked(WAV, &wav)],
        ),
    ]
}

fn heads() -> Vec<Case> {
    let mp3 = mp3(3_000);
    let endless =
        [b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n".to_vec(), b"X-More: and more\r\n".repeat(60_000)].concat();
    let hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n";
    vec![
        archived("hints before the answer", "mp3", &mp3, vec![Answer::ok(MP3, &mp3).after(hints)]),
        archived("an old server", "mp3", &mp3, vec![Answer::ok(MP3, &mp3).old()]),
        archived("another success", "mp3", &mp3, vec![Answer::with("203 Non-Authoritative Information", MP3, &mp3)]),
        refused("no HTTP", NO_REPLY, vec![Answer::raw(b"SSH-2.0-OpenSSH_9.6\r\n")]),
        refused("no word", NO_REPLY, vec![Answer::raw(b"")]),
        refused("a reset and no word", NO_REPLY, vec![Answer::raw(b"").reset()]),
        refused("half a head", NO_REPLY, vec![Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mp")]),
        refused("a head without end", NO_REPLY, vec![Answer::raw(&endless)]),
        refused("nothing but audio", NO_REPLY, vec![Answer::raw(&mp3)]),
    ]
}
