// The provider server's page in headless Chromium, by keyboard alone: $BINARY is mock-apns, $PROVIDER apns-provider.
// With --screenshot FILE it writes what the page looks like there.
import { once } from "node:events";
import { APP, HOSTILE, browse, cleanUp, prepare, start } from "./operator_page_world.mjs";

const TABS_MAX = 40; // more than the page has controls
const screenshot = process.argv[2] === "--screenshot" ? process.argv[3] : undefined;

const check = (what, holds, got) => {
  console.log(holds ? `ok operator_page: ${what}` : `FAILED operator_page: ${what}\n  got: ${JSON.stringify(got)}`);
  if (!holds) process.exitCode = 1;
};

process.on("exit", cleanUp);
const world = await start(process.env.BINARY, process.env.PROVIDER);
const label = screenshot ? "Autumn news" : HOSTILE;
await prepare(world, label);
const { browser, page, complaints, asked } = await browse();
page.setDefaultTimeout(20_000);
const devtools = await page.context().newCDPSession(page);

/** The accessibility tree, as a screen reader is given it. */
async function tree() {
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  return nodes.filter((node) => !node.ignored).map((node) => {
    const property = (name) => node.properties?.find((it) => it.name === name)?.value.value;
    return { role: node.role?.value, name: node.name?.value ?? "", level: property("level"), isFocused: property("focused") };
  });
}
const focused = async () => (await tree()).findLast((node) => node.isFocused && node.role !== "RootWebArea") ?? { name: "" };
/** Goes on by Tab to the control with this name. */
async function tabTo(name, key = "Tab") {
  for (let tabs = 0; tabs < TABS_MAX; tabs += 1) {
    if ((await focused()).name === name) return true;
    await page.keyboard.press(key);
  }
  return false;
}
const see = (text) => page.getByText(text, { exact: true }).first().waitFor();
const alerted = (text) => page.locator("#alert", { hasText: text }).waitFor();
const told = (text) => page.locator("#told", { hasText: text }).waitFor();
const refreshed = () => page.waitForResponse((answer) => answer.url().includes("/v1/queue"));

/** Texts whose contrast with their ground is less than 4.5 to 1. */
const faint = () => page.evaluate(() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((it) => it / 255).map((it) => (it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return numbers(colour)[3] === 0 && node.parentElement ? ground(node.parentElement) : colour;
  };
  const hasText = (node) => [...node.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.data.trim());
  return [...document.body.querySelectorAll("*")].filter((node) => node.checkVisibility() && hasText(node)).flatMap((node) => {
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    return ratio < 4.5 ? [`${node.tagName} ${node.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`] : [];
  });
});

// The key.
await page.goto(world.url);
await page.keyboard.press("Tab");
check("the first Tab is at the skip link", (await focused()).name === "Skip to the apps", await focused());
await tabTo("API key");
await page.keyboard.type("apns_wrong");
await page.keyboard.press("Enter");
await alerted("does not know this key");
check("a wrong key is told in words, and the focus is where it is mended", (await focused()).name === "API key", await focused());
const expected = complaints.splice(0); // the browser's own word of the 401
check("a refused key is the only complaint", expected.every((text) => text.includes("401")), expected);
await page.keyboard.press("ControlOrMeta+a");
await page.keyboard.type(world.key);
await page.keyboard.press("Enter");
await see(APP);
await page.getByText("TopicDisallowed").first().waitFor();

// What is shown.
const rows = (selector) => page.locator(`${selector} tbody tr`).allInnerTexts();
const recent = (await rows(".recent")).map((text) => text.split(/\s+/).join(" "));
check("what was sent and failed in the last hour, by reason", ["rejected 400 TopicDisallowed 3", "rejected 400 BadDeviceToken 1"].every((row) => recent.includes(row)) && recent.some((row) => row.startsWith("accepted ")), recent);
const queued = (await rows(".queue")).map((text) => text.split(/\s+/).join(" "));
check("what is queued, by lane", queued.length === 3 && /^campaign [1-9]\d*$/.test(queued[2]), queued);
const campaigns = await page.locator(".campaigns h4").allInnerTexts();
check("a label with a script is shown as text", campaigns.includes(label) && (await page.title()) === "APNs provider", campaigns);
check("progress has text beside it", /^sending: \d+ of 120 ended \(\d+ %\)$/.test(await page.locator(".progress-text").first().innerText()));
check("dead letters have a reason", (await rows(".letters")).length === 3, await rows(".letters"));
if (screenshot) {
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: screenshot, fullPage: true });
}

// The tree.
const nodes = await tree();
const controls = nodes.filter(({ role }) => ["button", "textbox", "combobox", "link", "ProgressIndicator", "progressbar", "table", "checkbox"].includes(role));
check("every control and table has a name", controls.length > 12 && controls.every(({ name }) => name.trim()), controls.filter(({ name }) => !name.trim()));
const buttons = controls.filter(({ role }) => role === "button").map(({ name }) => name);
check("no two buttons have the same name", new Set(buttons).size === buttons.length, buttons);
const levels = nodes.filter(({ role }) => role === "heading").map(({ level }) => level);
check("headings are in order, and one is the first", levels[0] === 1 && levels.filter((level) => level === 1).length === 1 && levels.every((level, index) => index === 0 || level <= levels[index - 1] + 1), levels);
for (const role of ["banner", "main", "alert", "status"]) check(`there is a ${role}`, nodes.some((node) => node.role === role), nodes.map((node) => node.role));
const headers = nodes.filter(({ role }) => role === "rowheader" || role === "columnheader");
check("tables have headers of rows and columns", headers.length > 12, headers);

// A campaign is paused and resumed; the focus stays.
check("the campaign is reached by Tab", await tabTo("Pause campaign Spring sale"), await focused());
await page.evaluate(() => { window.before = document.activeElement; });
await page.keyboard.press("Enter");
await told("Spring sale is paused");
await see("Resume");
check("the button with the focus is the same, with its new name", (await page.evaluate(() => window.before === document.activeElement)) && (await focused()).name === "Resume campaign Spring sale", await focused());
const state = async () => (await world.api("GET", `/v1/apps/${APP}/campaigns`)).campaigns[0].state;
check("it is paused", (await state()) === "paused", await state());
await refreshed();
await refreshed();
check("the focus outlives refreshes", await page.evaluate(() => window.before === document.activeElement), await focused());
await page.keyboard.press("Enter");
await told("Spring sale goes on");
check("it goes on", (await state()) === "sending", await state());

// Cancelling asks first.
await tabTo("Cancel campaign Spring sale");
await page.keyboard.press("Enter");
check("before it cancels it asks, and the safe answer has the focus", (await focused()).name === "Let it go on" && (await tree()).some(({ role, name }) => role === "dialog" && name === "Cancel this campaign?"), await focused());
check("the dialog is readable", (await faint()).length === 0, await faint());
await page.keyboard.press("Escape");
check("Escape leaves all as it was", (await focused()).name === "Cancel campaign Spring sale" && (await state()) === "sending", await focused());
await page.keyboard.press("Enter");
await tabTo("Cancel the campaign");
await page.keyboard.press("Enter");
await told("Spring sale is cancelled");
await page.getByText(/^(cancelling|finished): /).nth(1).waitFor();
check("it is cancelled, and the focus is where it was", ["cancelling", "finished"].includes(await state()) && (await focused()).name === "Spring sale", await focused());

// A dead letter is sent again.
const [{ token }] = (await world.api("GET", `/v1/apps/${APP}/dead-letters`))["dead-letters"];
const letter = await page.locator(".letters tbody th").first().innerText();
check("a dead letter is reached by Tab", await tabTo(`Replay to device ${letter}, TopicDisallowed`), await focused());
await page.keyboard.press("Enter");
await told("is sent again");
await page.locator(".letters tbody tr").nth(2).waitFor({ state: "detached" });
check("it is gone, and the focus is at the next", (await focused()).name.startsWith("Replay to device ") && !(await focused()).name.includes(letter), await focused());
const arrived = await world.double("GET", `/v1/notifications?wait=10s&filter=${encodeURIComponent(`token:${token} status:200`)}`);
check("its device has got it", arrived.notifications.length === 1, arrived);

// Another tenant, and a key that may only look.
await tabTo("Tenant", "Shift+Tab");
await page.keyboard.press("ArrowDown");
await page.getByText("There are no apps yet").waitFor();
check("another tenant is chosen by keyboard", (await page.locator("section").count()) === 0, await page.locator("#apps").innerText());
await page.keyboard.press("ArrowUp");
await see(APP);
check("nothing was complained of", complaints.length === 0, complaints);
await tabTo("Forget the key");
await page.keyboard.press("Enter");
const reader = await world.api("POST", "/v1/keys", { label: "looks", roles: ["read"] });
await page.keyboard.type(reader.key);
await page.keyboard.press("Enter");
await see(APP);
check("a tenant's key has no choice of tenants", !(await tree()).some(({ role }) => role === "combobox"));
await tabTo(`Replay to device ${await page.locator(".letters tbody th").first().innerText()}, TopicDisallowed`);
await page.keyboard.press("Enter");
await alerted("It needs the permission send");
check("what a key may not do is told in words, and stays", (await page.locator(".letters tbody tr").count()) === 2, await rows(".letters"));
check("the browser's own word of the two refusals is all", complaints.splice(0).every((text) => text.includes("403")));
await world.api("DELETE", `/v1/keys/${reader.id}`);
await alerted("does not know this key");
check("a key that is revoked is asked for again, and what it showed is gone", (await focused()).name === "API key" && (await page.locator("section").count()) === 0, await focused());
check("of that the browser said no more", complaints.splice(0).every((text) => text.includes("401")));
await page.keyboard.type(world.key);
await page.keyboard.press("Enter");
await see(APP);

// How it looks.
check("text has contrast in the light", (await faint()).length === 0, await faint());
await page.emulateMedia({ colorScheme: "dark" });
check("text has contrast in the dark", (await faint()).length === 0, await faint());
await page.setViewportSize({ width: 320, height: 640 });
const width = await page.evaluate(() => document.documentElement.scrollWidth);
check("nothing is cut off at 320 pixels", width <= 320, width);
const heights = await page.locator("button:visible").evaluateAll((buttons) => buttons.map((button) => button.clientHeight));
check("buttons have their words in one line there", heights.every((height) => height < 50), heights);

// Trouble, and the end.
check("nothing else was complained of", complaints.length === 0, complaints);
world.server.kill("SIGTERM");
await alerted("The server does not answer");
check("a server that is gone is told in words", (await tree()).some(({ role }) => role === "alert"));
await tabTo("Forget the key", "Shift+Tab");
await page.keyboard.press("Enter");
check("the key is forgotten", (await page.evaluate(() => sessionStorage.length)) === 0 && (await focused()).name === "API key", await focused());
const elsewhere = asked.filter((url) => !url.startsWith(world.url));
check("nobody else was asked", elsewhere.length === 0, elsewhere);
await browser.close();
if (world.server.exitCode === null) await once(world.server, "exit");
check("the server ends well", world.server.exitCode === 0, world.server.exitCode);
process.exit();
