"""Puts a release together: package.py ARCHITECTURE BUILT RELEASE, where BUILT is what `sam build` has made."""

import hashlib
import re
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = re.compile(
    r"    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: (\w+)\n    Properties:\n"
)
CODE = re.compile(r"    CodeUri: \..*\n")
# What whoever deploys and runs it reads; DEPLOY.md, which comes first, lies beside the template as well.
PAGES = ["COST", "DEPLOY", "RUNBOOK", "SECURITY", "completeness", "manifest"]
CHOICE = "    Default: arm64\n    AllowedValues: [arm64, x86_64]\n"


def packaged(template, architecture):
    """The template with each function's zip instead of how to build it, and the binaries of each function."""
    functions = {f"{name}Function": binary for name, binary in re.findall(r"\n  (\w+)Function:\n.*\n" + BUILD.pattern, template)}
    template, replaced = BUILD.subn(r"    Properties:\n      CodeUri: \1.zip\n", template)
    template, common = CODE.subn("", template, count=1)
    if replaced != len(functions) or not functions or common != 1 or template.count(CHOICE) != 1:
        sys.exit("release/package.py: template.yaml has changed its form: mend this script")
    choice = f"    Default: {architecture}\n    AllowedValues: [{architecture}]\n"
    return template.replace(CHOICE, choice), functions


def write_zip(path, bootstrap):
    """The same bytes in the same zip: no clock, no owner."""
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix: the mode is part of the entry
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=9)


def main():
    architecture, built, release = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    template, functions = packaged((ROOT / "template.yaml").read_text(), architecture)
    shutil.rmtree(release, ignore_errors=True)
    release.mkdir(parents=True)
    (release / "template.yaml").write_text(template)
    (release / "docs").mkdir()
    for page in PAGES:
        shutil.copyfile(ROOT / f"docs/{page}.md", release / f"docs/{page}.md")
    shutil.copyfile(ROOT / "docs/DEPLOY.md", release / "DEPLOY.md")
    for function, binary in functions.items():
        write_zip(release / f"{binary}.zip", built / function / "bootstrap")
    files = sorted(path for path in release.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(release)}\n" for path in files]
    (release / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
