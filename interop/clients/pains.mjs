// @parse/node-apn at a GOAWAY: what was under way behind its last stream was not processed and may be sent again, and is not.
import { readFileSync } from "node:fs";
import apn from "@parse/node-apn";

const ready = JSON.parse(readFileSync(process.env.READY_FILE, "utf8"));
const device = ready.device_tokens.find(({ name }) => name === "sandbox").token;
const { key_id: keyId, file: key } = ready.keys[0];
const PUSHES = 100;

const ask = async (method, path, body) => {
  const answer = await fetch(ready.control.url + path, { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
};

const provider = new apn.Provider({
  token: { key, keyId, teamId: ready.team_id },
  address: "localhost",
  port: Number(new URL(ready.sandbox.url).port),
  ca: ready.ca,
});

const push = (...recipients) => {
  const hello = new apn.Notification({ topic: ready.bundle_id, pushType: "alert", alert: "Hello" });
  return provider.send(hello, recipients);
};

const check = (what, holds, got) => {
  console.log(holds ? `ok pains: ${what}` : `FAILED pains: ${what}\n  got: ${JSON.stringify(got)}`);
  if (!holds) process.exitCode = 1;
};

await push(device);
await ask("POST", "/v1/faults", {
  name: "shutdown",
  after: 20,
  times: 1,
  action: { goaway: { reason: "Shutdown", "last-stream": "before", then: "drain" } },
});
const { sent, failed } = await push(...Array(PUSHES).fill(device));
const { fired } = await ask("GET", "/v1/faults/shutdown");
await ask("DELETE", "/v1/faults/shutdown");
const lost = failed.filter(({ status }) => status === undefined);
check(
  "node-apn loses what is under way at a GOAWAY: neither answered nor sent again",
  fired === 1 && sent.length >= 20 && lost.length === PUSHES - sent.length && lost.length > 0,
  { fired, sent: sent.length, failed: failed.slice(0, 3) },
);
await provider.shutdown();

