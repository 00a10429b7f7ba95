// `adyton log` end to end: clean, shown, proved, verified elsewhere, and exit code 4 on damage.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bench, exchanges, sealAll } from "./helper.ts";

const COMMAND = join(import.meta.dirname, "../../bin/adyton.mjs");

function adyton(folder: string, ...args: string[]): { status: number | null; out: string } {
  const run = spawnSync(process.execPath, [COMMAND, "--data", folder, "log", ...args], {
    encoding: "utf8",
    cwd: folder,
  });
  return { status: run.status, out: run.stdout };
}

test("fsck, show, prove and verify-proof work on a log, and fsck fails on a damaged one", async (t) => {
  const { writer, ledger, folder } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 10);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const clean = adyton(folder, "fsck", "--json");
  assert.equal(clean.status, 0);
  assert.deepEqual([JSON.parse(clean.out).ok, JSON.parse(clean.out).size], [true, 20]);
  const { key } = JSON.parse(adyton(folder, "show", "--json").out) as { key: string };
  assert.match(adyton(folder, "show", "ex-3").out, /record 6[\s\S]*record 7/);
  const proof = join(folder, "ex-3.tlog-proof");
  await writeFile(proof, adyton(folder, "prove", "ex-3").out);
  const verified = adyton(folder, "verify-proof", proof, "--key", key, "--json");
  assert.deepEqual([verified.status, JSON.parse(verified.out).index], [0, 7]);
  const policy = join(folder, "policy.txt");
  const printed = adyton(folder, "policy").out;
  assert.match(printed, /^log \S+\nlog \S+\nquorum none\n$/);
  await writeFile(policy, printed);
  assert.match(adyton(folder, "verify-proof", proof, "--policy", policy).out, /proved: record 7/);
  await writeFile(policy, printed.replace("quorum", "quorums"));
  assert.equal(adyton(folder, "verify-proof", proof, "--policy", policy).status, 2);
  await writeFile(proof, (await readFile(proof, "utf8")).replace("index 7", "index 6"));
  assert.equal(adyton(folder, "verify-proof", proof, "--key", key).status, 4);
  assert.equal(adyton(folder, "prove", "ex-none").status, 1);
  const pack = join(folder, "content", "000");
  const bytes = await readFile(pack);
  await writeFile(pack, bytes.fill(0, 100, 101));
  const damaged = adyton(folder, "fsck");
  assert.equal(damaged.status, 4);
  assert.match(damaged.out, /DAMAGED[\s\S]*content\/000/);
});
