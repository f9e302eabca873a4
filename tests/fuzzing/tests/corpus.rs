//! What the fuzzers have found, again: each input of the committed corpus through its target.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fuzzing::TARGETS;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_input_of_the_corpus_holds() {
    for (target, run) in TARGETS {
        let folder = corpus().join(target);
        let inputs = names(&folder);
        assert!(inputs.len() >= 7, "{target}: a corpus of {} inputs is none", inputs.len());
        for input in inputs {
            let data = fs::read(folder.join(&input)).unwrap();
            let held = std::panic::catch_unwind(|| run(&data));
            assert!(held.is_ok(), "{target}: {input}");
        }
    }
}

#[test]
fn every_target_has_its_program_and_its_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    let programs = names(&corpus().join("../fuzz_targets"));
    assert_eq!(programs, targets.iter().map(|target| format!("{target}.rs")).collect());
    assert_eq!(names(&corpus()), targets);
}
