//! Bodies that do not fit into one part of an upload, most of unknown length: they break off where a part ends, and
//! elsewhere.

use tests::hostile::Answer;

use super::{Case, MP3, archived, mp3, refused};

/// S3's smallest part.
const PART: usize = 5 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;
const WHOLE_AGAIN: &str = "the whole came where the rest was asked for";

pub(super) fn cases() -> Vec<Case> {
    let body = mp3(11 * 1024 * 1024);
    let whole = || Answer::ok(MP3, &body).chunked(CHUNK);
    let rest = || Answer::asked(MP3, &body);
    let mut cases = vec![
        archived("11 MiB", "mp3", &body, vec![whole()]),
        archived("just one part", "mp3", &body[..PART], vec![Answer::ok(MP3, &body[..PART]).chunked(CHUNK)]),
        archived("just two parts", "mp3", &body[..2 * PART], vec![Answer::ok(MP3, &body[..2 * PART]).chunked(CHUNK)]),
        archived(
            "a byte less than a part",
            "mp3",
            &body[..PART - 1],
            vec![Answer::ok(MP3, &body[..PART - 1]).chunked(CHUNK)],
        ),
    ];
    for (place, at) in [("one part", PART), ("two parts", 2 * PART), ("a part and a byte", PART + 1)] {
        let name = |how: &str| format!("{how} after {place}");
        cases.extend([
            archived(name("closed"), "mp3", &body, vec![whole().cut(at), rest()]).at(at),
            archived(name("reset"), "mp3", &body, vec![whole().cut(at).reset(), rest().chunked(CHUNK)]).at(at),
            refused(name("closed for good"), WHOLE_AGAIN, vec![whole().cut(at)]).asks(2).at(at),
            refused(name("reset for good"), WHOLE_AGAIN, vec![whole().cut(at).reset()]).asks(2).at(at),
        ]);
    }
    let declared = || Answer::ok(MP3, &body).cut(PART).reset();
    cases.extend([
        archived("11 MiB, declared, reset after one part", "mp3", &body, vec![declared(), rest()]).at(PART),
        refused("11 MiB, declared, reset after one part for good", WHOLE_AGAIN, vec![declared()]).asks(2).at(PART),
        refused("broken off six times", "for the 6th time", vec![whole().cut(PART), rest().cut(PART / 5)]).asks(6),
    ]);
    cases
}
