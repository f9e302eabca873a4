//! The README's first command, as a user types it.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use tests::{operator, workspace};

fn replay(arguments: &[&str]) -> Output {
    operator::run(operator::ringvault(&["replay"]).args(arguments))
}

fn event_files() -> Vec<String> {
    let mut files: Vec<String> = std::fs::read_dir(workspace().join("events"))
        .unwrap()
        .map(|entry| format!("events/{}", entry.unwrap().file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".json"))
        .collect();
    files.sort();
    files
}

/// Decodes a file with an audio crate: samples, and whether any is not silence.
fn play(file: &Path) -> (usize, bool) {
    let bytes = std::fs::read(file).unwrap();
    if file.extension().is_some_and(|extension| extension == "wav") {
        let samples: Vec<i16> =
            hound::WavReader::new(bytes.as_slice()).unwrap().into_samples().map(Result::unwrap).collect();
        return (samples.len(), samples.iter().any(|sample| *sample != 0));
    }
    let mut reader = nanomp3::SliceReader::<f32>::new(&bytes);
    let mut buffer = vec![0.0; 4096];
    let (mut samples, mut sound) = (0, false);
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => return (samples, sound),
            read => {
                samples += read;
                sound |= buffer[..read].iter().any(|sample| sample.abs() > 0.001);
            }
        }
    }
}

#[test]
fn the_sample_events_become_audio_files_by_both_ways() {
    let files = event_files();
    let mut arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    arguments.push("--until-settled");
    let output = replay(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.ends_with("9 of 9 archived: 4 by the direct media URL, 5 by the call log\n"), "{text}");
    let audio: Vec<PathBuf> = text
        .lines()
        .filter(|line| line.ends_with("identical to the vendor's"))
        .map(|line| PathBuf::from(line.trim().split("  ").next().unwrap()))
        .collect();
    assert_eq!(audio.len(), 9);
    for file in &audio {
        let (samples, sound) = play(file);
        assert!(samples > 8000 && sound, "{}: {samples} samples, sound: {sound}", file.display());
    }
    let kinds =
        |extension: &str| audio.iter().filter(|file| file.extension().is_some_and(|found| found == extension)).count();
    assert!(kinds("wav") > 0 && kinds("mp3") > 0);
}

#[test]
fn the_seed_event_alone_becomes_a_file() {
    let output = replay(&["events/ringcentral.telephony-session.answered-recording-paused.json", "--until-settled"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 of 1 archived"), "{text}");
}

fn changed(name: &str, change: impl Fn(String) -> String) -> tempfile::NamedTempFile {
    let event = std::fs::read_to_string(workspace().join("events").join(name)).unwrap();
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    std::fs::write(file.path(), change(event)).unwrap();
    file
}

#[test]
fn events_of_any_account_are_replayed_but_of_one_at_a_time() {
    const NAME: &str = "ringcentral.telephony-session.disconnected.json";
    let other = changed(NAME, |event| event.replace("800000001", "123456789"));
    let other = other.path().to_str().unwrap();
    let output = replay(&[other, "--until-settled"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 of 1 archived"), "{text}");
    let output = replay(&[other, &format!("events/{NAME}")]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("123456789, 800000001"), "{text}");
}

#[test]
fn a_function_that_fails_fails_the_replay() {
    let broken = changed("http.telephony-session.base64.json", |_| r#"{"requestContext":{}}"#.to_owned());
    let output = replay(&[broken.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success() && text.contains("failed: "), "{text}");
}

#[test]
fn a_file_that_is_no_event_is_named() {
    for (file, complaint) in [
        ("events/none.json", "could not read events/none.json"),
        ("Cargo.toml", "Cargo.toml is not JSON"),
        (
            "tools/ringcentral-sim/testdata/openapi-subset.json",
            "is no gateway payload, RingCentral body, schedule, range or stream batch",
        ),
    ] {
        let output = replay(&[file]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(complaint), "{text}");
    }
}
