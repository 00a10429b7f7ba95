// Makes the README's picture of the console from a real hunt: a folder that `adyton replay --data` left, served as it is.
// Build the console first: node scripts/build-console.ts --if-stale
import { fileURLToPath } from "node:url";
import { startBrowser } from "../test/helpers/browser.ts";
import { freePort } from "../test/helpers/free-port.ts";
import { serveFolder } from "../test/helpers/installation.ts";

const USAGE = `usage: node scripts/readme-picture.ts <folder left by adyton replay --data>`;
const PICTURE = fileURLToPath(new URL("../docs/images/console.png", import.meta.url));
const SIZE = { width: 1360, height: 900 };

const folder = process.argv[2];
if (folder === undefined) throw new Error(USAGE);
const installation = await serveFolder(folder, {
  ADYTON_GATEWAY_PORT: String(await freePort()),
  ADYTON_CONSOLE_PORT: String(await freePort()),
});
const browser = await startBrowser();
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light", deviceScaleFactor: 1.5 });
  await page.goto(installation.welcome.signIn);
  await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  await page.goto(`${installation.welcome.console}/findings?kind=campaign&sort=accounts&direction=desc`);
  await page.getByRole("row").nth(1).click();
  await page.getByRole("table", { name: "The accounts over time" }).waitFor();
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: PICTURE });
  console.log(`Wrote ${PICTURE}.`);
} finally {
  await browser.close();
  await installation.stop();
}
