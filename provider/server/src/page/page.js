// The operator's page. It asks the API every few seconds and puts what is answered into the page in place: a button that has the focus
// keeps it, and a screen reader its position. Whatever comes from the API is put in as text.
"use strict";

const REFRESH_MS = 5_000; // a campaign is seen to move, and a page left open costs the server little
const ANSWER_MS_MAX = 10_000; // the API answers in milliseconds; what takes longer is told as not answering
const APPS_MAX = 20; // shown at once: each costs two requests a refresh
const CAMPAIGNS_MAX = 10; // of an app: the latest are what is looked at
const LETTERS_MAX = 20; // of an app: more are a matter for a shell
const TENANTS_MAX = 1000; // to choose from: a page of the API
const QUEUES_MAX = 1000; // that the API tells: a page of it
const ACTIVE = ["planning", "sending", "paused"]; // what a campaign is while something can be done about it
const LANES = ["urgent", "normal", "campaign"];

const at = (id) => document.getElementById(id);
const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text; // what does not change is not told again
};
const number = (value) => value.toLocaleString("en");
const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);
const shown = new WeakMap(); // what a row or an item of a list stands for

let session = null; // from a key on: { key, tenant, after, next, ended }
let turn = 0; // counts looks, so that of two only the later one is shown
let timer = 0;
let isHalted = false;
const alerts = { look: "", act: "" };

/** An answer that says no. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/* Asking. */

async function ask(of, path, method = "GET", body) {
  const headers = { authorization: `Bearer ${of.key}` };
  if (of.tenant) headers["apns-tenant"] = of.tenant;
  if (body) headers["content-type"] = "application/json";
  const signal = AbortSignal.any([of.ended.signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
  let answer;
  let text;
  try {
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal, cache: "no-store" });
    text = await answer.text();
  } catch {
    throw new Refusal(0, "The server does not answer. See whether it runs, and whether the network is there; the page goes on trying.");
  }
  try {
    const value = JSON.parse(text);
    if (answer.ok) return value;
    const { message, hint } = value.error;
    throw new Refusal(answer.status, `${message[0].toUpperCase()}${message.slice(1)}. ${hint}`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(answer.status, `Something else than the server answered (${answer.status}). See what stands in front of it.`);
  }
}

const pathOf = (app) => `/v1/apps/${encodeURIComponent(app)}`;

/** Everything that is shown, as it is now. */
async function look(of) {
  const after = of.after ? `&after=${encodeURIComponent(of.after)}` : "";
  const [{ apps, next }, { queues }, { recent }] = await Promise.all([
    ask(of, `/v1/apps?limit=${APPS_MAX}${after}`),
    ask(of, "/v1/queue"),
    ask(of, "/v1/recent?minutes=60"),
  ]);
  const seen = apps.map(async (app) => {
    const path = pathOf(app["bundle-id"]);
    const [campaigns, letters] = await Promise.all([
      ask(of, `${path}/campaigns?limit=${CAMPAIGNS_MAX}`),
      ask(of, `${path}/dead-letters?limit=${LETTERS_MAX}`),
    ]);
    const isOfApp = (row) => row.app === app["bundle-id"];
    return { ...app, campaigns, letters, queues: queues.filter(isOfApp), recent: recent.filter(isOfApp) };
  });
  return { apps: await Promise.all(seen), next, isCut: queues.length >= QUEUES_MAX };
}

async function refresh() {
  clearTimeout(timer);
  const [of, mine] = [session, ++turn];
  if (!of || document.hidden) return;
  try {
    const seen = await look(of);
    if (mine !== turn) return;
    of.next = seen.next;
    show(seen);
    alert("look", "");
    tellTime();
  } catch (error) {
    if (mine !== turn) return;
    if (error.status === 401 || error.status === 403) return refused(error);
    alert("look", error.message);
  }
  if (!isHalted) timer = setTimeout(refresh, REFRESH_MS);
}

/** Does something to a campaign or a dead letter, once at a time. */
async function act(button, path, done, body) {
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true"); // `disabled` would take the focus away
  const of = session;
  try {
    await ask(of, path, "POST", body);
    alert("act", "");
    put(at("told"), done);
  } catch (error) {
    put(at("told"), "");
    if (of === session) alert("act", error.message);
  }
  button.removeAttribute("aria-disabled");
  await refresh();
}

/* Showing. */

/**
 * Makes the children of a node those of the items, and of those that stay the same nodes. If the one with the focus goes, the focus goes to
 * the next, or else home.
 */
function keyed(parent, items, keyOf, make, update, home) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const keys = new Set(items.map(keyOf));
  const focused = document.activeElement;
  for (const [key, node] of old) {
    if (keys.has(key)) continue;
    const next = node.nextElementSibling ?? node.previousElementSibling;
    const hadFocus = node.contains(focused);
    node.remove();
    if (hadFocus) (next?.querySelector("button:not([hidden])") ?? home).focus();
  }
  const kept = document.activeElement;
  let place = parent.firstElementChild;
  for (const item of items) {
    const node = old.get(keyOf(item)) ?? make();
    node.dataset.key = keyOf(item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, item);
  }
  if (kept !== document.activeElement && kept.checkVisibility()) kept.focus({ preventScroll: true }); // it was moved
}

const copy = (id) => at(id).content.firstElementChild.cloneNode(true);

/** A row: a header, and as many cells as there are texts. */
function row(classes) {
  const tr = document.createElement("tr");
  classes.forEach((name, index) => {
    const cell = document.createElement(index ? "td" : "th");
    if (!index) cell.scope = "row";
    if (name) cell.className = name;
    tr.append(cell);
  });
  return tr;
}
const fill = (tr, texts) => texts.forEach((text, index) => put(tr.children[index], text));

/** A button whose name says what it is about, to those who do not see where it stands. */
function name(button, text, about) {
  if (!button.firstElementChild) {
    button.append(document.createElement("span"), document.createElement("span"));
    button.lastElementChild.className = "aside";
  }
  put(button.firstElementChild, text);
  put(button.lastElementChild, ` ${about}`);
}

function show({ apps, next, isCut }) {
  keyed(at("apps"), apps, (app) => app["bundle-id"], newApp, (node, app) => showApp(node, app, isCut), at("main"));
  if (apps.length === 0) put(at("apps"), "There are no apps yet. apns-provider admin apps put adds one.");
  at("next").hidden = !next;
  at("first").hidden = !session.after;
  at("pages").hidden = !next && !session.after;
}

function newApp() {
  for (const text of at("apps").childNodes) if (text.nodeType === Node.TEXT_NODE) text.remove(); // there were none
  return copy("app");
}

function showApp(node, app, isCut) {
  const [bundleId, part] = [app["bundle-id"], (selector) => node.querySelector(selector)];
  const heading = part("h2");
  heading.id = `app-${bundleId}`;
  node.setAttribute("aria-labelledby", heading.id);
  put(heading, bundleId);
  part(".paused").hidden = !app["is-paused"];

  const depth = (lane) => sum(app.queues.filter((queue) => queue.lane === lane), (queue) => queue.depth);
  keyed(part(".queue tbody"), LANES, (lane) => lane, () => row(["", "number"]), (tr, lane) =>
    fill(tr, [lane, `${isCut ? "at least " : ""}${number(depth(lane))}`]));
  const why = (it) => [it.status === 200 ? "" : it.status, it.why].filter(Boolean).join(" ") || "–";
  const recent = app.recent.length ? app.recent : [{ ending: "nothing yet", count: 0 }];
  keyed(part(".recent tbody"), recent, (it) => `${it.ending} ${why(it)}`, () => row(["", "", "number"]), (tr, it) =>
    fill(tr, [it.ending, why(it), number(it.count)]));

  const { campaigns, next } = app.campaigns;
  const home = part(".of-campaigns");
  keyed(part(".campaigns"), campaigns, (it) => it.id, newCampaign, (item, it) => showCampaign(item, it, bundleId), home);
  put(part(".about-campaigns"), next ? `The latest ${CAMPAIGNS_MAX} are shown.` : campaigns.length ? "" : "There are none.");

  const { "dead-letters": letters, count } = app.letters;
  keyed(part(".letters tbody"), letters, (it) => it.id, newLetter, (tr, it) => showLetter(tr, it, bundleId), part(".of-letters"));
  part(".letters").hidden = letters.length === 0;
  const some = `${number(letters.length)} of ${number(count)} are shown.`;
  put(part(".about-letters"), count === 0 ? "There are none." : letters.length < count ? some : "");
}

function newCampaign() {
  const node = copy("campaign");
  node.querySelector(".pause").addEventListener("click", (event) => {
    const { path, label, isPaused } = shown.get(node);
    const [what, done] = isPaused ? ["resume", "goes on"] : ["pause", "is paused"];
    act(event.currentTarget, `${path}/${what}`, `The campaign ${label} ${done}.`);
  });
  node.querySelector(".cancel").addEventListener("click", (event) => confirm(event.currentTarget, shown.get(node)));
  return node;
}

function showCampaign(node, it, app) {
  const part = (selector) => node.querySelector(selector);
  const [{ planned, unended, ended }, label] = [it.counts, it.campaign?.label ?? it.id];
  const [done, isPaused] = [planned - unended, it.state === "paused"];
  shown.set(node, { path: `${pathOf(app)}/campaigns/${it.id}`, label, isPaused, unended });
  put(part("h4"), label);
  const progress = part("progress");
  progress.max = Math.max(planned, 1);
  progress.value = planned ? done : Number(it.state === "finished");
  progress.setAttribute("aria-label", `Progress of ${label}`);
  const percent = planned ? ` (${Math.floor((100 * done) / planned)} %)` : "";
  put(part(".progress-text"), `${it.state}: ${number(done)} of ${number(planned)} ended${percent}`);
  const endings = Object.entries(ended).filter(([, count]) => count > 0).map(([ending, count]) => `${number(count)} ${ending}`);
  put(part(".ended"), endings.join(", "));
  const actions = part(".actions");
  const isActive = ACTIVE.includes(it.state);
  if (!isActive && actions.contains(document.activeElement)) part("h4").focus();
  actions.hidden = !isActive;
  name(part(".pause"), isPaused ? "Resume" : "Pause", `campaign ${label}`);
  name(part(".cancel"), "Cancel", `campaign ${label}`);
}

function newLetter() {
  const tr = row(["", "", "", ""]);
  const button = document.createElement("button");
  button.type = "button";
  tr.lastElementChild.append(button);
  button.addEventListener("click", () => {
    const { path, id, device } = shown.get(tr);
    act(button, `${path}/dead-letters/replay`, `What was for the device ${device} is sent again.`, { ids: [id] });
  });
  return tr;
}

function showLetter(tr, it, app) {
  const device = it.token.length > 12 ? `${it.token.slice(0, 12)}…` : it.token;
  shown.set(tr, { path: pathOf(app), id: it.id, device });
  fill(tr, [device, [it.status, it.why].filter(Boolean).join(" ") || "–", moment(new Date(it.at))]);
  name(tr.querySelector("button"), "Replay", `to device ${device}, ${it.why ?? ""}`);
}

/* Telling. */

const two = (value) => String(value).padStart(2, "0");
const moment = (when) =>
  `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${two(when.getHours())}:${two(when.getMinutes())}`;

/** To the second for eyes; a screen reader is told once a minute, and not every five seconds. */
function tellTime() {
  const now = new Date();
  put(at("minute"), `Last refreshed at ${two(now.getHours())}:${two(now.getMinutes())}`);
  put(at("second"), `:${two(now.getSeconds())}`);
}

/** What went wrong last when looking, and when doing something: each stays until it goes well. */
function alert(kind, text) {
  alerts[kind] = text;
  put(at("alert"), [alerts.act, alerts.look].filter(Boolean).join(" "));
}

let asked = null;

/** Asks before a campaign is cancelled. The browser gives the focus back to the button. */
function confirm(button, campaign) {
  asked = { button, ...campaign };
  const left = `Recipients who have not had it, ${number(campaign.unended)} so far, will not get it`;
  put(at("ask-text"), `${campaign.label}. ${left}. This cannot be undone.`);
  at("ask").showModal();
}

/* The session. */

/** Begins with a key: whose it is, the API says. */
async function open(key, tenant) {
  const of = { key, tenant: "", after: "", ended: new AbortController() };
  session = of;
  clearTimeout(timer);
  let names = [];
  try {
    const { tenants } = await ask(of, `/v1/tenants?limit=${TENANTS_MAX}`);
    names = tenants.map((it) => it.name);
  } catch (error) {
    if (of !== session) return;
    if (error.status === 0 || error.status >= 500) return tryAgain(error, key, tenant);
    if (error.status !== 403) return refused(error); // 403 is for a tenant's key: it is for that tenant alone
  }
  if (of !== session) return;
  if (names.length) of.tenant = [tenant, "default"].find((it) => names.includes(it)) ?? names[0];
  at("tenant").replaceChildren(...names.map((it) => new Option(it, it, false, it === of.tenant)));
  at("tenant-choice").hidden = names.length === 0;
  sessionStorage.setItem("key", key);
  sessionStorage.setItem("tenant", of.tenant);
  const hadForm = !at("access").hidden;
  at("key").value = "";
  at("access").hidden = true;
  at("bar").hidden = false;
  alert("act", "");
  await refresh();
  if (hadForm && session === of) at("main").focus();
}

/** The key may be good: the server is not. */
function tryAgain({ message }, key, tenant) {
  alert("look", message);
  clearTimeout(timer);
  timer = setTimeout(() => open(key, tenant), REFRESH_MS);
}

/** With this key there is nothing to be seen: asks for another. */
function refused({ status, message }) {
  if (status === 401) return close("The server does not know this key. See whether all of it was copied, and whether it was revoked.");
  close(status === 403 ? `${message} A key of the operator has, or one with the role admin or read.` : message);
}

/** Ends it, and says why if there is a reason. */
function close(why) {
  session?.ended.abort();
  session = null;
  turn += 1;
  clearTimeout(timer);
  sessionStorage.clear();
  at("bar").hidden = true;
  at("pages").hidden = true;
  at("apps").replaceChildren();
  for (const id of ["minute", "second", "told"]) put(at(id), "");
  alerts.look = "";
  alert("act", why);
  at("access").hidden = false;
  at("key").focus();
}

/** Begins anew with another tenant or other apps. */
async function turnTo(changes) {
  Object.assign(session, changes);
  await refresh();
}

at("access").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = at("key").value.trim();
  // What is no visible ASCII fits in no header.
  if (/^[\x21-\x7e]+$/.test(key)) open(key, sessionStorage.getItem("tenant"));
  else close("A key is apns_ and letters and digits. See whether all of it was copied.");
});
at("forget").addEventListener("click", () => close(""));
at("tenant").addEventListener("change", ({ target }) => {
  sessionStorage.setItem("tenant", target.value);
  turnTo({ tenant: target.value, after: "" });
});
at("halt").addEventListener("click", ({ currentTarget }) => {
  isHalted = !isHalted;
  put(currentTarget, isHalted ? "Refresh again" : "Stop refreshing");
  refresh();
});
for (const [id, after] of [["first", () => ""], ["next", () => session.next]]) {
  at(id).addEventListener("click", async () => {
    await turnTo({ after: after() });
    at("main").focus();
  });
}
at("ask-no").addEventListener("click", () => at("ask").close());
at("ask-yes").addEventListener("click", () => {
  at("ask").close();
  act(asked.button, `${asked.path}/cancel`, `The campaign ${asked.label} is cancelled.`);
});
document.addEventListener("visibilitychange", refresh); // one that nobody sees asks nothing

const key = sessionStorage.getItem("key");
if (key) open(key, sessionStorage.getItem("tenant"));
else at("access").hidden = false;
