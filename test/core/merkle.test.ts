// Merkle hashing and proofs: the published vectors, and properties over all small trees.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { utf8 } from "../../src/core/bytes.ts";
import {
  CompactRange,
  consistencyRanges,
  EMPTY_ROOT,
  inclusionRanges,
  type LeafRange,
  leafHash,
  perfectNodes,
  rootOf,
} from "../../src/core/merkle.ts";
import {
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
} from "../../src/core/merkle-verify.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/transparency-dev-merkle/testdata");
const skip = existsSync(VECTORS) ? false : "the published vectors are not beside this repository";

interface Vector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly start: number;
  readonly end: number;
  readonly size: number;
  readonly size1: number;
  readonly size2: number;
  readonly root: string | null;
  readonly root1: string | null;
  readonly root2: string | null;
  readonly leafHash: string | null;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

function* vectors(folder: string): Generator<[path: string, vector: Vector]> {
  for (const entry of readdirSync(join(VECTORS, folder), { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.name.endsWith(".json")) yield [path, JSON.parse(readFileSync(path, "utf8")) as Vector];
  }
}

const bytes = (text: string | null): Uint8Array => Buffer.from(text ?? "", "base64");

function check(
  folder: string,
  expected: number,
  verify: (vector: Vector, proof: Uint8Array[]) => boolean,
): void {
  let seen = 0;
  for (const [path, vector] of vectors(folder)) {
    assert.equal(verify(vector, (vector.proof ?? []).map(bytes)), !vector.wantErr, path);
    seen += 1;
  }
  assert.equal(seen, expected);
}

test("all inclusion vectors get the published answer", { skip }, () => {
  check("inclusion", 98, (v, proof) =>
    verifyInclusion(
      { index: v.leafIdx, size: v.treeSize, leaf: bytes(v.leafHash), root: bytes(v.root) },
      proof,
    ),
  );
});

test("all consistency vectors get the published answer", { skip }, () => {
  check("consistency", 98, (v, proof) =>
    verifyConsistency(
      { first: v.size1, second: v.size2, firstRoot: bytes(v.root1), secondRoot: bytes(v.root2) },
      proof,
    ),
  );
});

test("all subtree vectors get the published answer", { skip }, () => {
  check("subtreeinclusion", 204, (v, proof) =>
    verifySubtreeInclusion(
      { index: v.leafIdx, subtree: v, leaf: bytes(v.leafHash), root: bytes(v.root) },
      proof,
    ),
  );
  check("subtreeconsistency", 118, (v, proof) =>
    verifySubtreeConsistency({ subtree: v, size: v.size, node: bytes(v.root1), root: bytes(v.root2) }, proof),
  );
});

const leaves = Array.from({ length: 80 }, (_, i) => leafHash(utf8(`leaf ${i}`)));
const rangeHash = (range: LeafRange): Uint8Array => rootOf(leaves.slice(range.start, range.end));
const root = (size: number): Uint8Array => rootOf(leaves.slice(0, size));

/** RFC 6962 section 2.1, word for word: the slow oracle. */
function definition(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (only === undefined) return EMPTY_ROOT;
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  const both = Buffer.concat([definition(hashes.slice(0, split)), definition(hashes.slice(split))]);
  return rootOf([both.subarray(0, 32), both.subarray(32)]);
}

test("the running root is the definition's root at every size", () => {
  for (let size = 0; size <= leaves.length; size++)
    assert.deepEqual(Buffer.from(root(size)), Buffer.from(definition(leaves.slice(0, size))));
});

test("every inclusion proof of every tree up to 48 leaves verifies, and at no other index", () => {
  for (let size = 1; size <= 48; size++) {
    for (let index = 0; index < size; index++) {
      const proof = inclusionRanges(index, size).map(rangeHash);
      const leaf = leaves[index] ?? EMPTY_ROOT;
      assert.ok(verifyInclusion({ index, size, leaf, root: root(size) }, proof));
      assert.ok(
        !verifyInclusion({ index: (index + 1) % size, size, leaf, root: root(size) }, proof) || size === 1,
      );
    }
  }
});

test("every consistency proof between sizes up to 48 verifies, and not for another size", () => {
  for (let second = 1; second <= 48; second++) {
    for (let first = 1; first <= second; first++) {
      const proof = consistencyRanges(first, second).map(rangeHash);
      const claim = { first, second, firstRoot: root(first), secondRoot: root(second) };
      assert.ok(verifyConsistency(claim, proof));
      if (first > 1) assert.ok(!verifyConsistency({ ...claim, first: first - 1 }, proof));
    }
  }
});

test("every single flipped bit of a proof, a leaf or a root is refused", () => {
  const tree = fc.integer({ min: 2, max: 80 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
  fc.assert(
    fc.property(tree, fc.nat(), ([size, index], flip) => {
      const parts = [leaves[index] ?? EMPTY_ROOT, root(size), ...inclusionRanges(index, size).map(rangeHash)];
      const all = Buffer.concat(parts);
      const bit = flip % (all.length * 8);
      all.writeUInt8(all.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const [leaf = EMPTY_ROOT, head = EMPTY_ROOT, ...proof] = parts.map((_, i) =>
        all.subarray(i * 32, i * 32 + 32),
      );
      assert.ok(!verifyInclusion({ index, size, leaf, root: head }, proof));
    }),
  );
});

test("a compact range goes on from its edge", () => {
  fc.assert(
    fc.property(fc.nat(80), fc.nat(80), (a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      const range = new CompactRange({ size: from, edge: perfectEdge(from) });
      for (const leaf of leaves.slice(from, to)) range.append(leaf);
      assert.deepEqual(Buffer.from(range.root()), Buffer.from(root(to)));
    }),
  );
});

function perfectEdge(size: number): Uint8Array[] {
  return perfectNodes({ start: 0, end: size }).map(({ height, index }) =>
    rangeHash({ start: index * 2 ** height, end: (index + 1) * 2 ** height }),
  );
}
