//! A copy of the tree that bugs are put into, built, and simulated.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use super::{Catch, SEEDS, bug::Bug};

/// The workspace's version, and the copy's: packages of another version are others to cargo, so that nothing built of the
/// copy counts as a build of the tree.
const VERSION: [&str; 2] = ["version = \"0.1.0\"\n", "version = \"0.1.0-bugbank\"\n"];

/// Each bug is compiled anew and simulated for a few seeds: what is compiled faster is caught sooner, though it runs slower.
const COMPILED_FAST: [&str; 4] =
    ["--config", "profile.dev.debug=false", "--config", "profile.dev.package.simulation.opt-level=0"];

/// How the variables begin that cargo sets for the programs it runs.
const SET_BY_CARGO: [&str; 4] = ["CARGO_BIN_", "CARGO_CFG_", "CARGO_MANIFEST_", "CARGO_PKG_"];

/// A copy of the tree.
pub(super) struct Copy {
    folder: PathBuf,
    target: PathBuf,
}

/// Why nothing can be said of a bug.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The tree has changed where the bug was.
    #[error("the patch does not apply any more, write it anew: {0}")]
    Unapplied(String),
    /// It is no program.
    #[error("it does not compile: {0}")]
    Uncompiled(String),
    /// The simulation came to no figures.
    #[error("the simulation itself failed: {0}")]
    Unmeasured(String),
    /// What was found is not the bug.
    #[error("seed {0} fails without it, too")]
    FailsAnyway(u64),
    /// A program could not be started.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Copy {
    /// Copies what belongs to the tree, below the target folder. All files are new, so that what an earlier run compiled
    /// of them does not count as fresh.
    ///
    /// # Errors
    /// If files cannot be read or written, if git does not know the tree, or if its version is another one.
    pub(super) fn of(tree: &Path, target: &Path) -> io::Result<Self> {
        let folder = target.join("measure/bugbank");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let listed = said(git(tree).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]))?;
        let files = listed.map_err(io::Error::other)?;
        for name in files.split_terminator('\0') {
            let (from, to) = (tree.join(name), folder.join(name));
            // What was deleted and not yet committed is listed, too.
            if from.is_file() {
                fs::create_dir_all(to.parent().unwrap_or(&folder))?;
                fs::copy(from, to)?;
            }
        }
        let manifest = folder.join("Cargo.toml");
        let [version, own] = VERSION;
        let (before, after) =
            (fs::read_to_string(&manifest)?, fs::read_to_string(&manifest)?.replacen(version, own, 1));
        if before == after {
            return Err(io::Error::other("the workspace has another version: mend `measure bugbank`"));
        }
        fs::write(manifest, after)?;
        Ok(Self { folder, target: target.to_owned() })
    }

    /// Simulates the tree with a bug in it until it is found; nothing if all seeds pass.
    ///
    /// # Errors
    /// If there is no such program, or what is found is not the bug.
    pub(super) fn find(&self, bug: &Bug) -> Result<Option<Catch>, Broken> {
        self.apply(bug, &[])?;
        let caught = self.build().and_then(|()| self.simulate(bug));
        self.apply(bug, &["--reverse"])?;
        match caught? {
            // This program is the same without the bug.
            Some(Catch { seed, .. }) if !simulation::simulate(bug.scene.into(), seed, false).violations.is_empty() => {
                Err(Broken::FailsAnyway(seed))
            }
            caught => Ok(caught),
        }
    }

    /// As for a folder that is no checkout: the one it lies in must not decide what is applied.
    fn apply(&self, bug: &Bug, options: &[&str]) -> Result<(), Broken> {
        let mut git = git(&self.folder);
        git.env("GIT_CEILING_DIRECTORIES", self.folder.parent().unwrap_or(&self.folder));
        said(git.arg("apply").args(options).arg(&bug.patch))?.map(drop).map_err(Broken::Unapplied)
    }

    fn build(&self) -> Result<(), Broken> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        cargo
            .current_dir(&self.folder)
            .args(["build", "--quiet", "--bin", "measure"])
            .args(COMPILED_FAST)
            .arg("--target-dir")
            .arg(&self.target);
        // What cargo sets for the programs it runs would look to it like a change.
        let set_by_cargo = |name: &str| SET_BY_CARGO.iter().any(|prefix| name.starts_with(prefix));
        for (variable, _) in env::vars_os().filter(|(name, _)| set_by_cargo(&name.to_string_lossy())) {
            cargo.env_remove(variable);
        }
        said(&mut cargo)?.map(drop).map_err(Broken::Uncompiled)
    }

    fn simulate(&self, bug: &Bug) -> Result<Option<Catch>, Broken> {
        let program = self.target.join("debug").join(format!("measure{}", env::consts::EXE_SUFFIX));
        let mut measure = Command::new(program);
        measure.args([
            "--json",
            "simulate",
            "--fail-fast",
            "--seeds",
            &SEEDS.to_string(),
            "--scene",
            &bug.scene_name(),
        ]);
        let output = measure.output()?;
        let unmeasured = || Broken::Unmeasured(last_words(&output));
        let figures: Value = serde_json::from_slice(&output.stdout).map_err(|_| unmeasured())?;
        let caught = figures["first_failing_seed"].as_u64().zip(figures["first_violation"].as_str());
        match caught {
            Some((seed, violation)) => Ok(Some(Catch { seed, violation: violation.to_owned() })),
            None if output.status.success() => Ok(None),
            None => Err(unmeasured()),
        }
    }
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder);
    git
}

/// What a program says, or why it failed.
fn said(command: &mut Command) -> io::Result<Result<String, String>> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(if output.status.success() { Ok(said) } else { Err(last_words(&output)) })
}

fn last_words(output: &Output) -> String {
    format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())
}
