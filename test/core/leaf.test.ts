// Leaves, commitments and canonical JSON: one spelling each, and nothing else is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { base64url, utf8, utf8Text } from "../../src/core/bytes.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { commitmentOf, openingBytes, opens, readOpening, writeOpening } from "../../src/core/commitment.ts";
import { timeId } from "../../src/core/ids.ts";
import { encodeLeaf, type Leaf, parseLeaf, readAnyLeaf, readPlainLeaf } from "../../src/core/leaf.ts";

const hash = base64url(new Uint8Array(32).fill(7));
const leaf: Leaf = {
  v: 1,
  kind: "close",
  node: "0123456789abcdef",
  writer: "gateway-0",
  incarnation: 1_700_000_000_000,
  seq: 12,
  time: "2026-11-22T00:00:00.000Z",
  exchange: 'ex "quoted" é',
  account: `p_${base64url(new Uint8Array(16))}`,
  open: 3,
  commit: { response: hash, headers: hash, figures: hash },
  digest: hash,
  bytes: 100,
};

test("a leaf is canonical JSON and comes back", () => {
  const bytes = encodeLeaf(leaf);
  assert.equal(Buffer.from(bytes).toString(), canonicalJson(leaf));
  assert.deepEqual(parseLeaf(bytes), leaf);
});

test("a leaf that does not fit its kind is refused", () => {
  const { open: _open, ...closed } = leaf;
  const { exchange: _exchange, ...nameless } = leaf;
  const { commit: _commit, digest: _digest, bytes: _bytes, ...bare } = leaf;
  const bad: object[] = [
    { ...leaf, kind: "open" },
    { ...leaf, v: 2 },
    { ...leaf, extra: 1 },
    { ...leaf, seq: -1 },
    { ...leaf, seq: 0.5 },
    { ...leaf, time: "2026-11-22" },
    { ...leaf, account: "acme" },
    { ...leaf, act: "x" },
    { ...leaf, gap: 1 },
    { ...leaf, commit: { response: hash } },
    { ...leaf, digest: "short" },
    nameless,
    bare,
    { ...bare, kind: "interrupted", open: undefined },
  ];
  for (const value of bad) assert.equal(parseLeaf(utf8(canonicalJson(value))), null, canonicalJson(value));
  assert.notEqual(parseLeaf(utf8(canonicalJson(closed))), null);
  assert.equal(parseLeaf(utf8(JSON.stringify(leaf))), null, "another order of members");
});

test("bytes that are no leaf never throw and never pass for another", () => {
  const bytes = encodeLeaf(leaf);
  fc.assert(
    fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const read = parseLeaf(changed);
      if (read !== null) assert.deepEqual(Buffer.from(encodeLeaf(read)), changed);
    }),
  );
  fc.assert(fc.property(fc.json(), (text) => assert.equal(parseLeaf(utf8(text)), null)));
});

test("the short way reads plain leaves and agrees with the long way on everything", () => {
  const { open: _open, ...closed } = leaf;
  const { account: _account, exchange: _exchange, ...rest } = closed;
  const plain: Leaf[] = [
    { ...leaf, exchange: "ex-1" },
    { ...closed, exchange: "ex-1", kind: "open", commit: { headers: hash, network: hash, request: hash } },
    { ...rest, act: "key.created", kind: "act", commit: { detail: hash }, time: "2024-02-29T00:00:00.000Z" },
  ];
  for (const each of plain) assert.deepEqual(readPlainLeaf(utf8Text(encodeLeaf(each)) ?? ""), each);
  const texts = [leaf, ...plain].map((each) => Buffer.from(encodeLeaf(each)).toString());
  const edit = fc.record({
    at: fc.nat(700),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.constant(""),
      fc.constantFrom("0", "1", ",", '"', "\\", "}", "é", "B", " "),
      fc.string(),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { maxLength: 3 }), (text, edits) => {
      let changed = text;
      for (const { at, cut, put } of edits)
        changed = changed.slice(0, at % text.length) + put + changed.slice((at % text.length) + cut);
      const read = readPlainLeaf(changed);
      if (read !== null) assert.deepEqual(read, readAnyLeaf(changed), changed);
    }),
    { numRuns: 5_000 },
  );
  const swaps: readonly (readonly [string, string])[] = [
    ["close", "open"],
    ["2024-02-29", "2023-02-29"],
    ["2026-11-22", "2026-11-31"],
    [hash, `${hash.slice(0, 42)}B`],
    ['"seq":12', '"seq":012'],
    ['"v":1', '"v":1,"v":1'],
    ['"exchange":"ex-1"', `"exchange":"${"x".repeat(256)}"`],
    ['"open":3', '"gap":3'],
  ];
  for (const text of texts)
    for (const [from, to] of swaps)
      if (text.includes(from)) assert.equal(parseLeaf(utf8(text.replace(from, to))), null, `${from} ${to}`);
});

test("canonical JSON follows RFC 8785 and refuses what JSON can't hold", () => {
  assert.equal(
    canonicalJson({ b: [1e21, -0, 1.5], a: "é\u2028", "\u20ac": null, z: undefined }),
    '{"a":"é\u2028","b":[1e+21,0,1.5],"€":null}',
  );
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", 1n, () => 0])
    assert.throws(() => canonicalJson(bad), TypeError);
  let deep: unknown = 1;
  for (let i = 0; i < 70; i++) deep = [deep];
  assert.throws(() => canonicalJson(deep), TypeError);
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value))),
    ),
  );
});

test("a commitment opens to its field only", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("request", "headers"),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array(),
      (field, salt, value) => {
        const bytes = Buffer.alloc(openingBytes(field.length, value.length));
        assert.equal(writeOpening(bytes, 0, { field, salt, value }), bytes.length);
        const read = readOpening(bytes, 0);
        assert.ok(read !== null && read.end === bytes.length);
        const commitment = commitmentOf(bytes);
        assert.ok(opens(read, commitment));
        assert.ok(!opens({ ...read, field: "network" }, commitment));
        assert.ok(!opens({ ...read, value: Buffer.concat([value, Buffer.of(0)]) }, commitment));
        for (let cut = 0; cut < bytes.length; cut++)
          assert.equal(readOpening(bytes.subarray(0, cut), 0), null);
      },
    ),
  );
});

test("ids sort by time", () => {
  const random = new Uint8Array(10).fill(255);
  assert.equal(timeId("ex", 0, random), `ex_0000000000${"z".repeat(16)}`);
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (a, b) => {
      assert.equal(timeId("ex", a, random) < timeId("ex", b, random), a < b);
    }),
  );
});
