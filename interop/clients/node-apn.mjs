// @parse/node-apn, with a provider token: `address`, `port` and `ca` point it at the double.
import { readFileSync } from "node:fs";
import apn from "@parse/node-apn";

const ready = JSON.parse(readFileSync(process.env.READY_FILE, "utf8"));
const devices = Object.fromEntries(ready.device_tokens.map(({ name, token }) => [name, token]));
const works = devices["sandbox"];
const bad = works.slice(0, -1) + (works.endsWith("0") ? "1" : "0");
const { key_id: keyId, file: key } = ready.keys[0];

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
  console.log(holds ? `ok node-apn: ${what}` : `FAILED node-apn: ${what}\n  got: ${JSON.stringify(got)}`);
  if (!holds) process.exitCode = 1;
};

const { sent, failed } = await push(works, bad, devices["sandbox-unregistered"]);
check("200 with an apns-id", sent.length === 1 && sent[0].device === works && sent[0]["apns-id"]?.length === 36, { sent, failed });
const refusal = (device) => failed.find((answer) => answer.device === device) ?? {};
const { status: badStatus, response: badResponse } = refusal(bad);
check("400 BadDeviceToken", badStatus === 400 && badResponse.reason === "BadDeviceToken", failed);
const { status, response } = refusal(devices["sandbox-unregistered"]);
check(
  "410 Unregistered, since milliseconds",
  status === 410 && response.reason === "Unregistered" && response.timestamp > 1e12,
  failed,
);

const many = await push(...Array(100).fill(works));
check("100 pushes at once: all 200", many.sent.length === 100, many.failed);
await provider.shutdown();
