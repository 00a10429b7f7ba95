// Several gateway workers of one machine without Redis: one budget for all of them, and verdicts from the command line.
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Verdict } from "../../src/state/verdict-rows.ts";
import { freePort } from "../helpers/free-port.ts";
import { adyton, removeFolder, startInstallation, temporaryFolder } from "../helpers/installation.ts";
import { json, startUpstream } from "../helpers/upstream.ts";

const LIMIT = 75;
const WAIT_MS = 240_000;

it("three workers admit one budget's worth of 200 connections, and all hear of a verdict", {
  timeout: 480_000,
}, async (t) => {
  const folder = await temporaryFolder("workers");
  t.after(() => removeFolder(folder));
  const upstream = await startUpstream(json({ object: "list", data: [] }));
  t.after(() => upstream.close());
  const receiver = await startUpstream(json({ ok: true }));
  t.after(() => receiver.close());
  const installation = await startInstallation(folder, {
    gateway: {
      ...{ listen: { port: await freePort() }, workers: 3 },
      upstreams: [{ name: "model", family: "openai", url: upstream.url }],
    },
    console: { listen: { port: await freePort() } },
    respond: {
      mode: "enforce",
      alerts: { targets: [{ name: "oncall", kind: "webhook", url: receiver.url, events: ["verdict"] }] },
      budgets: [{ name: "hourly", scope: "account", unit: "requests", windowSeconds: 3600, limit: LIMIT }],
    },
    detect: { enabled: false },
  });
  t.after(() => installation.process.kill("SIGKILL"));
  const command = async (line: string, ...more: string[]): Promise<unknown> => {
    const args = [...line.split(" "), ...more, "--json", "--config", installation.configFile];
    const { code, out, err } = await adyton(args);
    assert.equal(code, 0, err);
    return JSON.parse(out);
  };
  const ask = async (key: string): Promise<number> => {
    const { gateway } = installation.welcome;
    const response = await fetch(`${gateway}/v1/models`, {
      // A connection of its own: the kernel deals connections out to the workers.
      headers: { authorization: `Bearer ${key}`, connection: "close" },
    });
    await response.arrayBuffer();
    return response.status;
  };

  const { secret } = (await command("keys create --account busy")) as { secret: string };
  // Each worker learns of the key by itself; what it refuses until then counts for nothing.
  const known: number[] = [];
  const deadline = Date.now() + WAIT_MS;
  while (known.slice(-10).length < 10 || known.slice(-10).some((status) => status === 401)) {
    assert.ok(Date.now() < deadline, "expected every worker to know the key");
    known.push(await ask(secret));
    await sleep(50);
  }
  const before = known.filter((status) => status === 200).length;
  const statuses = await Promise.all(Array.from({ length: 200 }, () => ask(secret)));
  assert.ok(statuses.every((status) => status === 200 || status === 429 || status === 401));
  assert.equal(before + statuses.filter((status) => status === 200).length, LIMIT);

  const propose = "verdicts propose --account busy --measure quarantine --note reported";
  const { id } = (await command(propose)) as Verdict;
  await command(`verdicts approve ${id} --delay 1s --note seen`);
  let refused = 0;
  while (refused < 20) {
    assert.ok(Date.now() < deadline, "expected every worker to refuse");
    refused = (await ask(secret)) === 403 ? refused + 1 : 0;
  }
  // Somebody is told of every step, each once, whoever took it.
  const told = (): string[] => receiver.seen.map(({ body }) => JSON.parse(body.toString()).type).sort();
  const hears = async (step: string): Promise<void> => {
    while (!told().includes(step)) {
      assert.ok(Date.now() < deadline, `expected to be told of ${step}, got ${told()}`);
      await sleep(100);
    }
  };
  await hears("adyton.verdict.in-effect"); // lifted before the responder's tick it would be told of its end alone
  await command(`verdicts lift ${id} --note over`);
  await hears("adyton.verdict.lifted");
  assert.equal(new Set(told()).size, told().length);
  assert.equal(await installation.stop(), 0, installation.diagnostics());
});
