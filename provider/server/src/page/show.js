// Puts what the API has answered into the page, in place: a button that has the focus keeps it, and a screen reader its position.
// Whatever comes from the API is put in as text.

const ACTIVE = ["planning", "sending", "paused"]; // what a campaign is while something can be done about it
const LANES = ["urgent", "normal", "campaign"];
const shown = new WeakMap(); // what a row or an item of a list stands for

export const at = (id) => document.getElementById(id);
export const put = (node, text) => {
  if (node.textContent !== text) node.textContent = text; // what does not change is not told again
};
export const number = (value) => value.toLocaleString("en");
const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);
export const pathOf = (app) => `/v1/apps/${encodeURIComponent(app)}`;
export const two = (value) => String(value).padStart(2, "0");
const moment = (when) =>
  `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${two(when.getHours())}:${two(when.getMinutes())}`;

/** Shows what was seen; `actions` is what buttons do. */
export function show({ apps, next, isCut }, isBehindFirst, actions) {
  const showOne = (node, app) => showApp(node, app, isCut, actions);
  keyed(at("apps"), apps, (app) => app["bundle-id"], newApp, showOne, at("main"));
  if (apps.length === 0) put(at("apps"), "There are no apps yet. apns-provider admin apps put adds one.");
  at("next").hidden = !next;
  at("first").hidden = !isBehindFirst;
  at("pages").hidden = !next && !isBehindFirst;
}

function newApp() {
  for (const text of at("apps").childNodes) if (text.nodeType === Node.TEXT_NODE) text.remove(); // there were none
  return copy("app");
}

function showApp(node, app, isCut, actions) {
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
  keyed(part(".recent tbody"), recent, (it) => `${it.ending} ${it.status} ${it.why}`, () => row(["", "", "number"]), (tr, it) =>
    fill(tr, [it.ending, why(it), number(it.count)]));

  const { campaigns, next } = app.campaigns;
  const home = part(".of-campaigns");
  keyed(part(".campaigns"), campaigns, (it) => it.id, () => newCampaign(actions), (item, it) => showCampaign(item, it, bundleId), home);
  put(part(".about-campaigns"), next ? `The latest ${campaigns.length} are shown.` : campaigns.length ? "" : "There are none.");

  const { "dead-letters": letters, count } = app.letters;
  keyed(part(".letters tbody"), letters, (it) => it.id, () => newLetter(actions), (tr, it) => showLetter(tr, it, bundleId), part(".of-letters"));
  part(".letters").hidden = letters.length === 0;
  const some = `${number(letters.length)} of ${number(count)} are shown.`;
  put(part(".about-letters"), count === 0 ? "There are none." : letters.length < count ? some : "");
}

function newCampaign({ pause, cancel }) {
  const node = copy("campaign");
  const on = (selector, action) =>
    node.querySelector(selector).addEventListener("click", (event) => action(event.currentTarget, shown.get(node)));
  on(".pause", pause);
  on(".cancel", cancel);
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

function newLetter({ replay }) {
  const tr = row(["", "", "", ""]);
  const button = document.createElement("button");
  button.type = "button";
  tr.lastElementChild.append(button);
  button.addEventListener("click", () => replay(button, shown.get(tr)));
  return tr;
}

function showLetter(tr, it, app) {
  const device = it.token.length > 12 ? `${it.token.slice(0, 12)}…` : it.token;
  shown.set(tr, { path: pathOf(app), id: it.id, device });
  fill(tr, [device, [it.status, it.why].filter(Boolean).join(" ") || "–", moment(new Date(it.at))]);
  name(tr.querySelector("button"), "Replay", `to device ${device}, ${it.why ?? ""}`);
}

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
