// Writers and ledger killed with SIGKILL at random moments: what was acknowledged is sealed, once, and fsck is clean.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { allRecords, bench, sealAll } from "./helper.ts";

/** Three processes are killed in each round. */
const ROUNDS = Math.max(1, Math.ceil(Number(process.env["ADYTON_LOG_CRASHES"] ?? 12) / 3));
/** Between two kills of a round. */
const LIFE_MS = 300;

function start(acknowledged: Set<string>, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "crash-child.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) acknowledged.add(line);
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, "close");
  child.kill("SIGKILL");
  await exited;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test(`no acknowledged record is lost or doubled over ${ROUNDS * 3} kills`, async (t) => {
  const { folder, ledger, log } = await bench(t);
  const acknowledged = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const children = [
      start(acknowledged, "writer", folder, "gateway-0", String(round)),
      start(acknowledged, "writer", folder, "gateway-1", String(round)),
      start(acknowledged, "ledger", folder),
    ];
    t.after(() => children.forEach((child) => void child.kill("SIGKILL")));
    await Promise.all(children.map((child) => child.stdout && once(child.stdout, "data"))); // all are at work
    for (const child of children) {
      await wait(Math.random() * LIFE_MS);
      await killed(child);
    }
  }
  acknowledged.delete("ready");
  assert.ok(acknowledged.size > 100, `expected the writers to have worked, got ${acknowledged.size} records`);
  const l = await ledger();
  await sealAll(l);
  const reader = await log();
  const sealed = new Map<string, number>();
  for (const { leaf } of await allRecords(reader)) {
    if (leaf.kind === "interrupted") continue;
    const name = `${leaf.kind} ${leaf.exchange}`;
    sealed.set(name, (sealed.get(name) ?? 0) + 1);
  }
  for (const name of acknowledged) assert.equal(sealed.get(name), 1, name);
  for (const [name, count] of sealed) assert.equal(count, 1, name);
  const keys = await Keyring.open({ folder });
  const report = await fsck({ folder, keys });
  keys.close();
  assert.deepEqual(report.problems, []);
  assert.deepEqual([report.gaps, report.open], [[], 0]);
  l.close();
  reader.close();
});
