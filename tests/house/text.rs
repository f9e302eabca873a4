//! What no file of the product may contain.

use crate::workspace;

/// More than anybody holds in the head.
const LONGEST: usize = 450;

/// Folders of somebody's machine, in two pieces, so that this file does not contain them.
const MACHINES: &[(&str, &str)] = &[("/wo", "rk/"), ("/ho", "me/"), ("/ro", "ot/"), ("/Us", "ers/")];

#[test]
fn the_product_stands_on_its_own() {
    let files = workspace::files("");
    let found: Vec<String> = files.iter().flat_map(|file| complaints(file, &text_of(file))).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn no_rust_file_is_too_long() {
    let rust = workspace::files("").into_iter().filter(|file| file.ends_with(".rs"));
    let long: Vec<String> = rust.filter(|file| workspace::read(file).lines().count() > LONGEST).collect();
    assert_eq!(long, [""; 0]);
}

fn text_of(file: &str) -> String {
    let bytes = std::fs::read(workspace::root().join(file)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn complaints(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if MACHINES.iter().any(|(start, end)| names_folder(line, &format!("{start}{end}"))) {
            found.push(format!("{file}:{number}: a folder of one machine"));
        }
        if reaches_beside(file, line) {
            found.push(format!("{file}:{number}: the folder beside the project"));
        }
    }
    found
}

/// A path begins there; in the middle of an address or of a longer path it means something else.
fn names_folder(line: &str, folder: &str) -> bool {
    let middle = |before: char| before.is_alphanumeric() || "._-}~*".contains(before);
    line.match_indices(folder).any(|(at, _)| !line[..at].ends_with(middle))
}

/// The design stands in `shared` beside the project. A page below the root may link to our own `shared` the same way;
/// code may not, because nobody can tell from which folder it starts.
fn reaches_beside(file: &str, line: &str) -> bool {
    let depth = if file.ends_with(".md") { file.matches('/').count() } else { 0 };
    line.match_indices(&["../sha", "red"].concat()).any(|(at, _)| climbs(&line[..at]) + 1 > depth)
}

/// How many `../` a text ends with.
fn climbs(text: &str) -> usize {
    text.strip_suffix("../").map_or(0, |rest| 1 + climbs(rest))
}

mod tests {
    use super::complaints;

    #[test]
    fn reaching_out_of_the_project_is_found() {
        let beside = |climb: &str| format!("see {climb}{}/DESIGN.md", "shared");
        let machine = |before: &str| format!("{before}{}{}", "/wo", "rk/main");
        for (file, line) in [
            ("README.md", beside("../")),
            ("docs/SECURITY.md", beside("../../")),
            ("tests/house/main.rs", beside("../")),
            ("Cargo.toml", machine("\"")),
            ("docs/DEPLOY.md", machine("in ")),
        ] {
            assert_eq!(complaints(file, &line).len(), 1, "{file}: {line}");
        }
        for (file, line) in [
            ("docs/SECURITY.md", beside("../")),
            ("docs/decisions/0001.md", beside("../../")),
            ("README.md", machine("https://example.com")),
        ] {
            assert!(complaints(file, &line).is_empty(), "{file}: {line}");
        }
    }
}
