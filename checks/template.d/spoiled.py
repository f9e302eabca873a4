"""Stacks spoiled on purpose, each with the rule that must complain of it."""

from rules import chosen, kept, limits, policies, public_access, references, roles


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
LIFECYCLE = "Bucket/Properties/LifecycleConfiguration/Rules"
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
    (chosen, "defaults", putting(f"{LIFECYCLE}/0/ExpirationInDays", 30)),
    (chosen, "defaults", putting(f"{LIFECYCLE}/0/NoncurrentVersionExpiration", {"NoncurrentDays": 1})),
    (chosen, "defaults", putting("Bucket/Properties/ObjectLockEnabled", True)),
    (chosen, "everything", putting(f"{LIFECYCLE}/1/ExpirationInDays", 30)),
    (chosen, "everything", putting(f"{LIFECYCLE}/2/Prefix", "reports/")),
    (chosen, "everything", putting("Bucket/Properties/ObjectLockConfiguration", None)),
    (references, "http-api", putting("Table/DependsOn", "WebhookFunctionUrl")),
    (references, "defaults", putting("Table/Properties/TableName", {"Fn::Sub": "${WebhookApi}-table"})),
]
