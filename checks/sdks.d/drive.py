"""Drives RingCentral's own SDK for Python against a simulator: `drive.py PLATFORM_URL MEDIA_URL CONTROL_URL`.

A wrong status is an exception of the SDK's; what is checked here is values. The control API knows what they must be.
"""

import json
import sys
import threading
import uuid
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ringcentral import SDK
from ringcentral.http.api_exception import ApiException

SUBSCRIPTIONS = "/restapi/v1.0/subscription"
SECRET = "a-verification-token"
HOUR_S = 3600
MAGIC = {"audio/wav": (b"RIFF",), "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3")}


class Receiver(BaseHTTPRequestHandler):
    """The webhook: answers handshakes and events as the vendor wants it, and keeps what came."""

    protocol_version = "HTTP/1.1"
    heard = []

    def do_POST(self):
        self.heard.append((self.headers, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0")
        if "Validation-Token" in self.headers:
            self.send_header("Validation-Token", self.headers["Validation-Token"])
        self.end_headers()

    def log_message(self, *_):
        pass


class Drive:
    """The steps, in the order of `STEPS`: later ones stand on what earlier ones found."""

    def __init__(self, platform_url, media_url, control_url):
        self.platform_url, self.media_url, self.control_url = platform_url, media_url, control_url
        self.settings = json.loads(self.control("/settings"))
        self.account = f"/restapi/v1.0/account/{self.settings['account_id']}"
        self.offered = {}
        for one in json.loads(self.control("/recordings")):
            audio = self.control(f"/recordings/{one['recording_id']}/audio")
            self.offered[one["recording_id"]] = {"call": one["telephony_session_id"], "audio": audio}
        sdk = SDK(self.settings["client_id"], self.settings["client_secret"], platform_url)
        self.platform = sdk.platform()
        receiver = HTTPServer(("127.0.0.1", 0), Receiver)
        self.address = f"http://127.0.0.1:{receiver.server_port}/hook"
        threading.Thread(target=receiver.serve_forever, daemon=True).start()

    def control(self, path, body=None):
        data = body and json.dumps(body).encode()
        with urlopen(Request(self.control_url + path, data, {"Content-Type": "application/json"})) as reply:
            return reply.read()

    def get(self, url, query=None):
        return self.platform.get(url, query).json_dict()

    def log_in_with_a_jwt(self):
        reply = self.platform.login(jwt=self.settings["jwt"]).json_dict()
        self.token = self.platform.auth().access_token()
        holds("a token", self.token and self.platform.auth().access_token_valid())
        equal("access_token", reply["access_token"], self.token)
        equal("token_type", reply["token_type"], "bearer")
        equal("expires_in", reply["expires_in"], self.settings["token_ttl_s"])
        equal("scope", reply["scope"], self.settings["scope"])
        equal("owner_id", reply["owner_id"], self.settings["extension_id"])

    def list_the_call_log(self):
        since = (datetime.now(timezone.utc) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"view": "Detailed", "recordingType": "All", "dateFrom": since}
        log = self.get("/restapi/v1.0/account/~/call-log", query)
        listed = {}
        for record in log["records"]:
            holds("a recording on the record", "contentUri" in record["recording"])
            parts = [record, *record["legs"]]
            for recording in (part["recording"] for part in parts if "recording" in part):
                listed[recording["id"]] = recording
                equal("telephonySessionId", record["telephonySessionId"], self.offered[recording["id"]]["call"])
        equal("recordings", sorted(listed), sorted(self.offered))
        equal("pageEnd", log["paging"]["pageEnd"], len(log["records"]) - 1)
        holds("the last page", "nextPage" not in log["navigation"])
        for recording_id, recording in listed.items():
            path = f"{self.account}/recording/{recording_id}"
            holds("a known type", recording["type"] in ("Automatic", "OnDemand"))
            equal("uri", recording["uri"], self.platform_url + path)
            equal("contentUri", recording["contentUri"], f"{self.media_url}{path}/content")
            self.offered[recording_id]["content_uri"] = recording["contentUri"]

    def read_the_metadata(self):
        for recording_id, offered in self.offered.items():
            found = self.get(f"/restapi/v1.0/account/~/recording/{recording_id}")
            equal("id", found["id"], recording_id)
            equal("contentUri", found["contentUri"], offered["content_uri"])
            holds("a duration", found["duration"] > 0)
            offered["content_type"] = found["contentType"]
        equal("kinds of audio", {offered["content_type"] for offered in self.offered.values()}, set(MAGIC))

    def download_by_content_uri(self):
        for offered in self.offered.values():
            self.download(offered["content_uri"], offered)

    def download_by_a_url_built_from_the_id(self):
        recording_id, offered = next(iter(self.offered.items()))
        self.download(f"{self.media_url}/restapi/v1.0/account/~/recording/{recording_id}/content", offered)

    def download(self, url, offered):
        reply = self.platform.get(url)
        equal("Content-Type", reply.response().headers["Content-Type"], offered["content_type"])
        holds("magic bytes", reply.body().startswith(MAGIC[offered["content_type"]]))
        equal("length", len(reply.body()), len(offered["audio"]))
        holds("the bytes offered", reply.body() == offered["audio"])

    def create_a_subscription(self):
        wanted = {
            "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
            "expiresIn": HOUR_S,
            "deliveryMode": {"transportType": "WebHook", "address": self.address, "verificationToken": SECRET},
        }
        self.made = self.platform.post(SUBSCRIPTIONS, wanted).json_dict()
        self.path = f"{SUBSCRIPTIONS}/{self.made['id']}"
        equal("id", self.made["id"], str(uuid.UUID(self.made["id"])))
        equal("uri", self.made["uri"], self.platform_url + self.path)
        equal("status", self.made["status"], "Active")
        equal("eventFilters", self.made["eventFilters"], [f"{self.account}/telephony/sessions"])
        equal("expiresIn", self.made["expiresIn"], HOUR_S)
        equal("address", self.made["deliveryMode"]["address"], self.address)
        holds("silence about the secret", SECRET not in json.dumps(self.made))
        [(headers, body)] = Receiver.heard
        holds("a token in the handshake", headers["Validation-Token"])
        equal("body of the handshake", body, b"")

    def list_subscriptions(self):
        [only] = self.get(SUBSCRIPTIONS)["records"]
        for field in ("id", "status", "eventFilters", "expirationTime"):
            equal(field, only[field], self.made[field])

    def hear_an_event(self):
        event = {"uuid": "1", "event": f"{self.account}/telephony/sessions", "body": {"sequence": 2, "parties": []}}
        [told] = json.loads(self.control("/events/deliver", event))
        equal("status", told["status"], 200)
        [_, (headers, body)] = Receiver.heard
        equal("Verification-Token", headers["Verification-Token"], SECRET)
        equal("subscriptionId", json.loads(body)["subscriptionId"], self.made["id"])

    def renew_the_subscription(self):
        renewed = self.platform.post(f"{self.path}/renew").json_dict()
        equal("id", renewed["id"], self.made["id"])
        equal("expiresIn", renewed["expiresIn"], HOUR_S)
        holds("a later expirationTime", renewed["expirationTime"] > self.made["expirationTime"])

    def update_the_subscription(self):
        wanted = {"eventFilters": [self.made["eventFilters"][0] + "?withRecordings=true"], "expiresIn": 2 * HOUR_S}
        updated = self.platform.put(self.path, wanted).json_dict()
        equal("expiresIn", updated["expiresIn"], wanted["expiresIn"])
        equal("eventFilters", updated["eventFilters"], wanted["eventFilters"])
        equal("eventFilters read", self.get(self.path)["eventFilters"], wanted["eventFilters"])

    def delete_the_subscription(self):
        equal("status", self.platform.delete(self.path).response().status_code, 204)
        equal("records", self.get(SUBSCRIPTIONS)["records"], [])
        try:
            self.get(self.path)
        except ApiException as refusal:
            reply = refusal.api_response()
            equal("status", reply.response().status_code, 404)
            equal("errorCode", reply.json_dict()["errors"][0]["errorCode"], "CMN-102")
        else:
            raise AssertionError("it can still be read")

    def refresh_the_token(self):
        self.platform.refresh()
        self.must_be_dead(self.token)
        self.token = self.platform.auth().access_token()
        equal("records", self.get(SUBSCRIPTIONS)["records"], [])

    def log_out(self):
        self.platform.logout()
        equal("token kept", self.platform.auth().access_token(), "")
        self.must_be_dead(self.token)

    def must_be_dead(self, token):
        request = Request(self.platform_url + SUBSCRIPTIONS, headers={"Authorization": f"Bearer {token}"})
        try:
            urlopen(request)
        except HTTPError as refusal:
            equal("status", refusal.code, 401)
            equal("errorCode", json.load(refusal)["errors"][0]["errorCode"], "OAU-213")
        else:
            raise AssertionError("the old token is still good")

    STEPS = (
        log_in_with_a_jwt,
        list_the_call_log,
        read_the_metadata,
        download_by_content_uri,
        download_by_a_url_built_from_the_id,
        create_a_subscription,
        list_subscriptions,
        hear_an_event,
        renew_the_subscription,
        update_the_subscription,
        delete_the_subscription,
        refresh_the_token,
        log_out,
    )


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what} is {found!r}, not {wanted!r}")


def holds(what, true):
    if not true:
        raise AssertionError(f"{what} is missing")


def main():
    drive = Drive(*sys.argv[1:])
    holds("something to download", drive.offered)
    passed = failed = 0
    print(f"PyPI ringcentral {version('ringcentral')}")
    for step in Drive.STEPS:
        name = step.__name__.replace("_", " ")
        try:
            step(drive)
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
