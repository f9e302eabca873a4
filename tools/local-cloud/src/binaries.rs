//! Builds the function binaries the way the running program was built.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Why the function binaries are not there.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The running program is not in a cargo target folder.
    #[error(
        "cannot tell the build profile from {path}; run this program with cargo, from its target folder",
        path = executable.display()
    )]
    UnknownProfile {
        /// The running program.
        executable: PathBuf,
    },
    /// The workspace has moved since this program was built.
    #[error("cannot find the workspace above {from}; build this program again where the sources are now", from = from.display())]
    NoWorkspace {
        /// Where the search began.
        from: PathBuf,
    },
    /// Cargo did not start.
    #[error("could not run {cargo}; put cargo on PATH or name it in CARGO", cargo = cargo.display())]
    NoCargo {
        /// The program that was tried.
        cargo: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo did not build them.
    #[error("cargo could not build {names} ({status}); its messages stand above")]
    Failed {
        /// The binaries asked for.
        names: String,
        /// How cargo ended.
        status: ExitStatus,
    },
    /// Cargo was content, but a binary is not where it belongs.
    #[error("cargo built no {path}; check the name of the binary", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The running program's own path is unknown.
    #[error("could not find out where the running program is")]
    NoExecutable(#[source] io::Error),
}

/// Builds the binaries `names` of this workspace, with the profile and into the target folder of the running
/// program, and answers where each is.
///
/// Blocks until cargo is done; a fraction of a second when nothing changed. Cargo's messages go to standard error.
/// No package is selected, so that features are those of the whole workspace and nothing is built twice.
pub fn build(names: &[&str]) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let executable = env::current_exe().map_err(BuildError::NoExecutable)?;
    let output = Output::of(&executable).ok_or(BuildError::UnknownProfile { executable })?;
    let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    let status = command(&cargo, names, &output, &workspace()?)
        .status()
        .map_err(|source| BuildError::NoCargo { cargo, source })?;
    if !status.success() {
        return Err(BuildError::Failed { names: names.join(", "), status });
    }
    names.iter().map(|name| Ok(((*name).to_owned(), output.binary(name)?))).collect()
}

/// Where cargo put the running program.
#[derive(Debug, PartialEq, Eq)]
struct Output {
    target_folder: PathBuf,
    profile_folder: String,
}

impl Output {
    /// Reads it off `<target>/<profile>/program`, or `<target>/<profile>/{deps,examples}/program`.
    fn of(executable: &Path) -> Option<Self> {
        let mut folder = executable.parent()?;
        if ["deps", "examples"].map(OsStr::new).contains(&folder.file_name()?) {
            folder = folder.parent()?;
        }
        Some(Self {
            target_folder: folder.parent()?.to_owned(),
            profile_folder: folder.file_name()?.to_str()?.to_owned(),
        })
    }

    fn profile(&self) -> &str {
        match self.profile_folder.as_str() {
            "debug" => "dev",
            named => named,
        }
    }

    fn binary(&self, name: &str) -> Result<PathBuf, BuildError> {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        let path = self.target_folder.join(&self.profile_folder).join(file);
        if path.is_file() { Ok(path) } else { Err(BuildError::Missing { path }) }
    }
}

/// The workspace cargo runs this program from; where cargo does not, the one it was built in.
fn workspace() -> Result<PathBuf, BuildError> {
    let built_in = || OsString::from(env!("CARGO_MANIFEST_DIR"));
    let own = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(built_in));
    let root = own.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).map(Path::to_owned);
    root.ok_or(BuildError::NoWorkspace { from: own })
}

fn command(cargo: &Path, names: &[&str], output: &Output, workspace: &Path) -> Command {
    let mut command = Command::new(cargo);
    command.current_dir(workspace).args(["build", "--profile", output.profile(), "--target-dir"]);
    command.arg(&output.target_folder);
    for name in names {
        command.args(["--bin", name]);
    }
    for (variable, _) in env::vars_os().filter(|(variable, _)| set_by_cargo(variable)) {
        command.env_remove(variable);
    }
    command
}

/// Whether cargo sets `variable` for what it runs. Left in place, it would look to build scripts like a change.
fn set_by_cargo(variable: &OsStr) -> bool {
    const NAMES: [&str; 5] =
        ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "LD_LIBRARY_PATH", "OUT_DIR"];
    const PREFIXES: [&str; 5] = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_CFG_", "DYLD_"];
    let Some(variable) = variable.to_str() else {
        return false;
    };
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_read_off_the_path_of_the_program() {
        let cases = [
            ("/t/debug/ringvault", "/t", "dev"),
            ("/t/debug/deps/tests-0123", "/t", "dev"),
            ("/t/release/measure", "/t", "release"),
            ("/t/lambda/examples/one", "/t", "lambda"),
        ];
        for (path, target_folder, profile) in cases {
            let output = Output::of(Path::new(path)).unwrap();
            assert_eq!(output.target_folder, Path::new(target_folder), "{path}");
            assert_eq!(output.profile(), profile, "{path}");
        }
    }

    #[test]
    fn a_program_outside_any_folder_has_no_profile() {
        assert_eq!(Output::of(Path::new("/ringvault")), None);
    }

    #[test]
    fn only_what_cargo_sets_for_its_children_is_taken_away() {
        for variable in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_EXE_webhook", "LD_LIBRARY_PATH"] {
            assert!(set_by_cargo(OsStr::new(variable)), "{variable}");
        }
        for variable in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "RUSTUP_HOME", "PATH", "HOME"] {
            assert!(!set_by_cargo(OsStr::new(variable)), "{variable}");
        }
    }

    #[test]
    fn the_workspace_is_found_above_this_crate() {
        assert!(workspace().unwrap().join("tools/local-cloud").is_dir());
    }
}
