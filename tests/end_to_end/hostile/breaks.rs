//! What breaks off: at every kind of place, in every way, with a rest to be had or without.

use tests::hostile::Answer;

use super::{Case, MP3, WAV, archived, mp3, refused, wav};

const LENGTH: usize = 3_000;
const HALF: usize = LENGTH / 2;
const WHOLE_AGAIN: &str = "the whole came where the rest was asked for";
const OTHER_PART: &str = "another part came than was asked for";
const OTHER_VERSION: &str = "the recording is no longer the one that was begun";

pub(super) fn cases() -> Vec<Case> {
    [declared(), undeclared(), rests(), often()].into_iter().flatten().collect()
}

/// The length was said: every place, closed or reset.
fn declared() -> Vec<Case> {
    let (wav, mp3) = (wav(LENGTH), mp3(LENGTH));
    let mut cases = Vec::new();
    for at in [0, 1, 11, 12, HALF, LENGTH - 1] {
        let ends = [
            ("closed", Answer::ok(WAV, &wav).cut(at), Answer::asked(WAV, &wav), &wav, "wav"),
            ("reset", Answer::ok(MP3, &mp3).cut(at).reset(), Answer::asked(MP3, &mp3), &mp3, "mp3"),
        ];
        for (how, broken, rest, body, extension) in ends {
            let name = |more: &str| format!("{how} after {at} bytes, {more}");
            cases.push(archived(name("and the rest"), extension, body, vec![broken.clone(), rest]).at(at));
            cases.push(refused(name("and again"), WHOLE_AGAIN, vec![broken]).asks(2).at(at));
        }
    }
    cases.push(archived("reset after all of it", "wav", &wav, vec![Answer::ok(WAV, &wav).reset()]));
    cases
}

/// The length was not said: only the last chunk tells that it is over.
fn undeclared() -> Vec<Case> {
    let wav = wav(LENGTH);
    let chunks = || Answer::ok(WAV, &wav).chunked(100);
    let unframed = || Answer::ok(WAV, &wav).unframed();
    let rest = || Answer::asked(WAV, &wav);
    let no_chunk = |end: &[u8]| {
        [b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n", &wav[..100], end]
            .concat()
    };
    vec![
        archived("chunks break off, and the rest", "wav", &wav, vec![chunks().cut(HALF), rest()]),
        archived("chunks are reset, and the rest", "wav", &wav, vec![chunks().cut(HALF).reset(), rest()]),
        archived("chunks break off, and the rest in chunks", "wav", &wav, vec![chunks().cut(HALF), rest().chunked(99)]),
        refused("chunks break off, and again", WHOLE_AGAIN, vec![chunks().cut(HALF)]).asks(2),
        refused("chunks are reset, and again", WHOLE_AGAIN, vec![chunks().cut(HALF).reset()]).asks(2),
        archived(
            "only the last chunk is missing, and nothing follows",
            "wav",
            &wav,
            vec![chunks().cut(LENGTH), rest()],
        ),
        refused(
            "only the last chunk is missing, and it is not said where it ends",
            "416",
            vec![chunks().cut(LENGTH), Answer::with("416 Range Not Satisfiable", "", b"")],
        ),
        archived("a chunk without a length", "wav", &wav, vec![Answer::raw(&no_chunk(b"\r\nzz\r\n")), rest()]),
        archived("a chunk longer than it says", "wav", &wav, vec![Answer::raw(&no_chunk(&wav[100..200])), rest()]),
        archived(
            "a chunk that is announced and does not come",
            "wav",
            &wav,
            vec![Answer::raw(&no_chunk(b"\r\n64\r\n")), rest()],
        ),
        // Where only the end of the connection says that it is all, a half looks like a whole.
        archived("half and no word of the end, and the rest", "wav", &wav, vec![unframed().cut(HALF), rest()]).at(HALF),
        refused("half and no word of the end, and again", WHOLE_AGAIN, vec![unframed().cut(HALF)]).asks(2),
        archived("all and no word of the end, and nothing follows", "wav", &wav, vec![unframed(), rest()]),
    ]
}

/// What comes when the rest is asked for.
fn rests() -> Vec<Case> {
    let wav = wav(LENGTH);
    let half = || Answer::ok(WAV, &wav).cut(HALF);
    let tagged = |tag: &str| Answer::ok(WAV, &wav).header(&format!("ETag: {tag}")).cut(HALF);
    let rest = || Answer::asked(WAV, &wav);
    let part = |range: &str, bytes: &[u8]| {
        Answer::with("206 Partial Content", WAV, bytes).header(&format!("Content-Range: bytes {range}"))
    };
    let html = b"<html>".repeat(HALF / 6);
    vec![
        refused("the rest is not there", "404", vec![half(), Answer::with("404 Not Found", "", b"")]),
        refused("the rest fails", "503", vec![half(), Answer::with("503 Service Unavailable", "", b"")]),
        refused("the rest does not answer", "could not reach the vendor", vec![half(), Answer::raw(b"").reset()]),
        refused("HTML for a rest", WHOLE_AGAIN, vec![half(), Answer::ok("text/html", &html)]),
        refused("nothing for a rest", WHOLE_AGAIN, vec![half(), Answer::with("204 No Content", "", b"").unframed()]),
        refused(
            "a rest that does not say which",
            "a part came that does not say which",
            vec![half(), Answer::with("206 Partial Content", WAV, &wav[HALF..])],
        ),
        refused("a rest from somewhere else", OTHER_PART, vec![half(), part("1499-2999/3000", &wav[1_499..])]),
        refused("a rest from the beginning", OTHER_PART, vec![half(), part("0-2999/3000", &wav)]),
        refused(
            "the rest of something longer",
            "its length is another now",
            vec![half(), part("1500-2999/3001", &wav[HALF..])],
        ),
        refused(
            "one byte more than the rest should have",
            "more came than the declared 3000 bytes",
            vec![half(), part("1500-2999/3000", &[&wav[HALF..], b"x"].concat())],
        ),
        refused(
            "a packed rest",
            "encoded in a way nobody asked for",
            vec![half(), rest().header("Content-Encoding: gzip")],
        ),
        refused(
            "HTML said to be the rest",
            "of another type",
            vec![
                half(),
                Answer::with("206 Partial Content", "text/html", &html).header("Content-Range: bytes 1500-2999/3000"),
            ],
        ),
        refused("the rest of another version", OTHER_VERSION, vec![tagged("\"a\""), rest().header("ETag: \"b\"")]),
        refused(
            "the rest of another version, weakly told",
            OTHER_VERSION,
            vec![tagged("W/\"a\""), rest().header("ETag: W/\"b\"")],
        ),
        refused(
            "the whole of another version",
            WHOLE_AGAIN,
            vec![tagged("\"a\""), Answer::ok(WAV, &wav).header("ETag: \"b\"")],
        ),
        archived("the rest of the same version", "wav", &wav, vec![tagged("\"a\""), rest().header("ETag: \"a\"")]),
        archived(
            "the rest after another token",
            "wav",
            &wav,
            vec![half(), Answer::with("401 Unauthorized", "", b""), rest()],
        ),
        archived("a rest shorter than it says, and the rest of it", "wav", &wav, vec![half(), rest().cut(100), rest()]),
        archived(
            "a rest in parts",
            "wav",
            &wav,
            vec![half(), Answer::part(WAV, &wav, 500), Answer::part(WAV, &wav, 500), rest()],
        ),
    ]
}

/// It breaks off again and again.
fn often() -> Vec<Case> {
    let wav = wav(LENGTH);
    let piece = || Answer::asked(WAV, &wav).cut(200);
    let five = vec![piece(), piece(), piece(), piece(), piece()];
    let never = Answer::asked(WAV, &wav).cut(0);
    vec![
        archived("broken off five times", "wav", &wav, [five.clone(), vec![Answer::asked(WAV, &wav)]].concat()),
        refused("broken off six times", "for the 6th time", five).asks(6),
        refused("a rest that never comes", "for the 6th time", vec![Answer::ok(WAV, &wav).cut(HALF), never]).asks(6),
    ]
}
