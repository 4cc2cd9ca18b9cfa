// Node's HTTP/2 server in the place of APNs. Prints its port. The end of a device token says what becomes of the push:
//
//   0bad  400 with a reason           0f05  its stream is refused the first time      90a1  accepted, and a GOAWAY behind it
//   dead  410 with a time             0e44  its stream is reset                       else  accepted
//
// server.pem has the certificate with its chain, and the key: node apns.mjs server.pem
import { readFileSync } from "node:fs";
import { constants, createSecureServer } from "node:http2";

const pem = readFileSync(process.argv[2]);
const refused = new Set();
const server = createSecureServer({ key: pem, cert: pem, settings: { maxConcurrentStreams: 100, maxHeaderListSize: 8000 } });

server.on("stream", (stream, headers) => {
  const end = headers[":path"].slice(-4);
  const apnsId = headers["apns-id"];
  stream.on("error", () => {}); // a client that goes away is no news
  if (end === "0f05" && !refused.has(apnsId)) {
    refused.add(apnsId);
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
    return;
  }
  const body = [];
  stream.on("data", (data) => body.push(data));
  stream.on("end", () => answer(stream, end, apnsId, JSON.parse(Buffer.concat(body))));
});

const answer = (stream, end, apnsId, payload) => {
  const respond = (status, body) => {
    stream.respond({ ":status": status, "apns-id": apnsId }, { endStream: !body });
    if (body) stream.end(JSON.stringify(body));
  };
  if (!payload.aps) return respond(400, { reason: "PayloadEmpty" });
  if (end === "0bad") return respond(400, { reason: "BadDeviceToken" });
  if (end === "dead") return respond(410, { reason: "Unregistered", timestamp: 1700000000123 });
  if (end === "0e44") return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  respond(200);
  if (end === "90a1") {
    stream.session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from('{"reason":"Shutdown"}'));
    stream.session.close(); // what is under way is finished
  }
};

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
