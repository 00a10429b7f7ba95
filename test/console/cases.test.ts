// A person's way through a case in a real browser: opened, filled with a finding and hostile words, closed.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { expectAccessible, openConsole, type TestConsole } from "../helpers/console.ts";
import { FLEET_FINDING, fleetScene } from "../helpers/fleet.ts";

let served: TestConsole;

before(async () => {
  served = await openConsole();
  const scene = fleetScene(Date.now(), { days: 1, perDay: 1 });
  await served.world.record(scene.exchanges, scene.facts);
  await served.world.state.findings.upsert(scene.findings);
});
after(() => served?.close());

test("an analyst opens a case, adds a finding and a hypothesis, and closes it", async () => {
  const context = await served.browser.newContext();
  const { page, accidents } = await served.visit(context, "analyst");
  await page.getByRole("link", { name: "Cases" }).click();
  await page.getByRole("heading", { level: 1, name: "Cases" }).waitFor();
  for (const [label, text] of [
    ["Title", "Fleet of March"],
    ["Purpose", "find out"],
    ["Authority", "terms, section 4"],
    ["Custodian", "Ada"],
    ["Jurisdiction", "CH"],
  ] as const)
    await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Fleet of March" }).waitFor();
  const add = async (what: string, label: string, text: string): Promise<void> => {
    await page.getByRole("combobox").selectOption(what);
    await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByRole("button", { name: "Add", exact: true }).click();
  };
  await add("finding-added", "Which", FLEET_FINDING);
  await page.getByText("14 accounts; status open").waitFor();
  await add("hypothesis", "Text", "<img src=x onerror=alert(1)> one buyer");
  await page.getByText("<img src=x onerror=alert(1)> one buyer").waitFor();
  await expectAccessible(page, "a case", "all");
  const pictures = process.env["ADYTON_PICTURES"];
  if (pictures !== undefined) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: join(pictures, "case.png"), fullPage: true });
  }
  await add("closed", "Text", "handed over");
  await page.getByText("Reopen the case (the reason)").waitFor({ state: "attached" });
  assert.equal(await page.locator("main img").count(), 0);
  assert.deepEqual(accidents, []);
  const [found] = await served.world.state.cases.list();
  assert.equal(found?.status, "closed");
  assert.equal(found?.entries, 4);
  await context.close();
});
