// Many records at once: sealed and checked with the help of threads, with the same outcome as without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import { RecordCrew } from "../../src/log/record-crew.ts";
import { JobBuilder, sealedParts } from "../../src/log/record-job.ts";
import { act, allRecords, bench, diskFailure, exchanges, failingDisk, sealAll } from "./helper.ts";

const MANY = 3_000;

test("many records are sealed with help: in order, each opening to what was written", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer({ segmentBytes: 1024 * 1024 });
  const l = await ledger({ threads: 2 });
  await exchanges(w, 0, MANY, 20);
  await w.append(act("test.done", "account-1")).durable;
  await exchanges(w, MANY, MANY + 3, 1024 * 1024); // records that fill a job each
  await exchanges(w, MANY + 3, MANY + 4, 20);
  await sealAll(l);
  l.close();
  await w.close();
  const reader = await log();
  const records = await allRecords(reader);
  assert.equal(records.length, 2 * MANY + 9);
  for (const [index, { leaf, account, content }] of records.entries()) {
    assert.equal(leaf.seq, index);
    if (leaf.kind === "act") continue;
    const number = Number(leaf.exchange?.slice("ex-".length));
    assert.equal(account, `account-${number % 5}`);
    const field = leaf.kind === "open" ? "request" : "response";
    const text = Buffer.from(content?.get(field) ?? []).toString();
    assert.match(text, leaf.kind === "open" ? /^q{20,}$/ : /^a{20,}$/);
    assert.equal(leaf.open, leaf.kind === "close" ? index - 1 : undefined);
  }
  reader.close();
  const alone = await fsck({ folder, keys, threads: 0 });
  assert.deepEqual([alone.problems, alone.checked.commitments], [[], records.length]);
  assert.deepEqual(await fsck({ folder, keys, threads: 2 }), alone);
});

test("a disk that fails while a long step is sealing: the next one seals all, once", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer({ segmentBytes: 4 * 1024 * 1024 });
  let calls = 0;
  let failAt = Number.POSITIVE_INFINITY;
  const disk = failingDisk(NODE_DISK, (name) => {
    if (name !== "write" && name !== "datasync" && name !== "rename") return null;
    calls += 1;
    return calls === failAt ? diskFailure("EIO") : null;
  });
  const l = await ledger({ disk, threads: 1 });
  await exchanges(w, 0, MANY, 20);
  for (failAt = 1; failAt < 80; failAt += 13) {
    calls = 0;
    await assert.rejects(l.step(), /injected/);
    assert.equal(l.size, 0);
  }
  failAt = Number.POSITIVE_INFINITY;
  await sealAll(l);
  l.close();
  await w.close();
  const reader = await log();
  const sequence = (await allRecords(reader)).map(({ leaf }) => leaf.seq);
  assert.deepEqual(
    sequence,
    Array.from({ length: 2 * MANY }, (_, index) => index),
  );
  reader.close();
  assert.deepEqual((await fsck({ folder, keys, threads: 1 })).problems, []);
});

function sealJob(plain: Uint8Array): Parameters<RecordCrew["seal"]>[0] {
  const builder = new JobBuilder(1, plain.length);
  builder.keys.fill(7);
  builder.add(plain);
  return { type: "seal", ...builder.take() };
}

test("a job that no thread could do comes back as null, and a closed crew takes none", async () => {
  const crew = new RecordCrew({ threads: 1 });
  const done = await crew.seal(sealJob(Buffer.from([0, 0])));
  assert.equal(done === null ? 0 : [...sealedParts(done)].length, 1);
  assert.equal(await crew.seal(sealJob(Buffer.from("\0\0no record of ours"))), null);
  assert.equal(crew.hasRoom, true);
  const last = crew.seal(sealJob(Buffer.alloc(32 * 1024 * 1024)));
  crew.close();
  assert.equal(await last, null);
  assert.equal(crew.hasRoom, false);
  assert.equal(await crew.seal(sealJob(Buffer.from([0, 0]))), null);
});

test("a crew of none has no room and does nothing", async () => {
  const crew = new RecordCrew({ threads: 0 });
  assert.equal(crew.hasRoom, false);
  assert.equal(await crew.seal(sealJob(Buffer.from([0, 0]))), null);
});
