// The console in a real browser over a real installation, for tests: where it is, how a person comes in, what may not happen.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { serve } from "@hono/node-server";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { ApiOptions } from "../../src/api/services.ts";
import type { Role } from "../../src/core/role.ts";
import { startBrowser } from "./browser.ts";
import { openWorld, type World } from "./world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Visit {
  readonly page: Page;
  /** Dialogs, policy violations, page errors: everything that must not happen. */
  readonly accidents: string[];
}

export interface TestConsole {
  readonly world: World;
  readonly browser: Browser;
  /** Where it is served, without a final slash. */
  readonly base: string;
  /** Signs a person of this role in and waits for the first screen. */
  visit(context: BrowserContext, role: Role): Promise<Visit>;
  close(): Promise<void>;
}

/** Builds the console where its sources are newer, and serves it. The address is known before the parts are made. */
export async function openConsole(
  overrides: Partial<ApiOptions> | ((base: string) => Promise<Partial<ApiOptions>>) = {},
): Promise<TestConsole> {
  const built = spawnSync(process.execPath, [`${root}scripts/build-console.ts`, "--if-stale"], {
    encoding: "utf8",
  });
  assert.equal(built.status, 0, built.stderr);
  let api: World["api"] | null = null;
  const fetch = (request: Request): Response | Promise<Response> =>
    api?.fetch(request) ?? new Response(null, { status: 503 });
  const server = serve({ fetch, port: 0, hostname: "127.0.0.1" });
  if (!server.listening) await new Promise<void>((resolve) => server.once("listening", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address !== "string");
  const base = `http://127.0.0.1:${address.port}`;
  const chosen = typeof overrides === "function" ? await overrides(base) : overrides;
  const world = await openWorld({ consoleFolder: `${root}dist/console`, ...chosen });
  api = world.api;
  const browser = await startBrowser();
  return {
    world,
    browser,
    base,
    visit: async (context, role) => {
      const page = await context.newPage();
      const accidents = accidentsOf(page);
      await page.goto(`${base}/sign-in#token=${await world.link(role, `${role}-person`)}`);
      try {
        await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
      } catch (cause) {
        const shown = await page.locator("body").textContent();
        throw new Error(`${page.url()} shows ${JSON.stringify(shown)}, ${accidents.join("; ")}`, { cause });
      }
      return { page, accidents };
    },
    close: async () => {
      await browser.close();
      server.close();
      await world.close();
    },
  };
}

/** What must not happen on a page: dialogs, errors, refused resources. */
export function accidentsOf(page: Page): string[] {
  const accidents: string[] = [];
  page.on("dialog", (dialog) => {
    accidents.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => accidents.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Chromium logs each refused request; a 401 before signing in is how the console learns that nobody is.
    if (message.type() === "error" && !message.text().includes("401")) accidents.push(message.text());
  });
  return accidents;
}

/** The theme changes colours only, so that one theme is checked by every rule and the other by its contrast. */
export async function expectAccessible(page: Page, where: string, rules: "all" | "colours"): Promise<void> {
  // There are no frames, so the way of asking that opens no second page will do; only violations are written out.
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode();
  const { violations } = await (rules === "all" ? axe : axe.withRules(["color-contrast"])).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const report = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("\n  ")}`);
  assert.deepEqual(report, [], where);
}
