import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { type PartSpec, Supervisor } from "../../src/cli/serve/supervisor.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-supervisor-"));

/** A real child process that does what its script says. */
function part(name: string, script: string, stopTimeoutMs = 2000): PartSpec {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, script);
  return { name, role: "gateway", stopTimeoutMs, start: () => fork(path) };
}

function supervisor(delayMs = 20): Supervisor {
  return new Supervisor({
    log: pino({ level: "silent" }),
    restart: { delayMs, maxDelayMs: 100, stableAfterMs: 60_000 },
    nowMs: Date.now,
    onReady: () => {},
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `waited too long for: ${what}`);
    await sleep(10);
  }
}

const OBEDIENT = `
  process.send({ type: "counters", counters: { served_total: 3 } });
  process.send({ type: "ready", detail: "up" });
  process.on("message", (m) => { if (m.type === "stop") process.exit(0); });
`;

test("a killed process is started again, and says so in its status", async () => {
  const own = supervisor();
  await own.add(part("obedient", OBEDIENT));
  const first = own.status()[0];
  assert.equal(first?.state, "ready");
  assert.deepEqual(own.counters(), { obedient: { served_total: 3 } });
  process.kill(first?.pid ?? 0, "SIGKILL");
  await until(() => own.status()[0]?.restarts === 1 && own.status()[0]?.state === "ready", "a restart");
  assert.equal(own.status()[0]?.lastExit, "SIGKILL");
  assert.notEqual(own.status()[0]?.pid, first?.pid);
  await own.stop(["gateway"]);
  assert.equal(own.status()[0]?.state, "stopped");
});

test("a process that dies at once is started less and less often", async () => {
  const own = supervisor(25);
  own.add(part("dying", "process.exit(3)")).catch(() => {});
  const started = Date.now();
  await until(() => own.status()[0]?.restarts === 4, "four deaths");
  // Delays before the fourth death: 25 + 50 + 100 ms.
  assert.ok(Date.now() - started >= 175);
  assert.equal(own.status()[0]?.lastExit, "exit code 3");
  await own.stop(["gateway"]);
});

test("a process that ignores the request to stop is killed after its time", async () => {
  const own = supervisor();
  await own.add(
    part("deaf", `process.send({ type: "ready", detail: "" }); setInterval(() => {}, 1000);`, 150),
  );
  await own.stop(["gateway"]);
  assert.equal(own.status()[0]?.lastExit, "SIGKILL");
  assert.equal(own.status()[0]?.restarts, 0);
});
