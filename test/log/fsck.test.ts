// fsck finds one flipped bit in each kind of file, and names the file and the place.
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { bench, exchanges, open, sealAll } from "./helper.ts";

/** File below the data folder, byte to flip, expected code, and how far before the byte the report may point. */
const FLIPS: readonly [file: string, at: number, codes: readonly string[], reach: number][] = [
  ["log/checkpoint", 2, ["signature"], 0],
  ["log/checkpoint", 150, ["signature", "checkpoint"], 0],
  ["log/tile/entries/000", 1000, ["leaf", "bundle"], 700],
  ["log/tile/entries/001.p/244", 3000, ["leaf", "bundle"], 700],
  ["log/tile/0/000", 777, ["tile"], 0],
  ["log/tile/0/001.p/244", 99, ["tile"], 0],
  ["log/tile/1/000.p/1", 5, ["tile"], 0],
  ["content/000", 10, ["pack"], 1000],
  ["content/000", 30_000, ["pack", "digest"], 1000],
  ["content/001", 300, ["pack", "digest"], 1000],
  ["ledger/state.json", 40, ["state"], 0],
];

test("one flipped bit is found in every kind of file", async (t) => {
  const { writer, ledger, folder, keys } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 250, 300);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const clean = await fsck({ folder, keys });
  assert.deepEqual(
    [clean.ok, clean.size, clean.checked.commitments, clean.signatureChecked],
    [true, 500, 500, true],
  );
  assert.equal((await fsck({ folder })).signatureChecked, false);

  const copy = await mkdtemp(join(tmpdir(), "adyton-fsck-"));
  t.after(() => rm(copy, { recursive: true, force: true }));
  await cp(folder, copy, { recursive: true });
  const copied = await Keyring.open({ folder: copy });
  t.after(() => copied.close());
  for (const [file, at, codes, reach] of FLIPS) {
    const path = join(copy, file);
    const good = await readFile(path);
    const bad = Buffer.from(good);
    bad.writeUInt8(bad.readUInt8(at) ^ 0x04, at);
    await writeFile(path, bad);
    const report = await fsck({ folder: copy, keys: copied });
    assert.deepEqual(await fsck({ folder: copy, keys: copied, threads: 1 }), report, `${file}, with help`);
    const [problem] = report.problems;
    assert.equal(report.ok, false, file);
    assert.ok(
      problem !== undefined && codes.includes(problem.code),
      `${file}: ${JSON.stringify(report.problems)}`,
    );
    assert.equal(problem.file, path);
    if (problem.offset !== null)
      assert.ok(
        problem.offset <= at && at - problem.offset <= Math.max(reach, 31),
        `${file} ${problem.offset}`,
      );
    await writeFile(path, good);
  }
  for (const file of ["log/tile/0/000", "content/001", "log/tile/entries/000"]) {
    const path = join(copy, file);
    const good = await readFile(path);
    await rm(path);
    const report = await fsck({ folder: copy, keys: copied });
    assert.ok(
      report.problems.some((problem) => problem.file === path),
      file,
    );
    await writeFile(path, good);
  }
  assert.equal((await fsck({ folder: copy, keys: copied })).ok, true);
});

test("an interrupted check goes on where it stood, and comes to the same report", async (t) => {
  const { writer, ledger, folder, keys } = await bench(t);
  const w = await writer();
  await w.append(open("left-open", "still asking", "account-1")).durable;
  await exchanges(w, 0, 700, 30);
  const l = await ledger();
  await sealAll(l);
  l.close();
  await w.close();
  const pack = join(folder, "content", "000");
  const bytes = await readFile(pack);
  bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
  await writeFile(pack, bytes);
  const account = keys.pseudonymOf("account-3");
  keys.destroyKeys(account, keys.keyIdsOf(account));
  const whole = await fsck({ folder, keys });
  assert.equal(whole.problemCount > 1, true);
  const interrupted = fsck({
    folder,
    keys,
    saveEveryLeaves: 256,
    onProgress: (leaves) => {
      if (leaves > 900) throw new Error("interrupted");
    },
  });
  await assert.rejects(interrupted, /interrupted/);
  const other = await fsck({ folder, keys, resume: true, content: false });
  assert.equal(other.resumedFrom, 0, "another question");
  const resumed = await fsck({ folder, keys, resume: true, saveEveryLeaves: 256 });
  assert.deepEqual(resumed, { ...whole, resumedFrom: 768 });
  const again = await fsck({ folder, keys, resume: true });
  assert.deepEqual(again, whole, "it was done");
});
