// Go's own implementation of notes, trees and tiles must agree with our log, byte for byte, and we with a log of its making.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import { type Checkpoint, openCheckpoint } from "../../src/core/checkpoint.ts";
import { leafHash } from "../../src/core/merkle.ts";
import { verifyConsistency, verifyInclusion } from "../../src/core/merkle-verify.ts";
import { formatNote, type Note, parseNote } from "../../src/core/note.ts";
import { formatProof, verifyProof } from "../../src/core/proof.ts";
import {
  ED25519_COSIGNATURE,
  formatVerifierKey,
  ML_DSA_44_COSIGNATURE,
  parseVerifierKey,
} from "../../src/core/verifier-key.ts";
import { NODE_DISK } from "../../src/log/disk.ts";
import { TileReader } from "../../src/log/tile-reader.ts";
import { testSigner } from "../helpers/note-signer.ts";
import { bench, exchanges, sealAll } from "./helper.ts";

/** Where Debian's golang-golang-x-mod-dev puts the module; another GOPATH may be given. */
const GOPATH = process.env["ADYTON_TEST_GOPATH"] ?? "/usr/share/gocode";

function whySkip(): string | false {
  if (!existsSync(join(GOPATH, "src/golang.org/x/mod/sumdb/tlog")))
    return "golang-golang-x-mod-dev is not installed";
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "go is not installed";
  }
}

function runGo(program: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    GOPATH,
    GO111MODULE: "off",
    GOFLAGS: "",
    GOCACHE: join(tmpdir(), "adyton-test-go-cache"),
  };
  const path = join(import.meta.dirname, "peers", program);
  return execFileSync("go", ["run", path, ...args], { env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function noteOf(bytes: Uint8Array): Note {
  const note = parseNote(bytes);
  assert.ok(!("fault" in note));
  return note;
}

test("Go accepts our checkpoint, entries, tiles and proof", {
  skip: whySkip(),
  timeout: 180_000,
}, async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  await exchanges(w, 0, 333, 50);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  // Go knows neither kind of cosignature, and must not be disturbed by them.
  const note = noteOf(await readFile(join(folder, "log/checkpoint")));
  const witnesses = ([ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE] as const).map((type) =>
    testSigner("w.example", type),
  );
  const signatures = witnesses.map((witness) => witness.sign(note.text));
  await l.addCosignatures(formatNote(note.text, [...note.signatures, ...signatures]), { quorum: true });
  const reader = await log();
  const proof = join(folder, "record.tlog-proof");
  await writeFile(proof, await reader.prove(300));
  const [first] = keys.verifierKeys();
  assert.ok(first !== undefined);
  const key = formatVerifierKey(first);
  assert.equal(runGo("check.go", [key, join(folder, "log"), proof]), "agreed: 666 leaves\n");
  l.close();
  reader.close();
});

/** Sizes at which Go's log is signed: around the width of a tile, and a tree of two levels of tiles. */
const SIZES: readonly number[] = [1, 2, 77, 255, 256, 257, 512, 700];

interface GoProof {
  readonly index: number;
  readonly first: number;
  readonly size: number;
  readonly hashes: readonly string[];
}

test("we accept Go's checkpoints, tiles, entries and proofs", {
  skip: whySkip(),
  timeout: 180_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-go-log-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const said = JSON.parse(runGo("make.go", [folder, ...SIZES.map(String)])) as {
    readonly vkey: string;
    readonly other: string;
    readonly records: readonly GoProof[];
    readonly trees: readonly GoProof[];
  };
  const [key, other] = [parseVerifierKey(said.vkey), parseVerifierKey(said.other)];
  assert.ok(key !== null && other !== null);
  assert.equal(formatVerifierKey(key), said.vkey);

  const heads = new Map<number, Checkpoint>();
  for (const size of SIZES) {
    const bytes = await readFile(join(folder, `checkpoint.${size}`));
    const note = noteOf(bytes);
    assert.deepEqual(Buffer.from(formatNote(note.text, note.signatures)), bytes, "ours writes the same note");
    const head = openCheckpoint(bytes, { keys: [key, other], origin: "go.example/log" });
    assert.ok(!("fault" in head));
    assert.deepEqual([head.size, head.verified.length], [size, 2]);
    heads.set(size, head);
    const changed = Buffer.from(bytes.toString().replace(`\n${size}\n`, `\n${size + 1}\n`));
    assert.deepEqual(openCheckpoint(changed, { keys: [key] }), { fault: "bad-signature" });
    const tiles = new TileReader(NODE_DISK, folder);
    const root = await tiles.range({ start: 0, end: size }, size);
    assert.deepEqual(Buffer.from(root), Buffer.from(head.root));
    for (let bundle = 0; bundle * 256 < size; bundle++)
      for (const [at, entry] of (await tiles.entries(bundle, Math.min(256, size - bundle * 256))).entries())
        assert.equal(Buffer.from(entry.bytes).toString(), `record ${bundle * 256 + at}`);
  }

  const hashesOf = (proof: GoProof): Uint8Array[] => proof.hashes.map((hash) => Buffer.from(hash, "base64"));
  const headOf = (size: number): Checkpoint => heads.get(size) ?? assert.fail(`no checkpoint of ${size}`);
  assert.equal(
    said.records.length,
    SIZES.reduce((sum, size) => sum + size, 0),
  );
  for (const proof of said.records) {
    const { root, note } = headOf(proof.size);
    const leaf = utf8(`record ${proof.index}`);
    const claim = { index: proof.index, size: proof.size, leaf: leafHash(leaf), root };
    assert.ok(verifyInclusion(claim, hashesOf(proof)));
    assert.ok(!verifyInclusion({ ...claim, leaf: leafHash(utf8("another")) }, hashesOf(proof)));
    if (proof.index % 50 !== 0) continue;
    const text = formatProof({ index: proof.index, hashes: hashesOf(proof), checkpoint: note, extra: leaf });
    assert.ok(!("fault" in verifyProof(text, { keys: [key] })));
  }
  assert.equal(said.trees.length, (SIZES.length * (SIZES.length - 1)) / 2);
  for (const proof of said.trees) {
    const [first, second] = [headOf(proof.first), headOf(proof.size)];
    const claim = {
      ...{ first: first.size, second: second.size },
      ...{ firstRoot: first.root, secondRoot: second.root },
    };
    assert.ok(verifyConsistency(claim, hashesOf(proof)));
    assert.ok(!verifyConsistency({ ...claim, firstRoot: second.root }, hashesOf(proof)));
  }
});
