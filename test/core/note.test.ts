// Signed notes, checkpoints and proofs: the specification's example, and what must be refused.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { base64, utf8 } from "../../src/core/bytes.ts";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { inclusionRanges, leafHash, rootOf } from "../../src/core/merkle.ts";
import { formatNote, openNote, parseNote } from "../../src/core/note.ts";
import { formatProof, parseProof, verifyProof } from "../../src/core/proof.ts";
import { formatTreeHead, parseTreeHead } from "../../src/core/tree-head.ts";
import { formatVerifierKey, keyId, parseVerifierKey } from "../../src/core/verifier-key.ts";

const SPEC = join(import.meta.dirname, "../../../shared/vectors/c2sp-specs/signed-note.md");
const skip = existsSync(SPEC) ? false : "the C2SP specifications are not beside this repository";

function signer(name: string): { vkey: string; note: (text: string) => string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const material = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const id = keyId(name, 1, material);
  return {
    vkey: formatVerifierKey({ name, type: 1, publicKey: material }),
    note: (text) => formatNote(text, [{ name, id, signature: sign(null, utf8(text), privateKey) }]),
  };
}

function trusted(vkey: string): [NonNullable<ReturnType<typeof parseVerifierKey>>] {
  const key = parseVerifierKey(vkey);
  assert.ok(key !== null);
  return [key];
}

test("the example of the signed-note specification verifies", { skip }, () => {
  const text = readFileSync(SPEC, "utf8");
  const vkey = /^ {4}(example\.com\/foo\+\S+)$/m.exec(text)?.[1] ?? "";
  const note = /```\n(This is an example message\.[\s\S]*?)```/.exec(text)?.[1] ?? "";
  const opened = openNote(utf8(note), trusted(vkey));
  assert.ok(!("fault" in opened));
  assert.equal(opened.text, "This is an example message.\n");
});

const log = signer("example.com/log");
const other = signer("example.com/log");
const note = log.note("hello\n\nworld\n");

test("a note opens with its key, and what others sign beside it is ignored", () => {
  const stranger = signer("example.com/witness").note("hello\n\nworld\n").split("\n\n").at(-1) ?? "";
  for (const text of [note, note + stranger]) {
    const opened = openNote(utf8(text), trusted(log.vkey));
    assert.ok(!("fault" in opened));
    assert.equal(opened.text, "hello\n\nworld\n");
    assert.equal(opened.verified.length, 1);
  }
});

test("what is no valid note of a trusted key is refused with its reason", () => {
  const cases: [text: string | Uint8Array, fault: string][] = [
    [note.replace("hello", "hallo"), "bad-signature"],
    [other.note("hello\n"), "no-trusted-signature"],
    ["hello\n", "no-signatures"],
    ["hello\n\n", "no-signatures"],
    [note.slice(0, -1), "no-signatures"],
    [`${note}x\n`, "malformed-signature"],
    [note.replace("hello", "he\tllo"), "control-character"],
    [Uint8Array.of(0xff, 0x0a), "not-utf8"],
    ["x".repeat(600_000), "too-long"],
    [`a\n\n${"— a AAAAAAA=\n".repeat(65)}`, "too-many-signatures"],
  ];
  for (const [text, fault] of cases) {
    const opened = openNote(typeof text === "string" ? utf8(text) : text, trusted(log.vkey));
    assert.equal("fault" in opened ? opened.fault : "opened", fault);
  }
});

test("a verifier key is read only in its one spelling", () => {
  assert.equal(formatVerifierKey(trusted(log.vkey)[0]), log.vkey);
  for (let cut = 0; cut < log.vkey.length; cut++)
    assert.equal(parseVerifierKey(log.vkey.slice(0, cut)), null);
  assert.equal(parseVerifierKey(log.vkey.replace("log", "lag")), null);
  assert.equal(parseVerifierKey(`${log.vkey}=`), null);
});

test("the parser never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseNote(bytes);
      parseProof(Buffer.from(bytes).toString("latin1"));
      parseTreeHead(Buffer.from(bytes).toString("latin1"));
    }),
  );
});

test("a tree head has one spelling", () => {
  const head = { origin: "example.com/log", size: 20852163, root: leafHash(utf8("x")) };
  const text = formatTreeHead(head);
  assert.deepEqual(parseTreeHead(text), { ...head, root: Buffer.from(head.root), extensions: [] });
  for (const bad of [
    text.replace("2085", "02085"),
    text.replace("2085", "-2085"),
    text.slice(1).replace(/^.*\n/, "\n"),
    `${text}\n`,
  ])
    assert.equal(parseTreeHead(bad), null);
  const opened = openCheckpoint(utf8(log.note(text)), {
    keys: trusted(log.vkey),
    origin: "example.com/other",
  });
  assert.deepEqual(opened, { fault: "wrong-origin" });
});

test("a proof verifies, and not after any bit of it has changed", () => {
  const entries = Array.from({ length: 11 }, (_, i) => utf8(`entry ${i}`));
  const hashes = entries.map(leafHash);
  const checkpoint = log.note(formatTreeHead({ origin: "example.com/log", size: 11, root: rootOf(hashes) }));
  const path = inclusionRanges(6, 11).map(({ start, end }) => rootOf(hashes.slice(start, end)));
  const proof = formatProof({ index: 6, hashes: path, checkpoint, extra: entries[6] ?? null });
  const keys = trusted(log.vkey);
  const verified = verifyProof(proof, { keys });
  assert.ok(!("fault" in verified));
  assert.equal(base64(verified.leaf), base64(utf8("entry 6")));
  assert.deepEqual(verifyProof(proof, { keys, leaf: utf8("entry 7") }), { fault: "not-included" });
  const bytes = Buffer.from(proof);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const result = verifyProof(changed.toString("latin1"), { keys });
    assert.ok("fault" in result, `bit ${bit} of byte ${bit >> 3}`);
  }
});
