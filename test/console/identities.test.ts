// An administrator's and an approver's way through organisations, accounts, people and tokens in a real browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { unknownAccount } from "../../src/core/account.ts";
import { expectAccessible, openConsole, type TestConsole } from "../helpers/console.ts";
import type { World } from "../helpers/world.ts";

const HOSTILE = "<img src=x onerror=alert(1)>.ltd";
let served: TestConsole;
let world: World;
let browser: Browser;
let base: string;

before(async () => {
  served = await openConsole();
  ({ world, browser, base } = served);
  await world.state.organizations.put({ organization: "Acme", plan: "pro" });
  await world.state.organizations.put({ organization: HOSTILE });
  await world.state.accounts.ensure({ ...unknownAccount("acme-1"), organization: "Acme" });
});
after(() => served?.close());

/** What a person reads off the page that is shown once. */
async function onceShown(page: Page): Promise<string> {
  const secret = await page.locator("code.secret").textContent();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.locator("code.secret").waitFor({ state: "detached" });
  return secret ?? "";
}

test("an administrator records an organisation, makes a key for its users and ends it", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "admin");
  await page.getByRole("link", { name: "Organizations" }).click();
  await page.getByText("Record an organization").click();
  await page.getByRole("textbox", { name: "Name" }).fill("Beta GmbH");
  await page.getByRole("textbox", { name: "Whom to reach" }).fill("trust@beta.test");
  await page.getByRole("button", { name: "Record it" }).click();
  await page.getByRole("row", { name: /Beta GmbH/ }).click();
  await page.getByRole("heading", { level: 1, name: "Beta GmbH" }).waitFor();
  await page.getByText("Make a key for end users").click();
  await page.getByRole("button", { name: "Make a key" }).click();
  assert.match(await onceShown(page), /^[A-Za-z0-9_-]{43}$/);
  await page.getByRole("button", { name: /Revoke eu_/ }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  const [key] = await world.state.endUserKeys.list("Beta GmbH");
  assert.notEqual(key?.revokedMs, null);
  assert.deepEqual(accidents, []);
  await context.close();
});

test("an approver verifies and declares, and finds it in the history; a viewer can only look", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "approver");
  await page.goto(`${base}/organizations/Acme`);
  await page.getByText("Record a declared use").click();
  const form = page.getByRole("form", { name: "Record a declared use" });
  await form.getByLabel("Use", { exact: true }).selectOption("synthetic-data");
  await form.getByRole("button").click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("Reference of the agreement").fill("contract 7");
  await form.getByRole("button").click();
  await page.getByRole("button", { name: "Withdraw synthetic-data" }).waitFor();
  await page.getByRole("gridcell", { name: "declared-use.recorded" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Make a key" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "People" }).count(), 0);
  await page.goto(`${base}/accounts`);
  await page.getByRole("grid", { name: "Accounts" }).or(page.getByText("No accounts yet")).first().waitFor();
  assert.equal(await page.getByText("Import or export accounts").count(), 0);
  assert.equal(await page.getByText("Record an account").count(), 0);
  assert.deepEqual(
    accidents.filter((accident) => !accident.includes("400")),
    [],
  );
  const viewer = await served.visit(await browser.newContext(), "viewer");
  await viewer.page.goto(`${base}/organizations/Acme`);
  await viewer.page.getByText("contract 7").first().waitFor();
  assert.equal(await viewer.page.getByRole("form").count(), 0);
  await viewer.page.context().close();
  await context.close();
});

test("an administrator gives an account a key and suspends it", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "admin");
  await world.settle();
  await page.goto(`${base}/accounts/acme-1?tab=keys`);
  await page.getByText("Make a new key").click();
  await page.getByRole("textbox", { name: "Label" }).fill("from the console");
  await page.getByRole("button", { name: "Make a key" }).click();
  assert.match(await onceShown(page), /^ady_[A-Za-z0-9_-]{49}$/);
  await page.getByRole("gridcell", { name: "from the console" }).waitFor();
  await page.getByRole("button", { name: "Suspend the account" }).click();
  await page.getByRole("button", { name: "Let it in again" }).waitFor();
  assert.equal((await world.state.accounts.demand("acme-1")).status, "suspended");
  assert.deepEqual(accidents, []);
  await context.close();
});

test("an administrator checks a list of accounts, takes it in, and takes all accounts away", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "admin");
  await page.goto(`${base}/accounts?sort=account`);
  await page.getByText("Record an account").click();
  const one = page.getByRole("form", { name: "Record an account" });
  await one.getByRole("textbox", { name: "Account" }).fill("by-hand");
  await one.getByRole("textbox", { name: "Plan" }).fill("pro");
  await one.getByRole("button", { name: "Record it" }).click();
  await page.getByRole("grid", { name: "Accounts" }).getByText("by-hand").waitFor();
  assert.equal((await world.state.accounts.demand("by-hand")).plan, "pro");
  await page.getByText("Import or export accounts").click();
  const form = page.getByRole("form", { name: "Import accounts" });
  const list = `account,organization\nfrom-a-list,Listed\n${HOSTILE},\n${"x".repeat(300)},\n`;
  await form
    .getByLabel("The list")
    .setInputFiles({ name: "customers.csv", mimeType: "text/csv", buffer: Buffer.from(list) });
  assert.equal(
    await form.getByRole("button", { name: "Take it in" }).count(),
    0,
    "not before it was checked",
  );
  await form.getByRole("button", { name: "Check the list" }).click();
  await form.getByText("Nothing was changed yet").waitFor();
  await form.getByRole("gridcell", { name: "4", exact: true }).waitFor();
  assert.equal(await world.state.accounts.get("from-a-list"), null);
  await expectAccessible(page, "a checked list", "all");
  await form.getByRole("button", { name: "Take it in" }).click();
  await form.getByText("The list was taken in.").waitFor();
  assert.equal((await world.state.accounts.demand("from-a-list")).organization, "Listed");
  await page.getByRole("grid", { name: "Accounts" }).getByText("from-a-list").waitFor();
  await form.getByLabel("Format").selectOption("litellm");
  await form.getByRole("button", { name: "Check the list" }).click();
  await form.getByRole("alert").getByText("none named token").waitFor();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Export as CSV" }).click(),
  ]);
  assert.equal(saved.suggestedFilename(), "accounts.csv");
  assert.match(readFileSync(await saved.path(), "utf8"), /^from-a-list,.*Listed/m);
  assert.deepEqual(
    accidents.filter((accident) => !accident.includes("400")),
    [],
  );
  await context.close();
});

test("an administrator lets somebody in, changes their role and shuts them out", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "admin");
  await page.getByRole("link", { name: "People" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("zoe");
  await page.getByRole("button", { name: "Make a one-time link" }).click();
  const link = await onceShown(page);
  const other = await browser.newContext();
  const zoe = await other.newPage();
  await zoe.goto(link);
  await zoe.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  await page.getByLabel("Role of zoe").selectOption("analyst");
  await page.getByRole("button", { name: "Shut out zoe" }).click();
  await page.getByText("shut out", { exact: true }).waitFor();
  assert.equal((await world.state.users.get("zoe"))?.role, "analyst");
  await zoe.goto(`${base}/accounts`);
  await zoe.getByRole("button", { name: "Sign in" }).waitFor();
  assert.deepEqual(accidents, []);
  await other.close();
  await context.close();
});

test("an administrator makes a token that works, and ends it", async () => {
  const context = await browser.newContext();
  const { page, accidents } = await served.visit(context, "admin");
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByRole("textbox", { name: "What it is for" }).fill("prometheus");
  await page.getByRole("checkbox", { name: "metrics:read" }).check();
  await page.getByRole("button", { name: "Make the token" }).click();
  const secret = await onceShown(page);
  const headers = { authorization: `Bearer ${secret}` };
  assert.equal((await fetch(`${base}/metrics`, { headers })).status, 200);
  assert.ok(!(await page.content()).includes(secret), "the page has forgotten it");
  await page.getByRole("button", { name: "Revoke prometheus" }).click();
  await page.getByText("revoked", { exact: true }).waitFor();
  assert.equal((await fetch(`${base}/metrics`, { headers })).status, 401);
  assert.deepEqual(accidents, []);
  await context.close();
});

describe("every screen is accessible, and a hostile name stays text", () => {
  const screens: readonly (readonly [path: string, ready: string])[] = [
    ["/organizations", "Record an organization"],
    ["/organizations/Acme", "Keys for end users"],
    [`/organizations/${encodeURIComponent(HOSTILE)}`, "Keys for end users"],
    ["/accounts/acme-1?tab=standing", "Nothing was checked."],
    ["/accounts/acme-1?tab=keys", "Make a new key"],
    ["/people", "Let somebody in"],
    ["/tokens", "Make a token"],
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    test(colorScheme, async () => {
      const context = await browser.newContext({ colorScheme });
      const { page, accidents } = await served.visit(context, "admin");
      // The theme changes colours only: two screens hold all the parts that are new here.
      const seen = screens.filter(([path]) => colorScheme === "light" || /Acme$|tokens/.test(path));
      for (const [path, ready] of seen) {
        await page.goto(`${base}${path}`);
        await page.getByText(ready).first().waitFor();
        await expectAccessible(page, `${path}, ${colorScheme}`, colorScheme === "light" ? "all" : "colours");
      }
      assert.deepEqual(accidents, []);
      await context.close();
    });
  }
});
