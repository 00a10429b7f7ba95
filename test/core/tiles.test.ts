// Tiles and bundles: paths, and another implementation's log read back to its signed roots.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { EMPTY_ROOT, leafHash, rootOf } from "../../src/core/merkle.ts";
import {
  decodeBundle,
  encodeBundle,
  tileIndexPath,
  tileLevels,
  tilePath,
  tileWidth,
} from "../../src/core/tiles.ts";
import { parseVerifierKey } from "../../src/core/verifier-key.ts";
import { NODE_DISK } from "../../src/log/disk.ts";
import { TileReader } from "../../src/log/tile-reader.ts";

const LOG = join(import.meta.dirname, "../../../shared/vectors/tessera/testdata/log");
const skip = existsSync(LOG) ? false : "the published log is not beside this repository";

test("paths are those of the specification's examples", () => {
  assert.equal(tileIndexPath(1234067), "x001/x234/067");
  assert.equal(tilePath({ level: 0, index: 273, width: 112 }), "tile/0/273.p/112");
  assert.equal(tilePath({ level: "entries", index: 5, width: 256 }), "tile/entries/005");
  assert.deepEqual(
    [tileWidth(0, 273, 70_000), tileWidth(1, 1, 70_000), tileWidth(2, 0, 70_000)],
    [112, 17, 1],
  );
  assert.deepEqual([tileWidth(0, 0, 256), tileWidth(1, 0, 256), tileLevels(256)], [256, 1, 2]);
});

test("bundles give back what went in; cut or overlong ones are refused", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), fc.nat(), (entries, cut) => {
      const bundle = encodeBundle(entries);
      assert.deepEqual(
        decodeBundle(bundle)?.map(({ bytes }) => Buffer.from(bytes)),
        entries.map((e) => Buffer.from(e)),
      );
      const shorter = decodeBundle(bundle.subarray(0, cut % (bundle.length + 1)));
      assert.ok(shorter === null || shorter.length <= entries.length);
    }),
  );
  assert.equal(decodeBundle(encodeBundle(Array.from({ length: 257 }, () => new Uint8Array()))), null);
  assert.throws(() => encodeBundle([new Uint8Array(65_536)]), RangeError);
});

/** Public key of the published test log. */
const KEY = parseVerifierKey(
  "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
);

test("the published log's tiles and entries give the roots of all its checkpoints", { skip }, async () => {
  const tiles = new TileReader(NODE_DISK, LOG);
  for (let size = 0; size <= 15; size++) {
    const text = readFileSync(join(LOG, `checkpoint.${size}`), "utf8");
    const root = Buffer.from(text.split("\n")[2] ?? "", "base64");
    assert.ok(KEY !== null);
    const checkpoint = openCheckpoint(Buffer.from(text), { keys: [KEY] });
    assert.equal("fault" in checkpoint ? checkpoint.fault : checkpoint.size, size);
    if (size === 0) {
      assert.deepEqual(root, Buffer.from(EMPTY_ROOT));
      continue;
    }
    assert.deepEqual(Buffer.from(await tiles.range({ start: 0, end: size }, size)), root);
    const entries = await tiles.entries(0, size);
    assert.deepEqual(Buffer.from(rootOf(entries.map(({ bytes }) => leafHash(bytes)))), root);
  }
});
