// Pictures of every screen, light and dark, to look at while working on the console: over a small recorded fleet.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { startBrowser } from "../test/helpers/browser.ts";
import { FLEET_FINDING, fleetScene } from "../test/helpers/fleet.ts";
import { openWorld } from "../test/helpers/world.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node scripts/screenshot.ts <folder for the pictures>");
const SIZE = { width: 1360, height: 860 };

const scene = fleetScene(Date.now());
const world = await openWorld({ consoleFolder: `${root}dist/console` });
await world.record(scene.exchanges, scene.facts);
await world.state.findings.upsert(scene.findings);
const teawood = { kind: "organization", name: "Teawood" } as const;
await world.state.organizations.put({ organization: "Teawood", plan: "pro", contact: "trust@teawood.test" });
await world.state.standing.verify(teawood, { kind: "business", status: "verified", reference: "HRB 1" });
await world.state.standing.declare(teawood, { use: "synthetic-data", reference: "contract 7" });
await world.state.endUserKeys.create({ organization: "Teawood", label: "web" });
const scraper = { label: "prometheus", scopes: ["metrics:read"], creator: "user:ada", lifeMs: 7_776_000_000 };
await world.state.tokens.create(scraper);
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
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
      if (name !== "exchange") continue;
      await page.getByRole("dialog").getByRole("textbox").fill("Triage of the campaign");
      await page.getByRole("button", { name: "Record and reveal" }).click();
      await page.getByRole("tab", { name: "Conversation" }).waitFor();
      await page.screenshot({ path: `${folder}/revealed-${colorScheme}.png` });
    }
    await page.close();
  }
} finally {
  await browser.close();
  server.close();
  await world.close();
}
