"""Holds a release to what it must be: verify.py ARCHITECTURE RELEASE. Then spoils copies of it, which must be noticed."""

import hashlib
import json
import re
import shutil
import struct
import sys
import tempfile
import zipfile
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
FUNCTION = "AWS::Serverless::Function"
# e_machine in the header of an ELF file.
MACHINES = {"x86_64": 62, "arm64": 183}
# That of Amazon Linux 2023, on which provided.al2023 stands.
GLIBC = (2, 34)
# A function may have 250 MB unzipped. Ours start in milliseconds because they are small.
LARGEST = 20_000_000


def complaints(architecture, release):
    try:
        template = parsed(release / "template.yaml")
    except FileNotFoundError:
        return ["there is no template.yaml"]
    functions = {name: it for name, it in template["Resources"].items() if it["Type"] == FUNCTION}
    zips = sorted(it["Properties"].get("CodeUri", "") for it in functions.values())
    return [
        *of_sums(release),
        *of_template(template, architecture),
        *of_folder(release, zips),
        *(complaint for name in zips if (release / name).is_file() for complaint in of_zip(release / name, architecture)),
    ]


def parsed(path):
    # As plain maps: SAM's own compare the order too.
    return json.loads(json.dumps(yaml_parse(path.read_text())))


def files_of(release):
    return {str(path.relative_to(release)): path for path in release.rglob("*") if path.is_file()}


def of_sums(release):
    listed = (line.split("  ") for line in (release / "SHA256SUMS").read_text().splitlines())
    sums = {name: digest for digest, name in listed}
    files = files_of(release)
    del files["SHA256SUMS"]
    if sums.keys() != files.keys():
        yield f"SHA256SUMS lists {sorted(sums)}, the files are {sorted(files)}"
    for name in sums.keys() & files.keys():
        if hashlib.sha256(files[name].read_bytes()).hexdigest() != sums[name]:
            yield f"{name} has another sum"


def of_template(template, architecture):
    """It is ours, but for where the code lies and the one architecture there is."""
    expected = parsed(ROOT / "template.yaml")
    expected["Parameters"]["Architecture"] |= {"Default": architecture, "AllowedValues": [architecture]}
    del expected["Globals"]["Function"]["CodeUri"]
    for it in expected["Resources"].values():
        if it["Type"] == FUNCTION:
            it["Properties"]["CodeUri"] = it.pop("Metadata")["BuildProperties"]["Binary"] + ".zip"
    if template != expected:
        yield "template.yaml differs from ours in more than it should"


def of_folder(release, zips):
    pages = {"DEPLOY.md", *read_on(release / "DEPLOY.md"), *read_on(release / "template.yaml")}
    expected = {*zips, *pages, "SHA256SUMS", "template.yaml"}
    found = files_of(release).keys() - {"docs/DEPLOY.md", "docs/manifest.md"}  # which other pages link to
    if found != expected:
        yield f"the files are {sorted(found)}, they should be {sorted(expected)}"


def read_on(path):
    """The pages that a file sends its reader to."""
    return set(re.findall(r"docs/\w+\.md", path.read_text())) if path.is_file() else set()


def of_zip(path, architecture):
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if [entry.filename for entry in entries] != ["bootstrap"]:
            yield f"{path.name} holds {[entry.filename for entry in entries]}"
            return
        if entries[0].external_attr >> 16 != 0o100755:
            yield f"{path.name}: bootstrap is not executable"
        binary = archive.read("bootstrap")
    if binary[:4] != b"\x7fELF" or struct.unpack_from("<H", binary, 18) != (MACHINES[architecture],):
        yield f"{path.name}: bootstrap is no program for {architecture}"
        return
    if len(binary) > LARGEST:
        yield f"{path.name}: bootstrap has {len(binary)} bytes"
    if glibc(binary) > GLIBC:
        yield f"{path.name}: bootstrap needs glibc {'.'.join(map(str, glibc(binary)))}"


def glibc(binary):
    """The newest glibc that a program asks for: the names of symbol versions stand in its strings."""
    versions = re.findall(rb"\x00GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\x00)", binary)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def rezip(release, name, change):
    """One function's zip made anew with another name, mode or content of its file."""
    with zipfile.ZipFile(release / name) as archive:
        entry, content = archive.infolist()[0], archive.read("bootstrap")
    entry, content = change(entry, content)
    with zipfile.ZipFile(release / name, "w") as archive:
        archive.writestr(entry, content)


def with_mode(entry, content):
    entry.external_attr = 0o100644 << 16
    return entry, content


def with_name(entry, content):
    entry.filename = "webhook"
    return entry, content


def edit(release, name, old, new):
    text = (release / name).read_text()
    assert old in text, f"{name} has no {old!r}"
    (release / name).write_text(text.replace(old, new))


SPOILED = {
    "a zip is missing": lambda it: (it / "webhook.zip").unlink(),
    "a file too many": lambda it: (it / "notes.txt").write_text(""),
    "no guide": lambda it: (it / "DEPLOY.md").unlink(),
    "a page that the guide names is missing": lambda it: (it / "docs/RUNBOOK.md").unlink(),
    "no template": lambda it: (it / "template.yaml").unlink(),
    "another guide": lambda it: edit(it, "DEPLOY.md", "a", "b"),
    "the build's metadata": lambda it: edit(it, "template.yaml", "CodeUri: webhook.zip", "CodeUri: ."),
    "another template": lambda it: edit(it, "template.yaml", "Retain", "Delete"),
    "a file that is no program": lambda it: rezip(it, "webhook.zip", lambda entry, content: (entry, b"#!/bin/sh")),
    "not executable": lambda it: rezip(it, "archiver.zip", with_mode),
    "another name": lambda it: rezip(it, "archiver.zip", with_name),
    "too new a glibc": lambda it: rezip(it, "reconciler.zip", lambda entry, content: (entry, content + b"\0GLIBC_2.39\0")),
    "too large": lambda it: rezip(it, "reconciler.zip", lambda entry, content: (entry, content + bytes(LARGEST))),
}


def main():
    architecture, release = sys.argv[1], Path(sys.argv[2])
    found = complaints(architecture, release)
    if found:
        sys.exit("\n".join(f"release/verify.py: {complaint}" for complaint in found))
    other = next(name for name in MACHINES if name != architecture)
    unnoticed = [] if complaints(other, release) else ["another architecture"]
    for what, spoil in SPOILED.items():
        with tempfile.TemporaryDirectory() as folder:
            spoiled = Path(shutil.copytree(release, Path(folder, "spoiled")))
            spoil(spoiled)
            # Sums that fit: what is wrong must be found for itself.
            if what != "another guide":
                files = [(name, it) for name, it in files_of(spoiled).items() if name != "SHA256SUMS"]
                sums = [hashlib.sha256(it.read_bytes()).hexdigest() + "  " + name for name, it in files]
                (spoiled / "SHA256SUMS").write_text("\n".join(sums))
            if not complaints(architecture, spoiled):
                unnoticed.append(what)
    if unnoticed:
        sys.exit(f"release/verify.py: it did not notice: {', '.join(unnoticed)}")
    for path in sorted(release.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            binary = archive.read("bootstrap")
        needs = ".".join(map(str, glibc(binary)))
        print(f"{path.name}: {path.stat().st_size:,} bytes, unzipped {len(binary):,}, needs glibc {needs}")


if __name__ == "__main__":
    main()
