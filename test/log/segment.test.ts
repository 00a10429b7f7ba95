// Segments after a crash: torn anywhere, stale from a former use, damaged in the middle.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import { SEGMENT_HEADER_BYTES, SegmentReader } from "../../src/log/segment.ts";
import { readTail } from "../../src/log/writer-tail.ts";
import { act, bench, exchanges, open, sealAll } from "./helper.ts";

async function segmentFiles(folder: string, writer = "gateway-0"): Promise<string[]> {
  const names = await readdir(join(folder, "segments", writer));
  return names.filter((name) => name.endsWith(".seg")).map((name) => join(folder, "segments", writer, name));
}

test("a segment torn at any byte gives exactly the frames that were whole before it", async (t) => {
  const { writer, folder, keys } = await bench(t);
  const w = await writer({ segmentBytes: 4096 });
  const ends = [SEGMENT_HEADER_BYTES];
  for (let i = 0; i < 3; i++) await w.append(act(`a-${i}`)).durable;
  await w.close();
  const [path = ""] = await segmentFiles(folder);
  const whole = await readFile(path);
  const reader = await SegmentReader.open(NODE_DISK, join(folder, "segments", "gateway-0"), {
    writer: "gateway-0",
    number: 1,
    writeAheadKey: keys.writeAheadKey,
  });
  assert.ok(reader !== null);
  const { frames, end } = await reader.frames(SEGMENT_HEADER_BYTES, 1e6);
  await reader.close();
  const length = (end - SEGMENT_HEADER_BYTES) / frames.length;
  for (let i = 1; i <= 3; i++) ends.push(SEGMENT_HEADER_BYTES + i * length);
  assert.equal(frames.length, 3);
  for (let cut = SEGMENT_HEADER_BYTES; cut <= end; cut++) {
    const torn = Buffer.from(whole);
    torn.fill(cut % 2 === 0 ? 0 : 0xad, cut);
    if (cut < end && torn[cut] === whole[cut]) torn[cut] = (whole[cut] ?? 0) ^ 0xff; // chance must not mend the tear
    await writeFile(path, torn);
    const segments = join(folder, "segments");
    const tail = await readTail(NODE_DISK, segments, "gateway-0", {
      position: undefined,
      writeAheadKey: keys.writeAheadKey,
      limitBytes: 1e6,
    });
    assert.equal(tail.events.length, ends.filter((at) => at <= cut).length - 1, `cut at ${cut}`);
  }
});

test("a start reports the torn tail, and its records never existed", async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  await w.append(open("kept")).durable;
  await w.append(open("torn")).durable;
  await w.close();
  const [path = ""] = await segmentFiles(folder);
  const bytes = await readFile(path);
  const start = bytes.lastIndexOf(Buffer.from([0xad, 0x17, 0xba, 0x01]));
  bytes.fill(0, start + 200, start + 300);
  await writeFile(path, bytes);
  const again = await writer();
  assert.equal(again.recovery?.offset, start);
  assert.ok((again.recovery?.tornBytes ?? 0) > 200);
  const l = await ledger();
  assert.equal(await sealAll(l), 2);
  const reader = await log();
  assert.deepEqual((await reader.record(1)).leaf.exchange, "kept");
  assert.deepEqual(await reader.findExchange("torn"), {});
  await again.close();
  assert.equal((await fsck({ folder, keys })).ok, true);
  l.close();
  reader.close();
});

test("damage in the middle of a finished segment costs its batch only, and the log says so", async (t) => {
  const { writer, ledger, folder, keys } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 200, 300);
  const [path = ""] = await segmentFiles(folder);
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
  await writeFile(path, bytes);
  const told: string[] = [];
  const l = await ledger({ onError: (error) => told.push(error.code) });
  const sealed = await sealAll(l);
  assert.deepEqual(told, ["log.damaged"]);
  const lost = bytes.readUInt32BE(SEGMENT_HEADER_BYTES + 12); // frames of the first batch
  assert.ok(lost > 1 && lost * 500 < 70_000, `${lost} lost`);
  assert.equal(sealed, 400 - lost + 1); // one leaf in their place
  const report = await fsck({ folder, keys });
  assert.equal(report.ok, true);
  assert.deepEqual(
    report.gaps.map(({ act: name, count }) => [name, count]),
    [["log.damaged", lost]],
  );
  await w.close();
  l.close();
});
