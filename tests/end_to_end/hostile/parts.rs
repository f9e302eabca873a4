//! 206 to who asked for the whole (API.md §8).

use tests::hostile::Answer;

use super::{Case, MP3, WAV, archived, mp3, refused, wav};

const PART: usize = 64 * 1024;
const WHICH: &str = "a part came that does not say which";
const OTHER_PART: &str = "another part came than was asked for";

pub(super) fn cases() -> Vec<Case> {
    [small(), many()].into_iter().flatten().collect()
}

fn small() -> Vec<Case> {
    let wav = wav(3_000);
    let half = || Answer::part(WAV, &wav, 1_500);
    let rest = || Answer::asked(WAV, &wav);
    let part = |range: &str, bytes: &[u8]| {
        Answer::with("206 Partial Content", WAV, bytes).header(&format!("Content-Range: {range}"))
    };
    vec![
        archived("half as a part, and the rest", "wav", &wav, vec![half(), rest()]),
        archived("half as a part in chunks, and the rest", "wav", &wav, vec![half().chunked(700), rest()]),
        archived("all of it as a part", "wav", &wav, vec![Answer::part(WAV, &wav, 3_000)]),
        archived("a part that breaks off, and the rest", "wav", &wav, vec![half().cut(700).reset(), rest()]),
        archived(
            "a part one byte shorter than it says",
            "wav",
            &wav,
            vec![part("bytes 0-1499/3000", &wav[..1_499]), rest()],
        ),
        refused("a part that does not say which", WHICH, vec![Answer::with("206 Partial Content", WAV, &wav[..1_500])]),
        refused("a part of nobody knows what", WHICH, vec![part("bytes 0-1499/*", &wav[..1_500])]),
        refused("a part beyond its own end", WHICH, vec![part("bytes 0-3000/3000", &wav)]),
        refused(
            "several parts in one",
            WHICH,
            vec![Answer::with("206 Partial Content", "multipart/byteranges; boundary=x", &wav)],
        ),
        refused("a part that begins later", OTHER_PART, vec![part("bytes 1-2999/3000", &wav[1..])]),
        refused(
            "a part one byte longer than it says",
            "more came than the declared 1500 bytes",
            vec![part("bytes 0-1499/3000", &wav[..1_501])],
        ),
        refused(
            "a part of HTML",
            "the content type is not audio",
            vec![Answer::part("text/html", b"<html></html>", 13)],
        ),
        refused(
            "a part, and then the whole",
            "the whole came where the rest was asked for",
            vec![half(), Answer::ok(WAV, &wav)],
        ),
        refused("a part, and the same again", OTHER_PART, vec![part("bytes 0-1499/3000", &wav[..1_500])]).asks(2),
        refused(
            "a part, and the rest of something else",
            "its length is another now",
            vec![half(), part("bytes 1500-2999/4000", &wav[1_500..])],
        ),
        refused(
            "a part, and the rest of another version",
            "no longer the one that was begun",
            vec![half().header("ETag: \"a\""), rest().header("ETag: \"b\"")],
        ),
        refused("a part, and then nothing more", "404", vec![half(), Answer::with("404 Not Found", "", b"")]),
        refused("a part of nothing", "416 CMN-107", vec![Answer::part(WAV, b"", 1)]),
    ]
}

fn many() -> Vec<Case> {
    let mega = mp3(16 * PART);
    let part = |longest| Answer::part(MP3, &mega, longest);
    let short = &mega[..4 * PART + 1];
    vec![
        archived("sixteen parts", "mp3", &mega, vec![part(PART); 16]),
        archived("parts and one byte", "mp3", short, vec![Answer::part(MP3, short, PART); 5]),
        archived(
            "parts, one of which breaks off",
            "mp3",
            &mega,
            vec![part(4 * PART), part(4 * PART).cut(PART + 1).reset(), part(8 * PART), Answer::asked(MP3, &mega)],
        ),
        refused("crumbs", "it comes in too many parts", vec![part(1_024)]),
        refused("parts that end in an error", "500", vec![part(PART), part(PART), Answer::with("500 Oops", "", b"")]),
    ]
}
