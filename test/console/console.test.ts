// A person's way through the console in a real browser, over a real installation: every screen, keyboard, hostile text.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, BrowserContext } from "playwright-core";
import type { Role } from "../../src/core/role.ts";
import { expectAccessible, openConsole, type TestConsole, type Visit } from "../helpers/console.ts";
import { FLEET_FINDING, fleetScene, HOSTILE_EXCHANGE } from "../helpers/fleet.ts";
import type { World } from "../helpers/world.ts";

const scene = fleetScene(Date.now(), { days: 3, perDay: 3 });
const member = scene.fleet[0] ?? "";
const REASON = "Triage of campaign-1f0c5a";

let world: World;
let browser: Browser;
let served: TestConsole;
let base: string;

before(async () => {
  served = await openConsole();
  ({ world, browser, base } = served);
  await world.record(scene.exchanges, scene.facts);
  await world.state.findings.upsert(scene.findings);
});
after(() => served?.close());

const visit = (context: BrowserContext, role: Role): Promise<Visit> => served.visit(context, role);

test("an analyst signs in, follows a finding to an account, reveals one exchange, and finds that look in the ledger", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await visit(context, "analyst");
  assert.equal(new URL(page.url()).hash, "", "the token must not stay in the address");
  await page.getByRole("row", { name: /split one prompt set/ }).click();
  await page.getByRole("heading", { level: 1, name: /split one prompt set/ }).waitFor();
  await page.getByText("At most 1 in 100 of such findings").waitFor();
  const members = page.getByRole("grid", { name: "Accounts of this finding" });
  await members.getByRole("row", { name: new RegExp(member) }).click();
  await page.getByRole("heading", { level: 1, name: member }).waitFor();
  await page.getByRole("grid", { name: "Exchanges" }).getByRole("row").nth(1).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText(HOSTILE_EXCHANGE).waitFor();
  assert.match(page.url(), new RegExp(`exchange=${HOSTILE_EXCHANGE}`));
  assert.ok(await drawer.getByRole("button", { name: "Record and reveal" }).isDisabled());
  await drawer.getByRole("textbox").fill(REASON);
  await drawer.getByRole("button", { name: "Record and reveal" }).click();
  await drawer.getByText("This look was recorded").waitFor();
  await world.settle();
  await drawer.getByRole("link", { name: "find it in the ledger" }).click();
  await page.getByRole("heading", { level: 1, name: "Ledger" }).waitFor();
  const look = page.getByRole("row", { name: new RegExp(REASON) });
  await look.click();
  const record = page.getByRole("dialog");
  await record.getByText(`"reason": "${REASON}"`).waitFor();
  await record.getByText('"by": "user:analyst-person"').waitFor();
  await record.getByText("c2sp.org/tlog-proof").waitFor();
  assert.deepEqual(accidents, []);
  await context.close();
});

test("a prompt of markup, escapes and overrides stays text", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await visit(context, "analyst");
  await page.goto(`${base}/accounts/${member}?exchange=${HOSTILE_EXCHANGE}`);
  await page.getByRole("dialog").getByRole("textbox").fill(REASON);
  await page.getByRole("button", { name: "Record and reveal" }).click();
  const message = page.getByRole("region", { name: "Message 1" });
  await message.waitFor();
  const text = (await message.textContent()) ?? "";
  assert.ok(
    text.includes("<script>document.title='owned';alert(1)</script><img src=x onerror=alert(2)>"),
    text,
  );
  const named = await message.locator(".control-character").allTextContents();
  assert.deepEqual(named, ["ESC", "ESC", "ESC", "RLO", "PDF", "ZWSP", "TAG a", "TAG b", "NUL"]);
  assert.equal(await message.locator("script, img").count(), 0);
  await page.getByRole("tab", { name: "Request body" }).click();
  await page.getByRole("region", { name: "Request body" }).getByText("alert(1)").waitFor();
  await page.getByRole("tab", { name: "Origin and headers" }).click();
  assert.notEqual(await page.title(), "owned");
  assert.deepEqual(accidents, []);
  await page.reload();
  await page.getByRole("button", { name: "Record and reveal" }).waitFor();
  assert.equal(await page.getByText("alert(1)").count(), 0, "a reload must not show content again");
  await context.close();
});

test("the browser itself refuses scripts, inline styles and HTML from strings", async () => {
  const context = await browser.newContext();
  const { page } = await visit(context, "viewer");
  // Over the browser's debugging protocol, which the page's policy does not bind: what the page could do, it can do.
  const outcome = await page.evaluate(`(() => {
    const tried = { html: "made", inline: false };
    try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); } catch { tried.html = "refused"; }
    const style = document.createElement("style");
    style.textContent = "body { color: rgb(1, 2, 3) }";
    document.head.append(style);
    tried.inline = getComputedStyle(document.body).color === "rgb(1, 2, 3)";
    return tried;
  })()`);
  assert.deepEqual(outcome, { html: "refused", inline: false });
  await context.close();
});

describe("every screen is free of serious accessibility faults", () => {
  const screens: readonly (readonly [path: string, ready: string])[] = [
    ["/findings", "Findings"],
    ["/findings?q=nothing-like-this", "Nothing matches these filters"],
    [`/findings/${FLEET_FINDING}`, "Each mark: an account's exchanges"],
    [`/findings/${FLEET_FINDING}?tab=exchanges`, "atlas-large"],
    ["/findings/none", "Could not load the finding"],
    ["/accounts", "acct_teawood"],
    [`/accounts/${member}`, "Mail domain"],
    [`/accounts/${member}?tab=findings`, "account-77b2"],
    [`/accounts/${member}?exchange=${HOSTILE_EXCHANGE}`, "Reason for looking"],
    ["/ledger", "Signed checkpoint"],
    ["/ledger?record=3", "Inclusion proof"],
    ["/nowhere", "There is nothing at this address"],
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    test(colorScheme, async () => {
      const rules = colorScheme === "light" ? "all" : "colours";
      const context = await browser.newContext({ colorScheme });
      const entrance = await context.newPage();
      await entrance.goto(`${base}/sign-in`);
      await entrance.getByRole("button", { name: "Sign in" }).waitFor();
      await expectAccessible(entrance, `/sign-in, ${colorScheme}`, rules);
      const { page, accidents } = await visit(context, "analyst");
      for (const [path, ready] of screens) {
        await page.goto(`${base}${path}`);
        await page.getByText(ready).first().waitFor();
        await expectAccessible(page, `${path}, ${colorScheme}`, rules);
      }
      assert.deepEqual(
        accidents.filter((accident) => !accident.includes("404")),
        [],
      );
      await context.close();
    });
  }
});

test("an answer from before the sign-in that comes after it signs nobody out", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const held = Promise.withResolvers<void>();
  let isFirst = true;
  await context.route("**/api/session", async (route) => {
    const response = await route.fetch();
    if (route.request().method() === "GET" && isFirst) {
      isFirst = false;
      await held.promise;
    }
    await route.fulfill({ response });
  });
  await page.goto(`${served.base}/sign-in#token=${await served.world.link("viewer", "late-person")}`);
  await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  assert.equal(isFirst, false);
  const late = page.waitForResponse((response) => response.status() === 401);
  held.resolve();
  await late;
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
  assert.equal(new URL(page.url()).pathname, "/findings");
  await context.close();
});

test("the keyboard alone opens, decides and closes", async () => {
  const context = await browser.newContext();
  const { page } = await visit(context, "analyst");
  const focusOn = async (wanted: (name: string) => boolean): Promise<void> => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const { activeElement } = (
          globalThis as unknown as { document: { activeElement: { textContent: string; tagName: string } } }
        ).document;
        return `${activeElement.tagName} ${activeElement.textContent}`;
      });
      if (wanted(name)) return;
    }
    assert.fail("expected Tab to reach it within 40 presses");
  };
  await page.getByRole("grid", { name: "Findings", exact: true }).waitFor();
  await focusOn((name) => name.includes("Skip to content"));
  await page.keyboard.press("Enter");
  await focusOn((name) => name.startsWith("TR"));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /Covers far more/ }).waitFor();
  await page.getByRole("radio", { name: "open" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Decided without a mouse.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Decided without a mouse.").waitFor();
  assert.equal((await world.state.findings.demand("account-77b2")).status, "confirmed");
  await page.goto(`${base}/ledger?record=3`);
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).search, "");
  await context.close();
});

test("a campaign is drawn over time: who was active when, what they share in letters, and when it was raised", async () => {
  const [finding] = scene.findings;
  assert.ok(finding !== undefined);
  const id = "campaign-with-silent";
  const accounts = [...scene.fleet, "acct_silent"];
  await world.state.findings.upsert([
    { ...finding, id, accounts, summary: "A fleet and one that is silent" },
  ]);
  const context = await browser.newContext();
  const { page, accidents } = await visit(context, "viewer");
  await page.goto(`${base}/findings/${id}`);
  const lanes = page.getByRole("table", { name: "The accounts over time" });
  await lanes.waitFor();
  assert.equal(await lanes.getByRole("rowheader").count(), scene.fleet.length);
  const raised = new Date(finding.timeMs).toISOString().slice(0, 16).replace("T", " ");
  await lanes.getByText(`raised ${raised} UTC`).waitFor();
  const lane = lanes.getByRole("row", { name: new RegExp(member) });
  const own = scene.exchanges.filter(({ account }) => account === member).length;
  await lane.getByRole("img", { name: new RegExp(`^${own} exchanges from`) }).waitFor();
  const legend = page.getByRole("list", { name: "What the letters stand for" });
  const [letter] = await legend
    .getByRole("listitem")
    .filter({ hasText: "mail domain of 14 of 15, nobody else" })
    .allTextContents();
  const column = lanes.getByRole("columnheader", { name: `${letter?.slice(0, 1)}: mail domain` });
  assert.equal(await column.count(), 1);
  assert.equal(await lane.getByText(letter?.slice(0, 1) ?? "", { exact: true }).count(), 1);
  const shown = await page.locator("main").textContent();
  assert.ok(!/mail\.example|card_1|Think step/.test(shown ?? ""), "facts must not be shown in clear");
  await page.getByText("1 account has no exchange in the store").waitFor();
  await lane.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: member }).waitFor();
  assert.deepEqual(accidents, []);
  await context.close();
});

test("the address is the whole state of a view", async () => {
  const context = await browser.newContext();
  const { page } = await visit(context, "viewer");
  await page.goto(`${base}/findings?kind=probe`);
  await page.getByRole("row", { name: /logit_bias/ }).waitFor();
  assert.equal(await page.getByRole("row").count(), 2);
  await page.getByRole("searchbox").fill("no such thing");
  await page.getByText("Nothing matches these filters").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("q"), "no such thing");
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await page.getByRole("columnheader", { name: "Accounts" }).click();
  await page.waitForURL(/sort=accounts/);
  await page.reload();
  await page.getByRole("row", { name: /logit_bias/ }).waitFor();
  assert.match(page.url(), /sort=accounts/);
  await page.goto(`${base}/findings?kind=rubbish&page=-4`);
  await page.getByRole("row", { name: /split one prompt set/ }).waitFor();
  await context.close();
});

test("a viewer sees figures and is told why nothing more", async () => {
  const context = await browser.newContext();
  const { page } = await visit(context, "viewer");
  await page.goto(`${base}/accounts/${member}?exchange=${HOSTILE_EXCHANGE}`);
  await page.getByText("Looking at content takes the role of analyst.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Record and reveal" }).count(), 0);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await page.goto(`${base}/ledger`);
  await page.getByText("Signing in takes a one-time link").waitFor();
  await context.close();
});
