"""Drives RingCentral's own SDK for Python, as PyPI has it, against the simulator: `drive.py world.json`.

`world.py` says what the world holds. A wrong status is an exception of the SDK's; what is checked here is values.
"""

import hashlib
import json
import sys
import threading
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from ringcentral import SDK
from ringcentral.http.api_exception import ApiException

SUBSCRIPTIONS = "/restapi/v1.0/subscription"
SCOPE = {"CallControl", "ReadCallLog", "ReadCallRecording", "SubscriptionWebhook"}
HOUR_S = 3600


class Receiver(BaseHTTPRequestHandler):
    """The webhook: answers a handshake and every event as the vendor wants it, and keeps what came."""

    protocol_version = "HTTP/1.1"
    heard = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.heard.append((self.headers, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0")
        if "Validation-Token" in self.headers:
            self.send_header("Validation-Token", self.headers["Validation-Token"])
        self.end_headers()

    def log_message(self, *_):
        pass


class Drive:
    def __init__(self, world):
        self.world = world
        self.platform = SDK(world["client_id"], world["client_secret"], world["platform"]).platform()
        self.receiver = HTTPServer(("127.0.0.1", 0), Receiver)
        self.address = f"http://127.0.0.1:{self.receiver.server_port}/hook"
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()

    def get(self, url, query=None):
        return self.platform.get(url, query).json_dict()

    def log_in_with_a_jwt(self):
        reply = self.platform.login(jwt=self.world["jwt"]).json_dict()
        self.token = self.platform.auth().access_token()
        equal("access token kept", self.token, reply["access_token"])
        equal("token_type", reply["token_type"], "bearer")
        equal("scope", set(reply["scope"].split(" ")), SCOPE)
        holds("a lifetime", reply["expires_in"] > 0 and self.platform.logged_in())

    def list_the_call_log(self):
        query = {"view": "Detailed", "recordingType": "All", "dateFrom": self.world["since"]}
        log = self.get("/restapi/v1.0/account/~/call-log", query)
        recorded = {record["telephonySessionId"]: record for record in log["records"]}
        self.listed = {}
        for offered in self.world["recordings"]:
            record = recorded[offered["telephony_session_id"]]
            recording = record["recording"]
            equal("recording.id", recording["id"], offered["id"])
            holds("recording.type", recording["type"] in ("Automatic", "OnDemand"))
            path = f"/restapi/v1.0/account/{self.world['account_id']}/recording/{offered['id']}"
            equal("recording.uri", recording["uri"], self.world["platform"] + path)
            equal("recording.contentUri", recording["contentUri"], f"{self.world['media']}{path}/content")
            self.listed[offered["id"]] = recording["contentUri"]
            leg_ids = [leg["recording"]["id"] for leg in record["legs"] if "recording" in leg]
            holds("the recording on a leg", offered["id"] in leg_ids)
        equal("records of the page", len(log["records"]), log["paging"]["totalElements"])

    def read_the_recordings_metadata(self):
        for offered in self.world["recordings"]:
            found = self.get(f"/restapi/v1.0/account/~/recording/{offered['id']}")
            equal("id", found["id"], offered["id"])
            equal("contentUri", found["contentUri"], self.listed[offered["id"]])
            equal("contentType", found["contentType"], offered["content_type"])

    def download_by_content_uri(self):
        for offered in self.world["recordings"]:
            same_audio(self.platform.get(self.listed[offered["id"]]), offered)

    def download_by_the_url_built_from_the_id(self):
        offered = self.world["recordings"][0]
        url = f"{self.world['media']}/restapi/v1.0/account/~/recording/{offered['id']}/content"
        same_audio(self.platform.get(url), offered)

    def create_a_subscription(self):
        wanted = {
            "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
            "expiresIn": HOUR_S,
            "deliveryMode": {"transportType": "WebHook", "address": self.address, "verificationToken": "py-secret"},
        }
        made = self.platform.post(SUBSCRIPTIONS, wanted).json_dict()
        self.made = made
        equal("id", str(uuid.UUID(made["id"])), made["id"])
        equal("status", made["status"], "Active")
        filters = [f"/restapi/v1.0/account/{self.world['account_id']}/telephony/sessions"]
        equal("eventFilters", made["eventFilters"], filters)
        equal("expiresIn", made["expiresIn"], HOUR_S)
        equal("deliveryMode.address", made["deliveryMode"]["address"], self.address)
        holds("the secret kept secret", "py-secret" not in json.dumps(made))
        [(headers, body)] = Receiver.heard
        holds("a handshake with an empty body", headers["Validation-Token"] and body == b"")

    def list_subscriptions(self):
        [only] = self.get(SUBSCRIPTIONS)["records"]
        equal("id", only["id"], self.made["id"])
        equal("status", only["status"], "Active")
        equal("expirationTime", only["expirationTime"], self.made["expirationTime"])

    def renew_the_subscription(self):
        renewed = self.platform.post(f"{SUBSCRIPTIONS}/{self.made['id']}/renew").json_dict()
        equal("id", renewed["id"], self.made["id"])
        holds("a later end", renewed["expirationTime"] > self.made["expirationTime"])
        equal("the lifetime asked for at first", renewed["expiresIn"], HOUR_S)

    def update_the_subscription(self):
        wanted = {"eventFilters": [self.made["eventFilters"][0] + "?withRecordings=true"], "expiresIn": 2 * HOUR_S}
        updated = self.platform.put(f"{SUBSCRIPTIONS}/{self.made['id']}", wanted).json_dict()
        equal("eventFilters", updated["eventFilters"], wanted["eventFilters"])
        equal("expiresIn", updated["expiresIn"], wanted["expiresIn"])
        equal("what one reads", self.get(f"{SUBSCRIPTIONS}/{self.made['id']}")["eventFilters"], wanted["eventFilters"])

    def delete_the_subscription(self):
        equal("body", self.platform.delete(f"{SUBSCRIPTIONS}/{self.made['id']}").body(), b"")
        equal("records", self.get(SUBSCRIPTIONS)["records"], [])
        try:
            self.get(f"{SUBSCRIPTIONS}/{self.made['id']}")
        except ApiException as refusal:
            reply = refusal.api_response()
            equal("status", reply.response().status_code, 404)
            equal("errorCode", reply.json_dict()["errors"][0]["errorCode"], "CMN-102")
        else:
            raise AssertionError("a deleted subscription is still read")

    def log_out(self):
        self.platform.logout()
        equal("token kept", self.platform.auth().access_token(), "")
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            urllib.request.urlopen(urllib.request.Request(self.world["platform"] + SUBSCRIPTIONS, headers=headers))
        except urllib.error.HTTPError as refusal:
            equal("status", refusal.code, 401)
            equal("errorCode", json.load(refusal)["errors"][0]["errorCode"], "OAU-213")
        else:
            raise AssertionError("a revoked token is still good")


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r}, not {wanted!r}")


def holds(what, true):
    if not true:
        raise AssertionError(f"{what}: missing")


def same_audio(reply, offered):
    equal("Content-Type", reply.response().headers["Content-Type"], offered["content_type"])
    equal("length", len(reply.body()), offered["bytes"])
    equal("SHA-256", hashlib.sha256(reply.body()).hexdigest(), offered["sha256"])


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        drive = Drive(json.load(file))
    steps = [
        drive.log_in_with_a_jwt,
        drive.list_the_call_log,
        drive.read_the_recordings_metadata,
        drive.download_by_content_uri,
        drive.download_by_the_url_built_from_the_id,
        drive.create_a_subscription,
        drive.list_subscriptions,
        drive.renew_the_subscription,
        drive.update_the_subscription,
        drive.delete_the_subscription,
        drive.log_out,
    ]
    passed = failed = 0
    print(f"PyPI ringcentral {version('ringcentral')}")
    for step in steps:
        name = step.__name__.replace("_", " ")
        try:
            step()
        except Exception as error:
            failed += 1
            print(f"  FAILED  {name}: {type(error).__name__}: {error}")
        else:
            passed += 1
            print(f"  passed  {name}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
