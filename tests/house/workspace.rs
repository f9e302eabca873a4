//! The checkout as the rules see it: its files and its packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The text of a file named from the root.
pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
}

/// Names, from the root, of every file below `folder` (the root itself if empty). What is built and what git keeps for
/// itself is no product.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && !["target", ".git", ".aws-sam"].contains(&&*name) {
            walk(&path, found);
        } else if path.is_file() && name != ".git" {
            found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
        }
    }
}

/// A member of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder, from the root.
    pub(crate) folder: String,
    /// Its binaries.
    pub(crate) binaries: Vec<String>,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency.
pub(crate) struct Dependency {
    /// The package.
    pub(crate) name: String,
    /// In which way: `normal`, `dev` or `build`.
    pub(crate) kind: String,
}

impl Package {
    /// Names of its ordinary dependencies as code writes them.
    pub(crate) fn crates(&self) -> Vec<String> {
        let normal = self.dependencies.iter().filter(|dependency| dependency.kind == "normal");
        normal.map(|dependency| dependency.name.replace('-', "_")).collect()
    }
}

/// Every member of the workspace, as cargo understands it.
pub(crate) fn packages() -> Vec<Package> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

fn package(package: &Value) -> Package {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |name: &str| package[name].as_array().unwrap();
    let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
    let binary = |target: &&Value| target["kind"].as_array().unwrap().iter().any(|kind| kind == "bin");
    let dependency = |dependency: &Value| {
        assert!(dependency["rename"].is_null(), "a renamed dependency is hidden from the rules: {dependency}");
        let kind = text(&dependency["kind"]).unwrap_or_else(|| "normal".to_owned());
        Dependency { name: text(&dependency["name"]).unwrap(), kind }
    };
    Package {
        name: text(&package["name"]).unwrap(),
        folder: folder.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
        binaries: list("targets").iter().filter(binary).filter_map(|target| text(&target["name"])).collect(),
        dependencies: list("dependencies").iter().map(dependency).collect(),
    }
}
