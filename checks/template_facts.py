"""What `sam validate --lint` does not see: the runtime, the binaries built, and the profile they are built with."""

import sys
import tomllib
from pathlib import Path

from samcli.yamlhelper import yaml_parse

RUNTIME = "provided.al2023"
ARCHITECTURES = ["arm64"]


def complaints(template):
    globals_ = template["Globals"]["Function"]
    functions = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    built = set()
    for name, function in functions.items():
        properties = {**globals_, **function["Properties"]}
        metadata = function.get("Metadata", {})
        binary = metadata.get("BuildProperties", {}).get("Binary")
        built.add(binary)
        for what, found, expected in [
            ("Runtime", properties.get("Runtime"), RUNTIME),
            ("Architectures", properties.get("Architectures"), ARCHITECTURES),
            ("BuildMethod", metadata.get("BuildMethod"), "rust-cargolambda"),
            ("CodeUri", properties.get("CodeUri"), "."),
        ]:
            if found != expected:
                yield f"{name}: {what} is {found!r}, not {expected!r}"
        if "LogGroup" not in properties.get("LoggingConfig", {}):
            yield f"{name} has no log group of its own, so its logs would be kept for ever"
    rooms = {manifest.parent.name for manifest in Path("functions").glob("*/Cargo.toml")}
    if built != rooms:
        yield f"the functions build {sorted(map(str, built))}, and the folder functions/ holds {sorted(rooms)}"


def profile_complaints():
    def read(path):
        return tomllib.loads(Path(path).read_text())

    profile = read("Cargo.toml")["profile"]["lambda"]
    if profile.pop("inherits") != "release":
        yield "profile.lambda must inherit release: that is what `sam build` builds"
    build = read("CargoLambda.toml")["build"]
    given = {}
    for setting in build["config"]:
        given.update(tomllib.loads(setting)["profile"]["release"])
    if given != profile:
        yield f"CargoLambda.toml gives {given}, and Cargo.toml's profile.lambda says {profile}"
    if build.get("disable_optimizations") is not True:
        yield "CargoLambda.toml must disable cargo-lambda's own optimizations: they would win over profile.lambda"


found = [*complaints(yaml_parse(Path("template.yaml").read_text())), *profile_complaints()]
for complaint in found:
    print(f"checks/template: {complaint}", file=sys.stderr)
sys.exit(bool(found))
