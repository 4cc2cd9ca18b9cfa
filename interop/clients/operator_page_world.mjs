// What the operator's page is looked at with: a double and a provider server of their own, with an app, a campaign that goes on, one that
// failed and has dead letters; and headless Chromium.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const APP = "com.example.app";
export const HOSTILE = "<script>document.title='broken'</script><img src=x onerror=alert(1)>";
const START_MS_MAX = 30_000;
const DEVICES = 123;
const REFUSED = 3; // of them: they get nothing else

const folder = mkdtempSync(join(tmpdir(), "operator-page-"));
const children = [];

/** The two servers, and what the API is asked with. */
export async function start(mockApns, provider) {
  const double = join(folder, "double.json");
  run(mockApns, ["--port", "0", "--production-port", "0", "--log", "warn", "--out", join(folder, "double"), "--ready-file", double]);
  execFileSync(mockApns, ["ready", "--wait", "--timeout", String(START_MS_MAX / 1000), "--ready-file", double]);
  const mock = JSON.parse(readFileSync(double, "utf8"));

  const ready = join(folder, "server.json");
  const server = run(provider, [
    "serve", "--listen", "127.0.0.1:0", "--data-dir", join(folder, "data"), "--ready-file", ready, "--log", "warn",
    "--apns", mock.sandbox.url, "--apns-ca", mock.ca,
  ]);
  // The file is there before it says anything.
  await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
  if (!existsSync(ready)) throw new Error("the provider server did not start");
  const { url, "first-key": key } = JSON.parse(readFileSync(ready, "utf8"));
  const at = async (base, method, path, body, headers = {}) => {
    const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  return {
    url,
    key,
    mock,
    server,
    double: (method, path, body) => at(mock.control.url, method, path, body),
    api: (method, path, body) => at(url, method, path, body, { authorization: `Bearer ${key}` }),
  };
}

/** An app with devices, a campaign with this label that was refused, and one that goes on for two minutes. */
export async function prepare({ mock, double, api }, refused) {
  const [{ key_id, file }, path] = [mock.keys[0], `/v1/apps/${APP}`];
  await api("PUT", "/v1/tenants/acme", {});
  await api("PUT", path, {});
  await api("PUT", `${path}/credentials/sandbox`, {
    p8: { key: readFileSync(file, "utf8"), "key-id": key_id, "team-id": mock.team_id },
  });
  const tokens = [];
  for (let index = 0; index < DEVICES; index += 1) {
    const name = `phone-${index}`;
    const { token } = await double("POST", "/v1/tokens", { device: name, environment: "sandbox" });
    tokens.push(token);
    await api("PUT", `${path}/devices/${token}`, { environment: "sandbox", user: name, tags: index < REFUSED ? [] : ["news"] });
  }
  const send = async (audience, campaign) => {
    const message = { payload: { aps: { alert: "Tea is ready" } } };
    const body = { message, audience: { environment: "sandbox", ...audience }, ...(campaign && { campaign }) };
    return (await api("POST", `${path}/notifications`, body)).id;
  };
  const finished = async (id) => {
    for (let looks = 0; looks < 300; looks += 1) {
      const now = await api("GET", `${path}/notifications/${id}`);
      if (now.state === "finished") return now;
      await new Promise((resolve) => setTimeout(resolve, 50)); // the API has nothing to wait with
    }
    throw new Error(`the notification ${id} does not end`);
  };
  await double("POST", "/v1/faults", { name: "topic", times: REFUSED, action: { answer: { reason: "TopicDisallowed" } } });
  await finished(await send({ tokens: tokens.slice(0, REFUSED) }, { label: refused }));
  await finished(await send({ tokens: ["00".repeat(32), ...tokens.slice(REFUSED, 20)] }));
  await send({ tags: { any: ["news"] } }, { label: "Spring sale", pace: 1 });
}

/** A page of headless Chromium; what it complains of and whom it asks is kept. */
export async function browse() {
  const which = process.env.CHROMIUM ?? execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({
    executablePath: which,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 }, colorScheme: "light" });
  const [complaints, asked] = [[], []];
  page.on("console", (said) => ["error", "warning"].includes(said.type()) && complaints.push(said.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  return { browser, page, complaints, asked };
}

export function cleanUp() {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

function run(program, parameters) {
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.resume();
  children.push(child);
  return child;
}
