// Fuzzes what reads hostile bytes in the log, guided by coverage: notes, proofs, tiles, leaves, timestamps, packs, segments.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseAddCheckpoint } from "../../src/core/add-checkpoint.ts";
import { utf8, utf8Text } from "../../src/core/bytes.ts";
import { openCheckpoint } from "../../src/core/checkpoint.ts";
import { encodeLeaf, parseLeaf } from "../../src/core/leaf.ts";
import { formatNote, parseNote } from "../../src/core/note.ts";
import { formatPolicy, parsePolicy } from "../../src/core/policy.ts";
import { verifyProof } from "../../src/core/proof.ts";
import { decodeBundle, encodeBundle } from "../../src/core/tiles.ts";
import { webTimestampCrypto } from "../../src/core/timestamp/crypto.ts";
import { encodeTimestampRequest, nonceOf } from "../../src/core/timestamp/request.ts";
import { parseTimestamp } from "../../src/core/timestamp/token.ts";
import { verifyTimestamp } from "../../src/core/timestamp/verify.ts";
import { parseTombstone } from "../../src/core/tombstone.ts";
import { formatVerifierKey } from "../../src/core/verifier-key.ts";
import { readPackRecord } from "../../src/log/content-pack.ts";
import { NODE_DISK } from "../../src/log/disk.ts";
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, SegmentReader } from "../../src/log/segment.ts";
import { stampNameOf } from "../../src/log/timestamp-files.ts";
import { type FuzzOptions, fuzz } from "../helpers/coverage-fuzz.ts";
import { OPENSSL_MISSING, TestAuthority } from "../helpers/timestamp-authority.ts";
import { bench, exchanges, sealAll } from "./helper.ts";

/** `ADYTON_FUZZ_SECONDS=3600` fuzzes for an hour, shared by the targets. */
const SECONDS = Number(process.env["ADYTON_FUZZ_SECONDS"] ?? 10);
const crypto = webTimestampCrypto(globalThis.crypto.subtle);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

type Target = Pick<FuzzOptions, "seeds" | "run">;

test("nothing that the log reads makes it fall over, or passes changed", {
  timeout: 24 * 3_600_000,
}, async (t) => {
  const made = await bench(t);
  const { folder, keys } = made;
  const w = await made.writer();
  await exchanges(w, 0, 20, 60);
  const l = await made.ledger();
  await sealAll(l);
  l.close();
  await w.close();
  const log = await made.log();
  const trusted = keys.verifierKeys();
  const proof = utf8(await log.prove(3));
  const checkpoint = await readFile(join(folder, "log", "checkpoint"));
  const bundle = await readFile(join(folder, "log", "tile", "entries", "000.p", "40"));
  const pack = await readFile(join(folder, "content", "000"));
  const leaf = decodeBundle(bundle)?.[0]?.bytes ?? new Uint8Array();
  const vkeys = trusted.map(formatVerifierKey);
  const policy = formatPolicy({
    logs: vkeys.map((vkey) => ({ vkey, url: "https://log.example/" })),
    witnesses: [],
    quorum: 0,
  });
  log.close();
  const text = checkpoint.subarray(0, checkpoint.indexOf("\n\n") + 1);
  const own = join(folder, "segments", "gateway-0");
  const [name = ""] = (await readdir(own)).filter((file) => file.endsWith(".seg"));
  const number = Number(name.slice(0, 10));
  const segment = (await readFile(join(own, name))).subarray(0, 9_000);

  const targets: Record<string, Target> = {
    notes: {
      seeds: [checkpoint],
      run: (input) => {
        const opened = openCheckpoint(input, { keys: trusted, origin: keys.origin });
        const note = parseNote(input);
        if (!("fault" in note)) assert.ok(same(utf8(formatNote(note.text, note.signatures)), input));
        // Lines of unknown keys may come and go; what was signed may not change.
        if (!("fault" in opened)) assert.ok(same(utf8(opened.note).subarray(0, text.length), text));
      },
    },
    proofs: {
      seeds: [proof],
      run: (input) => {
        const given = utf8Text(input);
        const verified = given === null ? null : verifyProof(given, { keys: trusted });
        if (verified !== null && !("fault" in verified)) assert.equal(verified.index, 3);
      },
    },
    "policies and witnesses' requests": {
      seeds: [utf8(policy), Buffer.concat([utf8("old 0\n\n"), checkpoint])],
      run: (input) => {
        parsePolicy(input);
        parseAddCheckpoint(input);
      },
    },
    "leaves, bundles and tombstones": {
      seeds: [
        bundle,
        leaf,
        utf8('{"account":null,"cause":"request","erasure":"e","keys":[],"legalBasis":"x","records":[[1,2]]}'),
      ],
      run: (input) => {
        const entries = decodeBundle(Buffer.from(input));
        if (entries !== null) assert.ok(same(encodeBundle(entries.map(({ bytes }) => bytes)), input));
        const read = parseLeaf(input);
        if (read !== null) assert.ok(same(encodeLeaf(read), input));
        parseTombstone(input);
        stampNameOf(utf8Text(input) ?? "");
      },
    },
    "packs and segments": {
      seeds: [pack.subarray(0, 2_000), segment],
      run: async (input) => {
        const bytes = Buffer.from(input);
        readPackRecord(bytes, 0, bytes.length >= 12 ? bytes.readUInt32BE(8) % 4096 : 0);
        decodeSegmentHeader(bytes, { writer: "gateway-0", number });
        const disk = {
          ...NODE_DISK,
          size: async () => bytes.length,
          open: async () => 0,
          close: async () => {},
          read: async (_file: number, target: Uint8Array, position: number) =>
            position >= bytes.length ? 0 : bytes.copy(target, 0, position),
        };
        const { writeAheadKey } = keys;
        const reader = await SegmentReader.open(disk, own, { writer: "gateway-0", number, writeAheadKey });
        if (reader === null) return;
        const { frames } = await reader.frames(SEGMENT_HEADER_BYTES, 100_000);
        // Batches are authenticated: what is read was written.
        for (const frame of frames) assert.match(frame.name, /^ex-\d+$/);
        await reader.salvage(SEGMENT_HEADER_BYTES);
      },
    },
  };
  if (OPENSSL_MISSING === false) {
    const authority = TestAuthority.make();
    const message = utf8("stamped");
    const nonce = nonceOf(new Uint8Array(16));
    const request = encodeTimestampRequest(await crypto.digest("sha256", message), nonce);
    const stamps = (["service", "old"] as const).map((section) => authority.reply(request, section));
    const roots = [{ certificate: authority.root }];
    authority.remove();
    targets["timestamps"] = {
      seeds: stamps,
      run: async (input) => {
        const stamp = parseTimestamp(input);
        if ("fault" in stamp) return;
        const verified = await verifyTimestamp(input, { message, roots, nonce }, crypto);
        if ("fault" in verified) return;
        const genuine = stamps.map(parseTimestamp);
        assert.ok(genuine.some((one) => !("fault" in one) && same(one.content, stamp.content)));
      },
    };
  }
  for (const [what, target] of Object.entries(targets))
    await t.test(what, async (one) => {
      const budgetMs = (SECONDS * 1000) / Object.keys(targets).length;
      const report = await fuzz({ ...target, files: /src\/(log|core)\//, budgetMs, seed: 11 });
      const { failure } = report;
      const input = Buffer.from(failure?.input ?? [])
        .toString("base64")
        .slice(0, 4000);
      one.diagnostic(`${what}: ${report.runs} inputs, ${report.blocks} blocks, corpus of ${report.corpus}`);
      assert.equal(failure, null, `${input}: ${failure?.error}`);
      assert.ok(report.runs > 0 && report.blocks > 0);
    });
});
