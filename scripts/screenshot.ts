// Makes the README's picture of the console: the real console over a real installation with a small recorded fleet.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { startBrowser } from "../test/helpers/browser.ts";
import { FLEET_FINDING, fleetScene } from "../test/helpers/fleet.ts";
import { openWorld } from "../test/helpers/world.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = process.argv[2] ?? `${root}docs/images`;
/** Every screen, light and dark, where a folder is given to look at them; else the one that the README shows. */
const all = process.argv[2] !== undefined;
const SIZE = { width: 1360, height: 860 };

const scene = fleetScene(Date.now());
const world = await openWorld({ consoleFolder: `${root}dist/console` });
await world.record(scene.exchanges, scene.facts);
await world.state.findings.upsert(scene.findings);
const server = serve({ fetch: world.api.fetch, port: 0, hostname: "127.0.0.1" });
const browser = await startBrowser();
try {
  await new Promise<void>((resolve) => (server.listening ? resolve() : server.once("listening", resolve)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("expected a TCP address");
  const base = `http://127.0.0.1:${address.port}`;
  await mkdir(folder, { recursive: true });
  const shots: readonly (readonly [name: string, path: string])[] = all
    ? [
        ["findings", "/findings"],
        ["finding", `/findings/${FLEET_FINDING}`],
        ["accounts", "/accounts"],
        ["account", `/accounts/${scene.fleet[0]}`],
        ["exchange", `/accounts/${scene.fleet[0]}?exchange=x-hostile`],
        ["ledger", "/ledger"],
        ["record", "/ledger?record=7"],
        ["empty", "/findings?q=nothing-like-this"],
      ]
    : [["console", `/findings/${FLEET_FINDING}`]];
  for (const colorScheme of all ? (["light", "dark"] as const) : (["light"] as const)) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme, deviceScaleFactor: all ? 1 : 1.5 });
    if (all) {
      await page.goto(`${base}/sign-in`);
      await page.screenshot({ path: `${folder}/sign-in-${colorScheme}.png` });
    }
    await page.goto(`${base}/sign-in#token=${await world.link("analyst", "ada")}`);
    await page.getByRole("heading", { name: "Findings" }).waitFor();
    for (const [name, path] of shots) {
      await page.goto(`${base}${path}`);
      await page.waitForLoadState("networkidle");
      await page.screenshot({ path: `${folder}/${all ? `${name}-${colorScheme}` : name}.png` });
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
