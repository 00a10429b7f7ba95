// Pictures of every screen, light and dark, to look at while working on the console: over a small recorded fleet.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { appealPage } from "../src/gateway/appeal-page.ts";
import { policyHash, STANDARD_POLICY } from "../src/respond/policy.ts";
import type { State } from "../src/state/state.ts";
import { startBrowser } from "../test/helpers/browser.ts";
import { FLEET_FINDING, fleetScene } from "../test/helpers/fleet.ts";
import { openWorld } from "../test/helpers/world.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node scripts/screenshot.ts <folder for the pictures>");
const SIZE = { width: 1360, height: 860 };

const scene = fleetScene(Date.now());
const world = await openWorld({
  consoleFolder: `${root}dist/console`,
  response: {
    ...{ mode: "enforce", policy: STANDARD_POLICY, hash: policyHash(STANDARD_POLICY) },
    effectiveMs: () => Date.now(),
    changed: async () => {},
  },
});
await world.record(scene.exchanges, scene.facts);
await world.state.findings.upsert(scene.findings);
const teawood = { kind: "organization", name: "Teawood" } as const;
await world.state.organizations.put({ organization: "Teawood", plan: "pro", contact: "trust@teawood.test" });
await world.state.standing.verify(teawood, { kind: "business", status: "verified", reference: "HRB 1" });
await world.state.standing.declare(teawood, { use: "synthetic-data", reference: "contract 7" });
await world.state.endUserKeys.create({ organization: "Teawood", label: "web" });
const scraper = { label: "prometheus", scopes: ["metrics:read"], creator: "user:ada", lifeMs: 7_776_000_000 };
await world.state.tokens.create(scraper);
const response = await respondTo(world.state, scene.fleet);
const server = serve({ fetch: world.api.fetch, port: 0, hostname: "127.0.0.1" });
const browser = await startBrowser();
try {
  await new Promise<void>((resolve) => (server.listening ? resolve() : server.once("listening", resolve)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected a TCP address");
  const base = `http://127.0.0.1:${address.port}`;
  await mkdir(folder, { recursive: true });
  const shots: readonly (readonly [name: string, path: string])[] = [
    ["findings", "/findings"],
    ["finding", `/findings/${FLEET_FINDING}`],
    ["accounts", "/accounts"],
    ["account", `/accounts/${scene.fleet[0]}`],
    ["exchange", `/accounts/${scene.fleet[0]}?exchange=x-hostile`],
    ["ledger", "/ledger"],
    ["record", "/ledger?record=7"],
    ["empty", "/findings?q=nothing-like-this"],
    ["organizations", "/organizations"],
    ["organization", "/organizations/Teawood"],
    ["account-keys", `/accounts/${scene.fleet[0]}?tab=keys`],
    ["verdicts", "/verdicts"],
    ["verdict-proposed", `/verdicts/${response.proposed}`],
    ["verdict", `/verdicts/${response.inEffect}`],
    ["appeals", "/appeals"],
    ["people", "/people"],
    ["tokens", "/tokens"],
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme, deviceScaleFactor: 1 });
    await page.goto(`${base}/sign-in`);
    await page.screenshot({ path: `${folder}/sign-in-${colorScheme}.png` });
    await page.goto(`${base}/sign-in#token=${await world.link("admin", "ada")}`);
    await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
    for (const [name, path] of shots) {
      await page.goto(`${base}${path}`);
      await page.waitForLoadState("networkidle");
      await page.locator(".loading").waitFor({ state: "detached" });
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
      if (name !== "exchange") continue;
      await page.getByRole("dialog").getByRole("textbox").fill("Triage of the campaign");
      await page.getByRole("button", { name: "Record and reveal" }).click();
      await page.getByRole("tab", { name: "Conversation" }).waitFor();
      await page.screenshot({ path: `${folder}/revealed-${colorScheme}.png` });
    }
    await page.close();
    const customer = await browser.newPage({ viewport: SIZE, colorScheme, deviceScaleFactor: 1 });
    await customer.setContent(customersPage());
    await customer.screenshot({ path: `${folder}/appeal-page-${colorScheme}.png`, fullPage: true });
    await customer.close();
  }
} finally {
  await browser.close();
  server.close();
  await world.close();
}

/** A proposal about the fleet, a measure in force with an appeal that waits and one that was answered. */
async function respondTo(
  state: State,
  fleet: readonly string[],
): Promise<{ proposed: string; inEffect: string }> {
  const common = { reason: "unusual-use", shadow: false, lifeMs: 30 * 86_400_000, by: "system" } as const;
  const about = { finding: FLEET_FINDING, detector: "campaign/shared-skeletons", rule: "campaign" };
  const policy = policyHash(STANDARD_POLICY);
  const draft = { ...common, ...about, policy, inheritLimit: 1000, accounts: fleet };
  const { id: inEffect } = await state.verdicts.propose({ ...draft, measure: "quarantine" });
  await state.verdicts.approve(inEffect, {
    by: "user:ada",
    note: "One prompt set dealt out over fourteen accounts that share three cards.",
    effectiveMs: Date.now(),
  });
  await state.verdicts.advance({ proposalLifeMs: 86_400_000 });
  await state.verdicts.join(inEffect, ["acct_late-comer"]);
  const [first, second] = await state.verdicts.members(inEffect);
  await state.appeals.file(
    first?.reference ?? "",
    "We label maths homework for a school. <b>Please</b> have a look.",
  );
  const { id: answered } = await state.appeals.file(second?.reference ?? "", "It was my assistant.");
  await state.appeals.decide(answered, {
    ...{ outcome: "refused", by: "user:ada", forAll: false },
    reason: "The account shares its card with thirteen others; please tell us who they are.",
  });
  const probe = { finding: "probe-0d41", detector: "probe/log-bias-sweep", rule: "probe" };
  const { id: proposed } = await state.verdicts.propose({
    ...{ ...common, ...probe, policy, measure: "reduce", inheritLimit: 1000, accounts: ["acct_solo-dev"] },
  });
  return { proposed, inEffect };
}

/** What a customer reads under `verify`, with an answer to a first statement. */
function customersPage(): string {
  return appealPage(
    {
      ...{
        reference: `ap_${"7k2m".repeat(8)}`,
        measure: "verify",
        reason: "unusual-use",
        holds: true,
        isInterim: false,
      },
      ...{ sinceMs: Date.now() - 3_600_000, untilMs: Date.now() + 30 * 86_400_000, mayObject: true },
      statements: [
        {
          filedMs: Date.now() - 1_800_000,
          status: "refused",
          answer: "Please tell us who uses the account.",
        },
      ],
    },
    {
      contact: "help@example.com",
      maxStatement: 4000,
      verify: {
        ...{ step: "proofOfWork", url: "https://example.com/verify", proofBits: 22 },
        instructions: "Please show that this account is worth some seconds of work to you.",
      },
    },
  );
}
