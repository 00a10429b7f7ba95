// The main job as a newcomer meets it: start, paste the call, open the link, stop, start again.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startBrowser } from "../helpers/browser.ts";
import { freePort } from "../helpers/free-port.ts";
import {
  adyton,
  type RunningInstallation,
  removeFolder,
  startInstallation,
  temporaryFolder,
} from "../helpers/installation.ts";

let folder = "";
let settings: Record<string, unknown> = {};
before(async () => {
  folder = await temporaryFolder("serve");
  settings = {
    gateway: { listen: { port: await freePort() }, workers: 1 },
    console: { listen: { port: await freePort() } },
    detect: { tickMs: 500 },
  };
});
after(() => removeFolder(folder));

async function ask({ welcome }: RunningInstallation, key: string | null, content: string): Promise<Response> {
  return await fetch(`${welcome.gateway}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "adyton-sample-1", messages: [{ role: "user", content }] }),
  });
}

interface Shown {
  readonly size: number;
}

async function sealed({ configFile }: RunningInstallation): Promise<Shown> {
  const shown = await adyton(["log", "show", "--json", "--config", configFile]);
  assert.equal(shown.code, 0, shown.err);
  return JSON.parse(shown.out) as Shown;
}

async function untilSealed(installation: RunningInstallation, size: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while ((await sealed(installation)).size < size) {
    assert.ok(Date.now() < deadline, `expected ${size} records sealed`);
    await sleep(100);
  }
}

/** A failed test leaves nothing running. */
let running: RunningInstallation | null = null;
afterEach(() => running?.process.kill("SIGKILL"));

async function start(): Promise<RunningInstallation> {
  running = await startInstallation(folder, settings);
  return running;
}

test("start, paste the call, open the link, stop; a second start continues where the first stopped", {
  timeout: 180_000,
}, async () => {
  const first = await start();
  const { key } = first.welcome;
  const answer = await ask(first, key, "What are you?");
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /sample/);
  assert.equal((await ask(first, `${key}x`, "What are you?")).status, 401);

  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(first.welcome.signIn);
    await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
    await page.goto(`${first.welcome.console}/ledger`);
    await page.getByText("valid", { exact: true }).waitFor();
  } finally {
    await browser.close();
  }
  await untilSealed(first, 6); // account, key, link, session; open and close of the call
  assert.equal(await first.stop(), 0, first.diagnostics());
  const { size } = await sealed(first);

  const second = await start();
  assert.equal((await ask(second, key, "Still here?")).status, 200, "the first start's key still works");
  await untilSealed(second, size + 2);
  assert.equal(await second.stop(), 0, second.diagnostics());

  const fsck = await adyton(["log", "fsck", "--config", second.configFile]);
  assert.equal(fsck.code, 0, fsck.out + fsck.err);
});

test("a second adyton serve on the same folder is refused in one clear line", {
  timeout: 120_000,
}, async () => {
  const first = await start();
  try {
    const other = await adyton(["serve", "--config", first.configFile]);
    assert.equal(other.code, 1);
    assert.match(other.err, /^adyton: already-running: /m);
  } finally {
    await first.stop();
  }
});
