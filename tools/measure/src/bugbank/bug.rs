//! One bug of the bank: a patch, and above it what is wrong and where it shows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use crate::simulate::Named;

/// Names the scene that must find a bug; without it that is the plain day.
const SCENE: &str = "Scene: ";

/// One bug of the bank.
pub(super) struct Bug {
    /// The name of its file, without the extension.
    pub(super) name: String,
    /// Where the patch is.
    pub(super) patch: PathBuf,
    /// What is wrong, in one sentence.
    pub(super) sentence: String,
    /// The scene that must find it.
    pub(super) scene: Named,
}

impl Bug {
    /// Reads the file of a bug.
    ///
    /// # Errors
    /// If it cannot be read, or does not say what is wrong, or names a scene that is not known.
    pub(super) fn read(patch: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(patch)?;
        Ok(Self::parse(&name, patch, &text).map_err(|why| format!("{}: {why}", patch.display()))?)
    }

    /// The bug that a file's text tells of.
    ///
    /// # Errors
    /// As [`Bug::read`].
    pub(super) fn parse(name: &str, patch: &Path, text: &str) -> Result<Self, String> {
        let mut head = text.lines().take_while(|line| !line.is_empty());
        let sentence = head.next().ok_or("it does not begin with what is wrong")?.to_owned();
        let scene = match head.next() {
            None => Named::Day,
            Some(line) => {
                let scene = line.strip_prefix(SCENE).ok_or_else(|| format!("{line:?} names no scene"))?;
                Named::from_str(scene, false)?
            }
        };
        Ok(Self { name: name.to_owned(), patch: patch.to_owned(), sentence, scene })
    }

    /// The scene, as it is called on the command line.
    pub(super) fn scene_name(&self) -> String {
        self.scene.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_what_is_wrong_and_where_it_shows() {
        let of = |text| Bug::parse("b", Path::new("b.patch"), text).map(|bug| (bug.sentence.clone(), bug.scene_name()));
        assert_eq!(of("It is wrong.\n\ndiff"), Ok(("It is wrong.".to_owned(), "day".to_owned())));
        assert_eq!(
            of("It is wrong.\nScene: lossy-day\n\ndiff"),
            Ok(("It is wrong.".to_owned(), "lossy-day".to_owned()))
        );
        for text in ["", "\ndiff", "It is wrong.\nScene: noon\n\ndiff", "It is wrong.\nVery wrong.\n\ndiff"] {
            assert!(of(text).is_err(), "{text:?}");
        }
    }
}
