// A disk that refuses: nothing half-written is believed, everything pending is told, and work goes on afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Disk, NODE_DISK } from "../../src/log/disk.ts";
import { LogError } from "../../src/log/errors.ts";
import { fsck } from "../../src/log/fsck.ts";
import { allRecords, bench, close, diskFailure, exchanges, failingDisk, open, sealAll } from "./helper.ts";

const code = (expected: string) => (error: unknown) => error instanceof LogError && error.code === expected;

for (const call of ["write", "datasync"] as const) {
  test(`a failing ${call} rejects what waits, makes the writer unhealthy, and recovery goes on`, async (t) => {
    const { writer, ledger, log, folder, keys } = await bench(t);
    let failing = false;
    const disk = failingDisk(NODE_DISK, (name) => (failing && name === call ? diskFailure("EIO") : null));
    const failures: string[] = [];
    const w = await writer({ disk, recoverEveryMs: 0, onFailure: (error) => failures.push(error.code) });
    await w.append(open("before")).durable;
    failing = true;
    const pending = [w.append(open("lost-1")), w.append(open("lost-2"))];
    for (const { durable } of pending) await assert.rejects(durable, code("log.write-failed"));
    assert.deepEqual([w.healthy, failures], [false, ["log.write-failed"]]);
    await assert.rejects(w.append(open("refused")).durable, code("log.unhealthy"));
    await assert.rejects(w.recover(), code("log.write-failed"));
    failing = false;
    await w.recover();
    assert.equal(w.healthy, true);
    await w.append(close("before")).durable;
    await w.append(open("after")).durable;
    const l = await ledger();
    await sealAll(l);
    const reader = await log();
    const exchangesSeen = (await allRecords(reader)).map(({ leaf }) => leaf.exchange ?? leaf.act);
    assert.deepEqual(
      exchangesSeen.filter((name) => !name?.startsWith("lost")),
      ["before", ...(call === "write" ? ["log.write-failed"] : []), "before", "after"],
    );
    assert.equal((await reader.findExchange("before")).close !== undefined, true);
    const report = await fsck({ folder, keys });
    assert.deepEqual(report.problems, []);
    await w.close();
    l.close();
    reader.close();
  });
}

test("a full disk has its own code, and the writer resumes by itself when there is room", async (t) => {
  const { writer } = await bench(t);
  let full = false;
  const disk = failingDisk(NODE_DISK, (name) => (full && name === "write" ? diskFailure("ENOSPC") : null));
  const w = await writer({ disk, recoverEveryMs: 20 });
  full = true;
  await assert.rejects(w.append(open("ex")).durable, code("log.disk-full"));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(w.healthy, false);
  full = false;
  for (let i = 0; i < 100 && !w.healthy; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  await w.append(open("ex")).durable;
  await w.close();
});

for (const fault of ["EIO", "ENOSPC"] as const)
  test(`every call of the seal path fails once with ${fault}: the step says so, the next one seals all, once`, async (t) => {
    const { writer, ledger, log, folder, keys } = await bench(t);
    const w = await writer();
    let calls = 0;
    let failAt = Number.POSITIVE_INFINITY;
    const counted = new Set<keyof Disk>([
      "open",
      "close",
      "read",
      "write",
      "datasync",
      "syncFolder",
      "rename",
      "remove",
      "readFile",
    ]);
    const disk = failingDisk(NODE_DISK, (name) => {
      if (!counted.has(name)) return null;
      calls += 1;
      return calls === failAt ? diskFailure(fault) : null;
    });
    const l = await ledger({ disk });
    let written = 0;
    let failed = 0;
    for (let round = 0; round < 300; round++) {
      const more = round % 10 === 0 ? 150 : 3;
      await exchanges(w, written, written + more, 30);
      written += more;
      calls = 0;
      failAt = round + 1;
      try {
        await l.step();
        if (calls < failAt && round % 10 !== 0 && failed > 20) break; // no call left to fail
      } catch (error) {
        assert.ok(
          error instanceof Error && /injected/.test(String(error.message) + String(error.cause)),
          String(error),
        );
        failed += 1;
      }
      failAt = Number.POSITIVE_INFINITY;
      await sealAll(l);
    }
    assert.ok(failed >= 20, `expected many failures, got ${failed}`);
    const reader = await log();
    assert.deepEqual(
      (await allRecords(reader)).map(({ leaf }) => leaf.seq),
      Array.from({ length: written * 2 }, (_, i) => i),
    );
    const report = await fsck({ folder, keys });
    assert.deepEqual(report.problems, []);
    await w.close();
    l.close();
    reader.close();
  });
