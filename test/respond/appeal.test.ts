// An appeal all the way, in a real browser: the refused call, the customer's page, the approver's console, the lifted measure.
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { policyHash, STANDARD_POLICY } from "../../src/respond/policy.ts";
import { accidentsOf, expectAccessible, openConsole, type TestConsole } from "../helpers/console.ts";
import { json } from "../helpers/upstream.ts";
import { startEnforcing } from "./enforcing.ts";

let place: TestConsole;
before(async () => {
  place = await openConsole({
    response: {
      ...{ mode: "enforce", policy: STANDARD_POLICY, hash: policyHash(STANDARD_POLICY) },
      effectiveMs: () => Date.now(),
      changed: async () => {},
    },
  });
});
after(() => place?.close());

it("an appeal goes from a refused call to a lifted measure", { timeout: 180_000 }, async (t) => {
  const { world, browser, base } = place;
  const gateway = await startEnforcing(t, { state: world.state, upstream: json({ ok: true }) });
  const [acme, mate] = [await gateway.key("acme"), await gateway.key("mate")];
  const ask = async (key: string): Promise<Response> =>
    await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  const { id } = await world.state.verdicts.propose({
    ...{ measure: "quarantine", reason: "unusual-use", shadow: false, lifeMs: 3_600_000, inheritLimit: 0 },
    ...{ accounts: ["acme", "mate"], by: "system", finding: "campaign-1", detector: "campaign/test" },
  });

  // An approver reads the proposal and agrees.
  const approver = await browser.newContext();
  const { page: desk, accidents } = await place.visit(approver, "approver");
  await desk.goto(`${base}/verdicts`);
  await desk.getByText("campaign-1").click();
  await desk.getByRole("heading", { name: "quarantine of 2 accounts" }).waitFor();
  await desk.getByText("Approve: it takes effect").click();
  await desk.getByLabel("Reason").fill("One list dealt out over both accounts.");
  await desk.getByRole("button", { name: "Record the decision" }).click();
  await desk.getByText("Lift: it ends for everybody at once").waitFor();
  await expectAccessible(desk, "the approver's console", "all");
  await gateway.settled();

  // The customer is refused, follows the address, and objects.
  const refused = await ask(acme);
  assert.equal(refused.status, 403);
  const customer = await browser.newContext();
  const page = await customer.newPage();
  const mishaps = accidentsOf(page);
  await page.goto(`${gateway.url}${refused.headers.get("adyton-appeal")}`);
  await page.getByRole("heading", { name: "Requests of this account are refused" }).waitFor();
  await page.getByText("Every request is refused").waitFor();
  await expectAccessible(page, "the page of an appeal", "all");
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(
    await page.evaluate("document.documentElement.scrollWidth"),
    320,
    "nothing runs out of the page",
  );
  await page.getByLabel("Your statement").fill("We evaluate <b>models</b> for a university.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("It waits to be read by a person.").waitFor();
  assert.equal(await page.getByLabel("Your statement").count(), 0, "one statement at a time");

  // The approver reads it as text, and grants it.
  await desk.goto(`${base}/appeals`);
  await desk.getByText("We evaluate <b>models</b> for a university.").waitFor();
  await expectAccessible(desk, "the approver's console", "all");
  await desk.getByLabel("Answer to the customer").fill("Thank you, that explains it.");
  await desk.getByRole("button", { name: "Grant: free at once" }).click();
  await desk.getByText("Thank you, that explains it.", { exact: true }).waitFor();
  await gateway.settled();

  // The account is free, its mate is not, and the customer reads why.
  assert.equal((await ask(acme)).status, 200);
  assert.equal((await ask(mate)).status, 403);
  await page.reload();
  await page.getByText("Thank you, that explains it.").waitFor();
  await page.getByRole("heading", { name: "This measure has ended" }).waitFor();
  assert.deepEqual(await world.state.outcomes.byDetector(), [
    { detector: "campaign/test", upheld: 1, wrong: 1 },
  ]);

  // The approver lifts the rest.
  await desk.goto(`${base}/verdicts/${id}`);
  await desk.getByText("Lift: it ends for everybody at once").click();
  await desk.getByLabel("Reason").fill("The finding was about a class of students.");
  await desk.getByRole("button", { name: "Record the decision" }).click();
  await desk.getByText("Nothing is left to decide.").waitFor();
  await gateway.settled();
  assert.equal((await ask(mate)).status, 200);
  assert.deepEqual([...accidents, ...mishaps], []);
});

it("an analyst reads appeals and verdicts and decides nothing", { timeout: 120_000 }, async () => {
  const { world, browser, base } = place;
  const { id } = await world.state.verdicts.propose({
    ...{ measure: "slow", reason: "unusual-use", shadow: true, lifeMs: 3_600_000, inheritLimit: 0 },
    ...{ accounts: ["other"], by: "system" },
  });
  const context = await browser.newContext();
  const { page, accidents } = await place.visit(context, "analyst");
  await page.goto(`${base}/verdicts/${id}`);
  await page.getByText("Deciding takes the role of approver.").waitFor();
  await page.getByText("shadow: nothing is enforced").waitFor();
  assert.equal(await page.getByRole("button", { name: "Record the decision" }).count(), 0);
  assert.deepEqual(accidents, []);
});
