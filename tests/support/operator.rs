//! `ringvault`, as an operator runs it: nothing that it shows may be private.

use std::process::{Command, Output};

use crate::{
    canaries::Canaries,
    scan::{self, Place, Written},
    workspace,
};

/// The command, to be run at the root of the workspace.
pub fn ringvault(arguments: &[&str]) -> Command {
    let built = local_cloud::binaries::build(&["ringvault"]).expect("ringvault builds");
    let mut command = Command::new(&built["ringvault"]);
    command.args(arguments).current_dir(workspace());
    command
}

/// Runs it to its end.
///
/// # Panics
/// It showed something private.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().expect("ringvault runs");
    scan::assert_clean(&Canaries::known(), &shown(&output));
    output
}

/// What it showed.
pub fn shown(output: &Output) -> [Written; 2] {
    [&output.stdout, &output.stderr]
        .map(|bytes| Written { place: Place::Output, text: String::from_utf8_lossy(bytes).into_owned() })
}
