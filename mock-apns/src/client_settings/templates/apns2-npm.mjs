import { readFileSync } from "node:fs";
import { ApnsClient, Notification } from "apns2";
import { Pool } from "undici"; // what apns2 itself connects with

const apns = new ApnsClient({
  team: {{team_id}},
  keyId: {{key_id}},
  signingKey: readFileSync({{key}}),
  defaultTopic: {{topic}},
});
// `host` has port 443 built in, so the connections are replaced. Against Apple's names on 443, leave this out and set
// NODE_EXTRA_CA_CERTS={{ca:shell}}
apns.client = new Pool({{sandbox_url}}, {
  allowH2: true,
  connect: { ca: readFileSync({{ca}}) },
});
// Resolves for a 200; rejects with `statusCode` and `reason`.
const { deviceToken } = await apns.send(new Notification({{device_token}}, { alert: "Hello" }));
console.log(`200 for ${deviceToken}`);
await apns.close();
