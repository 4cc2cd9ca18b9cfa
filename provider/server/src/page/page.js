// The operator's page: it asks the API every few seconds, has show.js show what is answered, and does what somebody presses.
import { at, number, pathOf, put, show, two } from "./show.js";

const REFRESH_MS = 5_000; // a campaign is seen to move, and a page left open costs the server little
const ANSWER_MS_MAX = 10_000; // the API answers in milliseconds; what takes longer is told as not answering
const APPS_MAX = 20; // shown at once: each costs two requests a refresh
const CAMPAIGNS_MAX = 10; // of an app: the latest are what is looked at
const LETTERS_MAX = 20; // of an app: more are a matter for a shell
const TENANTS_MAX = 1000; // to choose from: a page of the API
const QUEUES_MAX = 1000; // that the API tells: a page of it

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
  const [of, mine] = [session, (turn += 1)];
  if (!of || document.hidden) return;
  try {
    const seen = await look({ ...of }); // as it is now: another tenant may be chosen meanwhile
    if (mine !== turn) return;
    of.next = seen.next;
    show(seen, of.after !== "", actions);
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
    if (of === session) tell(done, "");
  } catch (error) {
    if (of === session) tell("", error.message);
  }
  button.removeAttribute("aria-disabled");
  await refresh();
}

/** What buttons do. */
const actions = {
  cancel: (button, campaign) => confirm(button, campaign),
  pause(button, { path, label, isPaused }) {
    const [what, done] = isPaused ? ["resume", "goes on"] : ["pause", "is paused"];
    act(button, `${path}/${what}`, `The campaign ${label} ${done}.`);
  },
  replay: (button, { path, id, device }) =>
    act(button, `${path}/dead-letters/replay`, `What was for the device ${device} is sent again.`, { ids: [id] }),
};

/* Telling. */

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

/** What came of doing something. */
function tell(done, trouble) {
  put(at("told"), done);
  alert("act", trouble);
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
  if (isHalted) clearTimeout(timer);
  else refresh();
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
// A page that nobody sees asks nothing.
document.addEventListener("visibilitychange", () => {
  if (!isHalted) refresh();
});

const key = sessionStorage.getItem("key");
if (key) open(key, sessionStorage.getItem("tenant"));
else at("access").hidden = false;
