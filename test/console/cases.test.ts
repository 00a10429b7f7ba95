// A person's way through a case in a real browser: opened, filled with a finding and hostile words, closed; exported.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { recorderFor } from "../../src/api/acts.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { verifyBundle } from "../../src/evidence/verify/verify-bundle.ts";
import { expectAccessible, openConsole, type TestConsole } from "../helpers/console.ts";
import { FLEET_FINDING, fleetScene } from "../helpers/fleet.ts";
import { sealMeanwhile } from "../helpers/world.ts";

let served: TestConsole;
const scene = fleetScene(Date.now(), { days: 1, perDay: 1 });

before(async () => {
  served = await openConsole();
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

test("an approver takes the evidence out, with the reason in the custody; an analyst is offered no export", async () => {
  const { world, browser, base } = served;
  const by = "user:analyst";
  const change = { record: recorderFor(by, world.options) };
  const { size, note: checkpoint } = await world.log.checkpoint();
  const facts = { title: "Handed over", purpose: "court", authority: "terms", custodian: "Ada" };
  const opening = { ...facts, jurisdiction: "CH", tlp: "AMBER" } as const;
  const opened = await world.state.cases.open(
    opening,
    { by, tool: "test", log: { size, checkpoint } },
    change,
  );
  const draft = { what: "account-added", on: scene.fleet[0] ?? "", result: "all exchanges" } as const;
  await world.state.cases.add(opened.id, draft, { by, tool: "test" }, change);
  const stopSealing = sealMeanwhile(world);
  const context = await browser.newContext({ acceptDownloads: true });
  const { page, accidents } = await served.visit(context, "approver");
  await page.goto(`${base}/cases/${opened.id}`);
  await page.getByLabel("Under which authority, and to whom").fill("order 12/26, to the court");
  await expectAccessible(page, "a case with its export", "all");
  const coming = page.waitForEvent("download", { timeout: 120_000 });
  await page.getByRole("button", { name: "Record and export" }).click();
  const file = await coming;
  assert.equal(file.suggestedFilename(), `${opened.id}.zip`);
  const verdict = await verifyBundle(memorySource(await readFile(await file.path())), { policy: null });
  assert.deepEqual([verdict.verdict, verdict.reasons], ["consistent", []]);
  await page.getByText("bundle of ").waitFor();
  const entry = (await world.state.cases.entries(opened.id)).at(-1);
  assert.deepEqual(
    [entry?.what, entry?.by, entry?.authority],
    ["exported", "user:approver-person", "order 12/26, to the court"],
  );
  assert.deepEqual(accidents, []);
  await context.close();
  const other = await browser.newContext();
  const { page: theirs } = await served.visit(other, "analyst");
  await theirs.goto(`${base}/cases/${opened.id}`);
  await theirs.getByRole("heading", { name: "Evidence" }).waitFor();
  assert.equal(await theirs.getByRole("button", { name: "Record and export" }).count(), 0);
  await other.close();
  await stopSealing();
});
