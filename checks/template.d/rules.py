"""What a transformed stack must hold to. Each rule returns its complaints."""

import json
import re


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


def chosen(stack):
    """The bucket deletes and locks what was chosen, and by default nothing."""
    found = []
    days, mode = stack.parameters["ExpireAfterDays"], stack.parameters["ObjectLockMode"]
    expiring = [("recordings/", days), ("sessions/", days)] if days else []
    harmless = {"Id", "Status", "AbortIncompleteMultipartUpload"}
    for name, it in stack.of_type("AWS::S3::Bucket").items():
        rules = [rule for rule in it["LifecycleConfiguration"]["Rules"] if set(rule) - harmless]
        if [(rule.get("Prefix"), rule.get("ExpirationInDays")) for rule in rules] != expiring:
            found.append(f"{name}: deletes by {json.dumps(rules)}")
        locks = {property for property in it if property.startswith("ObjectLock")}
        if locks != (set() if mode == "NONE" else {"ObjectLockEnabled", "ObjectLockConfiguration"}):
            found.append(f"{name}: is locked by {sorted(locks)}")
    return found


RULES = [public_access, roles, policies, limits, kept, chosen, references]
