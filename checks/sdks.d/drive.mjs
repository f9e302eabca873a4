// Drives RingCentral's own SDK for JavaScript, as npm has it, against the simulator: `node drive.mjs world.json`, in the
// folder where the SDK is installed.
//
// `world.py` says what the world holds. A wrong status is an exception of the SDK's; what is checked here is values.

import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { SDK } = createRequire(`${process.cwd()}/`)("@ringcentral/sdk");

const SUBSCRIPTIONS = "/restapi/v1.0/subscription";
const SCOPE = ["CallControl", "ReadCallLog", "ReadCallRecording", "SubscriptionWebhook"];
const HOUR_S = 3600;

const world = JSON.parse(readFileSync(process.argv[2], "utf8"));
const sdk = new SDK({ server: world.platform, clientId: world.client_id, clientSecret: world.client_secret });
const platform = sdk.platform();

const json = async (reply) => (await reply).json();
const refused = async (response, status, code) => {
    equal(response.status, status);
    equal((await response.json()).errors[0].errorCode, code);
};

// The webhook: answers a handshake and every event as the vendor wants it, and keeps what came.
const heard = [];
const receiver = createServer(async (request, response) => {
    const pieces = await request.toArray();
    heard.push({ headers: request.headers, body: Buffer.concat(pieces).toString() });
    const echo = request.headers["validation-token"];
    response.writeHead(200, { "Content-Type": "application/json", ...(echo && { "Validation-Token": echo }) }).end();
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${receiver.address().port}/hook`;

let token;
let made;
const listed = new Map();

const sameAudio = async (reply, offered) => {
    const bytes = Buffer.from(await reply.arrayBuffer());
    equal(reply.headers.get("content-type"), offered.content_type);
    equal(bytes.length, offered.bytes);
    equal(createHash("sha256").update(bytes).digest("hex"), offered.sha256);
};

const steps = {
    "log in with a jwt": async () => {
        const reply = await json(platform.login({ jwt: world.jwt }));
        token = (await platform.auth().data()).access_token;
        ok(token);
        equal(token, reply.access_token);
        equal(reply.token_type, "bearer");
        deepEqual(reply.scope.split(" ").sort(), SCOPE);
        ok(await platform.loggedIn());
    },
    "list the call log": async () => {
        const query = { view: "Detailed", recordingType: "All", dateFrom: world.since };
        const log = await json(platform.get("/restapi/v1.0/account/~/call-log", query));
        for (const offered of world.recordings) {
            const record = log.records.find((record) => record.telephonySessionId === offered.telephony_session_id);
            const path = `/restapi/v1.0/account/${world.account_id}/recording/${offered.id}`;
            equal(record.recording.id, offered.id);
            ok(["Automatic", "OnDemand"].includes(record.recording.type));
            equal(record.recording.uri, world.platform + path);
            equal(record.recording.contentUri, `${world.media}${path}/content`);
            ok(record.legs.some((leg) => leg.recording?.id === offered.id));
            listed.set(offered.id, record.recording.contentUri);
        }
        equal(log.records.length, log.paging.totalElements);
    },
    "read the recordings' metadata": async () => {
        for (const offered of world.recordings) {
            const found = await json(platform.get(`/restapi/v1.0/account/~/recording/${offered.id}`));
            equal(found.id, offered.id);
            equal(found.contentUri, listed.get(offered.id));
            equal(found.contentType, offered.content_type);
        }
    },
    "download by contentUri": async () => {
        for (const offered of world.recordings) {
            await sameAudio(await platform.get(listed.get(offered.id)), offered);
        }
    },
    "download by the url built from the id": async () => {
        const [offered] = world.recordings;
        const url = `${world.media}/restapi/v1.0/account/~/recording/${offered.id}/content`;
        await sameAudio(await platform.get(url), offered);
    },
    "create a subscription": async () => {
        const wanted = {
            eventFilters: ["/restapi/v1.0/account/~/telephony/sessions"],
            expiresIn: HOUR_S,
            deliveryMode: { transportType: "WebHook", address, verificationToken: "js-secret" },
        };
        made = await json(platform.post(SUBSCRIPTIONS, wanted));
        ok(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(made.id), made.id);
        equal(made.status, "Active");
        deepEqual(made.eventFilters, [`/restapi/v1.0/account/${world.account_id}/telephony/sessions`]);
        equal(made.expiresIn, HOUR_S);
        equal(made.deliveryMode.address, address);
        ok(!JSON.stringify(made).includes("js-secret"));
        equal(heard.length, 1);
        ok(heard[0].headers["validation-token"]);
        equal(heard[0].body, "");
    },
    "list subscriptions": async () => {
        const { records } = await json(platform.get(SUBSCRIPTIONS));
        deepEqual(records.map(({ id, status, expirationTime }) => ({ id, status, expirationTime })), [
            { id: made.id, status: "Active", expirationTime: made.expirationTime },
        ]);
    },
    "renew the subscription": async () => {
        const renewed = await json(platform.post(`${SUBSCRIPTIONS}/${made.id}/renew`));
        equal(renewed.id, made.id);
        ok(renewed.expirationTime > made.expirationTime);
        equal(renewed.expiresIn, HOUR_S);
    },
    "update the subscription": async () => {
        const wanted = { eventFilters: [`${made.eventFilters[0]}?withRecordings=true`], expiresIn: 2 * HOUR_S };
        const updated = await json(platform.put(`${SUBSCRIPTIONS}/${made.id}`, wanted));
        deepEqual(updated.eventFilters, wanted.eventFilters);
        equal(updated.expiresIn, wanted.expiresIn);
        deepEqual((await json(platform.get(`${SUBSCRIPTIONS}/${made.id}`))).eventFilters, wanted.eventFilters);
    },
    "delete the subscription": async () => {
        equal((await platform.delete(`${SUBSCRIPTIONS}/${made.id}`)).status, 204);
        deepEqual((await json(platform.get(SUBSCRIPTIONS))).records, []);
        const reading = platform.get(`${SUBSCRIPTIONS}/${made.id}`);
        const { response } = await reading.then(() => fail("a deleted subscription is still read"), (error) => error);
        await refused(response, 404, "CMN-102");
    },
    "log out": async () => {
        await platform.logout();
        equal((await platform.auth().data()).access_token, "");
        const response = await fetch(world.platform + SUBSCRIPTIONS, { headers: { Authorization: `Bearer ${token}` } });
        await refused(response, 401, "OAU-213");
    },
};

console.log(`npm @ringcentral/sdk ${SDK.version}`);
let [passed, failed] = [0, 0];
for (const [name, step] of Object.entries(steps)) {
    try {
        await step();
        passed += 1;
        console.log(`  passed  ${name}`);
    } catch (error) {
        failed += 1;
        console.log(`  FAILED  ${name}: ${error.message}`);
    }
}
console.log(`${passed} passed, ${failed} failed`);
receiver.close();
receiver.closeAllConnections();
process.exitCode = failed > 0 ? 1 : 0;
