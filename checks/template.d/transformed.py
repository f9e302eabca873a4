#!/usr/bin/env python3
"""Holds the template as CloudFormation gets it, after SAM's transform, for several choices of its parameters.

    transformed.py TEMPLATE FOLDER

Writes each transformed template into FOLDER, for other linters. Works offline and without credentials. Every rule is
then tried on stacks spoiled on purpose: a rule that does not complain of its own spoiled stack fails the check. rules.py has
the rules, spoiled.py the spoiled stacks.
"""

import copy
import json
import os
import sys
from pathlib import Path

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

sys.dont_write_bytecode = True
from rules import RULES
from spoiled import SPOILED

FILLED_IN = {
    "RingCentralClientId": "id",
    "RingCentralClientSecret": "secret",
    "RingCentralJwt": "jwt",
    "VerificationToken": "a-token-of-twenty-characters",
}
EVERYTHING = {
    "AlarmEmail": "someone@example.com",
    "ExpireAfterDays": 2555,
    "ObjectLockMode": "GOVERNANCE",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "StreamTrigger": "on",
    "WebhookConcurrency": 5,
    "ArchiverConcurrency": 1,
    "ReconcilerConcurrency": 1,
}
CHOICES = {
    "defaults": {},
    "http-api": {"WebhookEndpoint": "HttpApi"},
    "everything": EVERYTHING,
    "everything-http-api": EVERYTHING | {"WebhookEndpoint": "HttpApi"},
}
NOTHING = object()


def transform(text):
    """What SAM makes of the template."""
    template = yaml_parse(text)
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    translator = Translator(managed_policy_map={}, sam_parser=Parser(), plugins=[], boto_session=boto3.Session())
    # As it is without SAM's own ordered types.
    return json.loads(json.dumps(translator.translate(sam_template=template, parameter_values={})))


class Stack:
    """A transformed template with its parameters filled in: conditions decided, what they remove removed."""

    def __init__(self, template, chosen):
        unknown = set(FILLED_IN | chosen) - set(template["Parameters"])
        if unknown:
            sys.exit(f"{__file__}: the template has no parameter {', '.join(sorted(unknown))}")
        defaults = {name: it["Default"] for name, it in template["Parameters"].items() if "Default" in it}
        self.parameters = defaults | FILLED_IN | chosen
        missing = set(template["Parameters"]) - set(self.parameters)
        if missing:
            sys.exit(f"{__file__}: no value for parameter {', '.join(sorted(missing))}")
        self.conditions = template.get("Conditions", {})
        self.resources = self.kept(template["Resources"])
        self.outputs = self.kept(template.get("Outputs", {}))

    def kept(self, section):
        met = {name: it for name, it in section.items() if "Condition" not in it or self.holds(it["Condition"])}
        return {name: self.filled(it) for name, it in met.items()}

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        ((kind, of),) = condition.items()
        if kind == "Condition":
            return self.holds(of)
        if kind == "Fn::Not":
            return not self.holds(of[0])
        if kind == "Fn::And":
            return all(map(self.holds, of))
        if kind == "Fn::Or":
            return any(map(self.holds, of))
        if kind == "Fn::Equals":
            left, right = (self.filled(it) for it in of)
            return str(left) == str(right)
        raise ValueError(f"a condition of kind {kind}")

    def filled(self, value):
        if isinstance(value, dict):
            if set(value) == {"Fn::If"}:
                name, then, otherwise = value["Fn::If"]
                return self.filled(then if self.holds(name) else otherwise)
            if value == {"Ref": "AWS::NoValue"}:
                return NOTHING
            if set(value) == {"Ref"} and value["Ref"] in self.parameters:
                return self.parameters[value["Ref"]]
            pairs = ((name, self.filled(it)) for name, it in value.items())
            return {name: it for name, it in pairs if it is not NOTHING}
        if isinstance(value, list):
            return [it for it in map(self.filled, value) if it is not NOTHING]
        return value

    def of_type(self, kind):
        return {name: it.get("Properties", {}) for name, it in self.resources.items() if it["Type"] == kind}


def complaints(stack):
    return {rule: rule(copy.deepcopy(stack)) for rule in RULES}


def main():
    template, folder = sys.argv[1:]
    transformed = transform(Path(template).read_text())
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "transformed.json").write_text(json.dumps(transformed, indent=1))
    stacks = {name: Stack(transformed, chosen) for name, chosen in CHOICES.items()}
    failed = 0
    for name, stack in stacks.items():
        for found in complaints(stack).values():
            failed += len(found)
            for complaint in found:
                print(f"{name}: {complaint}", file=sys.stderr)
    if failed:
        sys.exit(f"{failed} complaints of the transformed template")
    for rule, name, spoil in SPOILED:
        stack = copy.deepcopy(stacks[name])
        spoil(stack)
        if not rule(stack):
            sys.exit(f"the rule {rule.__name__!r} did not notice spoiled stack {SPOILED.index((rule, name, spoil)) + 1}")
    print(f"{len(stacks)} transformed stacks hold {len(RULES)} rules; {len(SPOILED)} spoiled ones were noticed")


if __name__ == "__main__":
    main()
