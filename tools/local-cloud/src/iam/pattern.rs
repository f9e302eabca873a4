//! `*` and `?`, as policies use them.

/// Whether `text` is what `pattern` says: `*` is any run of characters, none too, and `?` is any one.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stands, and how much of the text it takes.
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(one) if *one == '?' || text.get(read) == Some(one) => {
                at += 1;
                read += 1;
            }
            Some(_) | None => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                read = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("session#*", "session#1#s-1", true),
            ("session#*", "session#", true),
            ("session#*", "vendor#token#session#", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*/date=*/*.mp3", "a/date=1/b.mp3", true),
            ("*/date=*/*.mp3", "a/date=1/b.wav", false),
            ("a*b", "ab-b", true),
            ("a*b", "ab-c", false),
            ("vendor#token#", "vendor#token#x", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
