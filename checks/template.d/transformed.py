#!/usr/bin/env python3
"""Holds the template as CloudFormation gets it, after SAM's transform, for several choices of its parameters.

    transformed.py TEMPLATE FOLDER

Writes each transformed template into FOLDER, for other linters. Works offline and without credentials. Every rule is
then tried on stacks spoiled on purpose: a rule that does not complain of its own spoiled stack fails the check.
"""

import copy
import json
import os
import re
import sys
from pathlib import Path

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

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


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(value):
    """All policy statements below a value."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from statements(inner)
    if isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def referred(value):
    """Names of resources and parameters that a value needs, by Ref, GetAtt or Sub."""
    if isinstance(value, list):
        for inner in value:
            yield from referred(inner)
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "Ref":
            yield inner
        elif name == "Fn::GetAtt":
            yield inner.split(".")[0] if isinstance(inner, str) else inner[0]
        elif name == "Fn::Sub":
            text, own = (inner, {}) if isinstance(inner, str) else inner
            names = (it.split(".")[0] for it in re.findall(r"\$\{([^!}][^}]*)\}", text))
            yield from (it for it in names if it not in own)
            yield from referred(own)
        elif name == "DependsOn":
            yield from listed(inner)
        else:
            yield from referred(inner)


def public_access(stack):
    """The world may call the webhook's URL, or the API Gateway the webhook, and nobody anything else."""
    webhook = {"FunctionName": {"Ref": "WebhookFunction"}}
    url = [
        webhook | {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        webhook | {"Principal": "*", "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    ]
    gateway = [webhook | {"Principal": "apigateway.amazonaws.com", "Action": "lambda:InvokeFunction"}]
    over_url = stack.parameters["WebhookEndpoint"] == "FunctionUrl"
    found = []
    permissions = []
    for name, it in stack.of_type("AWS::Lambda::Permission").items():
        source = it.pop("SourceArn", None) if not over_url else None
        if not over_url and "WebhookApi" not in referred(source):
            found.append(f"{name}: is not for the webhook's API alone")
        permissions.append(it)
    order = lambda them: sorted(json.dumps(it, sort_keys=True) for it in them)
    if order(permissions) != order(url if over_url else gateway):
        found.append(f"functions may be invoked by {order(permissions)}")
    if len(stack.of_type("AWS::Lambda::Url")) != over_url:
        found.append(f"there are {len(stack.of_type('AWS::Lambda::Url'))} function URLs")
    for name, it in stack.resources.items():
        for statement in statements(it):
            principal = statement.get("Principal")
            anyone = principal == "*" or isinstance(principal, dict) and "*" in listed(principal.get("AWS"))
            if statement["Effect"] == "Allow" and anyone:
                found.append(f"{name}: allows {statement['Action']} to anyone")
    return found


def roles(stack):
    """Each function has a role of its own; a schedule's role may start that schedule's function; there are no others."""
    found = []
    used = []
    for name, it in stack.of_type("AWS::Lambda::Function").items():
        role = f"{name.removesuffix('Function')}Role"
        used.append(role)
        if it.get("Role") != {"Fn::GetAtt": [role, "Arn"]}:
            found.append(f"{name}: its role is not {role}")
    for name, it in stack.of_type("AWS::Scheduler::Schedule").items():
        target = it["Target"]
        role = target["RoleArn"]["Fn::GetAtt"][0]
        used.append(role)
        meant = [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": target["Arn"]}]
        given = list(statements(stack.resources[role]["Properties"].get("Policies")))
        if given != meant:
            found.append(f"{name}: its role may {json.dumps(given)}")
    if sorted(used) != sorted(stack.of_type("AWS::IAM::Role")):
        found.append(f"the roles in use are {sorted(used)}, the stack's {sorted(stack.of_type('AWS::IAM::Role'))}")
    return found


def policies(stack):
    """Nothing is attached by name, and no allowed action or resource is a mere asterisk."""
    found = []
    for name, it in stack.resources.items():
        if it["Type"].startswith("AWS::IAM::") and it["Type"] != "AWS::IAM::Role":
            found.append(f"{name}: is a {it['Type']}")
        if it.get("Properties", {}).get("ManagedPolicyArns"):
            found.append(f"{name}: has managed policies")
        for statement in statements(it):
            if statement["Effect"] != "Allow" or it["Type"] != "AWS::IAM::Role":
                continue
            if "*" in listed(statement.get("Resource")) or any("*" in action for action in listed(statement["Action"])):
                found.append(f"{name}: allows {json.dumps(statement)}")
    return found


def limits(stack):
    """What starts a function gives up after some time and some tries."""
    found = []
    started = set()
    for name, it in stack.of_type("AWS::Scheduler::Schedule").items():
        started.update(referred(it["Target"]["Arn"]))
        if not bounded(it["Target"].get("RetryPolicy"), "MaximumEventAgeInSeconds"):
            found.append(f"{name}: no limits")
    for name, it in stack.of_type("AWS::Lambda::EventSourceMapping").items():
        if not bounded(it, "MaximumRecordAgeInSeconds"):
            found.append(f"{name}: no limits")
    configured = stack.of_type("AWS::Lambda::EventInvokeConfig").values()
    limited = {name for it in configured if bounded(it, "MaximumEventAgeInSeconds") for name in referred(it["FunctionName"])}
    return found + [f"{name}: no limits" for name in sorted(started - limited)]


def bounded(limit, age):
    # -1 is "for ever" in a mapping, as is no limit at all.
    return bool(limit) and limit.get("MaximumRetryAttempts", -1) >= 0 and limit.get(age, -1) > 0


def kept(stack):
    """Table, bucket and the bucket's policy outlive the stack."""
    kinds = ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"]
    found = [f"there are {len(stack.of_type(kind))} of {kind}" for kind in kinds if len(stack.of_type(kind)) != 1]
    for name, it in stack.resources.items():
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"]:
            if it["Type"] in kinds and it.get(policy) != "Retain":
                found.append(f"{name}: {policy} is {it.get(policy)}")
    return found


def references(stack):
    """What a condition has removed nobody refers to."""
    there = set(stack.resources) | set(stack.parameters)
    found = []
    for name, it in (stack.resources | stack.outputs).items():
        for needed in referred(it):
            if needed not in there and not needed.startswith("AWS::"):
                found.append(f"{name}: needs {needed}, which is not there")
    return found


RULES = [public_access, roles, policies, limits, kept, references]


def complaints(stack):
    return {rule: rule(copy.deepcopy(stack)) for rule in RULES}


def putting(path, value):
    """A change of a stack: `value` under `path`, which begins with a resource's name; None takes it away."""

    def spoil(stack):
        *way, last = path.split("/")
        place = stack.resources
        for name in way:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return spoil


URL = "WebhookFunctionUrlPublicPermissions"
INVOKE = "WebhookFunctionURLInvokeAllowPublicAccess"
STATEMENT = "ArchiverRole/Properties/Policies/0/PolicyDocument/Statement/0"
TO_ANYONE = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:GetObject"}]}
SPOILED = [
    (public_access, "defaults", putting(URL, None)),
    (public_access, "defaults", putting(INVOKE, None)),
    (public_access, "defaults", putting(f"{INVOKE}/Properties/InvokedViaFunctionUrl", None)),
    (public_access, "defaults", putting(f"{URL}/Properties/FunctionName", {"Ref": "ArchiverFunction"})),
    (public_access, "defaults", putting("WebhookFunctionUrl", None)),
    (public_access, "defaults", putting("BucketPolicy/Properties/PolicyDocument", TO_ANYONE)),
    (public_access, "http-api", putting("WebhookApiPermission/Properties/Principal", "*")),
    (public_access, "http-api", putting("WebhookApiPermission/Properties/SourceArn", None)),
    (public_access, "http-api", putting("Other", {"Type": "AWS::Lambda::Url"})),
    (roles, "defaults", putting("WebhookFunction/Properties/Role", {"Fn::GetAtt": ["ArchiverRole", "Arn"]})),
    (roles, "defaults", putting("OtherRole", {"Type": "AWS::IAM::Role"})),
    (roles, "defaults", putting("ArchiverFunctionEveryMinuteRole/Properties/Policies", [])),
    (policies, "defaults", putting("WebhookRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"])),
    (policies, "defaults", putting("Other", {"Type": "AWS::IAM::ManagedPolicy"})),
    (policies, "defaults", putting(f"{STATEMENT}/Action", "dynamodb:*")),
    (policies, "defaults", putting(f"{STATEMENT}/Resource", "*")),
    (limits, "defaults", putting("ArchiverFunctionEveryMinute/Properties/Target/RetryPolicy", None)),
    (limits, "defaults", putting("ReconcilerFunctionEventInvokeConfig", None)),
    (limits, "defaults", putting("ReconcilerFunctionRenewalReminder/Properties/MaximumRetryAttempts", -1)),
    (limits, "everything", putting("ArchiverStreamTrigger/Properties/MaximumRecordAgeInSeconds", None)),
    (kept, "defaults", putting("Table/DeletionPolicy", None)),
    (kept, "defaults", putting("Bucket/UpdateReplacePolicy", "Delete")),
    (kept, "defaults", putting("BucketPolicy", None)),
    (references, "http-api", putting("Table/DependsOn", "WebhookFunctionUrl")),
    (references, "defaults", putting("Table/Properties/TableName", {"Fn::Sub": "${WebhookApi}-table"})),
]


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
