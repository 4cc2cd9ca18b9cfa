import apn from "@parse/node-apn";

const provider = new apn.Provider({
  token: { key: {{key}}, keyId: {{key_id}}, teamId: {{team_id}} },
  address: {{host}},
  port: {{sandbox_port}},
  ca: {{ca}},
});
const hello = new apn.Notification({ topic: {{topic}}, pushType: "alert", alert: "Hello" });
// Never rejects: a refusal is in `failed`, with `status` and `response.reason`.
const { sent, failed } = await provider.send(hello, {{device_token}});
console.log(JSON.stringify({ sent, failed }));
await provider.shutdown();
