//! Who may depend on whom, in Cargo.toml.

use crate::workspace::{self, Package};

/// What runs in AWS must not be able to name what only plays AWS, and the stand-ins must not share the mistakes of what
/// they test. By folder, exact or with what lies below it: packages of ours it may depend on, in any way.
const RULES: &[(&str, &[&str])] = &[
    ("functions", &["shared"]),
    ("shared", &[]),
    ("tools/local-cloud", &[]),
    ("tools/ringcentral-sim", &[]),
    ("tools/ringvault", &["local-cloud", "ringcentral-sim", "shared"]),
    ("tools/measure", &["local-cloud", "ringcentral-sim", "ringvault", "shared", "simulation"]),
    ("tests/fuzzing", &["shared", "simulation"]),
    ("tests/simulation", &["ringcentral-sim", "shared"]),
    ("tests", &["local-cloud", "ringcentral-sim", "ringvault", "shared", "simulation"]),
];

#[test]
fn packages_depend_one_way() {
    assert_eq!(violations(&workspace::packages()), [""; 0]);
}

fn violations(packages: &[Package]) -> Vec<String> {
    let ours = |name: &String| packages.iter().any(|package| package.name == *name);
    let mut found = Vec::new();
    for package in packages {
        let covers = |rule: &str| package.folder == rule || package.folder.starts_with(&format!("{rule}/"));
        let Some((_, allowed)) = RULES.iter().find(|(folder, _)| covers(folder)) else {
            found.push(format!("no rule says what {} may depend on", package.folder));
            continue;
        };
        let named = package.dependencies.iter().map(|dependency| &dependency.name);
        let wrong = named.filter(|name| ours(name) && !allowed.contains(&name.as_str()));
        found.extend(wrong.map(|name| format!("{} depends on {name}", package.folder)));
    }
    found
}

mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(folder: &str, dependencies: &[(&str, &str)]) -> Package {
        let name = folder.rsplit('/').next().unwrap().to_owned();
        let dependency =
            |(name, kind): &(&str, &str)| Dependency { name: (*name).to_owned(), kind: (*kind).to_owned() };
        let dependencies = dependencies.iter().map(dependency).collect();
        Package { name, folder: folder.to_owned(), binaries: Vec::new(), dependencies }
    }

    #[test]
    fn a_wrong_dependency_is_found_in_every_section() {
        let packages = [
            package("shared", &[("serde", "normal")]),
            package("functions/webhook", &[("shared", "normal"), ("local-cloud", "dev")]),
            package("tools/local-cloud", &[("shared", "build")]),
            package("attic", &[]),
        ];
        let expected = [
            "functions/webhook depends on local-cloud",
            "tools/local-cloud depends on shared",
            "no rule says what attic may depend on",
        ];
        assert_eq!(violations(&packages), expected);
    }
}
