// Starts the system's Chromium for tests and for the screenshot, or says exactly what to install.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { ensureSystemPackages } from "../../scripts/system-packages.ts";

export async function startBrowser(): Promise<Browser> {
  ensureSystemPackages();
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const executablePath = folders.map((folder) => join(folder, "chromium")).find((path) => existsSync(path));
  if (executablePath === undefined)
    throw new Error("expected chromium on the PATH; apt-get install -y chromium");
  // Chromium's own sandbox needs rights that containers and root don't have; only our own pages are opened.
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
