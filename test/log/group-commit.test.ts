// How many syncs the records of a writer take: one each while it has little to do, one for many while it is busy.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { NODE_DISK } from "../../src/log/disk.ts";
import type { LogWriter } from "../../src/log/writer.ts";
import { bench, open } from "./helper.ts";

const BURST = 10;
const TURNS = 20;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A writer that has just been busy, and the syncs since then. `stopwatch`: what it measures waiting with. */
async function busyWriter(
  t: TestContext,
  stopwatch: () => number,
): Promise<{ writer: LogWriter; syncs: () => number }> {
  const { writer } = await bench(t);
  let syncs = 0;
  const disk = {
    ...NODE_DISK,
    datasync: async () => {
      syncs += 1;
    },
  };
  const w = await writer({ disk, stopwatch });
  const burst = Array.from({ length: BURST }, (_, i) => w.append(open(`ex-${i}`)).durable);
  syncs = 0;
  await Promise.all(burst);
  assert.equal(syncs, 1, "what one turn brings is one flush");
  syncs = 0;
  return { writer: w, syncs: () => syncs };
}

async function oneATurn(writer: LogWriter): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  for (let i = 0; i < TURNS; i++) {
    last = writer.append(open(`turn-${i}`)).durable;
    await turn();
  }
  await last;
}

test("a busy writer gathers while each turn brings records", async (t) => {
  const { writer, syncs } = await busyWriter(t, () => 0);
  await oneATurn(writer);
  assert.equal(syncs(), 1);
});

test("no record waits for more than the gathering time, however many come", async (t) => {
  let nowMs = 0;
  const { writer, syncs } = await busyWriter(t, () => nowMs++);
  await oneATurn(writer);
  assert.ok(syncs() > 1, `got ${syncs()} syncs`);
});

test("a writer with little to do syncs each record at once", async (t) => {
  const { writer, syncs } = await busyWriter(t, () => 0);
  for (let i = 0; i < 3; i++) await writer.append(open(`alone-${i}`)).durable;
  assert.equal(syncs(), 3);
});
