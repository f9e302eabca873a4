// Drives RingCentral's own SDK for JavaScript against a simulator:
// `node drive.mjs FOLDER_OF_THE_SDK PLATFORM_URL MEDIA_URL CONTROL_URL`.
//
// A wrong status is an exception of the SDK's; what is checked here is values. The control API knows what they must be.

import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";

const [folder, platformUrl, mediaUrl, controlUrl] = process.argv.slice(2);
const { SDK } = createRequire(resolve(folder, "package.json"))("@ringcentral/sdk");

const SUBSCRIPTIONS = "/restapi/v1.0/subscription";
const SECRET = "a-verification-token";
const HOUR_S = 3600;
const MAGIC = { "audio/wav": ["52494646"], "audio/mpeg": ["494433", "fffb", "fff3"] };

const control = async (path, body) => {
    const method = body ? "POST" : "GET";
    const headers = { "Content-Type": "application/json" };
    const reply = await fetch(controlUrl + path, { method, headers, body: JSON.stringify(body) });
    ok(reply.ok, `control API: ${path}: ${reply.status}`);
    return reply;
};
const json = async (reply) => (await reply).json();
const bytes = async (reply) => Buffer.from(await (await reply).arrayBuffer());

const settings = await json(control("/settings"));
const account = `/restapi/v1.0/account/${settings.account_id}`;
const offered = new Map();
for (const { recording_id: id, telephony_session_id: call } of await json(control("/recordings"))) {
    offered.set(id, { call, audio: await bytes(control(`/recordings/${id}/audio`)) });
}
ok(offered.size > 0, "there is nothing to download");

const { client_id: clientId, client_secret: clientSecret } = settings;
const platform = new SDK({ server: platformUrl, clientId, clientSecret }).platform();

// The webhook: answers handshakes and events as the vendor wants it, and keeps what came.
const heard = [];
const receiver = createServer(async (request, response) => {
    heard.push({ headers: request.headers, body: await text(request) });
    const echo = request.headers["validation-token"];
    response.writeHead(200, { "Content-Type": "application/json", ...(echo && { "Validation-Token": echo }) }).end();
});
await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${receiver.address().port}/hook`;

const download = async (url, { contentType, audio }) => {
    const reply = await platform.get(url);
    const body = await bytes(reply);
    equal(reply.headers.get("content-type"), contentType);
    ok(MAGIC[contentType].some((magic) => body.toString("hex", 0, 4).startsWith(magic)), "magic bytes are missing");
    equal(body.length, audio.length);
    ok(body.equals(audio), "other bytes than offered");
};
const mustRefuse = async (response, status, code) => {
    equal(response.status, status);
    equal((await response.json()).errors[0].errorCode, code);
};
const mustBeDead = async (token) => {
    const response = await fetch(platformUrl + SUBSCRIPTIONS, { headers: { Authorization: `Bearer ${token}` } });
    await mustRefuse(response, 401, "OAU-213");
};

// What the steps find and later ones stand on.
let token;
let made;
let path;

const steps = {
    "log in with a jwt": async () => {
        const reply = await json(platform.login({ jwt: settings.jwt }));
        token = (await platform.auth().data()).access_token;
        ok(token && (await platform.auth().accessTokenValid()), "no token");
        equal(reply.access_token, token);
        equal(reply.token_type, "bearer");
        equal(reply.expires_in, settings.token_ttl_s);
        equal(reply.scope, settings.scope);
        equal(reply.owner_id, settings.extension_id);
    },
    "list the call log": async () => {
        const since = new Date(Date.now() - HOUR_S * 1000).toISOString();
        const query = { view: "Detailed", recordingType: "All", dateFrom: since };
        const log = await json(platform.get("/restapi/v1.0/account/~/call-log", query));
        const listed = new Map();
        for (const record of log.records) {
            ok(record.recording.contentUri);
            for (const { recording } of [record, ...record.legs].filter((part) => part.recording)) {
                listed.set(recording.id, recording);
                equal(record.telephonySessionId, offered.get(recording.id).call);
            }
        }
        deepEqual([...listed.keys()].sort(), [...offered.keys()].sort());
        equal(log.paging.pageEnd, log.records.length - 1);
        equal(log.navigation.nextPage, undefined);
        for (const [id, { type, uri, contentUri }] of listed) {
            ok(["Automatic", "OnDemand"].includes(type), type);
            equal(uri, `${platformUrl}${account}/recording/${id}`);
            equal(contentUri, `${mediaUrl}${account}/recording/${id}/content`);
            offered.get(id).contentUri = contentUri;
        }
    },
    "read the metadata": async () => {
        for (const [id, recording] of offered) {
            const found = await json(platform.get(`/restapi/v1.0/account/~/recording/${id}`));
            equal(found.id, id);
            equal(found.contentUri, recording.contentUri);
            ok(found.duration > 0);
            recording.contentType = found.contentType;
        }
        deepEqual(new Set([...offered.values()].map(({ contentType }) => contentType)), new Set(Object.keys(MAGIC)));
    },
    "download by content uri": async () => {
        for (const recording of offered.values()) {
            await download(recording.contentUri, recording);
        }
    },
    "download by a url built from the id": async () => {
        const [[id, recording]] = offered;
        await download(`${mediaUrl}/restapi/v1.0/account/~/recording/${id}/content`, recording);
    },
    "create a subscription": async () => {
        const wanted = {
            eventFilters: ["/restapi/v1.0/account/~/telephony/sessions"],
            expiresIn: HOUR_S,
            deliveryMode: { transportType: "WebHook", address, verificationToken: SECRET },
        };
        made = await json(platform.post(SUBSCRIPTIONS, wanted));
        path = `${SUBSCRIPTIONS}/${made.id}`;
        ok(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(made.id), made.id);
        equal(made.uri, platformUrl + path);
        equal(made.status, "Active");
        deepEqual(made.eventFilters, [`${account}/telephony/sessions`]);
        equal(made.expiresIn, HOUR_S);
        equal(made.deliveryMode.address, address);
        ok(!JSON.stringify(made).includes(SECRET), "the secret is told");
        equal(heard.length, 1);
        ok(heard[0].headers["validation-token"], "no token in the handshake");
        equal(heard[0].body, "");
    },
    "list subscriptions": async () => {
        const { records } = await json(platform.get(SUBSCRIPTIONS));
        equal(records.length, 1);
        for (const field of ["id", "status", "eventFilters", "expirationTime"]) {
            deepEqual(records[0][field], made[field]);
        }
    },
    "hear an event": async () => {
        const event = { uuid: "1", event: `${account}/telephony/sessions`, body: { sequence: 2, parties: [] } };
        const told = await json(control("/events/deliver", event));
        deepEqual(told.map(({ status }) => status), [200]);
        equal(heard.length, 2);
        equal(heard[1].headers["verification-token"], SECRET);
        equal(JSON.parse(heard[1].body).subscriptionId, made.id);
    },
    "renew the subscription": async () => {
        const renewed = await json(platform.post(`${path}/renew`));
        equal(renewed.id, made.id);
        equal(renewed.expiresIn, HOUR_S);
        ok(renewed.expirationTime > made.expirationTime, "no later expirationTime");
    },
    "update the subscription": async () => {
        const wanted = { eventFilters: [`${made.eventFilters[0]}?withRecordings=true`], expiresIn: 2 * HOUR_S };
        const updated = await json(platform.put(path, wanted));
        equal(updated.expiresIn, wanted.expiresIn);
        deepEqual(updated.eventFilters, wanted.eventFilters);
        deepEqual((await json(platform.get(path))).eventFilters, wanted.eventFilters);
    },
    "delete the subscription": async () => {
        equal((await platform.delete(path)).status, 204);
        deepEqual((await json(platform.get(SUBSCRIPTIONS))).records, []);
        const { response } = await platform.get(path).then(() => fail("it can still be read"), (error) => error);
        await mustRefuse(response, 404, "CMN-102");
    },
    "refresh the token": async () => {
        await platform.refresh();
        await mustBeDead(token);
        token = (await platform.auth().data()).access_token;
        deepEqual((await json(platform.get(SUBSCRIPTIONS))).records, []);
    },
    "log out": async () => {
        await platform.logout();
        equal((await platform.auth().data()).access_token, "");
        await mustBeDead(token);
    },
};

let passed = 0;
let failed = 0;
console.log(`npm @ringcentral/sdk ${SDK.version}`);
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
process.exit(failed > 0 ? 1 : 0);
