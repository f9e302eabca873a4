//! The sample events.

use crate::workspace;

#[test]
fn sample_events_are_json_and_named_by_source_event_and_case() {
    let mut samples = samples();
    samples.retain(|file| complaint(file, &workspace::read(&format!("events/{file}"))).is_some());
    assert_eq!(samples, [""; 0]);
}

#[test]
fn the_readme_lists_every_sample_and_no_other() {
    let readme = workspace::read("events/README.md");
    let mut listed: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    listed.sort_unstable();
    assert_eq!(listed, samples());
}

fn samples() -> Vec<String> {
    let files = workspace::files("events").into_iter().filter(|file| file != "events/README.md");
    files.map(|file| file.trim_start_matches("events/").to_owned()).collect()
}

fn complaint(file: &str, text: &str) -> Option<String> {
    let word = |part: &&str| part.starts_with(|first: char| first.is_ascii_lowercase()) && part.chars().all(plain);
    let named = match file.split('.').collect::<Vec<_>>()[..] {
        [source, event, case, "json"] => [source, event, case].iter().all(word),
        _ => false,
    };
    let json = serde_json::from_str::<serde_json::Value>(text).is_ok();
    (!named || !json).then(|| format!("{file}: named {named}, JSON {json}"))
}

fn plain(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
}

mod tests {
    use super::complaint;

    #[test]
    fn wrong_names_and_broken_json_are_found() {
        assert_eq!(complaint("http.handshake.first.json", "{}"), None);
        for (file, text) in [
            ("http.handshake.json", "{}"),
            ("http.handshake.a.b.json", "{}"),
            ("http.Handshake.first.json", "{}"),
            ("http..first.json", "{}"),
            ("http.handshake.first.txt", "{}"),
            ("more/http.handshake.first.json", "{}"),
            ("http.handshake.first.json", "{"),
        ] {
            assert!(complaint(file, text).is_some(), "{file} {text}");
        }
    }
}
