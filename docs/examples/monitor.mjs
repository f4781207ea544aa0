#!/usr/bin/env node
// Prints the lamps of all phones, and how they change: it may begin at any time, and goes on when state was restarted.
// With CURVE a key of `ctibus keygen --role monitor` is enough. `npm install zeromq @msgpack/msgpack` brings what it imports;
// the variables are those of ctibus.py.
import { readFileSync } from "node:fs";
import { decode, encode } from "@msgpack/msgpack";
import { Dealer, Subscriber } from "zeromq";

const env = process.env, instance = `lamps-${process.pid}`, echo = `xod/echo/${instance}/`;

function keys() {
    const key = (file, name) => readFileSync(file, "utf8").match(new RegExp(`${name} = "(.*)"`))[1];
    return env.CTIBUS_KEY && { curvePublicKey: key(env.CTIBUS_KEY, "public-key"), curveSecretKey: key(env.CTIBUS_KEY, "secret-key"),
                               curveServerKey: key(env.CTIBUS_SERVER_KEY, "public-key") };
}

const state = new Dealer({ ...keys(), receiveTimeout: 10000, linger: 0 }), bus = new Subscriber({ ...keys(), receiveHighWaterMark: 0 });
state.connect(env.CTIBUS_REQUEST ?? "tcp://127.0.0.1:5552");
bus.connect(env.CTIBUS_SUBSCRIBE ?? "tcp://127.0.0.1:5551");
bus.subscribe("xod/", "svc/state/"); // the whole plane, whose numbers show what is missing; and the heartbeats of state

let requests = 0;
async function ask(method, body) { // the bodies of all parts of the answer
    const number = ++requests, parts = [];
    await state.send([encode(1), encode(number), method, encode(body)]);
    for (;;) {
        const [, id, status, part] = await state.receive();
        if (decode(id) !== number) continue; // to an earlier one, too late
        parts.push(decode(part));
        if (`${status}` === "ok") return parts;
        if (`${status}` !== "more") throw new Error(`${method}: ${status}`);
    }
}

async function next(milliseconds) { // a message of the bus; undefined: none has come
    bus.receiveTimeout = milliseconds;
    try {
        const [topic, meta, body] = await bus.receive(), [, , epoch, number] = decode(meta);
        return { topic: `${topic}`, epoch, number, body: decode(body) };
    } catch (error) {
        if (error.code !== "EAGAIN") throw error;
    }
}

let objects, seen, epoch, number; // objects and seen: by "IPBX/LIST/ID"
async function load() {
    await ask("hello", { service: "lamps", instance, version: "1" });
    for (let message; message?.topic !== echo; epoch = message?.epoch) { // until it comes the subscription is not active
        await ask("echo", { plane: "xod" });
        message = await next(50);
    }
    objects = new Map(), seen = new Map(), number = Infinity;
    for (const part of await ask("snapshot", {})) {
        number = Math.min(number, part.seq);
        for (const [ipbx, list, id, fields] of part.objects) {
            objects.set(`${ipbx}/${list}/${id}`, fields);
            seen.set(`${ipbx}/${list}/${id}`, part.seq);
        }
    }
}

function apply(message) { // the key of what has changed, and the fields that have; undefined: nothing, the snapshot has it
    const [, ipbx, , list, id] = message.topic.split("/").map(decodeURIComponent), key = `${ipbx}/${list}/${id}`, { op, fields } = message.body;
    if (message.number <= (seen.get(key) ?? 0) || (op === "update" && !objects.has(key))) return;
    if (op === "del") objects.delete(key);
    else objects.set(key, { ...objects.get(key), ...fields });
    return { key, fields: fields ?? {} };
}

function show(key, changed) {
    const [ipbx, list, id] = key.split("/"), fields = objects.get(key);
    if (list !== "phones") return;
    if (!fields) console.log(`${ipbx} ${id} gone`);
    else if ("hintstatus" in changed) console.log(`${ipbx} ${fields.number} ${changed.hintstatus}`);
}

for (let before = new Map(); ; before = objects) {
    try {
        await load();
    } catch (error) {
        console.error(`state: ${error.message}`); // it is not there: once more
        continue;
    }
    for (const key of before.keys()) if (!objects.has(key)) show(key, {});
    for (const [key, fields] of objects) show(key, fields);
    for (;;) {
        const message = await next(6000);
        if (!message) break; // state is silent
        const beat = message.topic.startsWith("svc/"), last = beat ? message.body.seq.xod : message.number;
        if (message.epoch !== epoch || last > number + (beat ? 0 : 1)) break; // it was restarted, or something is missing
        number = Math.max(number, last);
        const change = beat || last === 0 ? undefined : apply(message); // 0: an echo
        if (change) show(change.key, change.fields);
    }
}
