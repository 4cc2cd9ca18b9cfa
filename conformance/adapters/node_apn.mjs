// @parse/node-apn (npm), told what to do by a conformance suite (docs/adapter-protocol.md).
//
// Called as its README calls it: one Provider, a Notification with `rawPayload` for each push, `send` with one device token,
// `shutdown` at the end. It tells its caller status, reason and timestamp of an answer, and a message where there was none.
//
// It cannot be told: a clock; another credential without another Provider; a user name and password for the proxy; how long a
// silent connection is waited for; whether to send an ambiguous push again. It writes the payload anew from what JSON.parse
// makes of it. Behind a proxy it passes neither `ca` nor the certificate on: there Node trusts NODE_EXTRA_CA_CERTS.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

// interop/install installs it there.
const require = createRequire(new URL("../../interop/package.json", import.meta.url));
const apn = require("@parse/node-apn");
const { version } = require("@parse/node-apn/package.json");

const CAN = ["key", "certificate", "proxy", "deadline", "attempts-max", "connections-max", "idle-ping", "drain"];
/** Pushes whose result has not been told; whoever says more waits. */
const IN_HAND_MAX = 10_000;
const NO_INSTRUCTION = 2;

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`); // undefined members are left out
const failed = (why) => tell({ event: "failed", why });

let provider;
let inHand = 0;
let onRoom = () => {};

async function main() {
  tell({ event: "ready", name: "node-apn", version, can: CAN });
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    const order = parsed(line);
    if (typeof order?.do !== "string") {
      failed("not an instruction: JSON with `do` is one");
      return NO_INSTRUCTION;
    }
    if (order.do === "exit") break;
    while (inHand >= IN_HAND_MAX) await new Promise((resolve) => (onRoom = resolve));
    obey(order);
  }
  return 0;
}

function obey(order) {
  if (order.do === "configure") {
    try {
      const old = provider;
      provider = newProvider(order);
      old?.shutdown(); // it closes its connections when their pushes have been answered
      tell({ event: "configured" });
    } catch (error) {
      failed(error.message);
    }
  } else if (!["send", "drain"].includes(order.do)) {
    failed(`this adapter cannot ${order.do}`);
  } else if (provider === undefined) {
    failed("nothing was configured");
  } else if (order.do === "send") {
    send(order);
  } else {
    drain(order["within-ms"]);
  }
}

function newProvider(order) {
  const options = {
    address: order.host,
    port: order.port,
    ca: [order["ca-pem"]],
    production: order.environment === "production",
    requestTimeout: order["deadline-ms"], // of one attempt
    connectionRetryLimit: order["attempts-max"] === undefined ? undefined : order["attempts-max"] - 1,
    heartBeat: order["idle-ping-ms"],
    proxy: order.proxy === undefined ? undefined : proxy(order.proxy),
    clientCount: order["connections-max"],
    ...credential(order.credential),
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return options.clientCount > 1 ? new apn.MultiProvider(given) : new apn.Provider(given);
}

function proxy(text) {
  const { hostname, port, username } = new URL(text);
  if (username !== "") throw new Error("its proxy is a host and a port: it cannot be told a user name and password");
  return { host: hostname, port: port || 80 };
}

function credential(whose) {
  const pem = whose["certificate-pem"];
  if (pem !== undefined) return { cert: pem, key: pem };
  return { token: { key: whose.p8, keyId: whose["key-id"], teamId: whose["team-id"] } };
}

async function send(order) {
  inHand += 1;
  const client = provider;
  let result;
  try {
    result = resultOf(await client.send(notification(order), order["device-token"]));
  } catch (error) {
    result = { outcome: "invalid", why: error.message }; // answers and connections make no exceptions, only building does
  }
  tell({ event: "result", id: order.id, ...result });
  inHand -= 1;
  onRoom();
}

function notification(order) {
  const members = { topic: order.topic, pushType: order["push-type"], rawPayload: JSON.parse(order.payload) };
  if (order.priority !== undefined) members.priority = order.priority;
  if (order.expiration !== undefined) members.expiry = order.expiration;
  if (order["collapse-id"] !== undefined) members.collapseId = order["collapse-id"];
  if (order["apns-id"] !== undefined) members.id = order["apns-id"];
  return new apn.Notification(members);
}

/** What the library says of one device token. */
function resultOf({ sent, failed: [failure] }) {
  if (failure === undefined) return { outcome: "accepted", "apns-id": sent[0]["apns-id"] };
  const { status, response, error } = failure;
  if (typeof status !== "number") {
    return { outcome: "ambiguous", why: error?.message ?? JSON.stringify(failure) };
  }
  // Of 403 ExpiredProviderToken the reason is the error's message; of 500 it says a message of its own.
  const reason = response?.reason ?? (status === 403 ? error?.message : undefined);
  const apnsId = failure["apns-id"];
  return { outcome: "rejected", status, reason, timestamp: response?.timestamp, "apns-id": apnsId, why: error?.message };
}

async function drain(withinMs) {
  const finished = new Promise((resolve) => provider.shutdown(() => resolve(true)));
  tell({ event: "drained", all: await Promise.race([finished, pause(withinMs, false)]) });
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

process.exit(await main());
