// Cosignatures of both kinds: the specification's bytes, and the refusal of every changed bit.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { concatBytes, utf8, utf8Text } from "../../src/core/bytes.ts";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { signedMessage, verifySignature } from "../../src/core/cosignature.ts";
import { formatNote, openNote, parseNote } from "../../src/core/note.ts";
import { formatTreeHead, parseTreeHead } from "../../src/core/tree-head.ts";
import {
  ED25519_COSIGNATURE,
  ED25519_NOTE,
  ML_DSA_44_COSIGNATURE,
  parseVerifierKey,
} from "../../src/core/verifier-key.ts";
import { testSigner } from "../helpers/note-signer.ts";

const SPEC = join(import.meta.dirname, "../../../shared/vectors/c2sp-specs/tlog-cosignature.md");
const skip = existsSync(SPEC) ? false : "the C2SP specifications are not beside this repository";
const HEAD = { origin: "example.com/behind-the-sofa", size: 20852163, root: Buffer.alloc(32, 7) };
const TEXT = formatTreeHead(HEAD);
const SIGNERS = [
  testSigner("example.com/behind-the-sofa", ED25519_NOTE),
  testSigner("witness.example.com/w1", ED25519_COSIGNATURE),
  testSigner("witness.example.com/w1", ML_DSA_44_COSIGNATURE),
];
const NOTE = formatNote(
  TEXT,
  SIGNERS.map((signer) => signer.sign(TEXT)),
);
const KEYS = SIGNERS.map(({ key }) => key);

test("the specification's example is read, and its message is the one that is signed", { skip }, () => {
  const spec = readFileSync(SPEC, "utf8");
  const example = /```\n(example\.com\/behind-the-sofa[\s\S]*?)```/.exec(spec)?.[1] ?? "";
  const note = parseNote(utf8(example));
  assert.ok(!("fault" in note));
  assert.deepEqual([parseTreeHead(note.text)?.size, note.signatures.length], [20852163, 2]);
  const cosignature = Buffer.from(note.signatures[1]?.signature ?? []);
  assert.equal(cosignature.length, 72);
  const time = Number(cosignature.readBigUInt64BE());
  const signed = (/( {4}cosignature\/v1\n[\s\S]*?)\n\n/.exec(spec)?.[1] ?? "").replaceAll(/^ {4}/gm, "");
  const message = signedMessage({ name: "any", type: ED25519_COSIGNATURE }, note.text, time);
  assert.equal(utf8Text(message ?? new Uint8Array()), `${signed}\n`);
});

test("an ML-DSA-44 cosignature signs label, names, time and the whole tree, byte for byte", () => {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(value));
    return bytes;
  };
  const message = signedMessage({ name: "w1", type: ML_DSA_44_COSIGNATURE }, TEXT, 1_700_000_000);
  assert.deepEqual(
    Buffer.from(message ?? []),
    Buffer.concat([
      Buffer.from([0x73, 0x75, 0x62, 0x74, 0x72, 0x65, 0x65, 0x2f, 0x76, 0x31, 0x0a, 0x00]),
      Buffer.from([2, 0x77, 0x31]),
      number(1_700_000_000),
      Buffer.from([27]),
      Buffer.from("example.com/behind-the-sofa"),
      number(0),
      number(20852163),
      HEAD.root,
    ]),
  );
  const id = createHash("sha256")
    .update(concatBytes(utf8("witness.example.com/w1\n\x06"), KEYS[2]?.publicKey ?? new Uint8Array()))
    .digest()
    .readUInt32BE();
  assert.equal(KEYS[2]?.id, id);
});

test("a checkpoint with all three kinds of signature opens, with the times of the cosignatures", () => {
  const opened = openCheckpoint(utf8(NOTE), { keys: KEYS, origin: HEAD.origin });
  assert.ok(!("fault" in opened));
  assert.deepEqual(
    opened.verified.map(({ timeSeconds }) => timeSeconds),
    [null, 1_700_000_000, 1_700_000_000],
  );
  for (const { vkey, key } of SIGNERS)
    assert.deepEqual(parseVerifierKey(vkey), { ...key, publicKey: Buffer.from(key.publicKey) });
});

test("a key of one kind never vouches for a signature of another", () => {
  for (const signer of SIGNERS)
    for (const { key } of SIGNERS)
      assert.equal(verifySignature(key, TEXT, signer.sign(TEXT).signature) !== null, key === signer.key);
});

test("what cosigners can't sign, or no calendar holds, is refused", () => {
  const [, , mlDsa] = SIGNERS;
  assert.ok(mlDsa !== undefined);
  assert.equal(signedMessage(mlDsa.key, "no checkpoint\n", 1), null);
  assert.equal(signedMessage(mlDsa.key, formatTreeHead({ ...HEAD, origin: "x".repeat(256) }), 1), null);
  const late = Buffer.from(mlDsa.sign(TEXT).signature);
  late.writeBigUInt64BE(2n ** 62n);
  assert.equal(verifySignature(mlDsa.key, TEXT, late), null);
  assert.equal(verifySignature(mlDsa.key, TEXT, new Uint8Array(3)), null);
  const opened = openNote(utf8(formatNote(TEXT, [{ ...mlDsa.sign(TEXT), signature: late }])), [mlDsa.key]);
  assert.deepEqual(opened, { fault: "bad-signature" });
});

test("no bit of a cosigned checkpoint can change unnoticed", () => {
  const bytes = Buffer.from(NOTE);
  const postQuantumFrom = NOTE.lastIndexOf("—");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    // Inside the 2,420 bytes of ML-DSA every 97th bit: each look costs a millisecond.
    if (bit >> 3 > postQuantumFrom + 80 && bit % 97 !== 0) continue;
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const opened = openCheckpoint(changed, { keys: KEYS });
    if ("fault" in opened) continue;
    assert.ok(opened.verified.length < KEYS.length && opened.note.startsWith(TEXT), `bit ${bit}`);
  }
});
